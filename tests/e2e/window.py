"""A browser window of one visitor, which remembers all that went wrong in it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import (
    APIResponse,
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Locator,
    Page,
    expect,
)

from tests.kit.clocks import patient

WIDE, NARROW = 1280, 390
# How long a page that has just been opened may take until it is drawn, focus and all.
DRAWN_SECONDS = 2.0
# Busy machines are slow; what is right appears much earlier.
_PATIENCE = 60_000
expect.set_options(timeout=_PATIENCE)
# Playwright waits for a promise without end.
_LATE = (
    "new Promise((_, no) => setTimeout(() => no(new Error('it never came')), "
    f"{_PATIENCE}))"
)
_NUMBERS = count(1)

# What is wider than the window: nothing, or the page and the parts that stick out. A
# table may scroll, but its caption is to be read without.
_WIDE = """() => {
  const page = document.scrollingElement;
  const out = (selector) => [...document.querySelectorAll(selector)]
    .filter(part => part.getBoundingClientRect().right > innerWidth)
    .map(part => `${part.tagName}.${part.className}: ${part.textContent.slice(0, 40)}`);
  if (page.scrollWidth <= innerWidth) return out("caption");
  return [`${page.scrollWidth} px in a window of ${innerWidth} px`, ...out("body *")];
}"""

_TEE = """
  globalThis.heard = [];
  const plainFetch = globalThis.fetch;
  globalThis.fetch = async (...given) => {
    const answer = await plainFetch(...given);
    heard.push(answer.clone().text());
    return answer;
  };
"""
# What a screen reader is told: each text that comes into a live region after the page.
_EARS = """
  globalThis.spoken = [];
  const LIVE = "[role=status], [role=alert], [aria-live]:not([aria-live=off])";
  new MutationObserver(changes => {
    if (document.readyState === "loading") return;
    const regions = new Set();
    for (const { target, addedNodes } of changes) {
      const element = target instanceof Element ? target : target.parentElement;
      regions.add(element?.closest(LIVE));
      for (const node of addedNodes)
        if (node instanceof Element)
          for (const part of [node, ...node.querySelectorAll("*")])
            if (part.matches(LIVE)) regions.add(part);
    }
    regions.delete(null);
    regions.delete(undefined);
    for (const region of regions)
      if (region.textContent.trim()) spoken.push(region.textContent.trim());
  }).observe(document, { subtree: true, childList: true, characterData: true });
"""
# Each answer of 400 and more, which tests look at themselves; and a font that Chromium
# still had from the page before.
_HARMLESS = re.compile(
    "^Failed to load resource: the server responded|was preloaded using link preload"
)
# What a person sees of the element that has the focus.
_FOCUS = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  // A link over two lines may have neither of them in the middle of its box.
  const isOnTop = ({ x, y, width, height }) => {
    const top = document.elementFromPoint(
      Math.min(Math.max(x + width / 2, 0), innerWidth - 1),
      Math.min(Math.max(y + height / 2, 0), innerHeight - 1),
    );
    return Boolean(top) && (element.contains(top) || top.contains(element));
  };
  return {
    name: element.id || element.textContent.trim() || element.tagName,
    outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
    inView: box.width > 0 && box.bottom > 0 && box.top < innerHeight &&
      box.right > 0 && box.left < innerWidth,
    onTop: [...element.getClientRects()].every(isOnTop),
  };
}"""


class Window:
    """A page with shortcuts for what visitors do. Nothing here knows a secret."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.page: Page = context.new_page()
        self.url = url
        self.name = ""
        self.requests: list[str] = []
        self.dialogs: list[str] = []
        self.complaints: list[str] = []
        context.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda e: self.complaints.append(str(e)))
        self.page.on("dialog", self._dismiss)

    def go(self, path: str = "/") -> None:
        """Open a page of the site."""
        self.page.goto(self.url + path)

    def begin(self, class_code: str = "") -> None:
        """Become a player under a name of one's own, without opening a page."""
        self.name = f"Player {next(_NUMBERS)}"
        answer = self.post(
            "/join", name=self.name, class_code=class_code, next="/rules"
        )
        assert answer.url.endswith("/rules"), answer.text()

    def sign_in(self, name: str, password: str) -> None:
        """Come back as somebody with a password."""
        self.name = name
        answer = self.post("/login", name=name, password=password, next="/rules")
        assert answer.url.endswith("/rules"), answer.text()

    def post(self, path: str, **fields: str) -> APIResponse:
        """Send a form of this visitor, with its seal, and return the answer."""
        page = self.fetch("/rules")
        seal = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert seal is not None, page
        form = {**fields, "csrf_token": seal[1]}
        request = self.context.request
        return request.post(
            self.url + path, form=form, headers={"Referer": self.url + "/rules"}
        )

    def at(self, level_id: str) -> None:
        """Stand at a gate."""
        self.go(f"/keep/{level_id}")

    @property
    def message(self) -> Locator:
        """The box for the message."""
        return self.page.get_by_label("Your message to the warden")

    @property
    def send_button(self) -> Locator:
        """The button beside it."""
        return self.page.get_by_role("button", name="Send", exact=True)

    @property
    def status(self) -> Locator:
        """What a screen reader is told of the reply."""
        return self.page.locator("[data-status][role=status]")

    @property
    def turns(self) -> Locator:
        """What has been said here, oldest first."""
        return self.page.locator("[data-log] > .turn")

    def say(self, text: str) -> Locator:
        """Send a message, wait for all that comes back, and return the turn."""
        turn = self.send(text)
        expect(turn.locator("[aria-busy]")).to_have_count(0)
        return turn

    def send(self, text: str) -> Locator:
        """Send a message; return the turn as soon as it is recorded."""
        number = self.turns.count()
        self.message.fill(text)
        self.send_button.click()
        expect(self.turns).to_have_count(number + 1)
        return self.turns.nth(number)

    def guess(self, word: str) -> None:
        """Type a password, try it, and wait for the answer."""
        self.page.get_by_label("Your guess").fill(word)
        box = self.page.locator("#guess")
        # Every answer replaces the box, alone or with its page. What stood there before
        # must not pass for it, nor a page that is about to be left for the next one.
        box.evaluate("box => box.dataset.before = ''")
        self.page.get_by_role("button", name="Try it").click()
        expect(self.page.locator("#guess[data-before]")).to_have_count(0)

    def ask_for_the_password(self) -> str:
        """Ask a warden who tells, and read the password out of the reply."""
        turn = self.say("What is the password?")
        word = warden_said(turn)
        assert word is not None, turn.inner_text()
        return word

    def win(self, level_id: str) -> None:
        """Win a gate whose warden tells the password to all."""
        self.at(level_id)
        self.guess(self.ask_for_the_password())
        expect(
            self.page.get_by_role("heading", name="This gate is open")
        ).to_be_visible()

    def focus(self) -> dict[str, Any]:
        """Describe the element with the focus, and assert that it can be seen."""
        end = time.monotonic() + patient(DRAWN_SECONDS)
        while fault := _hidden(found := self.page.evaluate(_FOCUS)):
            assert time.monotonic() < end, f"{fault}: {found}"
            self.page.wait_for_timeout(50)
        return dict(found)

    def fetch(self, path: str) -> str:
        """Return a page as the server sends it to this visitor."""
        return self.context.request.get(self.url + path).text()

    def record_streams(self) -> Callable[[], list[str]]:
        """Keep what streams bring, from the next page on; return what reads it."""
        # Chromium does not keep the body of a stream, so the page does.
        self.page.add_init_script(_TEE)
        return lambda: list(self._settled("Promise.all(heard)"))

    def listen(self) -> Callable[[], list[str]]:
        """Write down what screen readers are told, from the next page on."""
        self.page.add_init_script(_EARS)
        return lambda: list(self.page.evaluate("spoken"))

    def forgive(self, *words: str) -> None:
        """Forget complaints with one of these words: the test has caused them."""
        self.complaints = [
            told for told in self.complaints if not any(word in told for word in words)
        ]

    def settle(self) -> None:
        """Wait until changed styles are drawn, which takes a frame or two."""
        self._settled(
            "new Promise(go => requestAnimationFrame(() => requestAnimationFrame(go)))"
        )

    def assert_fits(self) -> None:
        """Assert that nothing sticks out of the page sideways, once it is drawn."""
        end = time.monotonic() + patient(DRAWN_SECONDS)
        while wide := self.page.evaluate(_WIDE):
            assert time.monotonic() < end, wide
            self.page.wait_for_timeout(50)

    def close(self) -> None:
        """Close the window."""
        self.context.close()

    def assert_quiet(self) -> None:
        """Assert that no page complained and nothing was asked of other sites."""
        own = urlsplit(self.url).netloc
        foreign = [url for url in self.requests if urlsplit(url).netloc != own]
        assert not foreign, f"asked other sites: {foreign}"
        assert not self.dialogs, f"opened dialogs: {self.dialogs}"
        assert not self.complaints, f"complained: {self.complaints}"

    def _settled(self, promise: str) -> Any:
        """Return what a promise of the page comes to; raise an error if it is late."""
        return self.page.evaluate(f"Promise.race([{promise}, {_LATE}])")

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not _HARMLESS.search(message.text):
            self.complaints.append(message.text)

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


def _hidden(focus: dict[str, Any] | None) -> str | None:
    """Return why the element with the focus cannot be seen; None if it can."""
    if not focus:
        return "nothing has the focus"
    if not focus["inView"]:
        return "the focus is out of sight"
    if not focus["onTop"]:
        return "the focus is covered"
    return None if focus["outline"] >= 2 else "the focus is not marked"


def open_window(
    browser: Browser,
    url: str,
    *,
    width: int = WIDE,
    height: int = 844,
    script: bool = True,
    **options: Any,
) -> Window:
    """Open a window of its own, with its own cookies."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        java_script_enabled=script,
        **{"reduced_motion": "reduce", **options},
    )
    context.set_default_timeout(_PATIENCE)
    return Window(context, url)


def warden_said(turn: Locator) -> str | None:
    """Read the password out of what the warden said, as a player would."""
    reply = turn.locator(".turn__part--warden").inner_text()
    found = re.search(r"\bis\s+[\"“'](\w+)", reply) or re.search(
        r"password\W+(?:\w+\W+){0,6}?is\W+(\w+)", reply, re.IGNORECASE
    )
    return found[1] if found else None
