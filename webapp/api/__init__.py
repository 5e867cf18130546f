"""The same use cases as JSON, their document, and /health and /metrics."""

from __future__ import annotations

from flask import Flask

from webapp.api import calls, health, metrics, openapi, problems, reference


def register(app: Flask) -> None:
    """Add /api/v1, its page at /api, /health and /metrics. Call it after the pages."""
    problems.init_app(app)
    for api in calls.APIS:
        app.register_blueprint(api.blueprint, url_prefix="/api/v1")
    for module in (openapi, reference, health, metrics):
        app.register_blueprint(module.bp)
