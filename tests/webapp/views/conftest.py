"""Browsers for the pages, on the small keep."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tests.kit.browser import Browser
from tests.kit.content import add_proofs, write_content
from webapp.content.store import ContentStore


@pytest.fixture
def app(app: Flask, tmp_path: Path) -> Flask:
    """Return the site on the small keep."""
    root = write_content(tmp_path / "content")
    add_proofs(root)
    content = ContentStore([root])
    app.extensions["wordkeep"] = dataclasses.replace(
        app.extensions["wordkeep"], content=content
    )
    return app


@pytest.fixture
def new_browser(app: Flask) -> Callable[[], Browser]:
    """Return what opens one more browser."""
    return lambda: Browser(app)


@pytest.fixture
def browser(new_browser: Callable[[], Browser]) -> Browser:
    """Return a browser that has never been here."""
    return new_browser()


@pytest.fixture
def player(browser: Browser) -> Browser:
    """Return a browser with a player in it."""
    return browser.play("Ada")
