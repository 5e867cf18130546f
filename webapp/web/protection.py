"""What keeps attackers out: seals of forms, limits on sign-up and sign-in, headers."""

from __future__ import annotations

from flask import Flask, Response, request

from webapp.web import seals
from webapp.web.context import services, services_of
from webapp.web.limits import limiter

POLICY = "; ".join(
    (
        "default-src 'self'",
        "base-uri 'none'",
        "object-src 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


def init_app(app: Flask) -> None:
    """Switch on all protections of the pages."""
    settings = services_of(app).settings
    app.config.setdefault("RATELIMIT_STORAGE_URI", settings.redis_url or "memory://")
    seals.init_app(app)
    limiter.init_app(app)
    app.after_request(_add_headers)


def sign_ins() -> str:
    """Return the limit of sign-in tries: per minute, and five times that an hour."""
    limit = services().settings.sign_ins_per_minute
    return f"{limit}/minute;{5 * limit}/hour"


def account() -> str:
    """Return the account that a sign-in is for, as the key of a limit."""
    return "account:" + " ".join(request.form.get("name", "").split()).casefold()


def _add_headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if request.endpoint != "static":
        # Pages are personal, and each has both a whole and a partial form.
        headers.setdefault("Cache-Control", "no-store")
        response.vary.add("HX-Request")
    return response
