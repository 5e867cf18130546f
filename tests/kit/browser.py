"""A browser without scripts, for the pages of the app in this process."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from webapp.content.store import ContentStore
from webapp.domain.play import visits
from webapp.domain.services import Services
from webapp.rows import Player, Visit

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Browser:
    """Opens pages, and sends their forms with the token they came with."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client: FlaskClient = app.test_client()
        self.token = ""

    def get(self, path: str, **more: Any) -> TestResponse:
        """Open a page; keep its token for the forms on it."""
        response = self.client.get(path, **more)
        is_page = response.mimetype == "text/html"
        found = TOKEN.search(response.text) if is_page else None
        if found:
            self.token = found[1]
        return response

    def post(
        self, path: str, data: Mapping[str, Any] | None = None, **more: Any
    ) -> Any:
        """Send a form."""
        if not self.token:
            self.get("/")
        fields = {"csrf_token": self.token, **(data or {})}
        return self.client.post(path, data=fields, **more)

    def swap(self, path: str, data: Mapping[str, Any] | None = None) -> Any:
        """Send a form as htmx does."""
        return self.post(path, data, headers={"HX-Request": "true"})

    def copy(self) -> Browser:
        """Return a browser with the cookies and the token of this one."""
        other = Browser(self.app)
        other.client._cookies = {**(self.client._cookies or {})}
        other.token = self.token
        return other

    def send_late(
        self, path: str, data: Mapping[str, Any] | None = None
    ) -> Callable[[], None]:
        """Open a page or send a form now; return what lets the answer arrive."""
        other = self.copy()
        answer = other.get(path) if data is None else other.post(path, data)
        brought = answer.headers.getlist("Set-Cookie")
        answer.close()
        return lambda: self.client._update_cookies_from_response(
            "localhost", path, brought
        )

    def cookies(self) -> dict[str, str]:
        """Return what the site has put into this browser."""
        return {
            cookie.key: cookie.value for cookie in (self.client._cookies or {}).values()
        }

    def restart(self, *, keeps_nothing: bool = False) -> None:
        """Close the browser: only cookies with a date are kept, or none at all."""
        self.client._cookies = {
            place: cookie
            for place, cookie in (self.client._cookies or {}).items()
            if cookie.expires and not keeps_nothing
        }

    def play(self, name: str = "") -> Browser:
        """Start a game; return this browser."""
        response = self.post("/play", {"name": name})
        assert response.status_code == 303, response.text
        self.get("/keep")
        return self

    @property
    def services(self) -> Services:
        """What the site works with."""
        found: Services = self.app.extensions["wordkeep"]
        return found

    def limit(self, **limits: Any) -> None:
        """Change settings of the site."""
        settings = self.services.settings.but(**limits)
        services = replace(self.services, settings=settings)
        self.app.extensions["wordkeep"] = services

    def use_content(self, root: Path) -> None:
        """Let the site read its levels again."""
        services = replace(self.services, content=ContentStore([root]))
        self.app.extensions["wordkeep"] = services

    def player_id(self) -> int:
        """Return the id of the player of this browser."""
        with self.client.session_transaction() as session:
            return int(session["_user_id"].partition(".")[0])

    def password(self, level_id: str) -> str:
        """Return the password of this player's present visit."""
        with self.services.db.write() as session:
            player = session.get_one(Player, self.player_id())
            level = self.services.content.current().level(level_id)
            visit: Visit = visits.current_visit(
                session, self.services, player=player, level=level
            )
            return visits.visit_secret(self.services, visit, level).reveal()

    def win(self, level_id: str) -> None:
        """Open a gate."""
        guess = self.password(level_id)
        response = self.post(f"/keep/{level_id}/guesses", {"guess": guess})
        assert response.status_code == 303


def text_of(page: str) -> str:
    """Return what a person reads on a page, roughly: without tags, on one line."""
    plain = re.sub(r"<(script|style|template)\b.*?</\1>|<[^>]+>", " ", page, flags=re.S)
    return " ".join(html.unescape(plain).split())
