"""Who is asking, and with which services."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, current_app, redirect, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user, login_user
from werkzeug.wrappers import Response

from webapp.domain.people import accounts
from webapp.domain.people.accounts import PlayerInfo
from webapp.domain.services import Services
from webapp.errors import Forbidden, NotSignedIn

P = ParamSpec("P")
R = TypeVar("R")


class Visitor(UserMixin):  # type: ignore[misc]
    """A signed-in player, as Flask-Login keeps it."""

    def __init__(self, player: PlayerInfo) -> None:
        self.player = player

    def get_id(self) -> str:
        """Return id and stamp: a changed password signs out all other browsers."""
        return f"{self.player.id}.{self.player.session_stamp}"


def init_app(app: Flask) -> None:
    """Set up sign-in."""
    manager = LoginManager(app)
    manager.user_loader(_load)
    manager.unauthorized_handler(_ask_who)


def services_of(app: Flask) -> Services:
    """Return the services of an app."""
    return cast(Services, app.extensions["wordkeep"])


def services() -> Services:
    """Return the services of the current app."""
    return services_of(current_app)


def player() -> PlayerInfo | None:
    """Return the signed-in player, if there is one."""
    if not current_user.is_authenticated:
        return None
    return cast(PlayerInfo, current_user.player)


def player_id() -> int:
    """Return the id of the signed-in player of a page that needs one."""
    return cast(PlayerInfo, current_user.player).id


def caller() -> PlayerInfo:
    """Return the player of the bearer token; cookies are ignored here."""
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        raise NotSignedIn(
            "Send your token in the header “Authorization: Bearer <token>”. "
            "POST /api/v1/players gives you one, and so does your page /me."
        )
    player = accounts.player_by_token(services(), given.token)
    if player is None:
        raise NotSignedIn(
            "This token belongs to nobody: it was replaced, or mistyped.",
            code="wrong_token",
        )
    return player


def sign_in(player_id: int) -> None:
    """Make this browser the player's, for as long as the session lasts."""
    info = accounts.player_info(services(), player_id)
    if info is not None:
        session.permanent = True
        login_user(Visitor(info))


def player_required(view: Callable[P, R]) -> Callable[P, R]:
    """Let only players in; others are asked who they are."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if player() is None:
            return cast(R, _ask_who())
        return view(*args, **kwargs)

    return guarded


def instructor_required(view: Callable[P, R]) -> Callable[P, R]:
    """Let only instructors in."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        info = player()
        if info is None:
            return cast(R, _ask_who())
        if not info.is_instructor:
            raise Forbidden("This page is for instructors.")
        return view(*args, **kwargs)

    return guarded


def is_partial() -> bool:
    """Tell whether htmx asks for a part of a page."""
    return request.headers.get("HX-Request") == "true"


def safe_next(target: str | None, fallback: str) -> str:
    """Return `target` if it is a path on this site; else `fallback`."""
    if not target or not target.startswith("/") or len(target) > 500:
        return fallback
    # Browsers read a backslash as a slash and skip control characters.
    if "\\" in target or any(ord(character) < 0x20 for character in target):
        return fallback
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or target.startswith("//"):
        return fallback
    return target


def _load(visitor_id: str) -> Visitor | None:
    number, _, stamp = visitor_id.partition(".")
    if not number.isdigit():
        return None
    info = accounts.player_info(services(), int(number))
    return Visitor(info) if info and info.session_stamp == stamp else None


def _ask_who() -> Response:
    target = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("people.join", next=target), 303)
