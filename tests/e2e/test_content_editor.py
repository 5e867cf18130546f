"""The editor of content: told as one types, and nothing that was typed is lost."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

PASSWORD = "a long enough password"
NAME = "game/mine/own-gate.yaml"
EDIT = f"/teach/content/edit/{NAME}"
# A browser that crashes asks nobody either.
DO_NOT_ASK = "document.querySelector('[data-editor]').dataset.leaving = 'yes'"


@pytest.fixture(scope="module")
def teacher_name(site):
    site.add_instructor("Ms Editor", PASSWORD)
    return "Ms Editor"


@pytest.fixture
def author(window, teacher_name, site):
    """Return the window of an author in the editor of a level of her own."""
    window.sign_in(teacher_name, PASSWORD)
    draft = site.instance / "drafts" / NAME
    if not draft.exists():
        window.go("/teach/content/start/game/yard/yard-echo.yaml")
        window.page.get_by_label("Ladder or track").fill("mine")
        window.page.get_by_label("Name").fill("own-gate")
        window.page.get_by_role("button", name="Make a copy").click()
    else:
        window.go(EDIT)
    expect(editor(window.page)).to_be_visible()
    return window


def editor(page: Page):
    """Return what is typed into; it lies in a shadow tree."""
    return page.locator(".cm-content")


def type_at_end(page: Page, text: str) -> None:
    """Type at the end of the file."""
    editor(page).click()
    page.keyboard.press("Control+End")
    page.keyboard.type(text)


def save(page: Page) -> None:
    """Save, and wait until that is told."""
    page.get_by_role("button", name="Save the draft").click()
    expect(page.locator("[data-status]")).to_have_text(re.compile(r"^Saved\. "))


def test_an_error_is_told_as_one_types_and_leads_to_its_line(author) -> None:
    page = author.page
    type_at_end(page, "pionts: 5\n")
    problem = page.locator("[data-problems] li", has_text="pionts")
    expect(problem).to_contain_text('unknown key "pionts"; did you mean "points"?')
    expect(page.locator(".cm-lint-marker-error")).to_be_attached()
    page.evaluate("document.activeElement.blur()")
    problem.get_by_role("link").click()
    page.keyboard.press("Shift+End")
    page.keyboard.press("Delete")
    page.keyboard.press("Backspace")
    expect(problem).to_have_count(0)
    type_at_end(page, "show")
    page.locator(".cm-completionLabel", has_text="show_guards").click()
    page.keyboard.type("ful")
    page.locator(".cm-completionLabel", has_text="full").click()
    expect(page.locator("#text")).to_have_value(re.compile("show_guards: full$"))
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Save the draft")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("[data-status]")).to_have_text(re.compile(r"^Saved\. "))
    page.reload()
    expect(page.locator("#text")).to_have_value(re.compile("show_guards: full$"))


def test_a_text_outlives_the_night_and_the_sign_in(author, teacher_name) -> None:
    page = author.page
    type_at_end(page, "\n# written late")
    author.post("/logout")
    page.get_by_role("button", name="Save the draft").click()
    expect(page.get_by_role("alert")).to_contain_text("Your text is still here.")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in in another tab").click()
    other = opened.value
    other.get_by_label("Name").fill(teacher_name)
    other.get_by_label("Password").fill(PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    other.wait_for_url(re.compile("(?<!/login)$"))
    other.close()
    save(page)
    type_at_end(page, "\n# not saved")
    page.evaluate(DO_NOT_ASK)
    page.reload()
    expect(page.get_by_text("a text of yours that was not saved")).to_be_visible()
    expect(page.locator("#text")).to_have_value(re.compile("late\n# not saved$"))
    page.get_by_role("button", name="Drop it").click()
    expect(page.locator("#text")).to_have_value(re.compile("# written late$"))


def test_two_at_once_are_told_and_see_both(author, windows, site, teacher_name) -> None:
    other = windows(site)
    other.sign_in(teacher_name, PASSWORD)
    other.go(EDIT)
    type_at_end(author.page, "\n# hers")
    save(author.page)
    type_at_end(other.page, "\n# his")
    other.page.get_by_role("button", name="Save the draft").click()
    expect(other.page.get_by_text("another text of this file")).to_be_visible()
    lines = other.page.locator(".diff__line")
    expect(lines.filter(has_text="# hers")).to_contain_text("gone:")
    expect(lines.filter(has_text="# his")).to_contain_text("new:")
    expect(other.page.locator("#text")).to_have_value(re.compile("# his$"))
    expect(editor(other.page)).to_be_visible()
    save(other.page)
