"""`check` lists the problems of what it is given, and of nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.webapp.content.trees import LEVEL, ContentTree
from webapp.content.check import check_paths, format_problem
from webapp.reading.problems import Problem
from webapp.settings import PROJECT


def shown(tree: ContentTree, *paths: Path) -> list[str]:
    """Return what is said of some paths when `tree` is what is live."""
    return [tree.shown(p) for p in check_paths(paths, live=(tree.root,))]


@pytest.fixture
def broken(tree: ContentTree) -> ContentTree:
    """Return a tree with one mistake in the ladder and one in the level."""
    tree.edit(tree.ladder, "story: One gate.", "story: []")
    tree.edit(tree.level, "points: 100", "points: many")
    return tree


LADDER_SAID = 'game/keep/ladder.yaml:3: "story" must be text; put it in quotes'
LEVEL_SAID = (
    'game/keep/one.yaml:12: "points" must be a whole number; '
    "write digits without quotes"
)


def test_everything(broken: ContentTree) -> None:
    assert shown(broken) == [LADDER_SAID, LEVEL_SAID]
    assert shown(broken, broken.root) == [LADDER_SAID, LEVEL_SAID]
    assert shown(broken, broken.keep) == [LADDER_SAID, LEVEL_SAID]


def test_one_file(broken: ContentTree) -> None:
    assert shown(broken, broken.level) == [LEVEL_SAID]
    assert shown(broken, broken.words) == []
    assert shown(broken, broken.level, broken.keep) == [LEVEL_SAID, LADDER_SAID]


def test_own_levels_use_shipped_words(tree: ContentTree, tmp_path: Path) -> None:
    own = tmp_path / "own"
    folder = own / "game" / "mine"
    folder.mkdir(parents=True)
    (folder / "ladder.yaml").write_text("id: mine\ntitle: M\nstory: S\nlevels: [two]\n")
    (folder / "two.yaml").write_text(LEVEL.replace("id: one", "id: two"))
    assert shown(tree, own) == []
    (folder / "three.yaml").write_text(LEVEL)
    assert [p.removeprefix(f"{own}/") for p in shown(tree, own)] == [
        'game/mine/three.yaml:1: the level "one" is not in a ladder; '
        "add it to the levels in mine/ladder.yaml",
        'game/mine/three.yaml:1: two levels have the id "one"; '
        "the other is in keep/one.yaml",
    ]


def test_a_level_somewhere_else(tree: ContentTree, tmp_path: Path) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text(LEVEL)
    assert shown(tree, draft) == []
    draft.write_text(LEVEL.replace("points: 100", "points: -5"))
    assert shown(tree, draft) == [f'{draft}:12: "points" must be at least 0']


def test_paths_that_are_not_there_or_no_content(
    tree: ContentTree, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    missing = tmp_path / "missing"
    assert shown(tree, missing, empty) == [
        f"{missing}:1: there is no such file or folder; check the path",
        f"{empty}:1: this is not a content folder; it needs a folder game/ or words/",
    ]


def test_how_a_problem_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here = Problem(tmp_path / "game" / "a.yaml", 3, "wrong", "fix it")
    assert format_problem(here) == "game/a.yaml:3: wrong; fix it"
    shipped = Problem(PROJECT / "challenges" / "b.yaml", 1, "odd", severity="warning")
    assert format_problem(shipped) == "challenges/b.yaml:1: warning: odd"
