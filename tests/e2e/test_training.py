"""From a file to a model at a gate in a browser, without code and without an account.

Everything is real: the sidecar, the worker, and a model that begins with nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenWindow
from tests.e2e.test_accessibility import assert_good
from tests.e2e.window import NARROW
from tests.kit.sites import UNLIMITED, Site, eventually
from tests.kit.yard import write_gate, write_yard
from webapp.supervisor.trial import trial_site

pytestmark = pytest.mark.slow

# No model has to be there before the student's own.
ENV = {
    **UNLIMITED,
    "WORDKEEP_SIDECAR_PRELOAD": "",
    "WORDKEEP_SIDECAR_SLOTS": "2",
    "WORDKEEP_SIDECAR_ENGINE_COPIES": "1",
}
ANIMALS = {"cat": "miaow", "dog": "woof", "cow": "moo", "duck": "quack", "owl": "hoo"}
SOUND = re.compile("|".join(ANIMALS.values()))
LONGEST = 300_000


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Return a site that begins without any model, with the yard beside the keep."""
    instance = tmp_path / "instance"
    content = write_yard(instance / "content")
    with trial_site(instance, env=ENV) as trial:
        yield Site(trial, content)


def farm() -> str:
    """Return a table of questions that have one right answer, in many words."""
    rows = ["question,answer"]
    for number in range(60):
        for animal, sound in ANIMALS.items():
            rows.append(f"What does {animal} {number} say?,{sound} {sound}!")
    return "\n".join(rows)


def test_from_a_file_to_a_model_at_a_gate(
    site: Site, windows: OpenWindow, tmp_path: Path
) -> None:
    file = tmp_path / "farm.csv"
    file.write_text(farm(), "utf-8")
    window = windows(site)
    page = window.page
    window.go("/train")
    assert_good(window)
    page.get_by_role("link", name="Choose a text", exact=True).click()
    page.get_by_label("A file").set_input_files(file)
    page.get_by_role("button", name="Look at it", exact=True).click()
    page.get_by_role("link", name="Its card", exact=True).click()
    page.get_by_label("Where is the text from?").fill("Made up by our class")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Made up by our class")).to_be_visible()
    assert_good(window)
    page.get_by_role("link", name="farm.csv", exact=True).click()
    page.get_by_role("button", name="question → answer", exact=True).click()
    expect(page.locator("#answer")).to_have_value("{answer}")
    page.get_by_label("It is a chat").check()
    expect(page.locator(".learned").first).to_have_text(re.compile(r"^(\w+) \1!$"))
    expect(page.get_by_text("It has 300 rows")).to_be_visible()
    page.get_by_role("button", name="Train on it", exact=True).click()

    page.get_by_label("What is it called?").fill("Farm")
    page.get_by_role("radio", name=re.compile("^From nothing, small")).check()
    # Steps, because a busy machine would learn less in the same time.
    page.get_by_role("radio", name="Exactly so many steps").check()
    page.get_by_role("spinbutton", name="Steps").fill("90")
    page.get_by_label("A text to go on with").fill("What does cow 7 say?")
    assert_good(window)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("Done", exact=True)).to_be_visible(timeout=LONGEST)
    assert page.locator("canvas").count() >= 1, "no chart"
    expect(page.get_by_text("After step 0", exact=True)).to_be_visible()
    before, after = perplexities(page)
    assert after < before / 10
    assert_good(window)
    # A reload loses nothing.
    page.reload()
    assert perplexities(page) == (before, after)

    page.get_by_role("link", name="Try Farm", exact=True).click()
    page.locator("textarea").first.fill("What does owl 11 say?")
    page.get_by_role("button", name=re.compile("^(Ask it|Let it go on|Send)")).click()
    reply = page.locator("#replies .said").first
    # In so short a time it learns the words, and not always when to stop.
    expect(reply).to_contain_text(SOUND)
    page.get_by_role("radio", name="Everybody who opens this site").check()
    page.get_by_role("button", name="Save", exact=True).click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name=re.compile("^The whole model as GGUF")).click()
    assert Path(waiting.value.path()).read_bytes()[:4] == b"GGUF"
    page.locator("#hub > summary").click()
    expect(page.get_by_label("Your token")).to_be_visible()
    expect(page.get_by_text("Made up by our class")).to_be_visible()
    assert_good(window)

    other = windows(site, width=NARROW)
    other.begin()
    other.page.goto(page.url)
    expect(other.page.get_by_role("heading", name="Farm", exact=True)).to_be_visible()
    name = page.url.rpartition("/")[2]
    title = "The Gate of the Farm"
    write_gate(site.content, "yard-tell", model=name, title=title)
    # What is written goes live within two seconds.
    eventually(lambda: title in other.fetch("/keep/yard-tell"), seconds=10)
    other.at("yard-tell")
    expect(other.say("What does dog 3 say?")).to_contain_text(SOUND)


def perplexities(page: Page) -> tuple[float, float]:
    """Return the figures of a finished run: before and after."""
    text = page.get_by_text("On text that it never learns from").inner_text()
    after = re.search(r"perplexity is now ([\d,.]*\d)", text)
    before = re.search(r"Before, it was ([\d,.]*\d)", text)
    assert before
    assert after
    return float(before[1].replace(",", "")), float(after[1].replace(",", ""))
