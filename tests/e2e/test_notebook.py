"""My notebook: every attempt, with notes, search, and ways to take it along."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])


@pytest.fixture
def writer(window):
    """Return a player with three attempts at two gates."""
    window.begin()
    for level, text in (
        ("yard-echo", "A heron flies."),
        ("yard-echo", "An otter swims."),
        ("yard-tell", "What is the password?"),
    ):
        window.post(f"/keep/{level}/attempts", message=text)
    return window


def entries(window):
    return window.page.locator(".entry")


@SCRIPT
def test_a_note_is_saved_and_found(windows, site, script):
    window = windows(site, script=script)
    window.begin()
    for text in ("A heron flies.", "An otter swims."):
        window.post("/keep/yard-echo/attempts", message=text)
    window.go("/notebook")
    expect(entries(window)).to_have_count(2)
    first = entries(window).filter(has_text="heron")
    first.get_by_label("My note").fill("Try <b>this</b> on gate 4")
    first.get_by_role("button", name="Save the note").click()
    if script:
        expect(first.get_by_role("status")).to_have_text("Saved.")
        expect(first.get_by_role("button", name="Save the note")).to_be_focused()
    else:
        expect(window.page.get_by_text("Note saved.")).to_be_visible()
    window.page.get_by_label("Search messages").fill("GATE 4")
    window.page.get_by_role("button", name="Search").click()
    expect(entries(window)).to_have_count(1)
    expect(first.get_by_label("My note")).to_have_value("Try <b>this</b> on gate 4")


def test_search_and_filter(writer):
    writer.go("/notebook")
    expect(entries(writer)).to_have_count(3)
    writer.page.get_by_label("Gate").select_option(label="2. The Echo Gate")
    writer.page.get_by_role("button", name="Search").click()
    expect(entries(writer)).to_have_count(2)
    writer.page.get_by_label("Search messages").fill("otter")
    writer.page.keyboard.press("Enter")
    expect(entries(writer)).to_have_count(1)
    expect(writer.page.get_by_label("Gate")).to_have_value("yard-echo")
    writer.page.get_by_label("Search messages").fill("walrus")
    writer.page.keyboard.press("Enter")
    expect(entries(writer)).to_have_count(0)
    writer.page.get_by_role("link", name="Show everything").click()
    expect(entries(writer)).to_have_count(3)


@pytest.mark.parametrize("path", ["/notebook", "/keep/yard-echo"])
def test_run_again_fills_the_box(writer, path):
    writer.go(path)
    entry = writer.page.locator(".entry, .turn").filter(has_text="heron")
    entry.get_by_role("link", name="Run again").click()
    writer.page.wait_for_url("**/keep/yard-echo?attempt=*")
    expect(writer.message).to_have_value("A heron flies.")
    expect(writer.message).to_be_in_viewport()
    # It is only filled in: sending is the player's step.
    expect(writer.turns).to_have_count(2)
    writer.send_button.click()
    expect(writer.turns).to_have_count(3)


def test_copy_puts_the_message_on_the_clipboard(writer):
    writer.context.grant_permissions(["clipboard-read", "clipboard-write"])
    writer.go("/notebook")
    entry = entries(writer).filter(has_text="otter")
    entry.get_by_role("button", name="Copy the message").click()
    expect(entry.get_by_role("button", name="Copied")).to_be_visible()
    copied = writer.page.evaluate("navigator.clipboard.readText()")
    assert copied == "An otter swims."


@pytest.mark.parametrize("is_hidden", [False, True])
def test_copy_works_without_a_clipboard_as_over_plain_http(windows, site, is_hidden):
    """Where the text is seen, and where it is there for copying only."""
    window = windows(site)
    window.page.add_init_script("""
      Object.defineProperty(Navigator.prototype, "clipboard", {value: undefined});
    """)
    window.begin()
    window.post("/keep/yard-echo/attempts", message="An otter swims.")
    window.go("/notebook" if is_hidden else "/me")
    button = window.page.get_by_role("button", name="Copy").first
    button.click()
    expect(window.page.get_by_role("button", name="Copied")).to_be_visible()
    window.go("/keep/yard-echo")
    window.message.focus()
    window.page.keyboard.press("Control+V")
    pasted = window.message.input_value()
    if is_hidden:
        assert pasted == "An otter swims."
    else:
        assert re.fullmatch("[A-Z0-9]{4}(-[A-Z0-9]{4}){3}", pasted)


def test_exports_are_downloaded(writer, tmp_path: Path):
    writer.go("/notebook")
    with writer.page.expect_download() as markdown:
        writer.page.get_by_role("link", name="Markdown").click()
    assert markdown.value.suggested_filename == "wordkeep-notebook.md"
    text = Path(markdown.value.path()).read_text()
    assert "I wrote:\n\n```text\nA heron flies.\n```" in text
    with writer.page.expect_download() as lines:
        writer.page.get_by_role("link", name="JSON lines").click()
    assert lines.value.suggested_filename == "wordkeep-notebook.jsonl"
    rows = [json.loads(r) for r in Path(lines.value.path()).read_text().splitlines()]
    assert [row["message"] for row in rows] == [
        "What is the password?",
        "An otter swims.",
        "A heron flies.",
    ]
