"""Sweeps: three runs begun as one action, or none; followed to their verdict."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.training import ScriptedTraining
from tests.kit.world import World
from webapp.domain.train import data, models, runs, sweeps
from webapp.domain.train.choices import Choices
from webapp.domain.train.sweeping import What
from webapp.errors import BackendError, InvalidInput, NotFound, QuotaExceeded


def start(
    world: World,
    player: int,
    what: What = "learning_rate",
    form: str = "form",
    **chosen: Any,
) -> int:
    data_id = data.choose(world.services, player_id=player, file_id="shipped-recipes")
    return sweeps.start(
        world.services,
        player_id=player,
        data_id=data_id,
        choices=Choices(title="Soup", **chosen),
        what=what,
        guess=2,
        form=form,
    )


def find(world: World, player: int, sweep_id: int) -> sweeps.SweepView:
    return sweeps.find(world.services, player_id=player, sweep_id=sweep_id)


def left(world: World, player: int) -> int:
    return runs.minutes_left(world.services, player_id=player)


def mine(world: World, player: int) -> tuple[runs.RunView, ...]:
    return runs.mine(world.services, player_id=player)[0]


def finish(trainer: ScriptedTraining, *perplexities: float) -> None:
    for job_id, number in zip(trainer.jobs, perplexities, strict=True):
        trainer.finish(job_id)
        trainer.jobs[job_id]["figures"]["heldout_perplexity"] = number


def test_one_press_is_three_runs_however_often_it_is_sent(
    world: World, trainer: ScriptedTraining
) -> None:
    player = world.player()
    assert start(world, player) == start(world, player)
    rates = [job["recipe"]["learning_rate"] for job in trainer.jobs.values()]
    assert rates == [0.00033, 0.001, 0.003]
    assert next(job["suffix"] for job in trainer.jobs.values()) == "Soup · rate 0.00033"
    assert len(mine(world, player)) == 3
    assert left(world, player) == 60 - 3 * 3


def test_a_share_of_the_data_goes_through_the_recipe(
    world: World, trainer: ScriptedTraining
) -> None:
    player = world.player()
    sweep_id = start(world, player, "share")
    rows = [job["recipe"]["data"]["most_rows"] for job in trainer.jobs.values()]
    assert rows == [19, 58, 192]
    texts = {job["recipe"]["data"]["text"] for job in trainer.jobs.values()}
    assert texts == {"{title}\n{steps}"}
    own = data.mine(world.services, player_id=player)[0]
    assert "most_rows" not in own.settings
    assert find(world, player, sweep_id).runs[0].data_settings["most_rows"] == 19


def test_a_verdict_comes_when_all_are_over(
    world: World, trainer: ScriptedTraining
) -> None:
    player = world.player()
    sweep_id = start(world, player)
    jobs = list(trainer.jobs)
    for job_id in jobs[:2]:
        trainer.finish(job_id)
    trainer.run(jobs[2])
    half = find(world, player, sweep_id)
    assert (half.is_over, half.verdict, half.no_verdict) == (False, None, "")
    finish(trainer, 25.0, 22.0, 40.0)
    done = find(world, player, sweep_id)
    assert done.verdict is not None
    assert done.verdict.winners == (1,)
    assert "jumped across" in done.verdict.sentences[1]
    assert (done.name, done.guess) == ("Soup", 2)


def test_without_three_results_there_is_no_winner(
    world: World, trainer: ScriptedTraining
) -> None:
    player = world.player()
    sweep_id = start(world, player)
    finish(trainer, 25.0, 22.0, 40.0)
    trainer.fail(trainer.last, "The loss is not a number any more.")
    seen = find(world, player, sweep_id)
    assert seen.is_over
    assert seen.verdict is None
    assert "Not all three" in seen.no_verdict


def test_minutes_for_two_are_not_enough_for_three(
    world: World, trainer: ScriptedTraining
) -> None:
    world.limit(training_minutes_per_day=8)
    player = world.player()
    with pytest.raises(QuotaExceeded, match="three runs together would take about 9"):
        start(world, player)
    assert (trainer.jobs, mine(world, player), left(world, player)) == ({}, (), 8)


@pytest.mark.parametrize("most", [0, 1, 2])
def test_places_for_fewer_than_three_begin_none(
    world: World, trainer: ScriptedTraining, most: int
) -> None:
    player = world.player()
    trainer.most_jobs = most
    with pytest.raises(QuotaExceeded, match="no room for three more"):
        start(world, player)
    assert {job["status"] for job in trainer.jobs.values()} <= {"cancelled"}
    assert len(trainer.jobs) == most
    assert mine(world, player) == ()
    assert left(world, player) == 60
    trainer.most_jobs = 3
    start(world, player)
    assert len(mine(world, player)) == 3


def test_what_cannot_be_taken_back_stays_to_be_seen(
    world: World, trainer: ScriptedTraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    player = world.player()
    trainer.most_jobs = 1

    def away(job_id: str, action: str) -> None:
        raise BackendError("away")

    monkeypatch.setattr(world.services.training, "act", away)
    with pytest.raises(BackendError, match="could not be taken back"):
        start(world, player)
    assert [run.job_id for run in mine(world, player)] == [trainer.last]
    assert left(world, player) == 57


def test_a_run_whose_answer_was_lost_is_found_again(
    world: World, trainer: ScriptedTraining
) -> None:
    player = world.player()
    trainer.loses_answer = True
    seen = find(world, player, start(world, player))
    assert [run.job_id for run in seen.runs] == list(trainer.jobs)


def test_a_fault_in_a_value_begins_nothing(
    world: World, trainer: ScriptedTraining
) -> None:
    player = world.player()
    with pytest.raises(InvalidInput, match="learning rate"):
        start(world, player, learning_rate=0.09)
    assert (trainer.jobs, left(world, player)) == ({}, 60)


def test_a_sweep_outlives_the_deletion_of_a_run(
    world: World, trainer: ScriptedTraining
) -> None:
    player = world.player()
    sweep_id = start(world, player)
    finish(trainer, 25.0, 22.0, 40.0)
    other = start(world, player, form="other")
    find(world, player, sweep_id)
    models.delete(world.services, player_id=player, run_id=sweep_id)
    seen = find(world, player, sweep_id)
    assert [run.id for run in seen.runs] == [sweep_id + 1, sweep_id + 2]
    assert "Not all three" in seen.no_verdict
    assert len(find(world, player, other).runs) == 3


def test_sweeps_of_others_are_not_there(
    world: World, trainer: ScriptedTraining
) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    sweep_id = start(world, ada)
    start(world, bob)
    for do in (sweeps.find, sweeps.curves):
        for number in (sweep_id, sweep_id + 1, 0, 2**70):
            with pytest.raises(NotFound):
                do(world.services, player_id=bob, sweep_id=number)
