"""A list becomes cards on paper, and a card becomes a player who is signed in."""

from __future__ import annotations

import re

from playwright.sync_api import expect

PASSWORD = "a long enough password"


def test_from_a_list_to_a_pdf_and_from_a_card_into_the_game(windows, site) -> None:
    site.add_instructor("Ms Card", PASSWORD)
    teacher = windows(site)
    teacher.sign_in("Ms Card", PASSWORD)
    page = teacher.page
    teacher.go("/teach/classes/new")
    page.get_by_label("Name of the class").fill("Cards")
    page.get_by_role("button", name="Make the class").click()
    page.get_by_role("link", name="Add from a list").click()
    names = [f"Card {number}" for number in range(1, 13)]
    page.get_by_label("Names, one in each line").fill("\n".join(names))
    page.get_by_role("button", name="Look at the list").click()
    page.get_by_role("button", name="Add 12 players and show the cards").click()
    cards = page.locator(".card-out")
    expect(cards).to_have_count(12)
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    teacher.assert_fits()
    pdf = page.pdf(prefer_css_page_size=True)
    # Ten on a page of A4.
    assert len(re.findall(rb"/Type\s*/Page[^s]", pdf)) == 2
    assert re.search(rb"/MediaBox ?\[0 0 59[45][.\d]* 84[12][.\d]*\]", pdf)

    code = cards.first.locator(".code-word").inner_text()
    pupil = windows(site)
    pupil.go(f"/recover#{code}")
    expect(pupil.page.get_by_label("Recovery code")).to_have_value(code)
    assert "#" not in pupil.page.url
    pupil.page.keyboard.press("Enter")
    expect(pupil.page.get_by_role("link", name="Card 1")).to_be_visible()
