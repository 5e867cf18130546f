"""A lesson in Markdown becomes records, also where its author wrote it shorter."""

from __future__ import annotations

import pytest

from tests.webapp.content.lessons.samples import LessonTree
from webapp.content.index import Index
from webapp.content.lessons.schema import (
    CheckSpec,
    Lesson,
    Needed,
    Panel,
    Prose,
    Question,
    system_is_none,
)
from webapp.content.loader import load


@pytest.fixture
def index(tree: LessonTree) -> Index:
    """Return the tree as it is read, of which there is nothing to say."""
    loaded = load((tree.root,))
    assert loaded.problems == []
    assert loaded.index is not None
    return loaded.index


@pytest.fixture
def lesson(index: Index) -> Lesson:
    """Return the lesson on examples."""
    return index.lesson("basics/show-dont-tell")


def panel(lesson: Lesson, name: str) -> Panel:
    (found,) = (panel for panel in lesson.panels if panel.name == name)
    return found


def options(spec: CheckSpec) -> dict[str, object]:
    """Return what an author gave a check."""
    assert spec.options is not None
    return spec.options.model_dump(exclude_unset=True)


def test_the_parts_in_their_order(lesson: Lesson) -> None:
    names = [getattr(part, "name", None) for part in lesson.parts]
    assert names == [None, "tell", "q1", None, "show", None, "last"]
    first, last = lesson.parts[0], lesson.parts[5]
    assert isinstance(first, Prose)
    assert first.markdown.startswith("Here is a language nobody speaks: **Zo**.")
    assert first.markdown.endswith("for a language model.")
    assert isinstance(last, Prose)
    assert '```python\nprint("code that is shown")\n```' in last.markdown


def test_the_front_matter(lesson: Lesson) -> None:
    assert lesson.info.title == "Show, don't tell"
    assert lesson.info.after == ("basics/next-word",)
    assert (lesson.id, lesson.track) == ("basics/show-dont-tell", "basics")


def test_short_forms_of_a_panel(lesson: Lesson) -> None:
    tell = panel(lesson, "tell")
    assert tell.samples == Needed(least=4, of=5)
    assert tell.vary == tuple(
        {"word": word} for word in ("lamp", "tree", "fish", "book", "river")
    )
    assert system_is_none(tell)
    assert tell.slots["rule"].words == (5, 40)
    (message,) = tell.messages
    assert message.user == '{rule}\nWhat is {word} in Zo? {"zo": 1}\n'


def test_checks_with_options_inside_and_beside(lesson: Lesson) -> None:
    first, second = panel(lesson, "tell").checks
    assert (first.name, first.negated, first.of) == ("contains", True, "reply")
    assert options(first) == {"value": "{word}zo", "whole_word": True}
    assert first.say is not None
    assert (second.name, second.of, second.negated) == ("size", "rule", False)
    assert options(second) == {"min": 5}


def test_mistakes_hold_one_check_or_a_list(lesson: Lesson) -> None:
    given, few = panel(lesson, "show").mistakes
    assert given.voids
    assert options(given.when[0]) == {
        "value": ("lampzo", "treezo", "fishzo", "bookzo", "riverzo")
    }
    assert [spec.of for spec in given.when + few.when] == ["examples", "examples"]
    assert given.example["examples"].count("\n") == 2


def test_groups_hand_down_what_they_look_at(index: Index) -> None:
    order = panel(index.lesson("basics/next-word"), "order")
    (group,) = order.checks
    assert (group.name, len(group.parts)) == ("any-of", 2)
    one, least = group.parts
    assert (one.of, options(one)) == ("last", {"value": "going"})
    assert (least.name, least.least) == ("at-least", 2)
    assert [part.of for part in least.parts] == ["story"] * 3
    assert [part.negated for part in least.parts] == [False, False, True]


def test_an_order_of_locked_lines_is_that_of_their_numbers(index: Index) -> None:
    order = panel(index.lesson("basics/next-word"), "order")
    assert order.proof.solved_by[0] == {"last": "going", "story": "2 1 3"}
    assert order.proof.not_solved_by[0] == {"last": "waking", "story": "3 2 1"}


@pytest.mark.parametrize("wrong", ["[1, 2]", "[1, 1, 2]", "1 2 4", "[He gets up.]"])
def test_what_is_no_order(tree: LessonTree, wrong: str) -> None:
    tree.edit(tree.next_word, "story: [3, 2, 1]", f"story: {wrong}")
    (said,) = tree.problems()
    assert 'this is not an order of the items of "story"; list all of them' in said


def test_a_choice_that_is_not_on_the_menu(tree: LessonTree) -> None:
    tree.edit(tree.next_word, "{last: waking, story", "{last: wakin, story")
    (said,) = tree.problems()
    assert '"wakin" is no choice of "last"; did you mean "waking"?' in said


def test_questions(index: Index, lesson: Lesson) -> None:
    predict, last = lesson.questions
    assert (predict.name, predict.kind, predict.answer) == (
        "q1",
        "predict",
        "two or three",
    )
    assert (last.name, last.kind) == ("last", "reflect")
    (order,) = index.lesson("basics/next-word").questions
    assert isinstance(order, Question)
    assert len(order.lines) == 3


def test_a_number_is_a_text_where_a_text_is_meant(tree: LessonTree) -> None:
    tree.edit(
        tree.show,
        '{rule}\n      What is {word} in Zo? {"zo": 1}\n',
        "{rule}\n      What is {word} plus {more}?\n",
    )
    tree.show.write_text(
        tree.show.read_text().replace(
            "vary: {word: [lamp, tree, fish, book, river]}\nmax_tokens: 24",
            "vary: {word: [1, 2, 3, 4, 5], more: 7}\nmax_tokens: 24",
        )
    )
    loaded = load((tree.root,))
    assert loaded.index is not None
    tell = panel(loaded.index.lesson("basics/show-dont-tell"), "tell")
    assert tell.vary[1] == {"word": "2", "more": "7"}


def test_windows_line_ends(tree: LessonTree) -> None:
    tree.show.write_bytes(tree.show.read_bytes().replace(b"\n", b"\r\n"))
    assert tree.problems() == []


def test_models_are_named_with_their_line(tree: LessonTree) -> None:
    tree.edit(tree.show, "task: Do not", "model: big\ntask: Do not")
    tree.edit(
        tree.show,
        '  - contains: "{word}zo"\n    say: \'The',
        '  - near: {value: zo, model: gate}\n  - contains: "{word}zo"\n    say: \'The',
    )
    loaded = load((tree.root,))
    named = {(one.name, one.line) for one in loaded.models if one.path == tree.show}
    assert named == {
        ("scribe", tree.line("```panel tell")),
        ("big", tree.line("model: big")),
        ("gate", tree.line("- near")),
    }
