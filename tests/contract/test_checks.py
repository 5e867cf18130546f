"""Every check keeps the promises that lessons, pages and authors rely on."""

from __future__ import annotations

import json

import pytest
from pydantic import BaseModel, ValidationError

import webapp.checks
from tests.kit.checks import CheckModels
from webapp.plugins.check import (
    Aspect,
    Check,
    CheckExample,
    Sample,
    Subject,
    checks,
)
from webapp.plugins.registry import load_plugins
from webapp.text.finding import find

load_plugins(webapp.checks)

CHECKS = [pytest.param(name, check, id=name) for name, check in checks.items()]
CASES = [
    pytest.param(name, check, example, id=f"{name}-{number}")
    for name, check in checks.items()
    for number, example in enumerate(check.EXAMPLES)
]
ASPECTS: set[Aspect] = {
    "reply",
    "prompt",
    "slot",
    "request",
    "probabilities",
    "runs",
}
MODELS = CheckModels()
# Options that say how something is looked for, not what.
TEXT_OPTIONS = {"value", "token", "pattern", "secret"}
NO_ANSWERS = {"ways", "which", "model", "compare"}
# Checks that look for a text.
FINDERS = {
    "contains",
    "contains-all",
    "contains-any",
    "ends-with",
    "equals",
    "icontains",
    "icontains-all",
    "icontains-any",
    "starts-with",
}


def options_of(check: type[Check], example: CheckExample) -> BaseModel:
    """Read the options as strictly as they are read from a lesson."""
    return check.Options.model_validate_json(json.dumps(example.options), strict=True)


def judge(check: type[Check], example: CheckExample):
    return check(options_of(check, example)).judge(example.subject, MODELS)


def answers_in(options: BaseModel) -> list[str]:
    """Return all texts in the options that may be the answer."""
    return [
        text
        for name, value in options.model_dump().items()
        for text in ([] if name in NO_ANSWERS else _texts(value))
    ]


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        # A JSON Schema: its other words are not about values.
        told = [value[key] for key in ("const", "enum", "pattern") if key in value]
        inner = [part for part in value.values() if isinstance(part, dict)]
        return [text for part in (*told, *inner) for text in _texts(part)]
    if isinstance(value, list | tuple):
        return [text for part in value for text in _texts(part)]
    return []


def test_the_checks_that_come_with_wordkeep_are_there():
    assert set(checks.names()) >= {
        "candidates",
        "changed-one-thing",
        "contains",
        "contains-all",
        "contains-any",
        "contains-json",
        "decodes-to",
        "differs",
        "distinct",
        "ends-with",
        "equals",
        "finish-reason",
        "icontains",
        "icontains-all",
        "icontains-any",
        "is-json",
        "is-refusal",
        "is-valid-openai-tools-call",
        "is-xml",
        "levenshtein",
        "line-count",
        "llm-rubric",
        "moderation",
        "number",
        "perplexity",
        "probability",
        "rank",
        "regex",
        "sentence-count",
        "similar",
        "starts-with",
        "token-count",
        "top-token",
        "uppercase",
        "word-count",
    }


@pytest.mark.parametrize(("name", "check", "example"), CASES)
def test_example_is_judged_as_stated(name, check, example):
    outcome = judge(check, example)
    assert outcome.status == example.status, outcome
    assert 0.0 <= outcome.score <= 1.0
    if outcome.status == "passed":
        assert outcome.score == 1.0
    elif outcome.status == "failed":
        assert outcome.score < 1.0


@pytest.mark.parametrize(("name", "check"), CHECKS)
def test_message_is_a_short_sentence_that_keeps_the_answer(name, check):
    for example in check.EXAMPLES:
        message = judge(check, example).message
        assert 10 <= len(message) <= 160, message
        assert message[0].isupper() or message[0].isdigit(), message
        assert message.endswith("."), message
        for text in answers_in(options_of(check, example)):
            if len(text.strip()) > 1:
                place = find(message, text.strip(), ignore_case=True, whole=True)
                assert place is None, message


@pytest.mark.parametrize(("name", "check"), CHECKS)
def test_what_is_underlined_is_a_piece_of_the_text(name, check):
    for example in check.EXAMPLES:
        outcome = judge(check, example)
        if outcome.span is not None:
            start, end = outcome.span
            assert 0 <= start < end <= len(example.subject.text)


@pytest.mark.parametrize(("name", "check"), CHECKS)
def test_judging_twice_gives_the_same(name, check):
    for example in check.EXAMPLES:
        judging = check(options_of(check, example))
        first = judging.judge(example.subject, MODELS)
        assert judging.judge(example.subject, MODELS) == first


@pytest.mark.parametrize(("name", "check"), CHECKS)
def test_options_survive_being_filled_in(name, check):
    for example in check.EXAMPLES:
        options = options_of(check, example)
        again = check.Options.model_validate(options.model_dump())
        assert again == options
        assert check.Options.model_validate_json(options.model_dump_json()) == options
        assert check(again).judge(example.subject, MODELS) == judge(check, example)


@pytest.mark.parametrize(("name", "check"), CHECKS)
def test_texts_in_options_may_hold_placeholders(name, check):
    if name == "finish-reason":
        pytest.skip("its value is one of a few words")
    for example in check.EXAMPLES:
        options = options_of(check, example).model_dump()
        for field in TEXT_OPTIONS & set(options):
            if isinstance(options[field], str):
                check.Options.model_validate(options | {field: "{word}"})


@pytest.mark.parametrize(("name", "check"), CHECKS)
@pytest.mark.parametrize("text", ["", " \n\t", "\u200b"])
def test_nothing_never_passes_unless_a_limit_says_0(name, check, text):
    sample = Sample(text)
    subject = Subject(text, model="warden", sample=sample, samples=(sample,))
    for example in check.EXAMPLES:
        options = options_of(check, example)
        outcome = check(options).judge(subject, MODELS)
        if 0 not in (getattr(options, "min", 1), getattr(options, "exactly", 1)):
            assert outcome.status in {"failed", "ungraded"}, options


@pytest.mark.parametrize(("name", "check"), CHECKS)
def test_a_slot_is_named_in_messages(name, check):
    if "slot" not in check.aspects:
        pytest.skip("it does not look at texts of the student")
    for example in check.EXAMPLES:
        subject = Subject(
            example.subject.text,
            model=example.subject.model,
            sample=example.subject.sample,
            called="your rule",
        )
        options = options_of(check, example)
        message = check(options).judge(subject, MODELS).message
        assert "reply" not in message.casefold()
        assert "your rule" in message.casefold()


@pytest.mark.parametrize(("name", "check"), CHECKS)
def test_examples_show_both_outcomes(name, check):
    assert {example.status for example in check.EXAMPLES} >= {"passed", "failed"}
    assert len(check.EXAMPLES) >= 4


@pytest.mark.parametrize(("name", "check"), CHECKS)
def test_label_is_one_sentence(name, check):
    assert check.__doc__, f"{name} has no docstring, so authors see no label"
    label = check.__doc__.splitlines()[0]
    assert label.endswith(".")
    assert len(label) <= 80


@pytest.mark.parametrize(("name", "check"), CHECKS)
def test_options_are_strict_fixed_and_explained(name, check):
    assert issubclass(check.Options, BaseModel)
    assert check.Options.model_config.get("frozen") is True
    for field_name, field in check.Options.model_fields.items():
        assert field.description, f"{name}.{field_name} has no description"
    with pytest.raises(ValidationError, match="no_such_option"):
        check.Options.model_validate({"no_such_option": 1})


@pytest.mark.parametrize(("name", "check"), CHECKS)
def test_options_have_a_schema_for_editors(name, check):
    assert check.Options.model_json_schema()["type"] == "object"


@pytest.mark.parametrize(("name", "check"), CHECKS)
def test_the_short_form_fills_an_option(name, check):
    assert check.SHORT == "" or check.SHORT in check.Options.model_fields


@pytest.mark.parametrize(("name", "check"), CHECKS)
def test_aspects_are_known(name, check):
    assert check.aspects
    assert set(check.aspects) <= ASPECTS
    assert not name.startswith("not-")
    assert name not in {"all-of", "any-of", "at-least"}


def test_what_proves_no_truth_does_not_decide():
    undecided = {name for name, check in checks.items() if not check.decides}
    assert undecided == {"similar", "llm-rubric"}


@pytest.mark.parametrize(
    ("wanted", "text"), [("soo", "See you soon"), ("ok", "A book"), ("1", "In 1923")]
)
@pytest.mark.parametrize("name", sorted(FINDERS))
def test_a_short_word_is_not_found_inside_a_longer_one(name, wanted, text):
    check = checks.get(name)
    options = check.Options.model_validate({"value": wanted})
    assert check(options).judge(Subject(text), MODELS).status == "failed"


@pytest.mark.parametrize("name", sorted(FINDERS))
def test_a_whole_word_is_not_one_that_goes_on(name):
    check = checks.get(name)
    wish: dict[str, object] = {"value": "riverzo"}
    if "whole_word" in check.Options.model_fields:
        wish["whole_word"] = True
    options = check.Options.model_validate(wish)
    for text in ("riverzoo", "ariverzo", "riverzo1"):
        assert check(options).judge(Subject(text), MODELS).status == "failed", text
    assert check(options).judge(Subject("riverzo"), MODELS).status == "passed"


def test_nearness_in_meaning_does_not_see_a_no():
    """What `similar` cannot do is among its examples, for authors to see."""
    passed = [one for one in checks.get("similar").EXAMPLES if one.status == "passed"]
    assert any("never" in example.subject.text for example in passed)
