"""No password is a word that the site itself says: it would be found by reading."""

from __future__ import annotations

import html
import re

from flask import Flask

from tests.kit.browser import text_of
from tests.kit.content import SHIPPED
from tests.kit.leaks import page_urls, sign_in


def words_of(text: str) -> set[str]:
    """Return the words of a text, in small letters."""
    return set(re.findall(r"[^\W\d_]+", html.unescape(text).casefold()))


def test_no_password_stands_on_a_page_or_in_a_level(app: Flask) -> None:
    services = app.extensions["wordkeep"]
    passwords = {
        word.casefold()
        for path in (SHIPPED / "words").glob("*.txt")
        for word in services.content.current().words(path.stem)
    }
    # A made-up name, because it stands on every page.
    viewer = sign_in(app, "Qwertzuiop", role="instructor")
    said = {
        url: words_of(text_of(viewer.browser.get(url).text))
        for url in page_urls(app)
        # Cards name data and quote what models say, not in words of the site.
        if not url.startswith("/models")
    }
    for path in SHIPPED.glob("game/*/*.yaml"):
        said[path.name] = words_of(path.read_text())
    found = {where: words & passwords for where, words in said.items()}
    assert {where: words for where, words in found.items() if words} == {}
