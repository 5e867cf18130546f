"""Browsers for what pages share, on the small keep."""

from tests.webapp.views.conftest import app, browser, new_browser, player

__all__ = ["app", "browser", "new_browser", "player"]
