"""Fixtures of the browser tests: one Chromium, one scripted site, fresh windows.

Chromium and site end with this folder: they would take a tenth of the time of all
other tests, just for being there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.window import Window, open_window
from tests.kit.sites import Site, running_site
from webapp.commands.picture import CHROMIUMS

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

OpenWindow = Callable[..., Window]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Return a Chromium without windows."""
    chromium = next((path for path in CHROMIUMS if path.exists()), None)
    if chromium is None:
        package = CHROMIUMS[0].name
        pytest.skip(f"Chromium is not installed (Debian: apt-get install {package})")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return a site whose models are scripted, so that it answers at once."""
    with running_site(tmp_path_factory.mktemp("scripted")) as site:
        yield site


@pytest.fixture
def windows(browser: Browser) -> Iterator[OpenWindow]:
    """Open windows on a site; at the end look at what went wrong in them."""
    opened: list[Window] = []

    def open_one(site: Site, **options: Any) -> Window:
        window = open_window(browser, site.url, **options)
        opened.append(window)
        return window

    yield open_one
    for window in opened:
        window.close()
    for window in opened:
        window.assert_quiet()


@pytest.fixture
def window(windows: OpenWindow, site: Site) -> Window:
    """Return a window on the scripted site, of a visitor who has not begun."""
    return windows(site)
