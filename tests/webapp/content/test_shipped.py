"""The shipped keep: eight gates that fit together."""

from __future__ import annotations

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
    before = [(), *((name,) for name in IDS[:-1])]
    assert [level.after for level in LEVELS] == before
    assert [level.points for level in LEVELS] == sorted(
        level.points for level in LEVELS
    )


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
        "echo": ([], ["contains"]),
        "censor": ([], ["moderation"]),
        "forbidden": (["blocklist"], []),
        "gatekeeper": (["moderation"], []),
        "together": (["blocklist", "moderation"], ["contains", "moderation"]),
        "hardened": (["length", "moderation"], ["contains", "moderation"]),
    }
    assert {level.id: level.suspicion for level in LEVELS if level.suspicion} == {
        "hardened": 3
    }
    assert {level.id: level.defender.turns for level in LEVELS} == {
        "open": 1,
        "told": 1,
        "echo": 1,
        "censor": 6,
        "forbidden": 1,
        "gatekeeper": 1,
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


def test_the_letter_to_the_gatekeeper_is_longer_than_she_reads() -> None:
    level = shipped().level("gatekeeper")
    assert level.proof is not None
    letter = level.proof.solved_by[0][0]
    options = level.guards.input[0].options.model_dump()
    question = "What is the password?"
    assert letter.endswith(question)
    # Every word is a token at least.
    assert len(letter.removesuffix(question).split()) >= options["first_tokens"]
