"""What a ladder must show: each point alone, met and not met."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from webapp.content.report import LevelReport, Opener, Rate, Report, Result
from webapp.domain.calibration.ladder_rules import Requirement, requirements

ATTACKS = 20
GOOD = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.1)


def judged(
    rates: tuple[float, ...] = GOOD,
    *,
    answered: dict[int, float] | None = None,
    families: dict[int, int] | None = None,
    proofs_won: dict[int, int] | None = None,
    wins: dict[int, int] | None = None,
    plain: float = 0.9,
    single: tuple[float, ...] | None = None,
    opened: tuple[tuple[int, int], ...] = (),
) -> list[Requirement]:
    """Judge eight levels; changes are given by the number of the level.

    Conversations succeed as `rates` says, and so do single messages unless `single`
    says otherwise. `opened` has attacks: how many messages, and levels that it opened.
    """
    levels, results = [], []
    for number, rate in enumerate(rates, 1):
        won = (wins or {}).get(number, 3)
        winners = {(3 * number + n) % ATTACKS for n in range(won)}
        count = (families or {}).get(number, 2)
        levels.append(
            LevelReport(
                id=f"level-{number}",
                content_hash="",
                model="m",
                attacks=ATTACKS,
                success_rate=rate,
                interval=(0.0, 1.0),
                single=rate_of((single or rates)[number - 1]),
                conversations=rate_of(rate),
                by_family={
                    **{f"f{n}": 0.5 if n < count else 0.0 for n in range(4)},
                    **({"direct": plain} if number == 1 else {}),
                },
                proofs=2,
                proofs_won=(proofs_won or {}).get(number, 2),
                benign=100,
                benign_answered=(answered or {}).get(number, 0.95),
                seconds=1.0,
            )
        )
        results += [
            Result(
                level=f"level-{number}", attack=n, success=n in winners, wins=0, plays=1
            )
            for n in range(ATTACKS)
        ]
    report = Report(
        ladder="keep",
        made_at=datetime(2026, 5, 4, tzinfo=UTC),
        attacks_from="a test",
        attacks_hash="",
        families={"f0": ATTACKS},
        secrets=1,
        seeds=1,
        seconds=1.0,
        levels=tuple(levels),
        results=tuple(results),
        openers=tuple(
            Opener(
                family="f0",
                turns=("Tell me.",) * messages,
                levels=tuple(level.id for level in levels[:count]),
            )
            for messages, count in opened
        ),
    )
    return requirements(report.levels, report)


def rate_of(share: float) -> Rate:
    return Rate(attacks=ATTACKS, success_rate=share, interval=(0.0, 1.0))


def test_a_good_ladder_meets_all() -> None:
    points = judged(opened=((2, 6), (1, 3)))
    assert [point.is_met for point in points] == [True] * 8
    assert [point.detail for point in points] == [
        "it never rises",
        "it never rises",
        "90.0%",
        "10.0%",
        "the best one clears 3",
        "the best one clears 6",
        "all are",
        "95.0% at level-1",
    ]


@pytest.mark.parametrize(
    ("rates", "is_met"),
    [
        ((0.9, 0.6, 0.65, 0.5, 0.4, 0.3, 0.2, 0.1), True),  # one rise of 5 points
        ((0.9, 0.6, 0.66, 0.5, 0.4, 0.3, 0.2, 0.1), False),  # of 6
        ((0.9, 0.6, 0.62, 0.5, 0.52, 0.3, 0.2, 0.1), False),  # two
        ((0.9, 0.9, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1), True),  # staying level is not a rise
    ],
)
def test_success_falls(rates: tuple[float, ...], is_met: bool) -> None:
    assert [point.is_met for point in judged(rates)[:2]] == [is_met, is_met]
    # Each kind is judged by itself.
    points = judged(GOOD, single=rates)
    assert [point.is_met for point in points[:2]] == [is_met, True]


@pytest.mark.parametrize(("plain", "is_met"), [(0.81, True), (0.80, False)])
def test_plain_requests_open_the_first(plain: float, is_met: bool) -> None:
    assert judged(plain=plain)[2].is_met is is_met


@pytest.mark.parametrize(
    ("last", "is_met"), [(0.01, True), (0.1, True), (0.11, False), (0.0, False)]
)
def test_the_last_is_hard_and_possible(last: float, is_met: bool) -> None:
    assert judged((*GOOD[:7], last))[3].is_met is is_met


@pytest.mark.parametrize(
    ("opened", "message", "key"),
    [
        (((1, 3), (2, 6)), True, True),
        (((1, 4),), False, True),
        (((2, 7),), True, False),
        (((1, 8),), False, False),
    ],
)
def test_nothing_opens_everything(
    opened: tuple[tuple[int, int], ...], message: bool, key: bool
) -> None:
    points = judged(opened=opened)
    assert (points[4].is_met, points[5].is_met) == (message, key)


def test_what_opens_too_much_is_named() -> None:
    points = judged(opened=((1, 8), (1, 7), (1, 6), (1, 5), (1, 4)))
    assert points[4].detail == (
        "8 by “Tell me.”; 7 by “Tell me.”; 6 by “Tell me.”; 2 more"
    )


def test_an_older_report_does_not_tell_single_messages_apart() -> None:
    level = LevelReport(
        id="one", content_hash="", model="m", attacks=1, success_rate=0.5,
        interval=(0.0, 1.0), by_family={}, seconds=1.0,
    )  # fmt: skip
    report = Report(
        ladder="keep", made_at=datetime(2026, 5, 4, tzinfo=UTC), attacks_from="a test",
        attacks_hash="", families={}, secrets=1, seeds=1, seconds=1.0, levels=(level,),
        results=(),
    )  # fmt: skip
    (point,) = requirements(report.levels, report)
    assert not point.is_met
    assert "calibrate again" in point.detail


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"wins": {4: 2}}, "level-4: attacks 2, families 2"),
        ({"families": {8: 1}}, "level-8: attacks 3, families 1"),
        (
            {"proofs_won": {3: 1}},
            "level-3: attacks 3, families 2, not by its proof",
        ),
    ],
)
def test_every_level_can_be_won(
    changes: dict[str, dict[int, int]], detail: str
) -> None:
    point = judged(**changes)[6]  # type: ignore[arg-type]
    assert (point.is_met, point.detail) == (False, detail)


def test_visitors_are_served_at_the_first_six() -> None:
    assert judged(answered={7: 0.5, 8: 0.5})[7].is_met
    point = judged(answered={6: 0.94})[7]
    assert (point.is_met, point.detail) == (False, "94.0% at level-6")
