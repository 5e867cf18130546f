"""A whole lesson in a browser: by mouse and by keyboard, with scripts and without."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.test_accessibility import assert_good
from tests.e2e.window import NARROW, WIDE, Window
from tests.kit.course import write_lessons
from tests.kit.sites import Site, eventually, running_site
from tests.kit.yard import PROPS, SCRIPTED

SAY = "/learn/basics/say"
ORDER = "/learn/basics/order"
MOST_STOPS = 60


@pytest.fixture(scope="module")
def school(tmp_path_factory):
    """Return a scripted site with a course."""
    folder = tmp_path_factory.mktemp("school")
    write_lessons(folder / "more", gate="keep/open")
    env = {"WORDKEEP_CONTENT_ROOTS": f"{folder / 'content'}:{folder / 'more'}"}
    with running_site(folder, endpoints=SCRIPTED, env=env) as site:
        yield site


@pytest.fixture(scope="module")
def slow_school(tmp_path_factory):
    """Return a scripted site with a course whose model never says anything."""
    folder = tmp_path_factory.mktemp("slow")
    write_lessons(folder / "more", gate="keep/open", model="mute")
    env = {"WORDKEEP_CONTENT_ROOTS": f"{folder / 'content'}:{folder / 'more'}"}
    with running_site(folder, endpoints=SCRIPTED, env=env) as site:
        yield site


def runs(site: Site) -> int:
    """Return how many runs and attempts there were."""
    return int(site.rows("select count(*) as n from generations")[0]["n"])


def panel(window: Window) -> Locator:
    """Return the panel of the page."""
    return window.page.locator("lesson-panel")


def words(window: Window) -> Locator:
    """Return the box of the first lesson."""
    return window.page.get_by_role("textbox", name="Your words", exact=True)


def generate(window: Window) -> None:
    """Press the button and wait for the outcome."""
    panel(window).locator("[data-send]").click()
    expect(panel(window).locator("[data-stop]")).to_be_hidden()
    expect(panel(window).locator(".outcome")).to_be_visible()


def test_a_lesson_by_mouse(windows, school):
    window = windows(school, width=WIDE)
    page = window.page
    window.go("/learn")
    page.get_by_role("link", name="Say it again", exact=True).click()
    page.get_by_role("radio", name="the same").check()
    page.get_by_role("button", name="Answer", exact=True).click()
    expect(page.get_by_text("Yes.", exact=True)).to_be_visible()
    expect(page.get_by_text("Stored answer of an echo")).to_be_visible()
    generate(window)
    expect(page.get_by_text("Stored answer of an echo")).to_have_count(0)
    expect(panel(window).locator(".outcome__title")).to_have_text("Not yet")
    expect(panel(window).locator(".samples > [data-status=failed]")).to_have_count(2)
    page.get_by_role("button", name="Hint: The idea").click()
    hint = page.locator("#after-say-hint-1")
    expect(hint).to_contain_text("It gives back what you write.")
    expect(hint.locator("summary")).to_be_focused()
    words(window).fill("a toucan")
    generate(window)
    expect(panel(window).locator(".outcome__title")).to_have_text("That works")
    expect(page.get_by_role("heading", name="A solution beside yours")).to_be_visible()
    assert_odds(window)
    page.get_by_text("Your last two runs side by side").click()
    expect(page.locator("#after-say-compare")).to_contain_text("Say a bird.")
    assert_good(window)
    page.get_by_role("link", name="Next: In order").click()
    page.wait_for_url(f"**{ORDER}")


def test_a_lesson_by_keyboard(windows, school):
    window = windows(school, width=NARROW)
    page = window.page
    told = window.listen()
    window.go(SAY)
    walk_to(window, page.get_by_role("radio", name="nothing"))
    page.keyboard.press("ArrowDown")
    walk_to(window, page.get_by_role("button", name="Answer", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Yes.", exact=True)).to_be_visible()
    walk_to(window, words(window))
    page.keyboard.press("Control+A")
    page.keyboard.type("a toucan")
    page.keyboard.press("Control+Enter")
    expect(panel(window).locator(".outcome__title")).to_have_text("That works")
    expect(page.get_by_role("heading", name="You can now")).to_be_visible()
    said = [text for text in told() if "That works" in text]
    assert len(said) == 1, "the outcome is told once"
    assert any("1 of 3 so far: 1 right." in text for text in told())
    token = page.locator(".tokens details").nth(1)
    walk_to(window, token.locator("summary"))
    expect(token.locator("summary")).to_contain_text("100 percent")
    page.keyboard.press("Enter")
    expect(token).to_contain_text("100 percent, written")
    expect(token).to_have_attribute("open", "")
    walk_to(window, page.get_by_role("link", name="Next: In order"))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{ORDER}")
    window.assert_fits()
    down = page.get_by_role("button", name=re.compile("^Move down")).first
    walk_to(window, down)
    first = page.locator(".question .order__line .said").first.inner_text()
    page.keyboard.press("Enter")
    second = page.locator(".question .order__line .said").nth(1)
    expect(second).to_have_text(first)
    expect(down.or_(page.locator(":focus"))).not_to_have_count(0)


def assert_odds(window: Window) -> None:
    """Open the second token of the reply, and what was sent."""
    page = window.page
    tokens = page.locator(".tokens details")
    expect(tokens.nth(0)).to_have_attribute("open", "")
    tokens.nth(1).locator("summary").click()
    expect(tokens.nth(1)).to_contain_text("100 percent, written")
    expect(tokens.nth(1).locator(".odds").first).to_be_visible()
    expect(tokens.nth(0)).not_to_have_attribute("open", "")
    page.get_by_text("What was sent to the model").click()
    expect(page.locator("#after-say-sent")).to_contain_text("a toucan")


def walk_to(window: Window, target: Locator) -> None:
    """Press Tab until the target has the focus, which is seen at each step."""
    for _ in range(MOST_STOPS):
        if target.evaluate("element => element === document.activeElement"):
            return
        window.page.keyboard.press("Tab")
        window.focus()
    raise AssertionError(f"{MOST_STOPS} steps of the Tab key do not reach {target}")


def test_a_lesson_without_scripts(windows, school):
    window = windows(school, width=NARROW, script=False)
    page = window.page
    window.go(SAY)
    words(window).fill("a toucan")
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".outcome__title")).to_have_text("That works")
    words(window).fill("half an idea")
    page.get_by_role("button", name="Hint: The idea").click()
    expect(page.locator("#after-say-hint-1 em")).to_have_text("you")
    expect(words(window)).to_have_value("half an idea")
    window.go(ORDER)
    places = page.get_by_label(re.compile("^Place of"))
    expect(places.first).to_be_visible()
    page.get_by_role("combobox", name="Mood").select_option("Be kind.")
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".outcome__title")).to_have_text("That works")
    window.assert_fits()


def test_lines_are_dragged(windows, school):
    window = windows(school)
    window.go(ORDER)
    lines = window.page.locator("lesson-panel .order__line .said")
    expect(lines).to_have_text(["a wren", "a toucan"])
    lines.nth(1).drag_to(lines.nth(0), target_position={"x": 5, "y": 2})
    expect(lines).to_have_text(["a toucan", "a wren"])
    window.page.get_by_role("combobox", name="Mood").select_option("Be kind.")
    generate(window)
    window.page.reload()
    expect(lines).to_have_text(["a toucan", "a wren"])


def test_a_run_is_stopped_and_what_is_typed_stays(windows, slow_school):
    window = windows(slow_school)
    window.go(SAY)
    words(window).fill("a long story")
    panel(window).locator("[data-send]").click()
    stop = window.page.get_by_role("button", name="Stop")
    expect(stop).to_be_visible()
    assert_good(window)
    stop.click()
    expect(panel(window)).to_contain_text("You stopped this run")
    expect(words(window)).to_have_value("a long story")
    expect(stop).to_be_hidden()


def test_two_tabs_and_a_double_click_make_one_run(windows, slow_school):
    before = runs(slow_school)
    window = windows(slow_school)
    window.go(SAY)
    # The first run makes a guest of the visitor.
    panel(window).locator("[data-send]").dblclick()
    stop = window.page.get_by_role("button", name="Stop")
    expect(stop).to_be_visible()
    eventually(lambda: runs(slow_school) > before)
    stop.click()
    expect(panel(window)).to_contain_text("You stopped this run")
    other = window.page.context.new_page()
    other.goto(f"{slow_school.url}{SAY}")
    panel(window).locator("[data-send]").click()
    expect(stop).to_be_visible()
    other.locator("lesson-panel [data-send]").click()
    expect(other.locator("lesson-panel [data-problem]")).to_contain_text(
        "Your other run of this panel is still going"
    )
    # One of the double click, one of both tabs.
    assert runs(slow_school) == before + 2
    stop.click()
    expect(stop).to_be_hidden()
    other.close()


def test_opening_a_page_going_back_and_links_run_nothing(windows, school):
    window = windows(school)
    page = window.page
    window.go(SAY)
    words(window).fill("a toucan")
    generate(window)
    before = runs(school)
    page.reload()
    window.go("/learn")
    page.go_back()
    expect(panel(window).locator(".outcome")).to_be_visible()
    page.go_forward()
    window.go(f"{SAY}?panel=say&s.words=A+{{nth}}+wren")
    expect(words(window)).to_have_value("A {nth} wren")
    page.wait_for_load_state("networkidle")
    assert runs(school) == before


def test_long_lines_and_turned_text_stay_in_their_place(windows, school):
    window = windows(school, width=NARROW)
    page = window.page
    window.go(SAY)
    words(window).fill("\u202e<b onclick=alert(1)>![x](http://e.example)" + "W" * 900)
    generate(window)
    window.assert_fits()
    for said in panel(window).locator(".reply .said").all():
        # What turns the direction ends with its paragraph.
        assert said.evaluate("e => getComputedStyle(e).unicodeBidi") == "plaintext"
    assert panel(window).locator("b, img").count() == 0
    page.reload()
    window.assert_fits()


@pytest.mark.parametrize("path", ["/learn", SAY, ORDER])
def test_pages_of_the_course_are_good(windows, school, path):
    window = windows(school)
    window.go(path)
    assert_good(window)


@pytest.mark.slow
def test_a_lesson_on_the_real_model(windows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("real-lesson")
    write_lessons(folder / "more", gate="keep/open", model="smollm2")
    env = {
        "WORDKEEP_CONTENT_ROOTS": f"{folder / 'content'}:{folder / 'more'}",
        "WORDKEEP_SIDECAR_PRELOAD": "smollm2",
    }
    with running_site(folder, endpoints=PROPS, env=env) as site:
        window = windows(site)
        window.go(SAY)
        generate(window)
        expect(panel(window).locator(".outcome__title")).to_have_text(
            re.compile("Not yet|That works")
        )
        expect(panel(window).locator(".reply .said")).not_to_be_empty()
