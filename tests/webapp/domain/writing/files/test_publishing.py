"""What is published goes live whole, and only if nothing gets worse by it."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from sqlalchemy import select

from tests.kit.world import World
from webapp.domain.people import classes, roster
from webapp.domain.people.roster import COMMAND, Actor
from webapp.domain.writing import drafts, files, publishing, saving, starting, versions
from webapp.domain.writing.publishing import NotReady
from webapp.domain.writing.saving import ChangedMeanwhile
from webapp.errors import Conflict, InvalidInput, NotFound
from webapp.rows import Audience

LADDER = "game/yard/ladder.yaml"
GATE = "game/yard/my-gate.yaml"


def seen(world: World, name: str) -> str:
    """Return what a page of a file would see now."""
    return files.texts_of(world.services, PurePosixPath(name)).seen


def save(world: World, name: str, text: str) -> None:
    """Save a draft."""
    services = world.services
    saving.save(services, author="A", name=name, text=text, seen=seen(world, name))


def publish(world: World, name: str, **more: object) -> publishing.Published:
    """Publish what a page would see now."""
    given = {"actor": COMMAND, "seen": seen(world, name), **more}
    return publishing.publish(world.services, name=name, **given)  # type: ignore[arg-type]


@pytest.fixture
def gate(world: World) -> str:
    """Return a draft of a level of one's own, in a ladder of its own."""
    return starting.copy(
        world.services,
        author="A",
        source="game/keep/echo.yaml",
        folder="yard",
        name="my-gate",
    )


def text_of(world: World, name: str) -> str:
    """Return the newest text of a file."""
    return files.texts_of(world.services, PurePosixPath(name)).newest or ""


def rows(world: World) -> list[tuple[str, str, int]]:
    """Return who may see what."""
    with world.db.read() as session:
        found = session.execute(
            select(Audience.kind, Audience.thing, Audience.class_id)
        )
        return [(kind, thing, number) for kind, thing, number in found]


def test_a_level_goes_live_with_its_ladder(world: World, gate: str) -> None:
    assert gate == GATE
    assert "my-gate" not in world.services.content.current().ladders
    with pytest.raises(NotReady, match="one error") as refused:
        publish(world, GATE)
    assert "no ladder.yaml" in refused.value.problems[0].message
    assert not (world.content / "game").exists()
    assert publish(world, GATE, is_whole_folder=True).names == (GATE, LADDER)
    index = world.services.content.current()
    assert index.level("my-gate").title == "The Echo Gate"
    assert index.level("my-gate").after == ()
    assert drafts.texts(world.services) == {}
    assert not (world.services.settings.instance / "drafts" / "game" / "yard").exists()
    kept = versions.versions(world.services, PurePosixPath(GATE))
    assert [line.what for line in kept] == ["published", "saved"]


def test_an_error_holds_a_text_back_and_is_told_with_its_line(
    world: World, gate: str
) -> None:
    publish(world, gate, is_whole_folder=True)
    good = text_of(world, gate)
    save(world, gate, good.replace("points: 100", "pionts: 100"))
    with pytest.raises(NotReady) as refused:
        publish(world, gate)
    told = {problem.message for problem in refused.value.problems}
    assert 'unknown key "pionts"' in told
    assert (world.content / gate).read_text() == good
    assert world.services.content.current().level("my-gate").points == 100


def test_a_file_that_others_need_is_neither_taken_back_nor_deleted(
    world: World, gate: str
) -> None:
    publish(world, gate, is_whole_folder=True)
    for act in (publishing.unpublish, publishing.remove):
        with pytest.raises(NotReady):
            act(world.services, actor=COMMAND, name=gate, seen=seen(world, gate))
    assert (world.content / gate).exists()


def test_what_is_taken_back_is_a_draft_again(world: World) -> None:
    name = "lessons/basics/01-first.md"
    starting.change_here(world.services, author="A", source=name)
    save(world, name, text_of(world, name).replace("A lesson", "Our lesson"))
    publish(world, name)
    assert world.services.content.current().lesson("basics/first").info.title == (
        "Our lesson"
    )
    publishing.unpublish(
        world.services, actor=COMMAND, name=name, seen=seen(world, name)
    )
    assert world.services.content.current().lesson("basics/first").info.title == (
        "A lesson"
    )
    assert "Our lesson" in (drafts.texts(world.services)[PurePosixPath(name)] or "")
    publishing.remove(world.services, actor=COMMAND, name=name, seen=seen(world, name))
    assert drafts.texts(world.services) == {}
    found = versions.versions(world.services, PurePosixPath(name))
    assert found[0].what == "deleted"
    with pytest.raises(NotFound):
        publishing.remove(
            world.services, actor=COMMAND, name=name, seen=seen(world, name)
        )


def test_only_what_was_seen_is_published(world: World, gate: str) -> None:
    old = seen(world, gate)
    save(world, gate, text_of(world, gate) + "# newer\n")
    with pytest.raises(ChangedMeanwhile):
        publish(world, gate, seen=old, is_whole_folder=True)
    assert not (world.content / gate).exists()


def test_an_error_elsewhere_that_was_there_before_holds_nothing_back(
    world: World,
) -> None:
    broken = world.content / "game" / "keep" / "echo.yaml"
    broken.parent.mkdir(parents=True)
    broken.write_text("id: [echo\n")
    name = "lessons/basics/02-second.md"
    save(world, name, text_of(world, "lessons/basics/01-first.md"))
    publish(world, name)
    assert (world.content / name).exists()


def test_a_class_alone_sees_it_until_everybody_does(world: World, gate: str) -> None:
    services = world.services
    brown = world.player("Ms Brown", role="instructor", password="correct horse")
    ours, theirs = (classes.add_class(services, name=name).id for name in ("7a", "7b"))
    roster.set_teaching(services, class_name="7a", player_id=brown, is_teaching=True)
    actor = Actor("Ms Brown", brown, is_everywhere=False)
    with pytest.raises(InvalidInput, match="teach no such class"):
        publish(world, gate, actor=actor, class_id=theirs)
    given = {"actor": actor, "is_whole_folder": True}
    publish(world, gate, class_id=ours, **given)
    assert sorted(rows(world)) == [("ladder", "yard", ours), ("level", "my-gate", ours)]
    assert publishing.audience(services, PurePosixPath(gate)) == (ours,)
    # An admin lets another class in; the colleague's choice stays.
    publish(world, gate, actor=actor, class_id=ours)
    publish(world, gate)
    assert rows(world) == [("ladder", "yard", ours)]


def test_a_copy_needs_a_free_name(world: World, gate: str) -> None:
    services = world.services
    assert text_of(world, LADDER).startswith("id: yard\ntitle: Yard\n")
    with pytest.raises(Conflict, match="already a file game/yard/my-gate"):
        starting.copy(services, author="A", source=gate, folder="yard", name="my-gate")
    with pytest.raises(Conflict, match="already a level echo"):
        starting.copy(services, author="A", source=gate, folder="yard", name="echo")
    for name in ("My gate", "../x", "ladder", ""):
        with pytest.raises(InvalidInput, match="small letters"):
            starting.copy(services, author="A", source=gate, folder="yard", name=name)
    second = starting.copy(
        services, author="A", source=gate, folder="yard", name="other"
    )
    assert second == "game/yard/other.yaml"
    assert text_of(world, LADDER).endswith("levels:\n  - my-gate\n  - other\n")
    with pytest.raises(InvalidInput, match="one file of this kind"):
        starting.copy(services, author="A", source=LADDER, folder="x", name="y")


def test_a_copy_of_a_lesson_gets_the_next_place(world: World) -> None:
    source = "lessons/basics/01-first.md"
    services = world.services
    made = [
        starting.copy(services, author="A", source=source, folder=track, name="mine")
        for track in ("basics", "ours")
    ]
    assert made == ["lessons/basics/02-mine.md", "lessons/ours/01-mine.md"]
    publish(world, made[0])
    publish(world, made[1], is_whole_folder=True)
    assert [track.id for track in world.services.content.current().tracks] == [
        "basics",
        "ours",
    ]
