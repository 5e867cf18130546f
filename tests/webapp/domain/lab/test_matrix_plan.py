"""What a form of a fair test asks for, and what is said where it cannot be asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from webapp import checks
from webapp.domain.lab import matrix_checks
from webapp.domain.lab.matrix_models import Asked, alike
from webapp.domain.lab.matrix_plan import Call, Item, Plan, Typed, read_items, read_plan
from webapp.errors import InvalidInput
from webapp.plugins.registry import load_plugins

KNOWN = (Asked("local/one", "one"), Asked("local/two", "two", is_chat=False))
TYPED = Typed(
    prompts=("Where is {input}?", "", "Name the country of {input}."),
    items="Paris → France\n\nRome => Italy\nOslo\tNorway\r\nBern -> Switzerland",
    models=("local/one", "local/two"),
    temperatures=("0,7", "0", ""),
    samples="3",
    tokens="",
    check="icontains",
    options={"value": "{wanted}"},
)


@pytest.fixture(scope="module", autouse=True)
def _plugins() -> None:
    load_plugins(checks)


def read(typed: Typed = TYPED) -> Plan:
    return read_plan(typed, known=KNOWN, seed=5)


def test_a_form_becomes_a_plan_that_survives_being_stored() -> None:
    plan = read()
    assert plan.prompts == ("Where is {input}?", "Name the country of {input}.")
    assert plan.items[0] == Item("Paris", "France")
    assert [item.wanted for item in plan.items] == [
        "France",
        "Italy",
        "Norway",
        "Switzerland",
    ]
    assert plan.temperatures == (0.0, 0.7)
    # 2 prompts, 2 models, 4 lines; once at 0 and three times at 0.7.
    assert (plan.cells, plan.total) == (8, 2 * 2 * 4 * (1 + 3))
    assert Plan.of_row(plan.as_row()) == plan


def test_every_call_comes_once_and_a_model_is_asked_all_before_the_next() -> None:
    plan = read()
    calls = list(plan.calls())
    assert len(calls) == len(set(calls)) == plan.total
    models = [plan.of_cell(call.cell)[1] for call in calls]
    assert models == sorted(models)
    assert {plan.place(*plan.of_cell(n)) for n in range(8)} == set(range(8))


def test_cells_throw_the_same_dice_and_lines_are_filled_in() -> None:
    plan = read()
    first, other = Call(plan.place(0, 0, 1), 2, 1), Call(plan.place(1, 1, 1), 2, 1)
    assert plan.seed_of(first) == plan.seed_of(other)
    assert len({plan.seed_of(Call(1, i, s)) for i in range(4) for s in range(3)}) == 12
    assert plan.text(first) == "Where is Oslo?"
    assert plan.text(other) == "Name the country of Oslo."


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"prompts": ("", " ")}, "Write at least one prompt."),
        ({"prompts": ("Where?",)}, "Prompt 1 has no {input} in it"),
        ({"items": ""}, "Prompt 1 has {input} in it, but there are no lines"),
        ({"prompts": ("{input}", "{input} ")}, "Two of the prompts are the same."),
        ({"prompts": ("{input}" + "x" * 2000,)}, "Prompt 1 is too long"),
        ({"items": "→ France"}, "Line 1 has nothing before its arrow."),
        ({"items": "\n".join("a" * n for n in range(1, 23))}, "These are 22 lines"),
        ({"items": "Paris"}, "line 1 does not say what is wanted"),
        ({"models": ()}, "Choose one to 4 models."),
        ({"models": ("local/three",)}, "One of the models is not there any more."),
        ({"temperatures": ("hot",)}, "A temperature is a number from 0 to 2."),
        ({"temperatures": ("nan",)}, "A temperature is a number from 0 to 2."),
        ({"temperatures": ()}, "Write one to 3 temperatures."),
        ({"samples": "11"}, "The number of samples is a whole number from 1 to 10."),
        ({"tokens": "²"}, "The number of tokens of a reply is a whole number"),
        ({"samples": "10", "temperatures": ("1", "2", "0.5")}, "These are 480 replies"),
        ({"check": "nothing"}, "Choose a check of the list."),
        ({"check": "llm-rubric"}, "Choose a check of the list."),
        ({"options": {}}, "“What to look for” is missing"),
        ({"check": "word-count", "options": {"exactly": "many"}}, "must be a number"),
        ({"check": "word-count", "options": {}}, "give a number, or min, or max"),
        ({"check": "number"}, "Line 1: “What to look for”"),
    ],
)
def test_what_cannot_be_asked_says_where_and_why(
    change: dict[str, object], sentence: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(replace(TYPED, **change))  # type: ignore[arg-type]
    assert sentence in caught.value.message


def test_without_lines_there_is_one_that_holds_nothing() -> None:
    assert read_items(" \n") == (Item(""),)
    plan = read(
        replace(TYPED, prompts=("Hello",), items="", options={"value": "hello"})
    )
    assert not plan.has_items
    assert plan.total == 2 * (1 + 3)


def test_every_check_on_offer_can_be_asked_for_with_its_fields() -> None:
    offers = {offer.name: offer for offer in matrix_checks.offered()}
    assert {"contains", "equals", "number", "contains-any", "regex"} <= set(offers)
    assert not {"llm-rubric", "similar", "rank", "differs"} & set(offers)
    kinds = {option.name: option.kind for option in offers["number"].options}
    assert kinds == {"value": "text", "which": "choice", "tolerance": "number"}
    assert matrix_checks.read_options(
        "contains-any", {"value": " red\r\nblue ", "whole_word": "yes"}
    ) == {"value": ["red", "blue"], "whole_word": True}


def test_a_base_is_asked_like_the_trained_model_beside_it() -> None:
    base = Asked("local/small", "small")
    tuned = Asked("local/soup", "Soup", False, "Be brief.", base="local/small")
    found, same = alike([base, tuned])
    assert same == tuned
    assert (found.is_chat, found.system) == (False, "Be brief.")
    assert found.title == "small, asked like Soup"
    assert alike([base]) == (base,)
