"""What keeps attackers out: seals of forms, limits on sign-up and sign-in, headers."""

from __future__ import annotations

from flask import Flask, Response, request

from webapp.domain.people.names import NAME_PARTS
from webapp.text.names import name_key
from webapp.web import counters, hosts, seals, seats, uploads

POLICY = "; ".join(
    (
        "default-src 'self'",
        "base-uri 'none'",
        "object-src 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

# For as long as this a browser asks over HTTPS only. Not for a year: whoever gives TLS
# up must be reachable again.
HTTPS_SECONDS = 30 * 86_400


def init_app(app: Flask) -> None:
    """Switch on all protections of the pages."""
    hosts.init_app(app)
    counters.init_app(app)
    # The seal is a field of the form: how large that may be comes before.
    uploads.init_app(app)
    seals.init_app(app)
    seats.init_app(app)
    app.after_request(_add_headers)


def account() -> str:
    """Return the account that a sign-in is for, as the key of a limit."""
    return "account:" + name_key(request.form.get("name", ""))[: NAME_PARTS + 1]


def _add_headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", f"max-age={HTTPS_SECONDS}")
    if request.endpoint != "static":
        # Pages are personal, and each has both a whole and a partial form.
        headers.setdefault("Cache-Control", "no-store")
        response.vary.add("HX-Request")
    return response
