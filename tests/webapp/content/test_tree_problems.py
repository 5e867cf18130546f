"""What is wrong between files: ladders, levels, words and lessons."""

from __future__ import annotations

import os

import pytest

from tests.webapp.content.trees import LADDER, LEVEL, WORDS, ContentTree
from webapp.content.loader import load


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
        "write lessons/hacking/start.md or delete the line"
    ]
    assert load((tree.root,)).index is not None


def test_a_lesson_that_is_written(tree: ContentTree) -> None:
    tree.level.write_text(LEVEL + "lesson: hacking/start\n")
    lesson = tree.root / "lessons" / "hacking" / "start.md"
    lesson.parent.mkdir(parents=True)
    lesson.write_text("# Start")
    assert tree.problems() == []


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
