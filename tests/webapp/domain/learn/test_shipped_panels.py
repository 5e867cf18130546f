"""All panels that come with Wordkeep: what can be said of them without a model.

Whether solutions work, and nothing easier, is played by `./wordkeep check --play`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import webapp.checks
import webapp.guards
from tests.kit.checks import CheckModels
from webapp.content.lessons.schema import Lesson, Panel
from webapp.content.loader import load
from webapp.domain.learn import filling, judging, proofs
from webapp.domain.learn.filling import Typed
from webapp.domain.learn.judging import Case, Verdict
from webapp.domain.learn.practice import plan_of
from webapp.llm.gateway import Gateway
from webapp.plugins.check import checks
from webapp.plugins.registry import load_plugins
from webapp.settings import PROJECT

load_plugins(webapp.guards)
load_plugins(webapp.checks)


def shipped() -> Iterator[tuple[Lesson, Panel]]:
    index = load((PROJECT / "challenges",)).index
    assert index is not None
    for track in index.tracks:
        for lesson in track.lessons:
            for panel in lesson.panels:
                yield lesson, panel


SHIPPED = list(shipped())


def asks(panel: Panel) -> bool:
    """Say whether its checks ask a model, so that nothing can be said without."""
    specs = [*panel.checks, *(one for m in panel.mistakes for one in m.when)]
    leaves = proofs._leaves(tuple(specs))
    return any(checks.get(spec.name).asks for spec in leaves)


def each(chosen: list[tuple[Lesson, Panel]]) -> pytest.MarkDecorator:
    """Run a test for each of these panels."""
    ids = [f"{lesson.id}#{panel.name}" for lesson, panel in chosen]
    return pytest.mark.parametrize("panel", [panel for _, panel in chosen], ids=ids)


PLAIN = [(lesson, panel) for lesson, panel in SHIPPED if not asks(panel)]
WITHOUT_MODEL = [(lesson, panel) for lesson, panel in PLAIN if panel.talk == "none"]


def before(panel: Panel, given: Typed) -> Verdict:
    """Judge what was typed, after a run with nothing changed."""
    case = Case(panel, given, CheckModels(), proofs._earlier(panel))
    return judging.judge_before(case, plan_of(panel, given, 7).pairs)


def test_there_are_many() -> None:
    assert len(SHIPPED) > 90
    assert len(PLAIN) > 80
    assert WITHOUT_MODEL


@each(PLAIN)
def test_the_checks_of_what_is_typed_let_solutions_pass(panel: Panel) -> None:
    solutions = [*panel.proof.solved_by, *([panel.solution] if panel.solution else [])]
    for values in solutions:
        seen = before(panel, filling.typed(panel, values))
        assert seen.status == "passed", (values, seen.first_failing, seen.mistake_text)


@each(SHIPPED)
def test_ways_to_cheat_can_be_typed_and_are_tried(panel: Panel) -> None:
    kinds = [entry.kind for entry in proofs.entries(panel)]
    assert "solved_by" in kinds
    if panel.expect == "failure":
        return
    tried = [entry.values for entry in proofs.entries(panel)]
    for values in proofs.mutants(panel).values():
        assert values in tried
        filling.typed(panel, values)


@each(SHIPPED)
def test_a_panel_asks_another_word_each_time_or_looks_at_what_is_typed(
    panel: Panel,
) -> None:
    """Hidden values are different, and each sample of a run has its own seed."""
    plan = plan_of(panel, filling.typed(panel, {}), 7)
    seeds = [request.sampling.seed for request in plan.requests]
    assert len(set(seeds)) == len(seeds)
    if panel.vary:
        least = min(len(panel.vary), len(plan.hidden))
        assert len({tuple(sorted(one.items())) for one in plan.hidden}) >= least


@each(PLAIN)
def test_a_mistake_is_told_for_its_example_where_it_is_one_of_typing(
    panel: Panel,
) -> None:
    for mistake in panel.mistakes:
        if any(judging.phase_of(spec) != "before" for spec in mistake.when):
            continue
        seen = before(panel, filling.typed(panel, mistake.example))
        assert seen.mistake is not None, mistake.example
        assert seen.mistake == mistake, (mistake.example, seen.mistake_text)


@each(WITHOUT_MODEL)
def test_a_panel_without_a_model_is_solved_by_its_solution_alone(panel: Panel) -> None:
    for entry in proofs.entries(panel):
        gateway = Gateway.scripted()
        result = proofs.play_entry(panel, gateway, entry, samples=1, seed=0)
        assert result.is_as_it_should_be, (entry, result)
