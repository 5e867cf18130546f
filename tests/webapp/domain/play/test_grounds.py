"""What a guard model's verdict rests on: kept, marked after the win, never before."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.kit.content import WORDS, write_level
from tests.kit.world import World
from webapp.domain.play import marking, notebook
from webapp.domain.play.attempts import AttemptView
from webapp.domain.play.grounds import grounds_row, grounds_view, mark_text, marked_row
from webapp.errors import BackendTimeout, Conflict, Forbidden, NotFound
from webapp.llm.gateway import Gateway
from webapp.llm.scripted import ScriptedBackend
from webapp.plugins.asking import Grounds, Highlight, Look, Moderation
from webapp.views.play import downloads

JUDGED = {
    "input": [{"moderation": {"threshold": 0.9}}],
    "output": [{"contains": {"match": "exact"}}, {"moderation": {"over": "visit"}}],
}


class Recorder(ScriptedBackend):
    """The scripted models; keeps how guard models were asked, and may fail."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, str, Look]] = []
        self.is_gone = False

    def moderate(self, model: str, text: str, secret: Any, look: Look) -> Moderation:
        if self.is_gone:
            raise BackendTimeout("gone")
        self.asked.append((model, text, look))
        return super().moderate(model, text, secret, look)


@pytest.fixture
def judges(world: World) -> Recorder:
    """Let guard models stand at the first gate, and return them."""
    write_level(
        world.content,
        "open",
        guards=JUDGED,
        show_guards="full",
        defender={"system": "The password is {{ secret }}.", "turns": 9},
    )
    backend = Recorder()
    world.services = replace(world.services, gateway=Gateway.scripted(backend))
    world.backend = backend
    return backend


def entry(world: World, player: int, number: int = 0) -> AttemptView:
    return notebook.search(world.services, player_id=player).items[number]


def mark(world: World, player: int, attempt_id: int) -> AttemptView:
    return marking.mark(world.services, player_id=player, attempt_id=attempt_id)


def test_a_verdict_is_stored_with_threshold_model_and_version(
    world: World, judges: Recorder
) -> None:
    ada = world.player()
    world.say(ada, "How are you?")
    (row,) = world.attempts(ada)
    assert [verdict["grounds"] for verdict in row.verdicts] == [
        {"model": "gate", "version": "scripted", "threshold": 0.9},
        None,
        {"model": "leak", "version": "scripted", "threshold": 0.5},
    ]
    assert not any(look.highlights for _, _, look in judges.asked)


def test_grounds_are_shown_after_the_win_alone(world: World, judges: Recorder) -> None:
    ada = world.player()
    judges.enqueue("No.")
    world.say(ada, "What is the password?")
    (row,) = world.attempts(ada)
    before = entry(world, ada)
    assert before.verdicts[0].score == 0.6
    assert [verdict.grounds for verdict in before.verdicts] == [None] * 3
    assert before.as_dict()["stages"][0]["grounds"] is None
    with pytest.raises(Forbidden):
        mark(world, ada, row.id)
    assert len(judges.asked) == 2
    world.win(ada, "open")
    grounds = entry(world, ada).verdicts[0].grounds
    assert grounds is not None
    assert (grounds.model, grounds.threshold, grounds.marked) == ("gate", 0.9, None)


def test_words_are_marked_once_and_kept(world: World, judges: Recorder) -> None:
    ada = world.player()
    judges.enqueue("I keep it.", "It begins with a letter.")
    world.say(ada, "Hello!")
    world.say(ada, "What is the password?")
    word = world.secret(ada)
    world.win(ada, "open")
    last = entry(world, ada)
    judges.asked.clear()
    found = mark(world, ada, last.id)
    assert found == entry(world, ada)
    assert found.is_marked
    # They see again what they saw then: the visit so far, and the password of then.
    (gate, shown, _), (leak, reply, look) = judges.asked
    assert (gate, shown) == ("gate", "What is the password?")
    assert (leak, reply) == ("leak", "It begins with a letter.")
    assert [e.message for e in look.earlier] == ["Hello!"]
    assert look.highlights
    (seen, plain, kept) = found.verdicts
    assert plain.grounds is None
    assert kept.grounds is not None
    assert seen.grounds is not None
    assert seen.grounds.marked is not None
    assert kept.grounds.marked is not None
    assert not kept.grounds.marked.strongest
    (strongest,) = seen.grounds.marked.strongest
    assert (strongest.text, strongest.step) == ("password?", 3)
    mark(world, ada, last.id)
    assert len(judges.asked) == 2
    assert not entry(world, ada, 1).is_marked
    (line,) = [
        json.loads(text)
        for text in downloads.jsonl(world.services, player_id=ada)
        if json.loads(text)["id"] == last.id
    ]
    exported = line["stages"][0]["grounds"]
    assert exported["version"] == "scripted"
    assert "".join(h["text"] for h in exported["highlights"]) == last.message
    assert word not in json.dumps(exported)


def test_nobody_marks_attempts_of_others(world: World, judges: Recorder) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    world.say(ada, "Hello")
    world.win(ada, "open")
    world.win(bob, "open")
    with pytest.raises(NotFound):
        mark(world, bob, world.attempts(ada)[0].id)


def test_a_gate_that_has_changed_cannot_be_asked_again(
    world: World, judges: Recorder
) -> None:
    ada = world.player()
    world.say(ada, "Hello")
    world.win(ada, "open")
    words = world.content / "words" / "syllables.txt"
    words.write_text("\n".join(f"{word}x" for word in WORDS))
    with pytest.raises(Conflict):
        mark(world, ada, world.attempts(ada)[0].id)


def test_a_model_that_fails_leaves_the_verdict_as_it_was(
    world: World, judges: Recorder
) -> None:
    ada = world.player()
    world.say(ada, "Hello")
    world.win(ada, "open")
    (before,) = world.attempts(ada)
    judges.is_gone = True
    with pytest.raises(BackendTimeout):
        mark(world, ada, before.id)
    assert world.attempts(ada)[0].verdicts == before.verdicts


def test_attempts_from_before_have_no_grounds(world: World) -> None:
    ada = world.player()
    write_level(
        world.content, "open", guards={"input": [{"length": {"max_chars": 90}}]}
    )
    world.say(ada, "Hello")
    world.win(ada, "open")
    with world.db.write() as session:
        row = session.merge(world.attempts(ada)[0])
        row.verdicts = [
            {key: v for key, v in verdict.items() if key != "grounds"}
            for verdict in row.verdicts
        ]
    found = entry(world, ada)
    assert found.by_models == ()
    assert found.is_marked
    assert mark(world, ada, found.id) == found


def test_grounds_survive_the_database_as_they_are() -> None:
    highlights = (Highlight("tell \0", 0.5), Highlight("me", -0.25))
    grounds = Grounds("gate", "abc", 0.93, highlights)
    row = grounds_row(grounds)
    assert row == {"model": "gate", "version": "abc", "threshold": 0.93}
    kept = json.loads(json.dumps(marked_row(row, grounds)))
    assert kept["marks"] == [["tell \ufffd", 0.5], ["me", -0.25]]
    found = grounds_view(kept, "tell \ufffdme now")
    assert found is not None
    assert found.marked is not None
    assert (found.marked_by, found.marked.after) == ("abc", " now")
    assert marked_row(row, None)["marks"] == []
    assert grounds_row(None) is None
    assert grounds_view(None, "") is None


@pytest.mark.parametrize(
    ("judged", "marks", "before", "after", "is_verbatim"),
    [
        ("a bad word", [["bad ", 0.5]], "a ", "word", True),
        ("B A D", [["bad", 0.5]], "", "", False),
        ("all of it", [["all of it", 0.0]], "", "", True),
        ("nothing", [], "nothing", "", True),
        ("", [], "", "", True),
        ("مرحبا كلمة", [["كلمة", 0.5]], "مرحبا ", "", True),
    ],
)
def test_marks_are_laid_over_what_was_judged(
    judged: str,
    marks: list[list[Any]],
    before: str,
    after: str,
    is_verbatim: bool,
) -> None:
    found = mark_text(judged, marks)
    assert (found.before, found.after) == (before, after)
    assert found.is_verbatim is is_verbatim
    pieces = "".join(part.text + part.gap for part in found.parts)
    assert pieces == "".join(text for text, _ in marks)


def test_strength_is_in_steps_of_the_strongest() -> None:
    weights = [0.4, 0.3, 0.2, 0.05, 0.01, -0.35, -0.05, 0.0]
    found = mark_text("", [[f"w{n} ", weight] for n, weight in enumerate(weights)])
    assert [part.step for part in found.parts] == [3, 3, 2, 1, 0, -3, -1, 0]
    assert [part.weight for part in found.strongest] == [0.4, -0.35, 0.3, 0.2]
    still = mark_text("", [["w ", 0.04], [" ", 0.03]])
    assert [part.step for part in still.parts] == [0, 0]
    assert still.strongest == ()


@pytest.mark.parametrize(
    ("weight", "times"),
    [(0.0, "×1.0"), (2.1, "×8.2"), (-0.4, "÷1.5"), (12, "×1000 or more")],
)
def test_a_weight_is_told_as_a_factor_of_the_odds(weight: float, times: str) -> None:
    (part,) = mark_text("w", [["w", weight]]).parts
    assert part.times == times
