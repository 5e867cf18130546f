"""Lessons for tests, made without files, and short ways to practise them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import webapp.checks
from tests.kit.world import World
from webapp.content.lessons.course import Finder, Track
from webapp.content.lessons.proven import Proven
from webapp.content.lessons.schema import (
    CheckSpec,
    Lesson,
    LessonInfo,
    Mistake,
    Needed,
    Panel,
    PanelProof,
    Prose,
    Question,
    Slot,
    TrackInfo,
)
from webapp.domain.generations.runs import Run
from webapp.domain.learn import events, practice
from webapp.plugins.check import checks
from webapp.plugins.registry import load_plugins

WORDS = ("lamp", "tree", "fish", "book", "river")
ZO = "cat -> catzo\ndog -> dogzo"


def check(name: str, value: Any = None, **given: Any) -> CheckSpec:
    """Return a check with its options read as they are from a file.

    `value` is what the short form gives, or a mapping with all options.
    """
    load_plugins(webapp.checks)
    plain = name.removeprefix("not-")
    kind = checks.get(plain)
    options = value if isinstance(value, dict) else {kind.SHORT: value}
    return CheckSpec(
        name=plain,
        negated=plain != name,
        options=kind.Options.model_validate(options),
        **given,
    )


def group(name: str, *parts: CheckSpec, **given: Any) -> CheckSpec:
    """Return a group of checks."""
    return CheckSpec(name=name, parts=parts, **given)


def zo_panel(**changes: Any) -> Panel:
    """Return the panel of the language Zo: 3 of 5, with hidden words."""
    fields: dict[str, Any] = {
        "name": "show",
        "task": "Write examples above the last line.",
        "model": "warden",
        "system": "none",
        "messages": ({"user": "{examples}\n{word} ->"},),
        "slots": {"examples": Slot(start="cat -> catzo", words=(3, 40))},
        "vary": tuple({"word": word} for word in WORDS),
        "samples": Needed(least=3, of=5),
        "checks": (check("equals", "{word}zo", say='The model wrote "{reply}". Why?'),),
        "mistakes": (
            Mistake(
                when=(check("icontains-any", ["lampzo", "treezo"], of="examples"),),
                say="You gave away an answer.",
                voids=True,
                example={"examples": "a lamp -> lampzo"},
            ),
            Mistake(
                when=(check("line-count", {"max": 1}, of="examples"),),
                say="That is {count} so far. One could be chance.",
                example={"examples": "one cat -> catzo"},
            ),
        ),
        "hints": (
            {"title": "The idea", "text": "Is there a pattern yet?"},
            {"title": "Where to look", "text": "Look at the last line."},
        ),
        "proof": PanelProof(
            solved_by=({"examples": ZO},), not_solved_by=({"examples": "add zo to it"},)
        ),
    }
    return Panel.model_validate(fields | changes)


def simple_panel(**changes: Any) -> Panel:
    """Return a panel of one sample: make the model say hello."""
    fields: dict[str, Any] = {
        "name": "hello",
        "task": "Make it say hello.",
        "model": "warden",
        "messages": ({"user": "{ask}"},),
        "slots": {"ask": Slot(start="Say something.")},
        "checks": (check("icontains", "hello"),),
        "proof": PanelProof(solved_by=({"ask": "Say hello."},)),
    }
    return Panel.model_validate(fields | changes)


def lesson(
    *parts: Panel | Question | Prose, lesson_id: str = "basics/zo", **info: Any
) -> Lesson:
    """Return a lesson of these parts."""
    fields: dict[str, Any] = {
        "title": "Show, don't tell",
        "idea": "Examples teach what explanations do not.",
        "minutes": 6,
        "can_do": "teach a model a new rule",
    }
    return Lesson(id=lesson_id, info=LessonInfo(**(fields | info)), parts=parts)


def give_lessons(world: World, *lessons: Lesson, proven: Proven | None = None) -> None:
    """Make these the lessons of a world, in tracks by their ids."""
    tracks: dict[str, list[Lesson]] = {}
    for one in lessons:
        tracks.setdefault(one.track, []).append(one)
    index = world.services.content.current()
    index.tracks = tuple(
        Track(
            name,
            TrackInfo(title=name.title(), story="A track.", place=place),
            tuple(of_track),
        )
        for place, (name, of_track) in enumerate(tracks.items(), 1)
    )
    index._lessons = Finder(index.tracks)
    index.proven = proven or {}


def begin(
    world: World,
    player: int,
    values: Mapping[str, str] | None = None,
    *,
    panel: str = "show",
    lesson_id: str = "basics/zo",
) -> Run:
    """Press Generate and leave it to the test to read the events."""
    return practice.practise(
        world.services,
        player_id=player,
        lesson_id=lesson_id,
        panel=panel,
        values=values or {},
    )


def practise(
    world: World,
    player: int,
    values: Mapping[str, str] | None = None,
    replies: Iterable[str] = (),
    **where: str,
) -> list[events.Event]:
    """Press Generate; the model says `replies`. Return all that happened."""
    world.backend.enqueue(*replies)
    return [
        event
        for event in begin(world, player, values, **where)
        if not isinstance(event, events.Heartbeat)
    ]


def told(happened: Iterable[events.Event]) -> Any:
    """Return what a run came to."""
    (outcome,) = [e for e in happened if isinstance(e, events.OutcomeEvent)]
    return outcome.told


def zo(count: int = 5, turn: int = 7) -> list[str]:
    """Return right replies, in the order in which the words are asked."""
    return [f"{WORDS[(turn + number) % 5]}zo" for number in range(count)]
