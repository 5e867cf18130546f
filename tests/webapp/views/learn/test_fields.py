"""What was typed on the page of a lesson."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from webapp.content.lessons.schema import (
    CheckSpec,
    Panel,
    PanelProof,
    PromptMessage,
    Slot,
)
from webapp.errors import InvalidInput
from webapp.views.learn import fields


def panel(**slots: Slot) -> Panel:
    return Panel(
        name="show",
        task="Do it.",
        messages=(PromptMessage(user="{a}"),),
        slots=slots,
        checks=(CheckSpec(name="equals"),),
        proof=PanelProof(solved_by=({},)),
    )


def test_slots_are_read_and_nothing_else() -> None:
    form = MultiDict([("s.a", "one\r\ntwo"), ("csrf_token", "x"), ("b", "no")])
    assert fields.values(form, panel(a=Slot())) == {"a": "one\ntwo"}


def test_lines_become_their_numbers() -> None:
    rules = panel(a=Slot(items=("first", "second", "third")))
    form = MultiDict(
        [
            *(("s.a.line", line) for line in ("third", "first", "second")),
            *(("s.a.place", place) for place in ("2", "1", "3")),
        ]
    )
    assert fields.values(form, rules) == {"a": "1 3 2"}


def test_equal_places_keep_the_order_of_the_page() -> None:
    form = MultiDict([("o.line", "x"), ("o.line", "y"), ("o.place", "1")])
    form.add("o.place", "1")
    assert fields.ordered(form, "o") == ["x", "y"]


def test_equal_lines_have_numbers_of_their_own() -> None:
    assert fields.numbers(["a", "b", "a"], Slot(items=("a", "a", "b"))) == "1 3 2"


@pytest.mark.parametrize("places", [["1"], ["1", "x"]], ids=["too few", "not a number"])
def test_lines_without_a_place_are_refused(places: list[str]) -> None:
    form = MultiDict([("o.line", "x"), ("o.line", "y")])
    for place in places:
        form.add("o.place", place)
    with pytest.raises(InvalidInput, match="Give each line a place"):
        fields.ordered(form, "o")


def test_a_line_that_is_not_of_the_panel_is_refused() -> None:
    with pytest.raises(InvalidInput, match="has changed"):
        fields.numbers(["a", "z"], Slot(items=("a", "b")))


def test_a_link_fills_boxes() -> None:
    link = fields.shared("show", {"a": "hello"})
    assert fields.texts(MultiDict(link)) == {"a": "hello"}


def test_an_answer_is_a_choice_a_text_or_an_order() -> None:
    nothing = {"choice": "", "text": "", "order": ()}
    form = MultiDict({"choice": "two", "x": "y"})
    assert fields.given(form) == nothing | {"choice": "two"}
    form = MultiDict({"text": "a\r\nb"})
    assert fields.given(form) == nothing | {"text": "a\nb"}
    form = MultiDict([("order.line", "x"), ("order.line", "y")])
    form.setlist("order.place", ["2", "1"])
    assert fields.given(form) == nothing | {"order": ("y", "x")}
