"""Limits on what comes from one address: the same ones for pages and API."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from flask_limiter import Limiter, RateLimitExceeded
from flask_limiter.util import get_remote_address

from webapp.web.context import services

TOO_MANY_NEW = "Too many new players from this network at once. Wait a little."

# Without its headers: it would tell those who were let in to wait as well.
limiter = Limiter(get_remote_address)


@dataclass(frozen=True, slots=True)
class Reached:
    """A limit that is used up: how many in which period, and the seconds to wait."""

    amount: int
    period: str
    wait: int


def reached(error: RateLimitExceeded) -> Reached:
    """Return which limit refused this request, and when it will let one in again."""
    of_request = limiter.current_limit
    # Not the length of the period: a part of it has passed.
    wait = of_request.window.reset_time - time.time() if of_request else 0
    limit = error.limit.limit
    return Reached(limit.amount, limit.GRANULARITY.name, max(1, math.ceil(wait)))


def sign_ups() -> str:
    """Return the limit of new players from one address."""
    return f"{services().settings.sign_ups_per_hour}/hour"


# One count for all the ways to join.
sign_up_limit = limiter.shared_limit(
    sign_ups, scope="sign-ups", error_message=TOO_MANY_NEW
)
