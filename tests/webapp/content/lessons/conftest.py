"""Fixtures for tests of lessons."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.webapp.content.lessons.samples import LessonTree, checks
from webapp.plugins import check as plugin


@pytest.fixture(autouse=True)
def _small_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let lessons use three small checks and no others."""
    monkeypatch.setattr(plugin, "checks", checks)


@pytest.fixture
def tree(tmp_path: Path) -> LessonTree:
    """Return a valid content root with two lessons."""
    return LessonTree(tmp_path / "content")
