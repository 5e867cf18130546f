"""A matrix from its beginning to its end, on scripted models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.kit.judging import Speakers, add_model, with_speakers
from tests.kit.world import World
from webapp.domain.boots import Boot
from webapp.domain.lab import matrices, matrix_asking, matrix_models, matrix_run
from webapp.domain.lab.matrices import DONE, PAUSED, READY, RUNNING, MatrixView
from webapp.domain.lab.matrix_models import Asked
from webapp.domain.lab.matrix_plan import Item, Plan
from webapp.errors import (
    BackendOverloaded,
    BackendRefused,
    Conflict,
    NotFound,
    QuotaExceeded,
)
from webapp.rows import CLASS, LAB, PUBLIC, Generation, LabCell, LabMatrix

PLAN = Plan(
    prompts=("Where is {input}?", "Country of {input}:"),
    items=(Item("Paris", "France"), Item("Rome", "Italy")),
    models=(Asked("smollm2", "smollm2"), Asked("soup", "Soup", False)),
    temperatures=(0.0, 0.7),
    samples=2,
    check="icontains",
    options={"value": "{wanted}"},
    tokens=20,
    seed=3,
)


@pytest.fixture
def speakers() -> Speakers:
    found = Speakers()
    found.says["smollm2"].append("It is in France.")
    found.says["soup"].append("Italy, I think.")
    return found


@pytest.fixture
def world(world: World, speakers: Speakers, monkeypatch: pytest.MonkeyPatch) -> World:
    world.services = with_speakers(world.services, speakers, "soup")
    monkeypatch.setattr(matrix_run, "set_going", lambda *given: None)
    return world


@pytest.fixture
def ada(world: World) -> int:
    return world.player()


def begin(world: World, player: int, plan: Plan = PLAN, form: str = "form") -> int:
    return matrices.begin(world.services, player_id=player, plan=plan, form=form)


def start(world: World, player: int, matrix: int) -> None:
    matrix_run.start(world.services, player_id=player, matrix_id=matrix)


def find(world: World, player: int, matrix: int) -> MatrixView:
    return matrices.find(world.services, player_id=player, matrix_id=matrix)


def work(world: World, player: int, matrix: int) -> list[float]:
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        world.clock.move(seconds=seconds)

    matrix_run.work(world.services, player, matrix, wait=wait)
    return waited


def scores(seen: MatrixView) -> Sequence[tuple[int, ...]]:
    return [tuple(cell.score) for cell in seen.cells]


def test_each_cell_is_asked_and_judged_and_each_reply_is_a_run_of_the_lab(
    world: World, ada: int, speakers: Speakers
) -> None:
    matrix = begin(world, ada)
    assert find(world, ada, matrix).state == READY
    assert speakers.history == []
    start(world, ada, matrix)
    work(world, ada, matrix)
    seen = find(world, ada, matrix)
    assert (seen.state, seen.done, seen.total) == (DONE, 24, 24)
    # Cells: model by model within a prompt, 0 before 0.7. Half the lines want France.
    assert scores(seen) == [(1, 2), (2, 4), (1, 2), (2, 4)] * 2
    chat, text = speakers.history[0], speakers.history[-1]
    assert [m["content"] for m in chat.messages] == ["Where is Paris?"]
    assert chat.default_system is False
    assert text.text == "Country of Rome:"
    sampling = text.sampling
    assert (sampling.temperature, sampling.top_p, sampling.max_tokens) == (0.7, 1.0, 20)
    with world.db.read() as session:
        kept = session.scalars(select(Generation)).all()
    assert {(g.feature, g.status, g.player_id) for g in kept} == {
        (LAB, "finished", ada)
    }
    assert len(kept) == 24


def test_the_same_form_begins_one_and_nobody_else_finds_it(
    world: World, ada: int
) -> None:
    assert begin(world, ada) == begin(world, ada)
    matrix = begin(world, ada)
    with pytest.raises(NotFound):
        find(world, world.player("Eve"), matrix)
    with pytest.raises(NotFound):
        matrices.delete_one(
            world.services, player_id=world.player("Bob"), matrix_id=matrix
        )


def test_a_stop_keeps_what_is_there_and_it_goes_on_from_there(
    world: World, ada: int, speakers: Speakers
) -> None:
    matrix = begin(world, ada)
    start(world, ada, matrix)
    ask = speakers.stream

    def stopping(*given: Any) -> Any:
        if len(speakers.history) == 5:
            matrix_run.stop(world.services, player_id=ada, matrix_id=matrix)
        return ask(*given)

    speakers.stream = stopping  # type: ignore[method-assign, assignment]
    work(world, ada, matrix)
    seen = find(world, ada, matrix)
    assert (seen.state, seen.note) == (PAUSED, "")
    assert seen.done == sum(len(cell.replies) for cell in seen.cells) == 5
    speakers.stream = ask  # type: ignore[method-assign]
    start(world, ada, matrix)
    work(world, ada, matrix)
    seen = find(world, ada, matrix)
    assert (seen.state, seen.done) == (DONE, 24)
    assert scores(seen) == [(1, 2), (2, 4), (1, 2), (2, 4)] * 2


def test_each_reply_counts_for_the_day_and_it_says_when_to_go_on(
    world: World, ada: int
) -> None:
    world.limit(lab_runs_per_day=7)
    matrix = begin(world, ada)
    start(world, ada, matrix)
    work(world, ada, matrix)
    seen = find(world, ada, matrix)
    assert (seen.state, seen.done) == (PAUSED, 7)
    assert "You have used all 7 runs in the lab of this day" in seen.note


def test_it_waits_while_something_else_is_answered(
    world: World, ada: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix = begin(world, ada)
    start(world, ada, matrix)
    refusals = [QuotaExceeded("Wait.", scope="player/running", retry_after=2)] * 2
    ask = matrix_asking.ask

    def busy_at_first(*given: Any, **more: Any) -> Any:
        if refusals:
            raise refusals.pop()
        return ask(*given, **more)

    monkeypatch.setattr(matrix_asking, "ask", busy_at_first)
    assert work(world, ada, matrix) == [2, 2]
    assert find(world, ada, matrix).state == DONE


def test_a_model_that_refuses_pauses_it_and_going_on_asks_again(
    world: World, ada: int, speakers: Speakers
) -> None:
    speakers.enqueue("France", *[BackendRefused("It is too long.")] * 3)
    matrix = begin(world, ada)
    start(world, ada, matrix)
    work(world, ada, matrix)
    seen = find(world, ada, matrix)
    assert (seen.state, seen.note, seen.done) == (PAUSED, "It is too long.", 4)
    assert seen.has_failed
    assert sum(cell.ungraded for cell in seen.cells) == 3
    start(world, ada, matrix)
    work(world, ada, matrix)
    seen = find(world, ada, matrix)
    assert (seen.state, seen.done, seen.has_failed) == (DONE, 24, False)


def test_one_reply_that_failed_can_be_asked_again_at_the_end(
    world: World, ada: int, speakers: Speakers
) -> None:
    speakers.enqueue(BackendRefused("No."))
    matrix = begin(world, ada)
    start(world, ada, matrix)
    work(world, ada, matrix)
    assert find(world, ada, matrix).state == DONE
    start(world, ada, matrix)
    work(world, ada, matrix)
    assert not find(world, ada, matrix).has_failed
    with pytest.raises(Conflict, match="finished"):
        start(world, ada, matrix)


def test_who_needs_a_person_is_answered_by_the_site_and_nothing_is_judged(
    world: World, ada: int, speakers: Speakers
) -> None:
    plan = Plan(
        prompts=("I want to kill myself",),
        items=(Item(""),),
        models=PLAN.models[:1],
        temperatures=(0.0,),
        samples=1,
        check="icontains",
        options={"value": "help"},
    )
    matrix = begin(world, ada, plan)
    start(world, ada, matrix)
    work(world, ada, matrix)
    (cell,) = find(world, ada, matrix).cells
    assert speakers.history == []
    assert cell.replies[0].is_site
    assert tuple(cell.score) == (0, 0)


def test_one_at_a_time_until_its_process_is_gone(world: World, ada: int) -> None:
    first, second = begin(world, ada), begin(world, ada, form="other")
    start(world, ada, first)
    with pytest.raises(Conflict, match="still going"):
        start(world, ada, second)
    dead = Boot(world.services.settings.instance)
    with world.db.write() as session:
        session.execute(update(LabMatrix).values(boot_id=dead.id))
    dead.close()
    seen = find(world, ada, first)
    assert (seen.state, seen.note) == (PAUSED, matrices.DIED)
    start(world, ada, second)
    assert find(world, ada, second).state == RUNNING


def test_deleting_it_ends_it_and_takes_its_cells(world: World, ada: int) -> None:
    matrix = begin(world, ada)
    start(world, ada, matrix)
    matrices.delete_one(world.services, player_id=ada, matrix_id=matrix)
    work(world, ada, matrix)
    with world.db.read() as session:
        assert session.scalars(select(LabCell)).all() == []


def test_the_rest_takes_as_long_as_the_latest_replies_did(
    world: World, ada: int
) -> None:
    matrix = begin(world, ada)
    assert find(world, ada, matrix).seconds_left == pytest.approx(24 * 20 * 0.04)
    with world.db.write() as session:
        for model in ("smollm2", "soup"):
            session.add(
                Generation(
                    feature=LAB,
                    player_id=ada,
                    prompt=[],
                    settings={},
                    seed=1,
                    model=model,
                    boot_id="x",
                    status="finished",
                    created_at=world.services.now(),
                    ms=1000 if model == "soup" else 500,
                    reply_tokens=10,
                )
            )
    assert find(world, ada, matrix).seconds_left == pytest.approx(
        12 * 20 * 0.1 + 12 * 20 * 0.05
    )


def test_an_overloaded_model_is_an_error_like_any_other(
    world: World, ada: int, speakers: Speakers
) -> None:
    speakers.enqueue(*[BackendOverloaded("Full.")] * 30)
    matrix = begin(world, ada)
    start(world, ada, matrix)
    work(world, ada, matrix)
    assert find(world, ada, matrix).note == "Full."


def test_models_of_others_are_offered_only_where_they_are_shown(
    world: World, speakers: Speakers
) -> None:
    names = ("mine", "hidden", "shown", "classy")
    world.services = with_speakers(world.services, speakers, *names)
    ada, eve = world.player("Ada"), world.player("Eve")
    add_model(world.services, ada, "mine", title="Mine")
    add_model(world.services, eve, "hidden")
    add_model(world.services, eve, "shown", title="Sea", visibility=PUBLIC)
    add_model(world.services, eve, "classy", visibility=CLASS)

    def offered(player: int | None) -> dict[str, Asked]:
        found = matrix_models.offered(world.services, player_id=player)
        return {model.name: model for model in found}

    assert set(offered(ada)) & {f"local/{n}" for n in names} == {
        "local/mine",
        "local/shown",
    }
    assert offered(ada)["local/mine"].base == "local/smollm2"
    assert offered(ada)["local/shown"].title == "Sea by Eve"
    assert "local/hidden" not in offered(None)
    assert {"local/hidden", "local/classy"} <= set(offered(eve))
    assert "local/minilm" not in offered(ada)
