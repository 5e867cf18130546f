"""Only plain, small, flat YAML is read; anything else is refused with its line."""

from __future__ import annotations

import time

import pytest

from tests.kit.clocks import patient
from tests.webapp.content.trees import LEVEL, ContentTree
from webapp.reading.tree import MAX_BYTES, TreeProblem, read_tree

OPEN_QUOTE = (
    "a quotation mark opens here and is not closed on its line; "
    "close it, or write '' for ' inside '…' and \\\" for \" inside \"…\""
)
ENDINGS = [
    ("explain: again\n", '16: "explain" appears twice; the first is on line 15'),
    ("lesson: &a x\n", "16: anchor &a is not allowed; write the value again"),
    ("lesson: *a\n", "16: alias *a is not allowed; write the value again"),
    (
        "lesson: !!python/object:os.system x\n",
        "16: tag tag:yaml.org,2002:python/object:os.system is not allowed; "
        "delete the tag",
    ),
    (
        "lesson: a: b\n",
        "16: not readable as YAML: mapping values are not allowed in this context; "
        "put text that contains ': ' in quotes",
    ),
    (
        'lesson: "x\n',
        f"16: {OPEN_QUOTE}",
    ),
    # It is closed by the next quotation mark, and the error is noticed there.
    ('lesson: "x\nread_more: "y"\n', f"16: {OPEN_QUOTE}"),
    ('lesson: "x\nsuspicion: 2\nblocked_text: "y"\n', f"16: {OPEN_QUOTE}"),
    (
        "read_more: [\nsuspicion: 2\n",
        "16: not readable as YAML: did not find expected ',' or ']'; "
        "look at this line and the one above",
    ),
    (
        "blocked_text: a\u2028b\n",
        "16: the control character U+2028 is not allowed; "
        "delete it; is this a text file?",
    ),
    ("suspicion: 12345678901234567890\n", '16: "suspicion" must be at most 100'),
    (
        "lesson: @x\n",
        "16: not readable as YAML: found character that cannot start any token; "
        "put text that starts with @, ` or % in quotes",
    ),
    (
        "lesson: {{ secret }}\n",
        "16: a list or mapping cannot be a key; "
        "put text that starts with { or [ in quotes",
    ),
    ("lesson:\n\tx\n", "17: a tab indents this line; use spaces to indent"),
    ("---\nid: two\n", "16: a second document starts here; use one file for each"),
    (
        f"lesson: {'[' * 60}{']' * 60}\n",
        "16: this is nested more than 50 levels deep; make it flatter",
    ),
    (
        "lesson: \x07\n",
        "16: the control character U+0007 is not allowed; "
        "delete it; is this a text file?",
    ),
]

WHOLE_FILES = [
    (b"", "1: the file is empty; see the other files for the keys"),
    (b"# nothing\n", "1: the file is empty; see the other files for the keys"),
    (b"- a\n- b\n", "1: the file must be a mapping; write key: value"),
    (b"\xff\xfe\x00i\x00d", "1: this is not UTF-8 text; save the file as UTF-8"),
    (b"id: one\ntitle: caf\xe9\n", "2: this is not UTF-8 text; save the file as UTF-8"),
    (
        b"\x89PNG\r\n\x1a\n\x00\x00".replace(b"\x89", b""),
        "2: the control character U+001A is not allowed; "
        "delete it; is this a text file?",
    ),
    (
        b"a" * (MAX_BYTES + 1),
        "1: the file has more than 200,000 bytes; "
        "a content file may not be larger; split it",
    ),
]


def said(tree: ContentTree) -> list[str]:
    """Return the problems without the name of the level file."""
    return [text.removeprefix("game/keep/one.yaml:") for text in tree.problems()]


@pytest.mark.parametrize(("ending", "problem"), ENDINGS)
def test_what_is_not_allowed(tree: ContentTree, ending: str, problem: str) -> None:
    tree.level.write_text(LEVEL + ending)
    assert said(tree) == [problem]


@pytest.mark.parametrize(("data", "problem"), WHOLE_FILES)
def test_files_that_are_no_levels(tree: ContentTree, data: bytes, problem: str) -> None:
    tree.level.write_bytes(data)
    assert said(tree) == [problem]


def test_a_bomb_of_aliases_is_refused_at_once(tree: ContentTree) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    tree.level.write_text("\n".join(lines))
    started = time.perf_counter()
    assert said(tree) == ["1: anchor &a0 is not allowed; write the value again"]
    assert time.perf_counter() - started < patient(1)


def test_deep_nesting_is_refused_before_it_is_built(tree: ContentTree) -> None:
    tree.level.write_text("[" * 199_000)
    assert said(tree) == ["1: this is nested more than 50 levels deep; make it flatter"]


def test_words_follow_yaml_1_2() -> None:
    text = "a: no\nb: 12:30\nc: 007\nd: 1e3\ne: ~\nf: 2026-01-01\ng: 'true'\nh: True\n"
    assert read_tree(text.encode()).plain() == {
        "a": "no",
        "b": "12:30",
        "c": 7,
        "d": 1000.0,
        "e": None,
        "f": "2026-01-01",
        "g": "true",
        "h": True,
    }


def test_numbers_too_long_to_mean_stay_text() -> None:
    digits = "9" * 5000
    assert read_tree(f"a: {digits}".encode()).plain() == {"a": digits}


def test_a_byte_order_mark_is_skipped() -> None:
    assert read_tree(b"\xef\xbb\xbfa: 1").plain() == {"a": 1}


def test_lines_of_keys_values_and_blocks() -> None:
    node = read_tree(b"a: 1\nb:\n  - x\n  - c: |\n      one\n      two\n")
    assert node.find(("b", 1, "c")).line == 4
    assert node.find(("b", 1, "c")).block_line == 5
    assert node.find(("b", 0)).line == 3
    # What is not there is reported where it would stand.
    assert node.find(("b", 1, "missing")).line == 4
    assert node.find(("b", 7)).line == 2


def test_the_line_of_a_mistake_is_kept() -> None:
    with pytest.raises(TreeProblem) as caught:
        read_tree(b"a: 1\nb: *x\n")
    assert (caught.value.line, caught.value.suggestion) == (2, "write the value again")
