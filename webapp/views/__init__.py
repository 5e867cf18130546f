"""The HTML pages: each view parses, calls one use case, and renders."""

from __future__ import annotations

from flask import Flask

from webapp.views.models.cards import bp as card_pages
from webapp.views.pages import bp as plain_pages
from webapp.views.patterns import bp as patterns_pages
from webapp.views.people.accounts import bp as people_pages
from webapp.views.play.keep import bp as keep_pages
from webapp.views.play.leaderboard import bp as leaderboard_pages
from webapp.views.play.notebook import bp as notebook_pages
from webapp.views.teach.calibration import bp as teach_pages
from webapp.views.welcome import bp as welcome_pages
from webapp.web import context, faults, protection, rendering


def register(app: Flask) -> None:
    """Add the pages, sign-in, protection and error pages to the site."""
    context.init_app(app)
    protection.init_app(app)
    rendering.init_app(app)
    faults.init_app(app)
    for blueprint in (
        welcome_pages,
        people_pages,
        keep_pages,
        notebook_pages,
        leaderboard_pages,
        plain_pages,
        card_pages,
        teach_pages,
    ):
        app.register_blueprint(blueprint)
    if context.services_of(app).settings.debug_pages:
        app.register_blueprint(patterns_pages)
