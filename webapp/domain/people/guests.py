"""Guests: players who have not chosen a name yet, made as they first do something."""

from __future__ import annotations

import secrets
from typing import Final

from webapp.domain.people.accounts import NewPlayer
from webapp.domain.people.joining import join
from webapp.domain.services import Services
from webapp.errors import Conflict

# More digits each time, so that a free number is found however many guests there are.
_DIGITS: Final = (4, 5, 6, 8)


def become_guest(services: Services, *, form: str) -> NewPlayer:
    """Join the open class as a guest, on no board; a double click makes one guest.

    `form` is a mark that only this form in this browser has.
    """
    for digits in _DIGITS:
        number = secrets.randbelow(9 * 10 ** (digits - 1)) + 10 ** (digits - 1)
        try:
            return join(services, form=form, name=f"Guest {number}", is_listed=False)
        except Conflict:
            continue
    raise Conflict("No name for a guest was free. Choose a nickname and join.")
