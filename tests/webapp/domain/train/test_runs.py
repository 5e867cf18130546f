"""Runs: begun once, followed, acted upon, and counted against the day's minutes."""

from __future__ import annotations

import pytest

from tests.kit.training import ScriptedTraining
from tests.kit.world import World
from webapp.domain.train import data, models, runs
from webapp.domain.train.choices import Choices
from webapp.errors import BackendError, Conflict, InvalidInput, NotFound, QuotaExceeded


def start(
    world: World, player: int, form: str = "form", title: str = "Soup", **chosen: object
) -> int:
    data_id = data.choose(world.services, player_id=player, file_id="shipped-recipes")
    return runs.start(
        world.services,
        player_id=player,
        data_id=data_id,
        choices=Choices(title=title, **chosen),  # type: ignore[arg-type]
        form=form,
    )


def follow(world: World, player: int, run_id: int) -> runs.RunView:
    return runs.follow(world.services, player_id=player, run_id=run_id)


def left(world: World, player: int) -> int:
    return runs.minutes_left(world.services, player_id=player)


def test_a_form_sent_twice_is_one_run(world: World, trainer: ScriptedTraining) -> None:
    player = world.player()
    assert start(world, player) == start(world, player)
    assert len(trainer.jobs) == 1
    assert left(world, player) == 57


def test_two_runs_of_one_name_are_two_models(
    world: World, trainer: ScriptedTraining
) -> None:
    player = world.player()
    first = start(world, player, "a")
    trainer.finish(trainer.last)
    second = start(world, player, "b")
    trainer.finish(trainer.last)
    names = [follow(world, player, run_id).name for run_id in (first, second)]
    assert names == ["soup", "soup-2"]


def test_a_run_is_followed_to_its_model(
    world: World, trainer: ScriptedTraining
) -> None:
    player = world.player()
    run_id = start(world, player)
    assert follow(world, player, run_id).status == "queued"
    trainer.run(trainer.last)
    running = follow(world, player, run_id)
    assert running.job is not None
    assert running.job.progress is not None
    assert running.job.progress.update == 40
    trainer.finish(trainer.last)
    done = follow(world, player, run_id)
    assert (done.status, done.name) == ("succeeded", "soup")
    assert done.figures["heldout_perplexity"] == 22.0


def test_the_figures_stay_when_the_trainer_is_gone(
    world: World, trainer: ScriptedTraining
) -> None:
    player = world.player()
    run_id = start(world, player)
    trainer.finish(trainer.last)
    follow(world, player, run_id)
    trainer.is_down = True
    seen = follow(world, player, run_id)
    assert "does not answer just now" in seen.stale
    assert seen.figures["heldout_perplexity"] == 22.0
    trainer.is_down = False
    trainer.jobs.clear()
    assert follow(world, player, run_id).stale == runs.GONE


def test_minutes_that_were_not_needed_are_given_back_once(
    world: World, trainer: ScriptedTraining
) -> None:
    player = world.player()
    run_id = start(world, player, minutes=10.0)
    assert left(world, player) == 50
    trainer.run(trainer.last)
    runs.act(world.services, player_id=player, run_id=run_id, action="cancel")
    for _ in range(2):
        follow(world, player, run_id)
    assert left(world, player) == 59


def test_a_day_has_so_many_minutes(world: World, trainer: ScriptedTraining) -> None:
    world.limit(training_minutes_per_day=5)
    player = world.player()
    start(world, player, "a")
    with pytest.raises(QuotaExceeded, match="have 2 of your 5 minutes"):
        start(world, player, "b")
    start(world, player, "c", minutes=2.0)
    with pytest.raises(QuotaExceeded, match="all 5 minutes of training of this day"):
        start(world, player, "d", minutes=0.5)
    assert len(trainer.jobs) == 2
    world.clock.move(days=1)
    start(world, player, "e")


def test_nothing_is_counted_when_the_trainer_refuses(
    world: World, trainer: ScriptedTraining
) -> None:
    player = world.player()
    start(world, player, "a")
    trainer.is_down = True
    with pytest.raises(BackendError):
        runs.start(
            world.services,
            player_id=player,
            data_id=1,
            choices=Choices(title="Soup"),
            form="b",
        )
    assert left(world, player) == 57
    assert len(runs.mine(world.services, player_id=player)[0]) == 1


def test_a_run_whose_answer_was_lost_is_found_again(
    world: World, trainer: ScriptedTraining
) -> None:
    player = world.player()
    trainer.loses_answer = True
    run_id = start(world, player)
    assert follow(world, player, run_id).job_id == trainer.last
    assert len(trainer.jobs) == 1


def test_a_run_that_never_arrived_ends_and_costs_nothing(
    world: World, trainer: ScriptedTraining
) -> None:
    player = world.player()
    trainer.loses_answer = True
    run_id = start(world, player)
    trainer.jobs.clear()
    assert follow(world, player, run_id).status == "sending"
    world.clock.move(minutes=2)
    lost = follow(world, player, run_id)
    assert (lost.status, lost.error) == ("failed", runs.NEVER_SENT)
    assert left(world, player) == 60


def test_runs_of_others_are_not_there(world: World, trainer: ScriptedTraining) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    run_id = start(world, ada)
    for do in (runs.find, runs.follow, runs.curves, runs.news):
        with pytest.raises(NotFound):
            do(world.services, player_id=bob, run_id=run_id)
    with pytest.raises(NotFound):
        runs.act(world.services, player_id=bob, run_id=run_id, action="cancel")
    with pytest.raises(NotFound):
        runs.several(world.services, player_id=bob, run_ids=[run_id])
    with pytest.raises(NotFound):
        models.delete(world.services, player_id=bob, run_id=run_id)
    assert trainer.jobs[trainer.last]["status"] == "queued"


def test_what_is_not_possible_is_refused_with_the_reason(
    world: World, trainer: ScriptedTraining
) -> None:
    player = world.player()
    run_id = start(world, player)
    with pytest.raises(Conflict, match="queued cannot"):
        runs.act(world.services, player_id=player, run_id=run_id, action="pause")
    with pytest.raises(Conflict, match="not over"):
        models.delete(world.services, player_id=player, run_id=run_id)


def test_a_name_must_be_one(world: World) -> None:
    with pytest.raises(InvalidInput, match="1 to 60 characters"):
        start(world, world.player(), title="  ")


def test_a_failed_run_says_why_and_can_go_on(
    world: World, trainer: ScriptedTraining
) -> None:
    player = world.player()
    run_id = start(world, player)
    trainer.run(trainer.last)
    trainer.fail(trainer.last, "The memory was not enough.")
    assert follow(world, player, run_id).error == "The memory was not enough."
    runs.act(world.services, player_id=player, run_id=run_id, action="resume")
    assert follow(world, player, run_id).status == "queued"
