"""Pages of other sites that send forms to this one, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

TRAP = """<!doctype html><title>Trap</title>
<form method="post" action="{}"><input name="is_sure" value="y"></form>
<script>document.forms[0].submit()</script>"""


@pytest.mark.parametrize("origin", ["http://127.0.0.1:9", "http://elsewhere.test"])
@pytest.mark.parametrize("path", ["/me/delete", "/nowhere"])
def test_a_trap_changes_nothing(windows, site, origin, path):
    window = windows(site)
    window.begin()
    window.page.route(
        f"{origin}/trap",
        lambda route: route.fulfill(
            content_type="text/html", body=TRAP.format(site.url + path)
        ),
    )
    before = window.context.cookies()
    window.page.goto(f"{origin}/trap")
    window.page.wait_for_url(site.url + path)
    expect(window.page.get_by_text("page of another site")).to_be_visible()
    assert window.page.locator("form, a").count() == 0
    assert window.context.cookies() == before
    window.go("/me")
    expect(window.page.get_by_role("heading", level=1)).to_have_text(window.name)
    # The trap itself is the one request elsewhere.
    window.requests.remove(f"{origin}/trap")
