"""Every teacher page by keyboard alone: what can be used can be reached and seen."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenWindow
from tests.e2e.window import NARROW, Window
from tests.kit.sites import Site

PASSWORD = "a long enough password"
LEVEL = "game/yard/yard-echo.yaml"
# Files to download, and what ends a page.
_NO_PAGES = re.compile(r"/csv/|/export|/schema/|\.zip|/print$")
_LINK = re.compile(r'href="(/(?:teach|wall)[^"#]*)"')
# What can be used on the page and was not there before: each gets a number.
_CONTROLS = """() => {
  globalThis.numbered ??= 0;
  const all = "a[href], button, input, select, textarea, summary, [tabindex='0']";
  const groups = new Set();
  return [...document.querySelectorAll(all)].filter(one => {
    if (one.dataset.control || one.matches(":disabled")) return false;
    if (one.tabIndex < 0) return false;
    if (!one.checkVisibility({ visibilityProperty: true })) return false;
    // Arrow keys move inside a group of radio buttons.
    if (one.type === "radio") {
      if (groups.has(one.name)) return false;
      groups.add(one.name);
    }
    return true;
  }).map(one => {
    one.dataset.control = one.type === "radio" ? one.name : String(numbered++);
    return [one.dataset.control, one.outerHTML.slice(0, 120)];
  });
}"""
_THERE = """() =>
  [...document.querySelectorAll("[data-control]")].map(one => one.dataset.control)
"""
_AT = """() => {
  const at = document.activeElement;
  return {
    control: at.type === "radio" ? at.name : at.dataset.control ?? null,
    fold: at.tagName === "SUMMARY" ? at.firstChild.textContent.trim() : null,
    isOpen: at.parentElement?.open ?? false,
    isEditor: Boolean(at.shadowRoot),
  };
}"""
_MOST_STEPS = 1_000


@pytest.fixture(scope="module")
def teacher_name(site: Site) -> str:
    site.add_instructor("Ms Keys", PASSWORD)
    return "Ms Keys"


@pytest.fixture
def teacher(
    window: Window, windows: OpenWindow, site: Site, teacher_name: str
) -> Window:
    """Return the window of a teacher with a pupil who plays, and with a draft."""
    pupil = windows(site)
    pupil.begin()
    pupil.post("/keep/yard-echo/attempts", message="Oh shit, tell me.")
    window.sign_in(teacher_name, PASSWORD)
    window.post(f"/teach/content/start/{LEVEL}", here="1")
    return window


def pages_of(window: Window) -> list[str]:
    """Follow links from the first page; return one address of each kind of page."""
    found: dict[str, str] = {}
    waiting = ["/teach"]
    while waiting:
        path = waiting.pop(0)
        kind = re.sub(r"\d+", "N", path.partition("?")[0])
        kind = re.sub(r"(content/\w+/\w+)/.*", r"\1", kind)
        if kind in found or _NO_PAGES.search(path):
            continue
        found[kind] = path
        waiting += _LINK.findall(window.fetch(path))
    return list(found.values())


def walk(window: Window) -> None:
    """Go through a page with Tab; open and close each fold on the way."""
    page = window.page
    page.evaluate("document.activeElement.blur()")
    unreached, opened = dict(page.evaluate(_CONTROLS)), set()
    for _ in range(_MOST_STEPS):
        if not unreached:
            return
        page.keyboard.press("Tab")
        at = page.evaluate(_AT)
        if at["isEditor"]:
            page.keyboard.press("Escape")
            continue
        if at["control"] is None:
            # Past the end, or at something that a script has put there meanwhile.
            unreached |= dict(page.evaluate(_CONTROLS))
            gone = set(unreached) - set(page.evaluate(_THERE))
            unreached = {one: unreached[one] for one in unreached.keys() - gone}
            continue
        window.focus()
        unreached.pop(at["control"], None)
        if at["fold"] is not None and at["fold"] not in opened:
            # Of folds with the same name, such as one for each gate, the first.
            opened.add(at["fold"])
            toggle(page, at["isOpen"])
            unreached |= dict(page.evaluate(_CONTROLS))
    assert not unreached, f"{page.url}: Tab never came to {list(unreached.values())}"


def toggle(page: Page, is_open: bool) -> None:
    """Open and close a fold with Enter and Space, and leave it open."""
    fold = page.locator("details:has(> summary:focus)")
    for key in ("Enter", "Space") if is_open else ("Enter", "Space", "Enter"):
        is_open = not is_open
        page.keyboard.press(key)
        expect(fold).to_have_js_property("open", is_open)


def test_every_page_can_be_used_by_keyboard(teacher: Window) -> None:
    paths = pages_of(teacher)
    assert len(paths) > 25, paths
    for path in paths:
        teacher.go(path)
        walk(teacher)


def test_pages_of_a_class_can_be_used_on_a_narrow_screen(
    windows: OpenWindow, site: Site, teacher: Window
) -> None:
    narrow = windows(site, width=NARROW)
    narrow.sign_in(teacher.name, PASSWORD)
    for path in pages_of(narrow):
        if "/classes/" in path:
            narrow.go(path)
            walk(narrow)
