"""Content as it would be with a change, without touching a file."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from tests.kit.content import write_content
from webapp.content.overlay import load_with


def test_a_changed_text_is_told_at_its_own_path(tmp_path: Path) -> None:
    root = write_content(tmp_path / "content")
    level = next((root / "game").glob("*/*.yaml"))
    name = PurePosixPath(level.relative_to(root))
    before = level.read_bytes()
    loaded = load_with((root,), {name: "id: [unclosed\n"})
    assert loaded.index is None
    assert {p.path for p in loaded.problems if p.is_error} >= {root / name}
    assert level.read_bytes() == before
    assert load_with((root,), {}).index is not None


def test_none_takes_a_file_away_and_nothing_is_left_behind(tmp_path: Path) -> None:
    root = write_content(tmp_path / "content")
    every = {
        PurePosixPath(path.relative_to(root)): None
        for path in root.rglob("*.yaml")
        if "game" in path.parts
    }
    loaded = load_with((root,), every)
    assert loaded.index is None
    assert all(path.exists() for path in root.rglob("*.yaml"))
