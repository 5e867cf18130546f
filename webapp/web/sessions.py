"""What a browser brings along: who it is, the seal of its forms, messages to show."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, cast

from flask import g, session
from flask.sessions import SecureCookieSession

# The names under which Flask, Flask-WTF and Flask-Login keep these.
SEAL: Final = "csrf_token"
MESSAGES: Final = "_flashes"
WHO: Final = frozenset({"_user_id", "_fresh", "_id", "_permanent", SEAL})
NUMBER: Final = "_number"


class Cookie(NamedTuple):
    """A cookie that this instance has written, as it came back."""

    name: str
    content: Any
    written_at: datetime


class Session(SecureCookieSession):
    """The session of a browser; `webapp.web.cookies` says how it travels.

    Args:
        who: what said who this is, if anything did.
        told: what brought messages to show.
        others: what features have kept in this browser, by their keys.
        spent: the names of cookies that count no more.
    """

    def __init__(
        self,
        who: Cookie | None = None,
        *,
        told: Sequence[Cookie] = (),
        others: Mapping[str, Any] | None = None,
        spent: Sequence[str] = (),
    ) -> None:
        self.came_as, self.told_by, self.spent = who, told, spent
        self.others_before = dict(others or {})
        # Also in a cookie of the time when one had everything.
        content = dict(who.content) if who else {}
        self.messages_before = [
            *content.pop(MESSAGES, ()),
            *(message for one in told for message in one.content),
        ]
        self.number = int(content.pop(NUMBER, 0)) if who else -1
        self.next_number = self.number + 1
        self.who_before = {key: content[key] for key in WHO & content.keys()}
        super().__init__({**content, **self.others_before})
        if self.messages_before:
            self[MESSAGES] = [*self.messages_before]
        self.modified = False

    @property
    def who(self) -> dict[str, Any]:
        """Who this is, and the seal."""
        return {key: self[key] for key in WHO & self.keys()}

    @property
    def others(self) -> dict[str, Any]:
        """What features keep in this browser."""
        return {key: self[key] for key in self.keys() - WHO - {MESSAGES}}

    @property
    def messages(self) -> list[Any]:
        """What is still to be shown, oldest first: pairs of kind and text."""
        return list(self.get(MESSAGES, ()))


def start_over(now: datetime) -> None:
    """Forget all that this browser brought, and give it a new seal.

    The session that begins counts more than any that was begun before `now`, whichever
    cookie arrives first.
    """
    mine = _mine()
    mine.clear()
    mine.next_number = max(mine.next_number, int(now.timestamp() * 1000))
    # For as long as an older one that arrives later could live.
    mine.permanent = True
    # Here, and not by the next page: of two at once, each would make one of its own.
    mine[SEAL] = secrets.token_hex(20)
    # What was made of the seal before, for a form of this request.
    g.pop(SEAL, None)


def give_way() -> None:
    """Let what this request changes count less than a sign-in that is under way."""
    _mine().next_number = 0


def _mine() -> Session:
    return cast(Session, cast(Any, session)._get_current_object())
