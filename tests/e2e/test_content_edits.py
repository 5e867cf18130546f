"""An author saves a file, and players see it; a mistake reaches nobody but teachers."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect

from tests.kit.sites import eventually
from tests.kit.yard import write_gate

LIVE_SECONDS = 2.0
PASSWORD = "a long enough password"


@pytest.fixture
def gate(site):
    """Return the file of a gate, and put it right at the end."""
    path = site.content / "game" / "yard" / "yard-echo.yaml"
    before = path.read_text()
    yield path
    path.write_text(before)


@pytest.fixture(scope="module")
def teacher_name(site):
    site.add_instructor("Ms Brown", PASSWORD)
    return "Ms Brown"


def seconds_until_seen(window, site, title):
    """Save the gate with a title; return how long it took to stand on its page."""
    write_gate(site.content, "yard-echo", title=title)
    saved = time.monotonic()
    eventually(lambda: title in window.fetch("/keep/yard-echo"))
    return time.monotonic() - saved


def test_a_saved_edit_is_live_within_two_seconds(window, site, gate):
    window.begin()
    titles = [f"The Gate of Edit {number}" for number in range(3)]
    # The best of three: the machine may be busy, but a slow design is slow each time.
    best = min(seconds_until_seen(window, site, title) for title in titles)
    assert best < LIVE_SECONDS
    window.at("yard-echo")
    expect(window.page.get_by_role("heading", level=1)).to_have_text(titles[-1])


def test_a_mistake_keeps_the_last_good_version(windows, site, gate, teacher_name):
    player, teacher = windows(site), windows(site)
    player.begin()
    teacher.sign_in(teacher_name, PASSWORD)
    seconds_until_seen(player, site, "The Last Good Gate")
    text = gate.read_text().replace("points: 100", "pionts: 100")
    gate.write_text(text)
    line = text.splitlines().index("pionts: 100") + 1
    eventually(lambda: "See what is wrong" in teacher.fetch("/rules"))
    teacher.go("/rules")
    teacher.page.get_by_role("link", name="See what is wrong").click()
    problem = teacher.page.get_by_role("row").filter(has_text="pionts")
    expect(problem).to_contain_text(f"game/yard/yard-echo.yaml:{line}")
    expect(problem).to_contain_text("error")
    expect(problem).to_contain_text("points")
    expect(teacher.page.get_by_text("Players stay on the last good")).to_be_visible()
    player.at("yard-echo")
    expect(player.page.get_by_role("heading", level=1)).to_have_text(
        "The Last Good Gate"
    )
    assert "See what is wrong" not in player.page.content()
    expect(player.say("Hello")).to_contain_text("Hello")
    write_gate(site.content, "yard-echo")
    eventually(lambda: "See what is wrong" not in teacher.fetch("/rules"))
    teacher.go("/teach")
    expect(teacher.page.get_by_role("row").filter(has_text="pionts")).to_have_count(0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id: [yard-echo\ntitle: x\n", "not readable as YAML"),
        ("a: &a [1, 1]\nb: *a\n", "anchor"),
        ("\x00\x01 not text", "is this a text file?"),
    ],
    ids=["broken", "bomb", "binary"],
)
def test_a_broken_file_is_listed_and_harms_nobody(
    window, site, gate, teacher_name, text, told
):
    window.sign_in(teacher_name, PASSWORD)
    assert told not in window.fetch("/teach")
    gate.write_text(text)
    eventually(lambda: told in window.fetch("/teach"))
    assert "The Echo Gate" in window.fetch("/keep/yard-echo")
