"""Fixtures for tests of the content."""

from __future__ import annotations

from pathlib import Path

import pytest

import webapp.checks
import webapp.guards
from tests.webapp.content.trees import ContentTree
from webapp.plugins.registry import load_plugins

load_plugins(webapp.guards)
load_plugins(webapp.checks)


@pytest.fixture
def tree(tmp_path: Path) -> ContentTree:
    """Return a valid content root with one level."""
    return ContentTree(tmp_path / "content")
