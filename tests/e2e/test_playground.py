"""The playground in a browser: asked by keyboard, stopped, compared, opened again."""

from __future__ import annotations

import json
import re

from playwright.sync_api import expect

from tests.e2e.test_accessibility import assert_good
from tests.e2e.window import Window

AT = "/lab/playground"
LONG = " ".join(f"word{number}" for number in range(40))


def test_asked_by_keyboard_and_asked_again(window: Window) -> None:
    page = window.page
    window.go(AT)
    page.locator("#model-1").select_option("props/plain-echo")
    page.locator("#message").focus()
    page.keyboard.type("Hello, echo")
    page.keyboard.press("Enter")
    expect(page.locator("#said-2")).to_have_value("Hello, echo")
    expect(page.locator("#message")).to_have_value("")
    expect(page.locator("#message")).to_be_focused()
    expect(page).to_have_url(re.compile(r"/lab/playground\?chat=\d+$"))
    # The model's own words are changed, and the list that is sent is another one.
    page.locator("#said-2").fill("Something else")
    page.locator("#look").press("Enter")
    expect(page.locator("#code-1")).to_contain_text("Hello, echo")
    expect(page.locator("form[data-sending]")).to_have_count(0)
    page.locator("#message").fill("And again")
    page.locator("#message").press("Enter")
    expect(page.locator("#said-4")).to_have_value("And again")
    sent = json.loads(page.locator("#list-2-json").text_content() or "")
    assert [one["content"] for one in sent][1:] == ["Something else", "And again"]
    assert_good(window)
    page.reload()
    expect(page.locator("#said-4")).to_have_value("And again")


def test_stopped_in_the_middle(window: Window) -> None:
    page = window.page
    window.go(AT)
    page.locator("#model-1").select_option("props/slow-echo")
    page.locator("#message").fill(LONG)
    page.locator("#message").press("Enter")
    expect(page.locator("[data-slot=reply]")).to_contain_text("word0")
    # What is written meanwhile is the next message, and not this one.
    page.locator("#message").fill("The next one")
    page.get_by_role("button", name="Stop", exact=True).press("Enter")
    expect(page.locator("#said-2")).to_be_visible()
    said = page.locator("#said-2").input_value()
    assert said.startswith("word0")
    assert len(said) < len(LONG)
    expect(page.locator("#said-1")).to_have_value(LONG)
    expect(page.locator("#message")).to_have_value("The next one")
    expect(page.get_by_text("You stopped it.")).to_be_visible()


def test_two_models_side_by_side(window: Window) -> None:
    page = window.page
    window.go(AT)
    page.locator("#more-panes").press("Enter")
    page.locator("#model-2").select_option("props/plain-echo")
    page.locator("#message").fill("Who are you?")
    page.locator("#send").press("Enter")
    choose = page.get_by_role("button", name="Go on with this one")
    expect(choose).to_have_count(2)
    assert_good(window)
    choose.nth(1).press("Enter")
    expect(page.locator("#said-2")).to_have_value("Who are you?")
    # What could not be asked is said beside what was typed.
    page.locator("#temperature-2").fill("1.5")
    page.locator("#model-1").select_option("props/plain-echo")
    page.locator("#seed").fill("")
    page.locator("#max-tokens").evaluate("box => box.type = 'text'")
    page.locator("#max-tokens").fill("many")
    page.locator("#message").fill("Not lost")
    page.locator("#send").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The length must be a whole")
    expect(page.locator("#message")).to_have_value("Not lost")
