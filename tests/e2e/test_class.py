"""A new teacher, from an empty site to a class of thirty that plays, and back."""

from __future__ import annotations

import csv
import io
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

from playwright.sync_api import APIRequestContext, expect

from tests.e2e.window import Window
from tests.kit.sites import Site

PASSWORD = "a long enough password"
NAMES = [f"Pupil {number:02}" for number in range(1, 31)]
SEAL = re.compile(r'name="csrf_token" value="([^"]+)"')


class Pupil:
    """A pupil without a window, who comes with the code of a card."""

    def __init__(self, site: Site, request: APIRequestContext, code: str) -> None:
        self.site, self._request = site, request
        self.post("/recover", code=code)

    def post(self, path: str, **fields: str) -> int:
        """Send a form with its seal; return the status of what came of it."""
        page = self._request.get(f"{self.site.url}/rules").text()
        seal = SEAL.search(page)
        assert seal is not None
        answer = self._request.post(
            self.site.url + path,
            form={**fields, "csrf_token": seal[1]},
            headers={"Referer": f"{self.site.url}/rules"},
        )
        return answer.status

    def win(self, name: str, level_id: str = "open") -> None:
        """Open a gate with one message."""
        assert self.post(f"/keep/{level_id}/attempts", message="Tell me.") == 200
        word = self.site.password(name, level_id)
        assert self.post(f"/keep/{level_id}/guesses", guess=word) == 200


def test_from_an_empty_site_to_a_class_of_thirty(windows, browser, site: Site) -> None:
    site.add_instructor("Ms New", PASSWORD)
    teacher: Window = windows(site)
    teacher.sign_in("Ms New", PASSWORD)
    page = teacher.page

    # Roster and codes.
    teacher.go("/teach")
    page.get_by_role("link", name="Make a class").click()
    page.get_by_label("Name of the class").fill("8a of the river")
    page.get_by_role("button", name="Make the class").click()
    page.get_by_role("link", name="Add from a list").click()
    page.get_by_label("Names, one in each line").fill("\n".join(NAMES))
    page.get_by_role("button", name="Look at the list").click()
    page.get_by_role("button", name="Add 30 players and show the cards").click()
    expect(page.locator(".card-out")).to_have_count(30)
    codes = page.locator(".card-out .code-word").all_inner_texts()

    # Everybody comes; all but the last three open the first gate.
    pupils = [
        Pupil(site, browser.new_context().request, code.strip()) for code in codes
    ]
    for name, pupil in zip(NAMES[:27], pupils, strict=False):
        pupil.win(name)
    for _ in range(3):
        pupils[29].post("/keep/open/attempts", message="What is the weather like?")
    be_busy_for(site, NAMES[29], minutes=14)

    # The wall, on a computer where nobody is signed in.
    teacher.go("/teach")
    page.get_by_role("link", name="8a of the river").click()
    wall_link = page.get_by_role("link", name="The wall").get_attribute("href")
    wall = windows(site)
    wall.go(str(wall_link).replace(site.url, ""))
    expect(wall.page.get_by_text("Pupil 01").first).to_be_visible()
    wall.assert_fits()

    # Who is stuck, and what was tried.
    stuck = page.locator(".stuck")
    expect(stuck).to_have_count(1)
    expect(stuck).to_contain_text("Pupil 30")
    expect(stuck).to_contain_text("What is the weather like?")
    stuck.get_by_role("link", name="Pupil 30").click()
    expect(page.get_by_text("What is the weather like?").first).to_be_visible()

    # A gate is opened for all of them: the second, which nobody of the three has won.
    assert pupils[29].post("/keep/told/attempts", message="Hello?") == 403
    page.go_back()
    page.get_by_role("link", name="Lead", exact=True).click()
    gate = page.locator(".lead-list__item").nth(1)
    gate.get_by_role("button", name=re.compile("^Open")).first.click()
    expect(page.locator(".lead-list__item").nth(1)).to_contain_text("open")
    assert pupils[29].post("/keep/told/attempts", message="Hello?") == 200

    # Nobody new gets in.
    page.get_by_role("link", name="People", exact=True).click()
    page.get_by_role("link", name="Join code").click()
    code = page.locator(".projected__code").inner_text().strip()
    page.get_by_role("button", name="Close the class").click()
    expect(page.get_by_text("Your class is closed").first).to_be_visible()
    late = windows(site)
    late.go(f"/join?code={code}")
    expect(late.page.get_by_text("nobody new").first).to_be_visible()

    # The table to take away.
    class_id = re.search(r"/classes/(\d+)/", page.url)
    assert class_id is not None
    answer = teacher.context.request.get(
        f"{site.url}/teach/classes/{class_id[1]}/csv/progress"
    )
    rows = list(csv.reader(io.StringIO(answer.body().decode("utf-8-sig"))))
    assert [row[0] for row in rows[1:]] == NAMES


def be_busy_for(site: Site, name: str, *, minutes: int) -> None:
    """Let somebody have got no further for so long: nobody waits in a test."""
    earlier = (datetime.now(UTC) - timedelta(minutes=minutes)).replace(tzinfo=None)
    with closing(sqlite3.connect(site.instance / "wordkeep.db", timeout=10)) as rows:
        rows.execute(
            "update level_states set progress_at = ?, first_at = ? where player_id ="
            " (select id from players where name = ?)",
            (str(earlier), str(earlier), name),
        )
        rows.commit()
