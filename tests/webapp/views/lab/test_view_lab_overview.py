"""The page of the lab."""

from __future__ import annotations

from flask import Flask

from tests.kit.browser import Browser
from webapp.views.lab.overview import CARDS


def test_every_bench_has_its_card_for_anybody(app: Flask) -> None:
    page = Browser(app).get("/lab").text
    assert 'aria-current="page">Lab' in page
    for card in CARDS:
        assert card.title in page
        assert card.text in page
