"""Lessons in their order, and how the index finds them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.webapp.content.lessons.samples import (
    NEXT_WORD,
    OTHER_TRACK,
    SHOW,
    TRACK,
    LessonTree,
)
from webapp.content.index import Index
from webapp.content.lessons.proven import (
    ProvenRow,
    proven_text,
    read_proven,
)
from webapp.content.loader import load
from webapp.content.store import ContentStore
from webapp.errors import NotFound

ROW = {
    "panel": "basics/show-dont-tell#show",
    "panel_hash": "abc",
    "model": "scribe",
    "model_version": "v1",
    "verdict": "proven",
    "plays": 20,
    "solved_by": [0.95],
    "made_at": "2026-11-29T12:00:00Z",
}


def index_of(*roots: Path) -> Index:
    index = load(roots).index
    assert index is not None
    return index


def add(tree: LessonTree, track: str, name: str, text: str = SHOW) -> Path:
    folder = tree.lessons / track
    folder.mkdir(exist_ok=True)
    (folder / "track.yaml").write_text(TRACK if track == "basics" else OTHER_TRACK)
    path = folder / name
    path.write_text(text)
    return path


def test_tracks_and_lessons_are_in_their_order(tree: LessonTree) -> None:
    add(tree, "advanced", "02-b.md")
    add(tree, "advanced", "01-c.md")
    (tree.lessons / "empty").mkdir()
    (tree.lessons / "empty" / "track.yaml").write_text(TRACK.replace("1", "3"))
    index = index_of(tree.root)
    assert [
        (track.id, track.info.place, [lesson.id for lesson in track.lessons])
        for track in index.tracks
    ] == [
        ("basics", 1, ["basics/next-word", "basics/show-dont-tell"]),
        ("advanced", 2, ["advanced/c", "advanced/b"]),
    ]


def test_the_next_lesson_may_be_in_the_next_track(tree: LessonTree) -> None:
    add(tree, "advanced", "01-c.md")
    index = index_of(tree.root)
    after = index.next_lesson("basics/show-dont-tell")
    assert after is not None
    assert after.id == "advanced/c"
    assert index.next_lesson("advanced/c") is None


def test_an_old_id_leads_to_the_lesson(tree: LessonTree) -> None:
    index = index_of(tree.root)
    assert index.lesson("basics/guessing") is index.lesson("basics/next-word")
    for ask in (index.lesson, index.next_lesson, index.lesson_hash):
        with pytest.raises(NotFound):
            ask("basics/nothing")
    with pytest.raises(NotFound):
        index.panel_hash("basics/next-word", "nothing")


def test_lessons_of_a_gate(tree: LessonTree) -> None:
    index = index_of(tree.root)
    assert [lesson.id for lesson in index.lessons_for_gate("keep/one")] == [
        "basics/show-dont-tell"
    ]
    assert index.lessons_for_gate("keep/two") == ()


def test_a_level_names_a_lesson_that_is_there(tree: LessonTree) -> None:
    with tree.level.open("a") as level:
        level.write("lesson: basics/guessing\n")
    assert tree.problems() == []


AROUND = [
    ("Easy for you.", "Hard for you."),
    ("task: Do not explain", "task: Never explain"),
    ("What would make the pattern clearer?", "What now?"),
    ("title: Where to look", "title: Where"),
    ('"cat -> catzo", lines: 8', '"cat -> catzo", lines: 9, label: Examples'),
    ("made: 2026-11-29", "made: 2026-11-30"),
]
PLAYS = [
    ("max_tokens: 8", "max_tokens: 9"),
    ("samples: 3 of 5", "samples: 4 of 5"),
    ('  - contains: "{word}zo"\n    say', '  - contains: "{word}zoo"\n    say'),
    ("  {word} ->\n", "  {word} =>\n"),
    ("add zo to every word", "add zo to all words"),
    ("size: {max: 2}", "size: {max: 3}"),
    ("    voids: true\n", ""),
    ("max_tokens: 8", "max_tokens: 8\nchoices: [yes, no]"),
]


@pytest.mark.parametrize(
    ("old", "new", "is_same"),
    [(*case, True) for case in AROUND] + [(*case, False) for case in PLAYS],
)
def test_a_panel_is_the_same_as_long_as_it_plays_the_same(
    tree: LessonTree, old: str, new: str, is_same: bool
) -> None:
    before = index_of(tree.root)
    tree.edit(tree.show, old, new)
    now = index_of(tree.root)
    name = "basics/show-dont-tell"
    same = now.panel_hash(name, "show") == before.panel_hash(name, "show")
    assert same is is_same
    assert now.panel_hash(name, "tell") == before.panel_hash(name, "tell")
    assert now.lesson_hash(name) != before.lesson_hash(name)
    assert before.panel_hash(name, "show") == before.panel_hash(name, "show")


def test_names_of_files(tree: LessonTree) -> None:
    for name in ("zo.md", "3-zo.md", "03-Zo.md"):
        (tree.basics / name).write_text(SHOW)
    (tree.lessons / "04-lost.md").write_text(SHOW)
    (tree.basics / "notes.txt").write_text("?")
    advice = "name the folder as in basics, and the file as in 03-show-dont-tell.md"
    assert tree.problems() == [
        "lessons/04-lost.md:1: this file must lie in a folder here; "
        "move it away or rename it",
        *(
            f"lessons/basics/{name}:1: this is not the name of a lesson; {advice}"
            for name in ("03-Zo.md", "3-zo.md", "zo.md")
        ),
        "lessons/basics/notes.txt:1: warning: this file is not read; "
        "name it 01-notes.md or move it away",
    ]
    assert len(index_of(tree.root).tracks[0].lessons) == 2


def test_two_files_for_one_lesson(tree: LessonTree) -> None:
    add(tree, "basics", "07-next-word.md", NEXT_WORD)
    (said,) = tree.problems()
    assert said == (
        'lessons/basics/07-next-word.md:1: two files are the lesson "basics/next-word"'
        "; rename one; the other is 01-next-word.md"
    )


def test_a_later_root_replaces_a_lesson(tree: LessonTree, tmp_path: Path) -> None:
    own = tmp_path / "own" / "lessons" / "basics"
    own.mkdir(parents=True)
    (own / "05-show-dont-tell.md").write_text(SHOW.replace("Show, don't", "Never"))
    (own / "06-mine.md").write_text(SHOW)
    loaded = load((tree.root, tmp_path / "own"))
    assert loaded.problems == []
    assert loaded.index is not None
    (track,) = loaded.index.tracks
    assert [lesson.info.title for lesson in track.lessons] == [
        "The guessing machine",
        "Never tell",
        "Show, don't tell",
    ]


def test_lessons_without_a_track(tree: LessonTree) -> None:
    tree.track.unlink()
    assert tree.problems() == [
        "lessons/basics/track.yaml:1: this folder has lessons but no track.yaml; "
        "add one with title, story and place"
    ]
    assert index_of(tree.root).tracks == ()


def test_two_tracks_with_one_place(tree: LessonTree) -> None:
    path = add(tree, "advanced", "01-c.md").parent / "track.yaml"
    path.write_text(TRACK)
    assert tree.problems() == [
        "lessons/basics/track.yaml:3: warning: "
        'the track "advanced" has the same place; give each its own number'
    ]


def test_lessons_that_come_after_each_other(tree: LessonTree) -> None:
    tree.edit(tree.next_word, "was:", "after: [basics/show-dont-tell]\nwas:")
    assert [said.partition("; ")[0] for said in tree.problems()] == [
        "lessons/basics/01-next-word.md:6: this lesson comes after itself",
        "lessons/basics/02-show-dont-tell.md:5: this lesson comes after itself",
    ]


# A broken lesson holds back neither the others nor the game.


def test_a_broken_lesson_is_left_out_at_the_start(tree: LessonTree) -> None:
    tree.edit(tree.show, "minutes: 6", "minutes: 60")
    store = ContentStore((tree.root,))
    assert store.stale
    assert [problem.line for problem in store.problems()] == [4]
    (track,) = store.current().tracks
    assert [lesson.id for lesson in track.lessons] == ["basics/next-word"]


@pytest.fixture
def store(tree: LessonTree) -> ContentStore:
    """Return a store that looks at once, and whose clock is ahead of the files."""
    return ContentStore((tree.root,), poll_seconds=0, clock=lambda: time.time() + 10)


def titles(store: ContentStore) -> list[str]:
    (track,) = store.current().tracks
    return [lesson.info.title for lesson in track.lessons]


def test_a_broken_lesson_keeps_its_last_good_version(
    tree: LessonTree, store: ContentStore
) -> None:
    tree.edit(tree.show, "task: Do not", "taks: Do not")
    tree.edit(tree.show, "title: Show, don't tell", "title: Zo")
    tree.edit(tree.next_word, "title: The guessing machine", "title: Guess")
    tree.edit(tree.level, "title: The Gate", "title: My Gate")
    assert titles(store) == ["Guess", "Show, don't tell"]
    assert store.current().level("one").title == "My Gate"
    assert store.stale
    # A second edit elsewhere does not forget it.
    tree.edit(tree.level, "title: My Gate", "title: Your Gate")
    assert titles(store) == ["Guess", "Show, don't tell"]
    assert store.current().level("one").title == "Your Gate"
    tree.edit(tree.show, "taks: Do not", "task: Do not")
    assert titles(store) == ["Guess", "Zo"]
    assert not store.stale


def test_a_lesson_whose_neighbour_is_missing_is_kept_as_well(
    tree: LessonTree, store: ContentStore
) -> None:
    tree.edit(tree.show, "gates: [keep/one]", "gates: [keep/none]")
    tree.edit(tree.show, "title: Show, don't tell", "title: Zo")
    assert titles(store) == ["The guessing machine", "Show, don't tell"]


def test_a_broken_track_keeps_its_name(tree: LessonTree, store: ContentStore) -> None:
    tree.edit(tree.track, "place: 1", "place: first")
    assert len(titles(store)) == 2
    (problem,) = store.problems()
    assert (problem.path, problem.line) == (tree.track, 3)


def test_a_deleted_lesson_is_gone(tree: LessonTree, store: ContentStore) -> None:
    tree.show.unlink()
    assert titles(store) == ["The guessing machine"]
    assert not store.stale


def test_a_broken_level_keeps_the_whole_last_tree(
    tree: LessonTree, store: ContentStore
) -> None:
    tree.edit(tree.level, "points: 100", "points: many")
    tree.edit(tree.next_word, "title: The guessing machine", "title: Guess")
    assert titles(store) == ["The guessing machine", "Show, don't tell"]
    tree.edit(tree.level, "points: many", "points: 100")
    assert titles(store) == ["Guess", "Show, don't tell"]


def test_a_lesson_that_nobody_touched_is_not_read_again(tree: LessonTree) -> None:
    first = load((tree.root,))
    tree.edit(tree.next_word, "title: The guessing machine", "title: Guess")
    second = load((tree.root,), first.memory)
    assert first.index is not None
    assert second.index is not None
    name = "basics/show-dont-tell"
    assert first.index.lesson(name) is second.index.lesson(name)
    assert second.index.lesson("basics/next-word").info.title == "Guess"


def test_a_failure_that_nobody_expected_names_the_file(
    tree: LessonTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object) -> None:
        raise MemoryError

    monkeypatch.setattr("webapp.content.lessons.reading.check_question", fail)
    loaded = load((tree.root,))
    assert loaded.index is not None
    assert {problem.path for problem in loaded.problems} == {tree.next_word, tree.show}


def test_a_link_out_of_the_folder_is_not_followed(
    tree: LessonTree, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.md"
    outside.write_text(SHOW)
    (tree.basics / "08-out.md").symlink_to(outside)
    assert tree.problems() == [
        "lessons/basics/08-out.md:1: this link leads out of the content folder; "
        "copy the file to here instead"
    ]


# Proofs.


def test_proofs_of_all_roots_are_added_up(tree: LessonTree, tmp_path: Path) -> None:
    own = tmp_path / "own" / "lessons"
    own.mkdir(parents=True)
    shipped = ProvenRow.model_validate(ROW)
    newer = ProvenRow.model_validate(
        {**ROW, "verdict": "broken", "made_at": "2026-11-30T12:00:00Z"}
    )
    other = ProvenRow.model_validate({**ROW, "model_version": "v2"})
    (tree.lessons / "proven.json").write_text(proven_text([shipped, other]))
    (own / "proven.json").write_text(proven_text([newer]))
    index = index_of(tree.root, own.parent)
    assert dict(index.proven) == {("abc", "v1"): newer, ("abc", "v2"): other}


def test_what_is_written_is_read() -> None:
    rows = (ProvenRow.model_validate(ROW),)
    assert read_proven(proven_text(rows).encode()) == rows
    assert read_proven(proven_text(()).encode()) == ()


@pytest.mark.parametrize("text", ["[", "[]", '{"rows": [1]}', "[" * 10_000, "\xff"])
def test_broken_proofs_are_a_warning(tree: LessonTree, text: str) -> None:
    (tree.lessons / "proven.json").write_bytes(text.encode("latin-1"))
    (said,) = tree.problems()
    assert said.startswith("lessons/proven.json:1: warning: ")
    assert said.endswith("; make it again with ./wordkeep check --play")
    assert index_of(tree.root).proven == {}


def test_new_proofs_go_live(tree: LessonTree, store: ContentStore) -> None:
    assert store.current().proven == {}
    path = tree.lessons / "proven.json"
    path.write_text(proven_text([ProvenRow.model_validate(ROW)]))
    os.utime(path, (1, 1))
    assert list(store.current().proven) == [("abc", "v1")]
