"""A pretend service that fails as real ones do: now too busy, now out of order.

It keeps nothing: what it must know of the last call comes with the next one. The same
seed fails in the same order, so that two ways of trying again can be compared.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Final

from webapp.errors import InvalidInput

CITY_CHARS: Final = 40
# What happens in each round of calls, in an order that the seed decides.
_ROUND: Final = ("busy", "down", "busy", "fine")
SKIES: Final = ("sunny", "cloudy", "clear", "wet", "grey")
OK, TOO_MANY, UNAVAILABLE = 200, 429, 503


@dataclass(frozen=True, slots=True)
class Past:
    """How many calls were answered before, and until when none will be."""

    calls: int = 0
    busy_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """An answer of the service; `retry_after` are the seconds that it asks for."""

    status: int
    body: dict[str, str | int]
    past: Past
    retry_after: int | None = None


def ask(*, city: str, seed: int, past: Past, now: datetime) -> Report:
    """Return what the service answers; raise InvalidInput without a city."""
    name = " ".join(city.split())
    if not name or len(name) > CITY_CHARS:
        raise InvalidInput("Name a city, as in ?city=Rome.")
    left = past.busy_until - now.timestamp()
    if left > 0:
        return _busy(ceil(left), past)
    after = Past(past.calls + 1)
    match _what_happens(seed, past.calls):
        case "busy":
            seconds = 1 + (seed + past.calls) % 3
            until = now.timestamp() + seconds
            return _busy(seconds, Past(after.calls, until))
        case "down":
            error = "The service is out of order. Try again soon."
            return Report(UNAVAILABLE, {"error": error}, after)
    return Report(OK, _weather(name), after)


def _busy(seconds: int, past: Past) -> Report:
    error = f"Too many requests. Come back in {seconds} s."
    return Report(TOO_MANY, {"error": error}, past, seconds)


def _what_happens(seed: int, call: int) -> str:
    turn, place = divmod(call, len(_ROUND))
    chance = random.Random(f"{seed} {turn}")  # noqa: S311 -- a game of turns, no secret
    return chance.sample(_ROUND, len(_ROUND))[place]


def _weather(city: str) -> dict[str, str | int]:
    chance = random.Random(city.casefold())  # noqa: S311 -- made-up weather
    return {
        "city": city,
        "sky": chance.choice(SKIES),
        "degrees": chance.randrange(-5, 35),
        "note": "made up",
    }
