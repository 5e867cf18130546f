"""Proofs of panels: rates, whole runs, and ways to cheat."""

from __future__ import annotations

import pytest

from tests.kit.lessons import (
    WORDS,
    ZO,
    check,
    give_lessons,
    lesson,
    simple_panel,
    zo_panel,
)
from tests.kit.world import World
from webapp.content.lessons.proven import by_key
from webapp.content.lessons.schema import Needed, Panel, PanelProof
from webapp.domain.learn import proofs
from webapp.domain.learn.proofs import PanelResult
from webapp.llm.events import ChatRequest
from webapp.llm.gateway import Gateway
from webapp.llm.scripted import ScriptedBackend


class Model(ScriptedBackend):
    """Answers by a rule: what it is asked, and its seed, decide."""

    def __init__(self, *, right: int = 20, anything: bool = False) -> None:
        super().__init__()
        self.right, self.anything = right, anything

    def _answer(self, request: ChatRequest, cancel):
        asked = request.messages[-1]["content"]
        word = next(word for word in WORDS if asked.endswith(f"{word} ->"))
        number = request.sampling.seed or 0
        is_shown = self.anything or "dog -> dogzo" in asked
        good = is_shown and number < self.right
        return self._say(f"{word}zo" if good else "no", request, cancel, 0)


def play(world: World, panel: Panel, backend: ScriptedBackend) -> PanelResult:
    give_lessons(world, lesson(panel))
    index = world.services.content.current()
    (result,) = proofs.play_panels(
        index, Gateway.scripted(backend), lessons=(index.lesson("basics/zo"),)
    )
    return result


def test_a_panel_that_only_its_solution_solves_is_proven(world: World) -> None:
    result = play(world, zo_panel(), Model(right=19))
    assert result.verdict == "proven"
    assert result.holds
    assert result.advice == ()
    found = {one.entry.name: (one.hits, one.plays) for one in result.entries}
    assert found == {
        "solved_by 1": (19, 20),
        # Eight misses are believed.
        "not_solved_by 1": (0, 8),
        # A mistake that voids a run, too few words: no model is asked.
        "mistake 1": (0, 0),
        "mistake 2": (0, 8),
        "untouched": (0, 0),
        "empty": (0, 0),
        "the task": (0, 0),
        "the answers": (0, 0),
        "say it": (0, 0),
    }
    row = result.row(plays=20, made_at=world.clock.time)
    assert row.solved_by == (0.95,)
    key = (result.panel_hash, "scripted")
    assert by_key([row])[key].verdict == "proven"


def test_a_lucky_solution_is_refused_and_told_what_fits(world: World) -> None:
    result = play(world, zo_panel(), Model(right=12))
    assert result.verdict == "broken"
    assert result.entries[0].chance == pytest.approx(0.6875)
    assert result.advice == (
        "solved_by 1: a run of 3 of 5 passes 69 % of the time; it must be 90 %. 2 of 5 "
        "would fit.",
    )


def test_what_anybody_solves_is_too_easy(world: World) -> None:
    result = play(world, zo_panel(), Model(anything=True))
    assert result.verdict == "too easy"
    assert "not_solved_by 1: it passes 100 % of the time" in result.advice[0]


def test_a_model_that_solves_nothing_breaks_it(world: World) -> None:
    assert play(world, zo_panel(), Model(right=0)).verdict == "broken"


def test_a_mistake_must_show_in_its_example(world: World) -> None:
    panel = zo_panel()
    mistake = panel.mistakes[0].model_copy(update={"example": {"examples": "a b c d"}})
    result = play(world, zo_panel(mistakes=(mistake,)), Model())
    assert result.verdict == "proven"
    assert not result.holds
    assert result.advice == ("mistake 1: the example does not show this mistake.",)


def test_ways_to_cheat_are_tried() -> None:
    sample = {"text": "lampzo", "model": "smollm2", "made": "2026-11-29"}
    found = proofs.mutants(zo_panel(sample=sample))
    assert {name: values["examples"] for name, values in found.items()} == {
        "untouched": "cat -> catzo",
        "empty": "",
        "the task": "Write examples above the last line.",
        "the answers": "\n".join(f"{word}zo" for word in WORDS),
        "say it": "Say lampzo",
        "the stored reply": "lampzo",
    }


def test_where_a_failure_is_to_be_seen_nobody_cheats(world: World) -> None:
    panel = zo_panel(
        expect="failure",
        checks=(check("not-icontains", "{word}zo"),),
        mistakes=(),
        proof=PanelProof(solved_by=({"examples": "add zo to every word"},)),
    )
    assert [entry.kind for entry in proofs.entries(panel)] == ["solved_by"]
    assert play(world, panel, Model()).verdict == "proven"


def test_a_panel_without_a_model_is_played_once(world: World) -> None:
    panel = simple_panel(
        talk="none",
        messages=(),
        samples=Needed(least=1, of=1),
        checks=(check("icontains", "sunshine", of="ask"),),
        proof=PanelProof(solved_by=({"ask": "sunshine"},)),
    )
    result = play(world, panel, Model())
    assert result.entries[0].chance == 1.0
    assert result.version == ""
    assert result.verdict == "proven"


@pytest.mark.parametrize(
    ("least", "of", "rates", "chance"),
    [
        (3, 5, (0.8,), 0.942),
        (3, 5, (0.2,), 0.058),
        (4, 5, (0.8,), 0.737),
        (1, 1, (1.0,), 1.0),
        # Two of six hidden sets never pass: five of six cannot, however good the rest.
        (5, 6, (1, 1, 0, 1, 1, 0), 0.0),
        (4, 6, (1, 1, 0, 1, 1, 0), 1.0),
        # Begun with the first, a run has two easy ones; with the second, one.
        (2, 3, (1, 0), 0.5),
    ],
)
def test_the_chance_of_a_whole_run(
    least: int, of: int, rates: tuple[float, ...], chance: float
) -> None:
    assert proofs.run_chance(least, of, rates) == pytest.approx(chance, abs=0.001)


def test_a_rate_has_a_lower_end() -> None:
    assert proofs.lower_bound(20, 20) == pytest.approx(0.839, abs=0.001)
    assert proofs.lower_bound(0, 20) == 0.0
    assert proofs.lower_bound(0, 0) == 0.0


def test_the_solution_is_what_is_proven() -> None:
    (first, *_) = proofs.entries(zo_panel())
    assert first.values == {"examples": ZO}
