"""`check` reads one lesson, a folder of lessons, and a draft somewhere else."""

from __future__ import annotations

from pathlib import Path

from tests.webapp.content.lessons.samples import SHOW, LessonTree
from webapp.content.check import check_paths


def said(tree: LessonTree, path: Path) -> list[str]:
    return [tree.shown(p) for p in check_paths([path], live=(tree.root,))]


def test_paths(tree: LessonTree) -> None:
    tree.edit(tree.show, "minutes: 6", "minutes: 60")
    tree.edit(tree.next_word, "minutes: 5", "minutes: 50")
    first = 'lessons/basics/01-next-word.md:4: "minutes" must be at most 30'
    second = 'lessons/basics/02-show-dont-tell.md:4: "minutes" must be at most 30'
    assert said(tree, tree.lessons) == [first, second]
    assert said(tree, tree.show) == [second]
    assert said(tree, tree.keep) == []


def test_a_draft(tree: LessonTree, tmp_path: Path) -> None:
    folder = tmp_path / "drafts"
    folder.mkdir()
    draft = folder / "01-zo.md"
    draft.write_text(SHOW)
    assert said(tree, draft) == []
    draft.write_text(SHOW.replace("minutes: 6", "minutes: 60"))
    assert said(tree, draft) == [f'{draft}:4: "minutes" must be at most 30']
