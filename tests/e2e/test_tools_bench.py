"""The tools bench in a browser: a function is read, a yes runs it, a reply comes."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenWindow
from tests.kit.sites import Site
from webapp.domain.lab import pyodide
from webapp.settings import PROJECT, load_settings

CALL = '{"tool": "times", "arguments": {"a": 0, "b": 0}}'


def _kept() -> Path:
    """Return where an instance on this machine has Python, or the test has no use."""
    instance = os.environ.get("WORDKEEP_INSTANCE") or PROJECT / "instance"
    folder = pyodide.folder(load_settings({}, instance=Path(instance)))
    if not folder.is_dir():
        pytest.skip(f"Python for the browser is not here: {folder} (fetch it in /lab)")
    return folder


def settled(page: Page, place: str) -> str:
    """Return what a status says once it does not end with dots any more."""
    status = page.locator(place)
    expect(status).to_have_text(re.compile("[^…]$"), timeout=90_000)
    return status.inner_text()


def test_a_result_can_be_typed_where_there_is_no_python(
    site: Site, windows: OpenWindow
) -> None:
    window = windows(site, width=390)
    page = window.page
    window.go("/lab/tools?starter=times")
    expect(page.get_by_role("button", name="Fetch Python")).to_be_visible()
    page.get_by_role("button", name="Ask the model").press("Enter")
    expect(page.get_by_label("Arguments")).to_have_value('{"a": 0, "b": 0}')
    expect(page.get_by_role("button", name="Yes, run it")).to_be_hidden()
    page.get_by_label("Result", exact=True).fill("0")
    page.get_by_role("button", name="Give the model this result").press("Enter")
    expect(page.locator("#tool-answer .said")).to_be_visible()
    window.assert_fits()


def test_the_service_is_tried_again_as_it_says(site: Site, windows: OpenWindow) -> None:
    window = windows(site)
    page = window.page
    window.go("/lab/tools")
    page.get_by_label("Give up").check()
    page.get_by_role("button", name="Ask the service").click()
    tries = page.locator("[data-retries-table] tbody tr")
    expect(tries).to_have_count(1)
    page.get_by_label("Wait as long as").check()
    page.get_by_role("button", name="Ask the service").click()
    said = page.locator("[data-retries-status]")
    expect(said).to_contain_text("It answered after", timeout=30_000)
    expect(tries.last).to_contain_text("°C")


@pytest.mark.slow
def test_a_function_is_read_and_run_and_reaches_nothing(
    site: Site, windows: OpenWindow
) -> None:
    folder = pyodide.folder(load_settings({}, instance=site.instance))
    shutil.copytree(_kept(), folder, dirs_exist_ok=True)
    window = windows(site)
    page = window.page
    try:
        window.go("/lab/tools?starter=times")
        page.get_by_label("Python", exact=True).fill(
            'def times(a: int, b: int):\n    """Add."""\n    return a + b + 5\n'
        )
        page.get_by_role("button", name="Read my functions").click()
        assert settled(page, "[data-python-status]") == "One tool: times."
        assert '"integer"' in page.locator("#tools").input_value()
        page.get_by_role("button", name="Ask the model").click()
        expect(page.locator("#tool-call pre").first).to_have_text(CALL)
        page.get_by_role("button", name="Yes, run it").click()
        assert settled(page, "[data-run-status]") == "It has run."
        expect(page.get_by_label("Result", exact=True)).to_have_value("5")
        page.get_by_label("Python", exact=True).fill(
            "from js import XMLHttpRequest\n\ndef times(a, b):\n"
            "    sent = XMLHttpRequest.new()\n    sent.open('GET', '/me', False)\n"
            "    sent.send()\n    return sent.responseText\n"
        )
        page.get_by_role("button", name="Yes, run it").click()
        assert settled(page, "[data-run-status]").startswith("It failed")
        page.get_by_label("Python", exact=True).fill("def times(a, b):\n  while 1: 1\n")
        page.get_by_role("button", name="Yes, run it").click()
        assert "more than five seconds" in settled(page, "[data-run-status]")
    finally:
        shutil.rmtree(folder.parent)
    window.forgive("Content Security Policy")
