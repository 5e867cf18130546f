"""What a ladder must show: each point alone, met and not met."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from webapp.content.report import LevelReport, Report, Result
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
    first_wins: int = 0,
) -> list[Requirement]:
    """Judge eight levels; changes are given by the number of the level.

    Each level is won by the attacks that follow those that won the one before, so that
    none clears many; `first_wins` levels are won by attack 0.
    """
    levels, results = [], []
    for number, rate in enumerate(rates, 1):
        won = (wins or {}).get(number, 3)
        winners = {(3 * number + n) % ATTACKS for n in range(won)}
        winners |= {0} if number <= first_wins else set()
        count = (families or {}).get(number, 2)
        levels.append(
            LevelReport(
                id=f"level-{number}",
                content_hash="",
                model="m",
                attacks=ATTACKS,
                success_rate=rate,
                interval=(0.0, 1.0),
                by_family={f"f{n}": 0.5 if n < count else 0.0 for n in range(4)},
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
    )
    return requirements(report.levels, report)


def test_a_good_ladder_meets_all() -> None:
    assert [point.is_met for point in judged()] == [True] * 5
    assert [point.detail for point in judged()] == [
        "it never rises",
        "90.0% and 10.0%",
        "the best one clears 2",
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
    assert judged(rates)[0].is_met is is_met


@pytest.mark.parametrize(
    ("first", "last", "is_met"),
    [
        (0.81, 0.01, True),
        (0.80, 0.05, False),
        (0.9, 0.1, True),
        (0.9, 0.11, False),
        (0.9, 0.0, False),
    ],
)
def test_the_ends(first: float, last: float, is_met: bool) -> None:
    assert judged((first, *GOOD[1:7], last))[1].is_met is is_met


def test_no_attack_opens_everything() -> None:
    assert judged(first_wins=5)[2].is_met
    too_many = judged(first_wins=7)[2]
    assert (too_many.is_met, too_many.detail) == (False, "attacks 0")


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
    point = judged(**changes)[3]  # type: ignore[arg-type]
    assert (point.is_met, point.detail) == (False, detail)


def test_visitors_are_served_at_the_first_six() -> None:
    assert judged(answered={7: 0.5, 8: 0.5})[4].is_met
    point = judged(answered={6: 0.94})[4]
    assert (point.is_met, point.detail) == (False, "94.0% at level-6")
