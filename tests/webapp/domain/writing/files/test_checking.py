"""What is wrong with a text is told at its line, before it touches anything."""

from __future__ import annotations

from pathlib import PurePosixPath

from tests.kit.world import World
from webapp.domain.writing import drafts, listing, saving, starting
from webapp.domain.writing.files import texts_of

GATE = "game/keep/echo.yaml"
LESSON = "lessons/basics/01-first.md"
# A file, what replaces what in it ("": all of it), and what is told at which line.
BROKEN = [
    (GATE, "points:", "pionts:", 'unknown key "pionts"; did you mean "points"?'),
    (GATE, "points: 100", "points: many", '"points" must be a whole number'),
    (GATE, "points: 100", "points:\n\t- 1", "a tab indents this line"),
    (GATE, "story: A gate.", 'story: "A gate.', "a quotation mark opens here"),
    (GATE, "contains:", "contians:", 'did you mean "contains"?'),
    ("game/keep/ladder.yaml", "- echo", "- ecko", "ecko"),
    (LESSON, "minutes: 5", "minutes: 50", '"minutes" must be at most 30'),
    (LESSON, "Read this.", "```pannel one\ntask: x\n```", 'did you mean "panel"?'),
]


def check(world: World, name: str, text: str) -> list[tuple[int, str]]:
    """Return what is told of a text, with its line."""
    found = listing.check(world.services, name=name, text=text)
    return [(one.line, f"{one.message}; {one.suggestion}") for one in found.lines]


def shipped(world: World, name: str) -> str:
    """Return the text of a file that is shipped."""
    return texts_of(world.services, PurePosixPath(name)).shipped or ""


def test_eight_broken_files_are_explained_at_their_line(world: World) -> None:
    for name, old, new, told in BROKEN:
        text = shipped(world, name)
        assert text.count(old) == 1, name
        broken = text.replace(old, new)
        first = broken[: broken.index(new)].count("\n") + 1
        line = first + new.count("\n\t")
        found = check(world, name, broken)
        assert [where for where, what in found if told in what] == [line], told
        fine = listing.check(world.services, name=name, text=text)
        assert not any(one.is_error for one in fine.lines)
    assert len(BROKEN) == 8
    assert drafts.texts(world.services) == {}


def test_yaml_that_would_never_end_is_refused_at_once(world: World) -> None:
    bomb = "a: &a [x]\n" + "".join(
        f"{after}: &{after} [*{before}, *{before}]\n"
        for before, after in zip("abcdefgh", "bcdefghi", strict=True)
    )
    deep = "id: " + "[" * 5_000
    for text, told in ((bomb, "anchor &a is not allowed"), (deep, "nested more than")):
        (found,) = check(world, GATE, text)
        assert found[0] == 1
        assert told in found[1]
    (found,) = check(world, LESSON, f"---\n{bomb}---\n")
    assert found[0] == 2


def test_errors_in_other_files_are_told_as_such(world: World) -> None:
    text = shipped(world, GATE).replace("id: echo", "id: other")
    found = listing.check(world.services, name=GATE, text=text)
    assert any(told.startswith("game/keep/ladder.yaml: ") for told in found.elsewhere)


def test_the_list_says_what_has_become_of_each_file(world: World) -> None:
    services = world.services
    for name in (GATE, LESSON):
        starting.change_here(services, author="A", source=name)
    bad = shipped(world, GATE).replace("points:", "pionts:")
    seen = texts_of(services, PurePosixPath(GATE)).seen
    saving.save(services, author="A", name=GATE, text=bad, seen=seen)
    published = world.content / LESSON
    published.parent.mkdir(parents=True)
    published.write_text("---\nold\n---\n")
    words = world.content / "words" / "mine.txt"
    words.parent.mkdir()
    words.write_bytes(b"caf\xe9\n")
    page = listing.content_page(services)
    assert [
        (file.name, file.state, file.is_shipped, file.errors > 0, bool(file.fault))
        for file in page.own
    ] == [
        (GATE, "draft", True, True, False),
        (LESSON, "changed", True, False, False),
        ("words/mine.txt", "published", False, True, True),
    ]
    assert page.shipped["lesson"] == ()
    assert "game/keep/open.yaml" in page.shipped["level"]
