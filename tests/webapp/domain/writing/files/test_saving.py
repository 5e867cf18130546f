"""Drafts are kept, nobody's text is lost, and only good names are written."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from tests.kit.world import World
from webapp.domain.writing import drafts, files, saving, versions
from webapp.domain.writing.saving import ChangedMeanwhile
from webapp.errors import InvalidInput, NotFound

NAME = "words/mine.txt"
PATH = PurePosixPath(NAME)


def save(
    world: World, text: str, seen: str | None = None, who: str = "Ms Brown"
) -> str:
    """Save a text; return what a page would see then."""
    if seen is None:
        seen = files.texts_of(world.services, PATH).seen
    saved = saving.save(world.services, author=who, name=NAME, text=text, seen=seen)
    return saved.seen


def whats(world: World) -> list[tuple[str, str]]:
    """Return what was done to the file, and by whom, oldest first."""
    found = versions.versions(world.services, PATH)
    return [(line.what, line.author) for line in reversed(found)]


def test_a_saved_text_is_a_draft_and_not_live(world: World) -> None:
    save(world, "one\r\ntwo\n")
    draft = world.services.settings.instance / "drafts" / NAME
    assert draft.read_bytes() == b"one\ntwo\n"
    assert not (world.content / NAME).exists()
    assert drafts.texts(world.services) == {PATH: "one\ntwo\n"}
    assert whats(world) == [("saved", "Ms Brown")]


def test_saving_the_same_again_makes_no_version(world: World) -> None:
    save(world, "one")
    save(world, "one")
    assert whats(world) == [("saved", "Ms Brown")]


def test_the_second_of_two_editors_is_told_and_loses_nothing(world: World) -> None:
    both_saw = save(world, "start")
    save(world, "hers", both_saw)
    with pytest.raises(ChangedMeanwhile, match="Ms Brown saved another") as refused:
        save(world, "his", both_saw, "Mr Green")
    shown = saving.both(refused.value)
    assert shown.theirs == "hers"
    assert [(line.mark, line.text) for line in shown.lines] == [
        ("-", "hers"),
        ("+", "his"),
    ]
    assert files.texts_of(world.services, PATH).draft == "hers"
    save(world, "his", shown.seen, "Mr Green")
    assert whats(world)[1:] == [("saved", "Ms Brown"), ("saved", "Mr Green")]


def test_a_change_on_the_disk_counts_as_another_editor(world: World) -> None:
    own = world.content / NAME
    own.parent.mkdir()
    own.write_text("published")
    seen = files.texts_of(world.services, PATH).seen
    own.write_text("changed with vi")
    with pytest.raises(ChangedMeanwhile, match="on the disk") as refused:
        save(world, "typed", seen)
    save(world, "typed", saving.both(refused.value).seen)
    assert whats(world) == [("found", ""), ("saved", "Ms Brown")]
    (found,) = [v for v in versions.versions(world.services, PATH) if v.what == "found"]
    assert versions.version_text(world.services, PATH, found.id) == "changed with vi"
    assert own.read_text() == "changed with vi"


def test_a_file_that_was_deleted_meanwhile_can_be_saved_again(world: World) -> None:
    seen = save(world, "text")
    (world.services.settings.instance / "drafts" / NAME).unlink()
    with pytest.raises(ChangedMeanwhile, match="was deleted") as refused:
        save(world, "more", seen)
    shown = saving.both(refused.value)
    assert shown.theirs is None
    save(world, "more", shown.seen)
    assert files.texts_of(world.services, PATH).draft == "more"


def test_what_players_see_already_is_no_draft(world: World) -> None:
    own = world.content / NAME
    own.parent.mkdir()
    own.write_text("published")
    save(world, "other")
    save(world, "published")
    assert drafts.texts(world.services) == {}


def test_a_version_can_be_restored(world: World) -> None:
    save(world, "first")
    seen = save(world, "second")
    first = versions.versions(world.services, PATH)[-1]
    restored = saving.restore(
        world.services, author="Mr Green", name=NAME, version_id=first.id, seen=seen
    )
    assert restored.draft == "first"
    assert whats(world)[-1] == ("restored", "Mr Green")
    for number in (first.id + 99, -1, 2**40):
        with pytest.raises(NotFound):
            versions.version_text(world.services, PATH, number)
    with pytest.raises(NotFound):
        versions.version_text(world.services, PurePosixPath("words/x.txt"), first.id)


def test_a_draft_that_is_thrown_away_stays_among_the_versions(world: World) -> None:
    seen = save(world, "first")
    saving.discard(world.services, author="Mr Green", name=NAME, seen=seen)
    assert drafts.texts(world.services) == {}
    assert whats(world) == [("saved", "Ms Brown"), ("deleted", "Mr Green")]


BAD_NAMES = (
    "../settings.yaml",
    "game/../../x.yaml",
    "game/keep/../../../x.yaml",
    "/etc/passwd",
    "game/keep/calibration.json",
    "lessons/proven.json",
    "words/a.yaml",
    "words/.hidden.txt",
    "words/a b.txt",
    "words/mine.txt\n",
    "words/mine.txt\x00",
    "game/one.yaml",
    "game/keep/deep/one.yaml",
    "models/a.yaml",
    "texts/other.yaml",
    f"words/{'a' * 100}.txt",
    "",
)


def test_no_other_file_can_be_written(world: World) -> None:
    for name in BAD_NAMES:
        with pytest.raises(InvalidInput, match="can have this name"):
            saving.save(world.services, author="A", name=name, text="x", seen="-.-")
    assert not (world.services.settings.instance / "drafts").exists()


@pytest.mark.parametrize("folder", ["content", "drafts"])
def test_no_link_out_of_the_folder_is_followed(
    world: World, tmp_path: Path, folder: str
) -> None:
    secret = tmp_path / "outside"
    secret.mkdir()
    (secret / "mine.txt").write_text("a key")
    root = world.services.settings.instance / folder
    root.mkdir(exist_ok=True)
    (root / "words").symlink_to(secret)
    with pytest.raises(InvalidInput, match="leads out"):
        files.texts_of(world.services, PATH)
    with pytest.raises(InvalidInput, match="leads out"):
        saving.save(world.services, author="A", name=NAME, text="x", seen="-.-")
    assert (secret / "mine.txt").read_text() == "a key"


def test_what_no_file_may_say_is_refused(world: World) -> None:
    for text, told in (
        ("x" * 200_001, "more than 200,000 bytes"),
        ("one\ntwo\x07", r"Line 2: the control character U\+0007"),
        ("half \ud800", "half a character"),
    ):
        with pytest.raises(InvalidInput, match=told):
            save(world, text)
    assert drafts.texts(world.services) == {}


def test_a_difference_has_its_lines_and_what_is_around_them() -> None:
    old = "\n".join(f"line {n}" for n in range(1, 31))
    new = old.replace("line 10\n", "").replace("line 25", "other")
    found = versions.diff(old, new)
    assert [line.mark + line.text for line in found if line.mark in "+-"] == [
        "-line 10",
        "-line 25",
        "+other",
    ]
    assert [line.number for line in found if line.mark in "+-"] == [10, 25, 24]
    assert [line.text for line in found[:3]] == ["line 7", "line 8", "line 9"]
    assert sum(line.mark == "@" for line in found) == 1
    assert versions.diff(old, old) == ()


def test_two_long_texts_without_a_common_line_are_not_compared() -> None:
    old = "\n".join(f"a{n}" for n in range(2_500))
    new = "\n".join(f"b{n}" for n in range(2_500))
    found = versions.diff(old, new)
    assert [line.mark for line in found] == ["-"] * 2_500 + ["+"] * 2_500
