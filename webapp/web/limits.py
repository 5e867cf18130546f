"""Limits on what comes from one address: the same ones for pages and API.

What may be wrong, such as a password or a code, is counted when it is: a class behind
one address gets in, however many its pupils are.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from flask import request
from limits import RateLimitItem, parse

from webapp.errors import LabError, QuotaExceeded
from webapp.networks import network_of
from webapp.web import seats
from webapp.web.context import player_id, services
from webapp.web.counters import counters

TOO_MANY_NEW: Final = "Too many new players from this network at once. Wait a little."
TOO_MANY_TRIES: Final = (
    "Too many sign-ins from this network had a wrong password or code. Wait a little."
)
TOO_MANY_NAMED: Final = (
    "Too many sign-ins under this name had a wrong password. Wait a little, or come "
    "back with your recovery code."
)
TOO_MANY_OWN: Final = "Too many wrong passwords or codes. Wait a little."
# The errors that say that a person got something wrong.
WRONG: Final = frozenset({"wrong_sign_in", "wrong_code", "wrong_password", "join_code"})


class TooMany(QuotaExceeded):
    """A limit of an address or an account is used up; `told` is how a page names it."""

    def __init__(self, message: str, *, item: RateLimitItem, whose: str, wait: float):
        period = item.GRANULARITY.name
        super().__init__(
            message,
            scope=f"{whose}/{period}",
            retry_after=max(1, math.ceil(wait)),
        )
        self.told = f"{item.amount} per {period}"


@dataclass(frozen=True, slots=True)
class _Limit:
    """So many in a period, for one key of a kind: an address, an account, or both."""

    item: RateLimitItem
    whose: str
    key: str
    message: str

    def take(self) -> bool:
        """Count one; return whether it was still within the limit."""
        return counters().hit(self.item, self.whose, self.key)

    def give_back(self) -> None:
        """Count one less."""
        counters().hit(self.item, self.whose, self.key, cost=-1)

    def exceeded(self) -> TooMany:
        """Return what to say, with the true wait: a part of the period has passed."""
        window = counters().window(self.item, self.whose, self.key)
        return TooMany(
            self.message,
            item=self.item,
            whose=self.whose.partition(" ")[2],
            wait=window.reset_time - time.time(),
        )


@contextmanager
def sign_up() -> Iterator[None]:
    """Let a new player in; one that is refused for another reason does not count."""
    amount = services().settings.sign_ups_per_hour
    limits = _limits("join", "address", _address(), TOO_MANY_NEW, f"{amount}/hour")
    with _counted(limits, when=lambda error: error is None):
        yield


@contextmanager
def sign_in_try(account: str) -> Iterator[None]:
    """Let somebody try a password; count it if it is wrong.

    Few at one account from one address; many more at one account from anywhere, so
    that nobody locks the owner out from elsewhere; and as many from one address as a
    class needs.
    """
    each = services().settings.sign_ins_per_minute
    known = _short(account)
    here = f"{_address()} {known}"
    strict, slow = f"{each}/minute;{5 * each}/hour", f"{20 * each}/hour"
    limits = (
        *_limits("here", "account", here, TOO_MANY_NAMED, strict),
        *_limits("anywhere", "account", known, TOO_MANY_NAMED, slow),
        *_address_limits(each),
    )
    with seats.seat(), _counted(limits, when=_is_wrong):
        yield


@contextmanager
def code_try() -> Iterator[None]:
    """Let somebody try a recovery or class code; count it if it is wrong."""
    each = services().settings.sign_ins_per_minute
    with _counted(_address_limits(each), when=_is_wrong):
        yield


@contextmanager
def own_try() -> Iterator[None]:
    """Let a signed-in player try a password or code; count it if it is wrong."""
    each = services().settings.sign_ins_per_minute
    rates = f"{each}/minute;{5 * each}/hour"
    limits = _limits("own", "player", str(player_id()), TOO_MANY_OWN, rates)
    with seats.seat(), _counted(limits, when=_is_wrong):
        yield


def _address_limits(each: int) -> list[_Limit]:
    rates = f"{10 * each}/minute;{50 * each}/hour"
    return _limits("tries", "address", _address(), TOO_MANY_TRIES, rates)


def _limits(what: str, whose: str, key: str, message: str, rates: str) -> list[_Limit]:
    return [
        _Limit(parse(rate), f"{what} {whose}", key, message)
        for rate in rates.split(";")
    ]


@contextmanager
def _counted(
    limits: Sequence[_Limit], *, when: Callable[[LabError | None], bool]
) -> Iterator[None]:
    """Count what happens inside under each limit, if it is to count by its end.

    It counts from the start and may be given back: of many at the same moment, no more
    than the limit are let through.
    """
    taken: list[_Limit] = []
    is_counted = False
    try:
        for limit in limits:
            taken.append(limit)
            if not limit.take():
                raise limit.exceeded()
        yield
        is_counted = when(None)
    except TooMany:
        raise
    except LabError as error:
        is_counted = when(error)
        raise
    finally:
        if not is_counted:
            for limit in taken:
                limit.give_back()


def _is_wrong(error: LabError | None) -> bool:
    return error is not None and error.code in WRONG


def _short(text: str) -> str:
    """Return a key of a length that does not depend on what was typed."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _address() -> str:
    return network_of(request.remote_addr or "")
