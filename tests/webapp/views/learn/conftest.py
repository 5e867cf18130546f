"""The small keep with the small course beside it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from flask import Flask

from tests.kit.course import write_lessons
from webapp.content.store import ContentStore


@pytest.fixture
def app(app: Flask, tmp_path: Path) -> Flask:
    """Return the site of the other tests of pages, with lessons."""
    root = write_lessons(tmp_path / "content", gate="keep/open", model="warden")
    app.extensions["wordkeep"] = dataclasses.replace(
        app.extensions["wordkeep"], content=ContentStore([root])
    )
    return app
