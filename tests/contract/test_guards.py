"""Every guard keeps the promises that levels, pages and authors rely on."""

from __future__ import annotations

import json

import pytest
from pydantic import BaseModel, ValidationError

import webapp.guards
from webapp.content.schema import GuardSpec
from webapp.llm.ask import GatewayAsk
from webapp.llm.gateway import Gateway
from webapp.plugins.guard import Example, Guard, Turn, guards
from webapp.plugins.registry import load_plugins
from webapp.security import Secret
from webapp.text.words import normalise_guess

load_plugins(webapp.guards)

GUARDS = list(guards.items())
CASES = [
    pytest.param(guard, example, id=f"{name}-{number}")
    for name, guard in GUARDS
    for number, example in enumerate(guard.EXAMPLES)
]


def turn_of(example: Example) -> Turn:
    message = example.text if example.stage == "input" else example.message
    return Turn(example.stage, example.text, message, (), Secret(example.secret))


def options_of(guard: type[Guard], example: Example) -> BaseModel:
    """Read the options as strictly as they are read from a level."""
    return guard.Options.model_validate_json(json.dumps(example.options), strict=True)


def judge(guard: type[Guard], example: Example):
    ask = GatewayAsk(Gateway.scripted(), "contract")
    return guard(options_of(guard, example)).inspect(turn_of(example), ask)


def test_the_guards_that_come_with_wordkeep_are_there():
    assert set(guards.names()) >= {
        "blocklist",
        "canary",
        "contains",
        "length",
        "llm_judge",
        "moderation",
        "regex",
        "similarity",
    }


@pytest.mark.parametrize(("name", "guard"), GUARDS)
def test_a_level_can_hold_it(name, guard):
    options = options_of(guard, guard.EXAMPLES[0])
    assert GuardSpec(name=name, options=options).name == name


@pytest.mark.parametrize(("guard", "example"), CASES)
def test_example_is_judged_as_stated(guard, example):
    assert example.stage in guard.stages
    verdict = judge(guard, example)
    assert verdict.allowed is example.allowed
    assert verdict.score is None or 0.0 <= verdict.score <= 1.0


@pytest.mark.parametrize(("guard", "example"), CASES)
def test_reason_is_short_and_keeps_the_secret(guard, example):
    reason = judge(guard, example).reason
    assert 10 <= len(reason) <= 120
    assert reason.endswith(".")
    assert normalise_guess(example.secret) not in normalise_guess(reason)


@pytest.mark.parametrize(("name", "guard"), GUARDS)
def test_examples_show_both_verdicts(name, guard):
    assert {example.allowed for example in guard.EXAMPLES} == {True, False}
    assert len(guard.EXAMPLES) >= 4


@pytest.mark.parametrize(("name", "guard"), GUARDS)
def test_label_is_one_sentence(name, guard):
    assert guard.__doc__, f"{name} has no docstring, so authors see no label"
    label = guard.__doc__.splitlines()[0]
    assert label.endswith(".")
    assert len(label) <= 80


@pytest.mark.parametrize(("name", "guard"), GUARDS)
def test_options_are_strict_fixed_and_explained(name, guard):
    assert issubclass(guard.Options, BaseModel)
    assert guard.Options.model_config.get("frozen") is True
    for field_name, field in guard.Options.model_fields.items():
        assert field.description, f"{name}.{field_name} has no description"
    with pytest.raises(ValidationError, match="no_such_option"):
        guard.Options.model_validate({"no_such_option": 1})


@pytest.mark.parametrize(("name", "guard"), GUARDS)
def test_stages_are_known(name, guard):
    assert guard.stages
    assert guard.stages <= {"input", "output"}


@pytest.mark.parametrize(("guard", "example"), CASES)
def test_judging_twice_gives_the_same(guard, example):
    ask = GatewayAsk(Gateway.scripted(), "contract")
    guarding = guard(options_of(guard, example))
    first = guarding.inspect(turn_of(example), ask)
    assert guarding.inspect(turn_of(example), ask) == first
