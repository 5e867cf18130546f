"""Models: who may open them, and what is asked of them."""

from __future__ import annotations

import dataclasses

import pytest

from tests.kit.training import ScriptedTraining
from tests.kit.world import World
from tests.webapp.domain.train.test_runs import follow, start
from webapp.domain.people.classes import add_class, join_code
from webapp.domain.people.joining import join
from webapp.domain.people.roster import Actor, set_teaching
from webapp.domain.teach import concerns
from webapp.domain.train import models, prompting
from webapp.errors import BackendError, Conflict, NotFound, QuotaExceeded
from webapp.llm.endpoints import Endpoint
from webapp.llm.gateway import Gateway
from webapp.rows import Generation


def model_of(world: World, trainer: ScriptedTraining, player: int) -> str:
    run_id = start(world, player, title="Soup")
    name = trainer.finish(trainer.last)
    follow(world, player, run_id)
    return name


def serve(world: World, *names: str) -> None:
    gateway = Gateway(
        [Endpoint("local", "scripted", dict.fromkeys(names, "echo"))],
        backends={"local": world.backend},
    )
    world.services = dataclasses.replace(world.services, gateway=gateway)


def in_class(world: World, name: str, code: str) -> int:
    return join(world.services, form=name, name=name, class_code=code).player_id


def can_open(world: World, player: int | None, name: str) -> bool:
    try:
        models.page(world.services, player_id=player, name=name)
    except NotFound:
        return False
    return True


def show(world: World, player: int, name: str, visibility: str) -> None:
    models.set_visibility(
        world.services, player_id=player, name=name, visibility=visibility
    )


def test_a_model_is_for_whom_its_owner_says(
    world: World, trainer: ScriptedTraining
) -> None:
    code = add_class(world.services, name="10b").join_code
    ada, bob = in_class(world, "Ada", code), in_class(world, "Bob", code)
    other = world.player("Eve")
    name = model_of(world, trainer, ada)
    viewers = (ada, bob, other, None)
    seen = {}
    for visibility in ("private", "class", "public"):
        show(world, ada, name, visibility)
        seen[visibility] = [can_open(world, viewer, name) for viewer in viewers]
    assert seen == {
        "private": [True, False, False, False],
        "class": [True, True, False, False],
        "public": [True, True, True, True],
    }


def test_only_the_owner_changes_a_model(
    world: World, trainer: ScriptedTraining
) -> None:
    ada, eve = world.player("Ada"), world.player("Eve")
    name = model_of(world, trainer, ada)
    show(world, ada, name, "public")
    with pytest.raises(NotFound):
        show(world, eve, name, "private")
    with pytest.raises(NotFound):
        models.unlock_test(world.services, player_id=eve, name=name)
    with pytest.raises(NotFound):
        models.set_prompt(world.services, player_id=eve, name=name, prompt="x")


def test_without_a_class_there_is_no_class_to_show_it_to(
    world: World, trainer: ScriptedTraining
) -> None:
    ada = world.player("Ada")
    name = model_of(world, trainer, ada)
    with pytest.raises(Conflict, match="in no class"):
        show(world, ada, name, "class")


def test_what_is_published_is_listed_for_others(
    world: World, trainer: ScriptedTraining
) -> None:
    ada, eve = world.player("Ada"), world.player("Eve")
    name = model_of(world, trainer, ada)
    assert models.published(world.services, player_id=eve) == ()
    show(world, ada, name, "public")
    found = models.published(world.services, player_id=eve)
    assert [(run.name, owner) for run, owner in found] == [(name, "Ada")]
    assert models.published(world.services, player_id=ada) == ()


def test_the_test_part_is_unlocked_once(
    world: World, trainer: ScriptedTraining
) -> None:
    ada = world.player("Ada")
    name = model_of(world, trainer, ada)
    models.unlock_test(world.services, player_id=ada, name=name)
    page = models.page(world.services, player_id=ada, name=name)
    assert page.run.figures["test_perplexity"] == 23.1
    with pytest.raises(Conflict, match="judged once"):
        models.unlock_test(world.services, player_id=ada, name=name)


def test_base_and_tuned_model_are_asked_the_same_with_one_seed(
    world: World, trainer: ScriptedTraining
) -> None:
    ada = world.player("Ada")
    name = model_of(world, trainer, ada)
    serve(world, "smollm2", name)
    world.backend.enqueue(" of the day", " 7")
    said = prompting.side_by_side(
        world.services,
        player_id=ada,
        models=("smollm2", name),
        wanted=prompting.Wanted("Soup number"),
    )
    assert [one.text for one in said] == [" of the day", " 7"]
    asked = world.backend.history[-2:]
    assert [request.text for request in asked] == ["Soup number"] * 2
    assert {request.sampling.seed for request in asked} == {7}
    with world.db.read() as session:
        rows = session.query(Generation).order_by(Generation.id).all()
    assert [(row.feature, row.prompt, row.reply) for row in rows] == [
        ("train", "Soup number", " of the day"),
        ("train", "Soup number", " 7"),
    ]


def test_a_chat_model_is_asked_in_turns(
    world: World, trainer: ScriptedTraining
) -> None:
    ada = world.player("Ada")
    serve(world, "soup")
    wanted = prompting.Wanted("Hi", is_chat=True, system="Be short.")
    prompting.ask(world.services, player_id=ada, model="soup", wanted=wanted)
    request = world.backend.history[-1]
    assert request.text is None
    assert [turn["role"] for turn in request.messages] == ["system", "user"]


def test_a_model_whose_files_are_gone_says_so_and_keeps_its_card(
    world: World, trainer: ScriptedTraining
) -> None:
    ada = world.player("Ada")
    name = model_of(world, trainer, ada)
    serve(world, "smollm2")
    page = models.page(world.services, player_id=ada, name=name)
    assert not page.is_served
    assert page.run.figures["heldout_perplexity"] == 22.0
    (said,) = prompting.side_by_side(
        world.services,
        player_id=ada,
        models=(name,),
        wanted=prompting.Wanted("Soup"),
    )
    assert said.error
    trainer.deleted.append(trainer.last)
    with pytest.raises(NotFound, match="gone"):
        models.download(
            world.services, player_id=ada, name=name, file="model.gguf", quality=""
        )


def test_somebody_in_distress_gets_an_answer_from_the_site(
    world: World, trainer: ScriptedTraining
) -> None:
    ada = world.player("Ada")
    serve(world, "soup")
    said = prompting.ask(
        world.services,
        player_id=ada,
        model="soup",
        wanted=prompting.Wanted("I want to kill myself"),
    )
    assert said.is_site
    assert said.text
    assert world.backend.history == []


def test_a_teacher_sees_what_somebody_in_distress_wrote(
    world: World, trainer: ScriptedTraining
) -> None:
    class_id = add_class(world.services, name="10b").id
    code = join_code(world.services, name="10b")
    ada = in_class(world, "Ada", code)
    serve(world, "soup")
    for is_chat in (False, True):
        prompting.ask(
            world.services,
            player_id=ada,
            model="soup",
            wanted=prompting.Wanted("I want to kill myself", is_chat=is_chat),
        )
    gray = world.player("Gray", role="instructor")
    set_teaching(world.services, class_name="10b", player_id=gray, is_teaching=True)
    actor = Actor("Gray", gray, is_everywhere=False)
    found = concerns.concerns(world.services, actor=actor, class_id=class_id)
    assert [(one.name, one.message) for one in found] == [
        ("Ada", "I want to kill myself")
    ] * 2


def test_prompts_are_counted(world: World, trainer: ScriptedTraining) -> None:
    world.limit(model_prompts_per_minute=1)
    ada = world.player("Ada")
    serve(world, "soup")
    wanted = prompting.Wanted("Soup")
    prompting.ask(world.services, player_id=ada, model="soup", wanted=wanted)
    with pytest.raises(QuotaExceeded, match="all 1 prompts of this minute"):
        prompting.ask(world.services, player_id=ada, model="soup", wanted=wanted)


def test_a_model_that_fails_says_why(world: World, trainer: ScriptedTraining) -> None:
    ada = world.player("Ada")
    serve(world, "soup")
    world.backend.enqueue(BackendError("The model fell over."))
    said = prompting.ask(
        world.services,
        player_id=ada,
        model="soup",
        wanted=prompting.Wanted("Soup"),
    )
    assert said.error == "The model fell over."


def test_deleting_a_run_deletes_its_model(
    world: World, trainer: ScriptedTraining
) -> None:
    ada = world.player("Ada")
    name = model_of(world, trainer, ada)
    models.delete(world.services, player_id=ada, run_id=1)
    assert trainer.deleted == [name]
    assert not can_open(world, ada, name)


def test_files_of_a_model_are_passed_on(
    world: World, trainer: ScriptedTraining
) -> None:
    ada = world.player("Ada")
    name = model_of(world, trainer, ada)

    def get(file: str) -> object:
        found = models.download(
            world.services, player_id=ada, name=name, file=file, quality="f16"
        )
        return found if isinstance(found, str) else b"".join(found)

    assert get("model.gguf") == b"model.gguf of ftjob-1"
    assert get("recipe.yaml") == "kind: lm\nname: soup\n"
    with pytest.raises(NotFound):
        get("../secrets")
