"""The same use cases as JSON, the document that describes them, and /health."""

from __future__ import annotations

from flask import Flask

from webapp.api import calls, health, openapi, problems, reference


def register(app: Flask) -> None:
    """Add /api/v1, its page at /api, and /health. Call it after the pages."""
    problems.init_app(app)
    for api in calls.APIS:
        app.register_blueprint(api.blueprint, url_prefix="/api/v1")
    for module in (openapi, reference, health):
        app.register_blueprint(module.bp)
