"""From which site a form was sent, as the browser tells it."""

from __future__ import annotations

from enum import Enum
from urllib.parse import SplitResult

from flask import request

from webapp.web.reading import parts_of

_PORTS = {"http": 80, "https": 443}


class Sender(Enum):
    """Who sent a form, by what no page can forge in a browser."""

    HERE = "a page of this site"
    ELSEWHERE = "a page of another site"
    # The origin has another host than the request: another site, or a proxy in front
    # that asks for this one under another name.
    UNLIKE = "a page under another address"
    # Old browsers and programs say nothing.
    UNSAID = "not said"


def sender() -> Sender:
    """Return who sent the form of this request.

    Sec-Fetch-Site counts most: the browser itself compares the two addresses. Over
    plain HTTP it is not sent, and Origin (or else Referer) is compared with Host.
    """
    fetched = request.headers.get("Sec-Fetch-Site", "none").strip().lower()
    if fetched == "same-origin":
        return Sender.HERE
    # "none" is a person's own doing, such as a restored tab.
    if fetched != "none":
        return Sender.ELSEWHERE
    origin = said_origin()
    if not origin:
        return Sender.UNSAID
    return Sender.HERE if _is_own(parts_of(origin)) else Sender.UNLIKE


def said_origin() -> str:
    """Return what the browser says of the page that sent this; empty if nothing."""
    return (request.headers.get("Origin") or request.referrer or "").strip()


def _is_own(origin: SplitResult) -> bool:
    if origin.scheme not in _PORTS or (request.is_secure and origin.scheme == "http"):
        return False
    # The scheme is the browser's: a proxy that ends TLS asks over plain HTTP.
    own = parts_of(f"{origin.scheme}://{request.host}")
    usual = _PORTS[origin.scheme]
    # Under a name that cannot be read, the site is nobody's own.
    return bool(own.hostname) and (origin.hostname, origin.port or usual) == (
        own.hostname,
        own.port or usual,
    )
