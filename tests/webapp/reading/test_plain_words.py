"""pydantic's errors in plain words, for whoever shows them."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError

from webapp.reading.plain_words import mistakes, what_is_wrong
from webapp.reading.tree import MAX_DEPTH, as_node

pytestmark = pytest.mark.unit

HIDDEN = "sk-hidden"


class Part(BaseModel):
    """Some of each kind of value."""

    model_config = ConfigDict(extra="forbid")

    count: int = 1
    exact: StrictInt = 1
    share: Annotated[float, Field(gt=0, le=1)] = 1
    is_on: bool = False
    text: Annotated[str, Field(max_length=4)] = ""
    key_env: Annotated[str, Field(pattern="^[A-Z]+$")] = "K"
    kind: Literal["one", "two"] = "one"
    below: tuple[dict[str, int], ...] = ()


def error_of(raw: object) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Part.model_validate(raw)
    return caught.value


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("count", HIDDEN, " must be a whole number"),
        ("count", "9" * 5_000, " is too large"),
        ("exact", HIDDEN, " must be a whole number"),
        ("exact", None, " is empty"),
        ("share", HIDDEN, " must be a number"),
        ("share", 0, " must be more than 0"),
        ("share", 1.5, " must be at most 1"),
        ("is_on", HIDDEN, " must be true or false"),
        ("text", 3, " must be text"),
        ("text", HIDDEN, " may have at most 4 characters"),
        ("key_env", HIDDEN, " is not written in the right form"),
        ("kind", HIDDEN, " must be 'one' or 'two'"),
        ("below", HIDDEN, " must be a list"),
        ("below", [HIDDEN], " must be a mapping"),
    ],
)
def test_each_kind_says_what_is_wrong_and_never_the_value(name, value, expected):
    (detail,) = error_of({name: value}).errors()
    wrong, advice = what_is_wrong(detail, detail["loc"])
    assert wrong == expected
    assert HIDDEN not in wrong + advice


def test_who_hides_the_input_cannot_be_told_that_it_is_empty():
    (detail,) = error_of({"exact": None}).errors(include_input=False)
    assert what_is_wrong(detail, detail["loc"])[0] == " must be a whole number"


def test_a_value_of_json_has_the_line_of_its_row():
    raw = {"below": [{"a": 1}, {"a": "x"}], "cuont": 3}
    found = list(mistakes(as_node(raw, 7), Part, error_of(raw)))
    assert [(one.line, one.message, one.advice) for one in found] == [
        (7, '"below[2].a" must be a whole number', "write digits"),
        (7, 'unknown key "cuont"', 'did you mean "count"?'),
    ]


def test_unknown_keys_may_have_advice_of_their_own():
    raw = {"api_key": 3, "cuont": 3}
    error = error_of(raw)
    own = {"api_key": "write it elsewhere"}
    found = mistakes(as_node(raw, 1), Part, error, advise=lambda key: own.get(key, ""))
    assert [one.advice for one in found] == [
        "write it elsewhere",
        'did you mean "count"?',
    ]


def test_what_is_nested_too_deep_is_left_as_it_is():
    value: object = 1
    for _ in range(5_000):
        value = [value]
    node, depth = as_node(value, 1), 0
    while node.items:
        (node,), depth = node.items, depth + 1
    assert depth == MAX_DEPTH
    assert isinstance(node.value, list)
