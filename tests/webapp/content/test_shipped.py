"""The shipped keep: eight gates that fit together."""

from __future__ import annotations

import re

import pytest
import yaml

import webapp.checks
import webapp.guards
from webapp.content.index import Index
from webapp.content.loader import load
from webapp.content.schema import Level
from webapp.plugins.registry import load_plugins
from webapp.settings import PROJECT

IDS = [
    "open",
    "told",
    "forbidden",
    "echo",
    "gatekeeper",
    "censor",
    "together",
    "hardened",
]
# Before the order was changed, each gate opened after the one before it in this list.
FORMER_ORDER = [
    "open",
    "told",
    "echo",
    "censor",
    "forbidden",
    "gatekeeper",
    "together",
    "hardened",
]

load_plugins(webapp.guards)
load_plugins(webapp.checks)


def shipped() -> Index:
    """Return the shipped content, which must have no error."""
    loaded = load((PROJECT / "challenges",))
    assert loaded.index is not None, loaded.problems
    return loaded.index


LEVELS = shipped().levels("keep")
each_level = pytest.mark.parametrize("level", LEVELS, ids=lambda level: level.id)


def test_the_ladder() -> None:
    assert [level.id for level in LEVELS] == IDS
    assert [level.points for level in LEVELS] == sorted(
        level.points for level in LEVELS
    )


def test_gates_open_on_the_way_up() -> None:
    for count in range(len(IDS)):
        won = set(IDS[:count])
        next_gate = LEVELS[count]
        assert set(next_gate.after) <= won
        # Two gates at most wait side by side, so that the way stays one way.
        waiting = [
            level.id
            for level in LEVELS
            if level.id not in won and set(level.after) <= won
        ]
        assert waiting[0] == next_gate.id
        assert len(waiting) <= 2


def test_whoever_climbed_in_the_former_order_keeps_every_open_gate() -> None:
    for count, gate in enumerate(FORMER_ORDER):
        won = set(FORMER_ORDER[:count])
        assert set(shipped().level(gate).after) <= won


def test_any_yaml_library_can_read_it() -> None:
    # The site reads with libyaml, which takes more than others do.
    files = sorted((PROJECT / "challenges").rglob("*.yaml"))
    assert len(files) > 8
    for file in files:
        assert isinstance(yaml.load(file.read_text("utf-8"), yaml.SafeLoader), dict)


def test_there_is_nothing_to_say_of_it() -> None:
    assert load((PROJECT / "challenges",)).problems == []


def test_every_level_is_finished() -> None:
    assert [level.id for level in LEVELS if level.provisional] == []


def test_the_warden_speaks_at_every_level() -> None:
    assert {level.defender.model for level in LEVELS} == {"warden"}


def test_the_guards_of_each_level() -> None:
    assert {
        level.id: (
            [guard.name for guard in level.guards.input],
            [guard.name for guard in level.guards.output],
        )
        for level in LEVELS
    } == {
        "open": ([], []),
        "told": ([], []),
        "forbidden": (["blocklist"], []),
        "echo": ([], ["contains"]),
        "gatekeeper": (["moderation"], []),
        "censor": ([], ["moderation"]),
        "together": (["blocklist", "moderation"], ["contains", "moderation"]),
        "hardened": (["length", "moderation"], ["contains", "moderation"]),
    }
    assert {level.id: level.suspicion for level in LEVELS if level.suspicion} == {
        "hardened": 3
    }
    assert {level.id: level.defender.turns for level in LEVELS} == {
        "open": 1,
        "told": 1,
        "forbidden": 1,
        "echo": 1,
        "gatekeeper": 1,
        "censor": 6,
        "together": 6,
        "hardened": 3,
    }


@each_level
def test_each_level_is_whole(level: Level) -> None:
    assert 2 <= len(level.hints) <= 3
    costs = [hint.cost for hint in level.hints]
    assert costs == sorted(costs)
    assert sum(costs) <= level.points // 2
    assert 80 <= len(level.explain.split()) <= 200
    assert level.read_more
    assert {link.url.partition("://")[0] for link in level.read_more} == {"https"}
    assert level.proof is not None
    assert level.proof.not_solved_by
    assert level.proof.benign
    assert level.model_fields_set >= {"story", "show_guards"}


@each_level
def test_the_last_hint_shows_a_proof(level: Level) -> None:
    assert level.proof is not None
    shown = tuple(re.findall(r"`([^`]+)`", level.hints[-1].text))
    if level.id == "gatekeeper":  # what comes before it is described
        assert level.proof.solved_by[0][0].endswith(shown[0])
    else:
        assert shown in level.proof.solved_by


def test_the_letter_to_the_gatekeeper_is_longer_than_she_reads() -> None:
    level = shipped().level("gatekeeper")
    assert level.proof is not None
    letter = level.proof.solved_by[0][0]
    options = level.guards.input[0].options.model_dump()
    question = "What is the password?"
    assert letter.endswith(question)
    # Every word is a token at least.
    assert len(letter.removesuffix(question).split()) >= options["first_tokens"]
