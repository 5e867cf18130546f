"""How a session travels: in cookies that no late answer can undo.

Several requests of one browser are under way at once, and their answers arrive in any
order. If each carried the whole session as it was when its request came, a late one
would undo what another has changed: a message is lost, or a sign-in. So:

- Who this is, with the seal of the forms, is in a cookie with a number in its name. A
  change makes one with a higher number, and the highest counts. A late answer can only
  put an older one beside it, which the next page removes.
- The messages of an answer are in a cookie of their own, which only the page that shows
  them removes.
- What a feature keeps in the browser is in a cookie of its own, too.

An answer writes what it has changed and nothing else. Once a day a page sends again, as
it came, what says who this is: it lives for as long as somebody comes.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from flask import Flask, Request, Response, g, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadData, URLSafeTimedSerializer

from webapp.web.context import services
from webapp.web.sessions import NUMBER, WHO, Cookie, Session

RENEWED_AFTER: Final = timedelta(days=1)
# The page that shows them comes within seconds.
MESSAGE_SECONDS: Final = 600
# A cookie holds no more.
MOST_MESSAGES: Final = 5

# In names, after that of the instance. Who this is has a dot and its number there, or
# nothing for number 0.
_MESSAGES: Final = "-messages."
_OTHER: Final = "-other."


class Cookies(SecureCookieSessionInterface):
    """Reads sessions out of cookies, and writes into cookies what has changed."""

    def get_cookie_secure(self, app: Flask) -> bool:
        """Tell whether a cookie is for HTTPS only: it is if this page came by it."""
        return is_https_only()

    def open_session(self, app: Flask, request: Request) -> Session:
        """Return what the browser brings of what this instance has written."""
        who: list[Cookie] = []
        told: list[Cookie] = []
        others: dict[str, Any] = {}
        spent: list[str] = []
        base = self.get_cookie_name(app)
        for name, text in request.cookies.items():
            if not name.startswith(base):
                continue
            kind = name.removeprefix(base)
            found = self._read(app, name, text)
            if found is None:
                spent.append(name)
            elif kind.startswith(_MESSAGES):
                told.append(found)
            elif kind.startswith(_OTHER):
                others[kind.removeprefix(_OTHER)] = found.content
            else:
                who.append(found)
        who.sort(key=lambda one: int(one.content.get(NUMBER, 0)))
        spent += [one.name for one in who[:-1]]
        return Session(who[-1] if who else None, told=told, others=others, spent=spent)

    def save_session(
        self, app: Flask, session: SessionMixin, response: Response
    ) -> None:
        """Write what has changed; a page also removes what counts no more.

        The answer for a part that is fetched again and again writes nothing: what it
        shows is not what somebody has done. Neither does one to a form that nothing has
        proved to be the visitor's own (`g.is_quiet`).
        """
        mine = cast(Session, session)
        if mine.accessed:
            response.vary.add("Cookie")
        is_refresh = request.method == "GET" and "HX-Request" in request.headers
        is_page = response.mimetype == "text/html"
        is_idle = not (mine.modified or is_page)
        if is_idle or is_refresh or g.get("is_quiet", False):
            return
        spent = [
            *mine.spent,
            *self._write_who(app, mine, response),
            *self._write_messages(app, mine, response),
            *self._write_others(app, mine, response),
        ]
        for name in spent:
            response.delete_cookie(name, **self._marks(app))

    def _write_who(self, app: Flask, mine: Session, response: Response) -> list[str]:
        """Write who this is if that is due; return the names that count no more."""
        is_changed = mine.who != mine.who_before
        if not (is_changed or _is_due(mine.came_as)):
            return []
        number = mine.next_number if is_changed else mine.number
        name = self.get_cookie_name(app) + (f".{number}" if number else "")
        content = mine.who | {NUMBER: number}
        self._write(app, response, name, content, self.get_expiration_time(app, mine))
        before = mine.came_as.name if mine.came_as else name
        return [before] if before != name else []

    def _write_messages(
        self, app: Flask, mine: Session, response: Response
    ) -> list[str]:
        """Write what is left to show if that has changed; return what had it before."""
        if mine.messages == mine.messages_before:
            return []
        if mine.messages:
            name = self.get_cookie_name(app) + _MESSAGES + secrets.token_hex(4)
            expires = datetime.now(UTC) + timedelta(seconds=MESSAGE_SECONDS)
            self._write(app, response, name, mine.messages[-MOST_MESSAGES:], expires)
        return [one.name for one in mine.told_by]

    def _write_others(self, app: Flask, mine: Session, response: Response) -> list[str]:
        """Write what features have changed; return the names of what is gone."""
        start = self.get_cookie_name(app) + _OTHER
        expires = self.get_expiration_time(app, mine)
        for key, content in mine.others.items():
            if content != mine.others_before.get(key):
                self._write(app, response, start + key, content, expires)
        return [start + key for key in mine.others_before.keys() - mine.others.keys()]

    def _write(
        self,
        app: Flask,
        response: Response,
        name: str,
        content: object,
        expires: datetime | None,
    ) -> None:
        text = self._signer(app).dumps(content, salt=self._salt(app, name))
        response.set_cookie(name, text, expires=expires, **self._marks(app))
        response.vary.add("Cookie")

    def _read(self, app: Flask, name: str, text: str) -> Cookie | None:
        """Return a cookie of this instance; None if it is a stranger's or too old."""
        try:
            content, written_at = self._signer(app).loads(
                text,
                max_age=int(app.permanent_session_lifetime.total_seconds()),
                return_timestamp=True,
                salt=self._salt(app, name),
            )
        except BadData:
            return None
        return Cookie(name, content, written_at)

    def _salt(self, app: Flask, name: str) -> str | None:
        """Return what binds a cookie to its name; who this is has its number inside."""
        kind = name.removeprefix(self.get_cookie_name(app))
        return kind if kind.startswith((_MESSAGES, _OTHER)) else None

    def _signer(self, app: Flask) -> URLSafeTimedSerializer:
        return cast(URLSafeTimedSerializer, self.get_signing_serializer(app))

    def _marks(self, app: Flask) -> dict[str, Any]:
        """Return how a browser shall keep each of these cookies."""
        return {
            "path": self.get_cookie_path(app),
            "domain": self.get_cookie_domain(app),
            "secure": self.get_cookie_secure(app),
            "httponly": self.get_cookie_httponly(app),
            "samesite": self.get_cookie_samesite(app),
        }


def is_https_only() -> bool:
    """Tell whether cookies of this answer are for HTTPS only.

    A trusted proxy says how the page was asked for, or the setting says it for all.
    """
    return request.is_secure or services().settings.secure_cookies


def _is_due(came_as: Cookie | None) -> bool:
    """Tell whether a cookie is to be sent again: it is old, or has more than who."""
    if came_as is None:
        return False
    is_old = datetime.now(UTC) - came_as.written_at >= RENEWED_AFTER
    return is_old or not came_as.content.keys() <= {*WHO, NUMBER}
