"""Limits on what comes from one address: the same ones for pages and API."""

from __future__ import annotations

from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from webapp.web.context import services

TOO_MANY_NEW = "Too many new players from this network at once. Wait a little."

limiter = Limiter(get_remote_address, headers_enabled=True)


def sign_ups() -> str:
    """Return the limit of new players from one address."""
    return f"{services().settings.sign_ups_per_hour}/hour"


# One count for all the ways to join.
sign_up_limit = limiter.shared_limit(
    sign_ups, scope="sign-ups", error_message=TOO_MANY_NEW
)
