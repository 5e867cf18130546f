"""What is wrong between files: ladders, levels, words and lessons."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.webapp.content.trees import LADDER, LEVEL, WORDS, ContentTree
from webapp.content.check import check_paths
from webapp.content.loader import load, load_level
from webapp.reading.problems import format_problem
from webapp.settings import load_settings


def test_two_levels_with_one_id(tree: ContentTree) -> None:
    (tree.keep / "two.yaml").write_text(LEVEL)
    assert tree.problems() == [
        'game/keep/two.yaml:1: two levels have the id "one"; '
        "the other is in keep/one.yaml"
    ]


def test_one_id_in_two_ladders(tree: ContentTree) -> None:
    other = tree.root / "game" / "other"
    other.mkdir()
    (other / "ladder.yaml").write_text(LADDER)
    (other / "first.yaml").write_text(LEVEL)
    assert tree.problems() == [
        'game/other/first.yaml:1: two levels have the id "one"; '
        "the other is in keep/one.yaml",
        'game/other/ladder.yaml:1: two ladders have the id "keep"; '
        "the other is in keep/",
    ]


def test_a_level_in_no_ladder(tree: ContentTree) -> None:
    (tree.keep / "two.yaml").write_text(LEVEL.replace("id: one", "id: two"))
    assert tree.problems() == [
        'game/keep/two.yaml:1: the level "two" is not in a ladder; '
        "add it to the levels in keep/ladder.yaml"
    ]


def test_a_ladder_with_a_level_that_is_not_there(tree: ContentTree) -> None:
    tree.ladder.write_text(LADDER + "  - onne\n  - one\n")
    assert tree.problems() == [
        'game/keep/ladder.yaml:6: no level in this folder has the id "onne"; '
        'did you mean "one"?',
        'game/keep/ladder.yaml:7: "one" appears twice; delete one',
    ]


def test_levels_without_a_ladder(tree: ContentTree) -> None:
    tree.ladder.unlink()
    assert tree.problems() == [
        "game/keep/ladder.yaml:1: this folder has levels but no ladder.yaml; "
        "add one that lists their ids"
    ]


def test_a_broken_ladder_is_the_only_problem(tree: ContentTree) -> None:
    tree.ladder.write_text(LADDER.replace("title: The Keep", "titel: The Keep"))
    assert tree.problems() == [
        'game/keep/ladder.yaml:2: unknown key "titel"; did you mean "title"?'
    ]


def test_a_broken_level_is_still_known_by_its_id(tree: ContentTree) -> None:
    tree.add_level("two", after="[one]")
    tree.edit(tree.level, "points: 100", "points: x")
    assert tree.problems() == [
        'game/keep/one.yaml:12: "points" must be a whole number; '
        "write digits without quotes"
    ]


def test_an_unreadable_level_may_be_any_level(tree: ContentTree) -> None:
    tree.add_level("two", after="[one]")
    tree.level.write_text("id: [")
    assert [text.split(":")[0] for text in tree.problems()] == ["game/keep/one.yaml"]


def test_after_a_level_that_is_not_there(tree: ContentTree) -> None:
    tree.add_level("two", after="[onne]")
    assert tree.problems() == [
        'game/keep/two.yaml:16: no level has the id "onne"; did you mean "one"?'
    ]


def test_levels_that_wait_for_each_other(tree: ContentTree) -> None:
    tree.add_level("two", after="[three]")
    tree.add_level("three", after="[one, two]")
    why = (
        "it waits for itself; "
        "delete an id from after, here or in the levels that it names"
    )
    assert tree.problems() == [
        f'game/keep/three.yaml:16: "three" can never open, because {why}',
        f'game/keep/two.yaml:16: "two" can never open, because {why}',
    ]


def test_an_unknown_word_list(tree: ContentTree) -> None:
    tree.edit(tree.level, "{words: plain}", "{words: plane}")
    assert tree.problems() == [
        'game/keep/one.yaml:8: there is no word list "plane"; did you mean "plain"?'
    ]


def test_too_few_words(tree: ContentTree) -> None:
    tree.words.write_text("# few\nbread\n\nwater  # clear\n")
    assert tree.problems() == [
        "words/plain.txt:1: the list has 2 usable words; a list needs at least 2,000"
    ]


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        (WORDS[4], f'"{WORDS[4]}" appears twice; the first is on line 5'),
        (
            WORDS[4].upper(),
            f'"{WORDS[4].upper()}" counts as the same guess as "{WORDS[4]}"; '
            "keep one of them; the other is on line 5",
        ),
        (
            "büböbïz",
            '"büböbïz" counts as the same guess as "bubobiz"; '
            "keep one of them; the other is on line 1",
        ),
        (
            "two words",
            '"two words" is not one word of 3 to 30 letters; write one word a line',
        ),
        ("ab", '"ab" is not one word of 3 to 30 letters; write one word a line'),
    ],
)
def test_words_that_do_not_fit(tree: ContentTree, word: str, problem: str) -> None:
    tree.words.write_text("\n".join([*WORDS, word]))
    assert tree.problems() == [f"words/plain.txt:{len(WORDS) + 1}: {problem}"]


def test_a_binary_word_list(tree: ContentTree) -> None:
    tree.words.write_bytes(b"\x00\x01")
    assert tree.problems() == [
        "words/plain.txt:1: the control character U+0000 is not allowed; "
        "delete it; is this a text file?"
    ]


def test_a_secret_word_in_a_text(tree: ContentTree) -> None:
    tree.edit(tree.level, "You keep a gate.", f"You love {WORDS[2].title()}s.")
    tree.edit(tree.level, "It works.", f"As {WORDS[1].upper()}, it works.")
    tree.edit(tree.level, "The password is", f"A {WORDS[0]}. The password is")
    advice = "use another word here, or delete it from words/plain.txt"
    assert tree.problems() == [
        f'game/keep/one.yaml:7: "{WORDS[0]}" is a password in the list "plain"; '
        f"{advice}:1",
        f'game/keep/one.yaml:15: "{WORDS[1]}" is a password in the list "plain"; '
        f"{advice}:2",
    ]


def test_a_lesson_that_is_not_written_yet_is_a_warning(tree: ContentTree) -> None:
    tree.level.write_text(LEVEL + "lesson: hacking/start\n")
    assert tree.problems() == [
        'game/keep/one.yaml:16: warning: there is no lesson "hacking/start" yet; '
        "write lessons/hacking/01-start.md or delete the line"
    ]
    assert load((tree.root,)).index is not None


def test_a_lesson_that_is_written(tree: ContentTree) -> None:
    tree.level.write_text(LEVEL + "lesson: hacking/start\n")
    lesson = tree.root / "lessons" / "hacking" / "04-start.md"
    lesson.parent.mkdir(parents=True)
    lesson.write_text("# Start")
    # It has errors of its own, but it is there.
    assert [said for said in tree.problems() if said.startswith("game/")] == []


def test_files_that_nobody_reads(tree: ContentTree) -> None:
    (tree.keep / "two.yml").write_text("?")
    (tree.root / "words" / "more.csv").write_text("?")
    # What editors leave behind is none of our business.
    for name in (".one.yaml.swp", "one.yaml~", "#one.yaml#"):
        (tree.keep / name).write_text("?")
    assert tree.problems() == [
        "game/keep/two.yml:1: warning: this file is not read; "
        "name it two.yaml or move it away",
        "words/more.csv:1: warning: this file is not read; "
        "name it more.txt or move it away",
    ]


def test_errors_come_before_warnings(tree: ContentTree) -> None:
    tree.edit(tree.level, "proof: {solved_by: [Ask.]}", "lesson: a/b")
    tree.edit(tree.level, "points: 100", "points: x")
    said = [": warning: " in line for line in tree.problems()]
    assert said == sorted(said)
    assert said[0] is False


def test_a_root_that_is_not_there(tree: ContentTree, tmp_path: Path) -> None:
    loaded = load((tree.root, tmp_path / "gone"))
    assert [(p.path.name, p.message) for p in loaded.problems] == [
        ("gone", "there is no such folder")
    ]
    assert loaded.index is None


@pytest.mark.parametrize("name", ["game/keep/two.yaml", "game/more", "words/two.txt"])
def test_a_link_out_of_the_root(tree: ContentTree, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "private.yaml").write_text("id: the private text\n")
    target = outside if name.endswith("more") else outside / "private.yaml"
    (tree.root / name).symlink_to(target)
    said = " ".join(tree.problems())
    assert "this link leads out of the content folder; copy the file to here" in said
    assert "private text" not in said


def test_a_link_inside_the_root(tree: ContentTree) -> None:
    tree.level.rename(tree.root / "kept.yaml")
    tree.level.symlink_to(tree.root / "kept.yaml")
    assert tree.problems() == []


def test_no_content_at_all(tree: ContentTree) -> None:
    tree.level.unlink()
    tree.ladder.unlink()
    assert tree.problems() == [
        "game:1: there is no ladder here; add <ladder>/ladder.yaml"
    ]


def test_a_pipe_is_not_opened(tree: ContentTree) -> None:
    os.mkfifo(tree.keep / "two.yaml")
    assert tree.problems() == []


def test_a_file_in_a_later_root_covers_the_earlier_one(
    tree: ContentTree, tmp_path: pytest.TempPathFactory
) -> None:
    own = ContentTree(tree.root.parent / "own")
    own.ladder.unlink()
    own.words.unlink()
    own.edit(own.level, "title: The Gate", "title: My Gate")
    index = load((tree.root, own.root)).index
    assert index is not None
    assert [level.title for level in index.levels("keep")] == ["My Gate"]


DANGLING = "this link leads nowhere; delete it or point it to a file"
LOOP = "this link leads to itself; delete it"
MOVE = "move it away or rename it"


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        *((n, "loop", LOOP) for n in ("game/keep/two.yaml", "game/keep", "words")),
        ("attacks", "loop", LOOP),
        *((n, "dangling", DANGLING) for n in ("game/keep/two.yaml", "game/more")),
        ("game", "dangling", DANGLING),
        ("words/two.txt", "dangling", DANGLING),
        ("game/keep/two.yaml", "folder", f"this must be a file; {MOVE}"),
        ("game/keep/ladder.yaml", "folder", f"this must be a file; {MOVE}"),
        ("words/plain.txt", "folder", f"this must be a file; {MOVE}"),
        ("words", "file", f"this must be a folder; {MOVE}"),
        ("game", "file", f"this must be a folder; {MOVE}"),
        ("game/two.yaml", "file", f"this file must lie in a folder here; {MOVE}"),
    ],
)
def test_what_is_not_the_file_or_folder_that_it_should_be(
    tree: ContentTree, name: str, kind: str, said: str
) -> None:
    path = tree.root / name
    if path.exists():
        path.rename(tree.root / "away")
    path.parent.mkdir(exist_ok=True)
    if kind == "loop":
        path.symlink_to(path)
    elif kind == "dangling":
        path.symlink_to("nothing")
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_text("text")
    assert f"{name}:1: {said}" in tree.problems()
    assert load((tree.root,)).index is None


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("loop", LOOP),
        ("nothing", DANGLING),
        ("file", f"this must be a folder; {MOVE}"),
    ],
)
def test_an_instance_whose_content_is_not_a_folder(
    tree: ContentTree, tmp_path: Path, kind: str, said: str
) -> None:
    own = tmp_path / "instance" / "content"
    own.parent.mkdir()
    if kind == "file":
        own.write_text("text")
    else:
        own.symlink_to("content" if kind == "loop" else "nothing")
    settings = load_settings({}, instance=own.parent)
    assert settings.roots[-1] == own
    (problem,) = load((tree.root, own)).problems
    assert format_problem(problem) == f"{own}:1: {said}"


@pytest.mark.parametrize("name", ["game", "game/keep", "words"])
def test_a_folder_that_may_not_be_read(
    tree: ContentTree, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    deny(monkeypatch, tree.root / name)
    said = f"{name}:1: cannot be read: Permission denied; check who may read it"
    assert said in tree.problems()


def test_a_level_that_may_not_be_read(
    tree: ContentTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    deny(monkeypatch, tree.level)
    said = "game/keep/one.yaml:1: cannot be read: Permission denied; check the file"
    assert said in [tree.shown(p) for p in check_paths([], live=(tree.root,))]


def test_a_name_that_is_not_utf8_can_be_shown(tree: ContentTree) -> None:
    (tree.keep / os.fsdecode(b"gr\xfcn.yaml")).mkdir()
    assert tree.problems() == [
        f"game/keep/gr\\xfcn.yaml:1: this must be a file; {MOVE}"
    ]


@pytest.mark.parametrize("error", [MemoryError(), RecursionError(), KeyError("x")])
def test_a_failure_that_nobody_expected_names_the_file(
    tree: ContentTree, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*given: object) -> None:
        raise error

    monkeypatch.setattr("webapp.content.loader.check_level", fail)
    kind = type(error).__name__
    said = (
        f"game/keep/one.yaml:1: this could not be read ({kind}); make it simpler, or "
        "undo the last change"
    )
    assert said in tree.problems()
    monkeypatch.setattr("webapp.content.loader.check_ladders", fail)
    assert said.removeprefix("game/keep/one.yaml") in tree.problems()[0]
    level, problems = load_level(tree.level)
    assert level is None
    assert [tree.shown(problem) for problem in problems] == [said]


def deny(monkeypatch: pytest.MonkeyPatch, denied: Path) -> None:
    """Let a path be unreadable, which it would not be for root."""
    list_folder, open_file = os.scandir, Path.open

    def scandir(path: Path) -> object:
        if path == denied:
            raise PermissionError(errno.EACCES, "Permission denied")
        return list_folder(path)

    def open_(self: Path, *args: object, **more: object) -> object:
        if self == denied:
            raise PermissionError(errno.EACCES, "Permission denied")
        return open_file(self, *args, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(Path, "open", open_)
