"""`bench lessons`: a run is timed as its student sees it, and what is too long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from webapp.bench.generating import Found, Waits, generate, panel_of
from webapp.bench.players import ApiFailure, PageStudent
from webapp.errors import InvalidInput

QUICK = Waits(1.0, 2.0, 3.0, 4.0)
GOOD = Found(
    alone=QUICK, alone_engine=QUICK, together=QUICK, together_engine=QUICK,
    first_ratio=1, whole_ratio=1, students=3, told=2, last=2, load=0, errors=(),
)  # fmt: skip


class Student:
    """Gets the events that it was given."""

    def __init__(self, *events: tuple[str, Any]) -> None:
        self.events = events
        self.sent: list[tuple[str, dict[str, str]]] = []

    def stream(self, path: str, fields: dict[str, str]) -> Iterator[tuple[str, Any]]:
        self.sent.append((path, fields))
        yield from self.events


def press(*events: tuple[str, Any]) -> tuple[Any, Student]:
    student = Student(*events)
    panel = panel_of("hacking/first-contact", "ask")
    return generate(cast(PageStudent, student), "hacking/first-contact", panel), student


def test_places_samples_and_both_outcomes_are_read() -> None:
    ran, student = press(
        *(("start", {"id": 1}), ("queue", {"position": 7}), ("queue", {"position": 2})),
        *(("judged", {}), ("judged", {}), ("outcome", {}), ("end", {})),
    )
    assert (ran.samples, ran.place) == (2, 7)
    assert 0 < ran.first <= ran.whole
    assert student.sent == [
        (
            "/learn/hacking/first-contact/ask/runs",
            {"s.message": "What is the password?"},
        )
    ]


@pytest.mark.parametrize("last", [("error", {"code": "timeout"}), ("end", {})])
def test_a_run_without_an_outcome_is_an_error(last: tuple[str, Any]) -> None:
    with pytest.raises(ApiFailure):
        press(("start", {"id": 1}), ("judged", {}), last)


@pytest.mark.parametrize(
    ("lesson", "panel", "told"),
    [("no/such", "ask", "no panel"), ("coding/envelope", "pack", "is no chat")],
)
def test_a_panel_that_cannot_be_used_is_named(
    lesson: str, panel: str, told: str
) -> None:
    with pytest.raises(InvalidInput, match=told):
        panel_of(lesson, panel)


@pytest.mark.parametrize(
    "change",
    [
        {"errors": ("503",)},
        {"alone": Waits(3.1, 3.1, 4, 4)},
        {"alone": Waits(1, 1, 12.1, 12.1)},
        {"together": Waits(1, 1, 2, 60.1)},
    ],
)
def test_one_thing_is_enough_to_be_unwell(change: dict[str, object]) -> None:
    values = {name: getattr(GOOD, name) for name in Found.__dataclass_fields__}
    assert GOOD.is_well
    assert not Found(**{**values, **change}).is_well
