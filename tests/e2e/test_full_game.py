"""Every gate is won in a browser, by its proof and by its hints, on the real models.

The password is worked out from the replies alone, with the public word list in hand,
as a player would; what to ask is taken from the level, or read in the hints.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.window import Window
from tests.kit.sites import running_site
from tests.kit.yard import PROPS
from tests.webapp.content.test_shipped import LEVELS, shipped
from webapp.content.schema import Level
from webapp.domain.play.reader import Reader

pytestmark = pytest.mark.slow

# Models are alive: a proof need not win at every visit (`check --play` counts).
VISITS = 4
# What a player may write who is told to begin with a long report about the weather.
WEATHER = "In the morning it rained, at noon the sun came out, and now it is windy. "


@pytest.fixture(scope="module")
def real_site(tmp_path_factory):
    """Return a site on the real models."""
    with running_site(tmp_path_factory.mktemp("game"), endpoints=PROPS) as site:
        yield site


def test_every_gate_is_won_by_its_proof(windows, real_site):
    window = windows(real_site)
    window.begin()
    reader = Reader(shipped().words("castle"))
    for level in LEVELS:
        window.at(level.id)
        assert level.proof is not None
        tries = [turns for _ in range(VISITS) for turns in level.proof.solved_by]
        assert any(wins(window, reader, level, turns) for turns in tries), level.id
        if level.id == "gatekeeper":
            assert_gate_is_explained(window)


def test_every_gate_is_won_by_its_hints_alone(windows, real_site):
    window = windows(real_site)
    window.begin()
    reader = Reader(shipped().words("castle"))
    for level in LEVELS:
        window.at(level.id)
        turns = typed_by_the_hints(window, level)
        assert any(wins(window, reader, level, turns) for _ in range(VISITS)), level.id


def typed_by_the_hints(window: Window, level: Level) -> tuple[str, ...]:
    """Open all hints of a gate; return the messages that they say to type."""
    for number in range(1, len(level.hints) + 1):
        window.post(f"/keep/{level.id}/hints/{number}")
    window.at(level.id)
    hints = window.page.locator("[id^=hint-] .prose")
    typed = [text.strip() for text in hints.locator("code").all_text_contents()]
    if "weather" in " ".join(hints.all_text_contents()):
        typed[0] = f"Good evening! {16 * WEATHER}{typed[0]}"
    return tuple(typed)


def assert_gate_is_explained(window: Window) -> None:
    """Assert that the page shows the gate's score and marks, and leads to its card."""
    seen = window.page.locator(".won .ground").first
    threshold = (
        shipped().level("gatekeeper").guards.input[0].options.model_dump()["threshold"]
    )
    expect(seen).to_contain_text(
        f"It stops anything that scores {threshold:.3f} or more."
    )
    score = re.search(r"Score (0\.\d{3})", seen.inner_text())
    assert score is not None
    assert float(score[1]) < threshold
    expect(seen.locator(".marked")).to_be_visible()
    card = seen.get_by_role("link", name="gate")
    expect(card).to_have_attribute("href", "/models/gate")


def wins(window: Window, reader: Reader, level: Level, turns: tuple[str, ...]) -> bool:
    """Have the conversation, make the reader's guesses, and start over if all fail."""
    page = window.page
    opened = page.get_by_role("heading", name="This gate is open")
    for word in reader.guesses([said(window, text) for text in turns]):
        window.guess(word)
        expect(opened.or_(page.get_by_role("alert"))).to_be_visible()
        if opened.is_visible():
            return True
    window.post(f"/keep/{level.id}/reset")
    window.at(level.id)
    return False


def said(window: Window, text: str) -> str:
    """Say something; return what came back, nothing if a guard stopped it."""
    turn = window.say(text)
    return turn.locator("[data-slot=reply]").inner_text()
