"""The bench of tokenizers with keyboard and pointer, on the real tokenizers."""

from __future__ import annotations

import dataclasses
import re
import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect
from werkzeug.serving import make_server

from tests.e2e.test_accessibility import assert_good
from tests.e2e.window import Window, open_window
from tests.kit.tokenizers import tokenizer_client


@pytest.fixture
def bench(app: Flask, browser: Browser) -> Iterator[Window]:
    """Return a window on a site in this process."""
    app.extensions["wordkeep"] = dataclasses.replace(
        app.extensions["wordkeep"], tokenizers=tokenizer_client()
    )
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    window = open_window(browser, f"http://127.0.0.1:{server.server_port}")
    yield window
    window.close()
    server.shutdown()
    window.assert_quiet()


def test_tokens_find_each_other_and_results_follow(bench: Window) -> None:
    page = bench.page
    bench.go("/lab/tokenizers")
    page.get_by_label("Characters", exact=True).check()
    page.get_by_label("Your text").fill("LANTERN")
    expect(page.locator("#row-3")).to_have_text("Characters")
    pieces = page.locator("[data-row] .piece")
    expect(pieces).to_have_text(["LAN", "TER", "N", "lantern", *"LANTERN"])
    # The script takes them in hand a moment after they are there.
    expect(pieces.first).to_have_attribute("role", "button")
    pieces.first.focus()
    page.keyboard.press("ArrowRight")
    paired = page.locator(".is-paired")
    expect(paired).to_have_text(["TER", "lantern", "T", "E", "R"])
    expect(page.get_by_role("status").last).to_contain_text("“TER” 8978")
    # A pointer beside the tokens takes nothing from the keyboard: a page that scrolls
    # below it moves it, too.
    page.locator("#row-3").hover()
    page.locator("h1").hover()
    expect(paired).to_have_text(["TER", "lantern", "T", "E", "R"])
    pieces.first.hover()
    expect(paired).to_have_text(["LAN", "lantern", "L", "A", "N"])
    page.locator("#row-3").hover()
    expect(paired).to_have_text(["TER", "lantern", "T", "E", "R"])
    page.keyboard.press("Enter")
    page.get_by_label("Your text").focus()
    expect(paired).to_have_count(5)
    pieces.nth(4).hover()
    expect(paired).to_have_text(["LAN", "lantern", "L"])
    page.locator("h1").hover()
    expect(paired).to_have_count(5)
    pieces.first.focus()
    page.keyboard.press("Escape")
    expect(paired).to_have_count(0)
    page.get_by_text("Piece by piece").click()
    assert_good(bench)


def test_merges_go_forward_and_back_by_keyboard(bench: Window) -> None:
    page = bench.page
    bench.go("/lab/tokenizers/train")
    page.get_by_label("A text to learn from").fill("the cat and the hat. " * 40)
    page.get_by_role("button", name="Train it").click()
    # Before its scripts are there, a button opens the whole page again.
    page.wait_for_url("**/own/*")
    page.get_by_role("button", name="First").press("Enter")
    status = page.locator("#steps [role=status]")
    expect(status).to_contain_text("Step 0 of")
    page.get_by_role("button", name="Next merge").press("Enter")
    expect(status).to_contain_text("Step 1 of")
    page.keyboard.press("Enter")
    expect(status).to_contain_text(re.compile(r"Step 2 of \d+: \d+ tokens"))
    page.get_by_role("button", name="Back").press("Enter")
    expect(status).to_contain_text("Step 1 of")
    assert_good(bench)
    bench.go("/lab/tokenizers/batch")
    page.get_by_label("Fill up short lines").select_option("left")
    expect(page.locator("tr").first.locator(".piece").first).to_have_text("[PAD]")
    assert_good(bench)
