"""Who is asking, and with which services."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar, cast

from flask import (
    Flask,
    current_app,
    flash,
    g,
    redirect,
    request,
    session,
    url_for,
)
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from werkzeug.wrappers import Response

from webapp.domain.people import access, accounts
from webapp.domain.people.accounts import NewCode, PlayerInfo, SignedIn
from webapp.domain.services import Services
from webapp.errors import Forbidden, NotSignedIn
from webapp.web import sessions
from webapp.web.reading import parts_of

SIGNED_OUT: Final = (
    "You have been signed out in this browser: your code was used in another one, or "
    "you have a new code or password. Sign in with it to carry on."
)
PLAYER_GONE: Final = (
    "You have been signed out: your player, with everything you wrote, has been "
    "deleted. Ask your instructor if that was not meant."
)

P = ParamSpec("P")
R = TypeVar("R")


class Visitor(UserMixin):  # type: ignore[misc]
    """A signed-in player, as Flask-Login keeps it; `key` is this browser's own."""

    def __init__(self, signed_in: SignedIn, key: str) -> None:
        self.player, self.unread_code = signed_in
        self.key = key

    def get_id(self) -> str:
        """Return what the cookie keeps: who it is, and the key that proves it."""
        return f"{self.player.id}.{self.key}"


def init_app(app: Flask) -> None:
    """Set up sign-in."""
    manager = LoginManager(app)
    # It would only note that an address has changed, which nothing here asks.
    manager.session_protection = None
    manager.user_loader(_load)
    manager.unauthorized_handler(_ask_who)
    app.before_request(_tell_of_sign_out)


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


def instructor() -> PlayerInfo:
    """Return the signed-in instructor of a page that needs one."""
    return cast(PlayerInfo, current_user.player)


def caller() -> PlayerInfo:
    """Return the player of the bearer token; cookies are ignored here."""
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        raise NotSignedIn(
            "Send your token in the header “Authorization: Bearer <token>”. "
            f"POST {request.script_root}/api/v1/players gives you one, and so does "
            f"your page {request.script_root}/me."
        )
    player = accounts.player_by_token(services(), given.token)
    if player is None:
        raise NotSignedIn(
            "This token belongs to nobody: it was replaced, or mistyped.",
            code="wrong_token",
        )
    g.caller = player
    return player


def known_caller() -> PlayerInfo | None:
    """Return whose bearer token has been read for this request, if there was one."""
    return cast(PlayerInfo | None, g.get("caller"))


def become(
    player_id: int, *, stamp: str | None = None, code_seed: str | None = None
) -> None:
    """Make this browser the player's, and forget all that was in it before.

    `stamp` is that of the player when the proof was given.
    """
    _end_sign_in()
    sessions.start_over(services().now())
    _login(player_id, code_seed, stamp)


def sign_in(player_id: int, *, code_seed: str | None = None) -> None:
    """Sign this browser in, or in again, for as long as the session lasts.

    `code_seed` gives a recovery code to show until it is put away.
    """
    if _is_over():
        sessions.give_way()
    _end_sign_in()
    _login(player_id, code_seed)


def sign_out() -> None:
    """Sign this browser out for good."""
    _end_sign_in()
    logout_user()
    sessions.start_over(services().now())


def unread_code() -> NewCode | None:
    """Return the recovery code that this browser has yet to write down."""
    if not current_user.is_authenticated:
        return None
    return cast(Visitor, current_user).unread_code


def put_code_away() -> None:
    """Stop showing the recovery code."""
    access.put_code_away(services(), key=cast(Visitor, current_user).key)


def _is_over() -> bool:
    """Tell whether this browser was signed in, and is not any more.

    Perhaps it has just got another key, by an answer that is still under way.
    """
    return "_user_id" in session and not current_user.is_authenticated


def _end_sign_in() -> None:
    if current_user.is_authenticated:
        access.end(services(), key=cast(Visitor, current_user).key)


def _login(player_id: int, code_seed: str | None, stamp: str | None = None) -> None:
    key = access.begin(
        services(), player_id=player_id, stamp=stamp, code_seed=code_seed
    )
    found = accounts.player_by_key(services(), key)
    if found is not None:
        session.permanent = True
        login_user(Visitor(found, key))


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
    parts = parts_of(target)
    if parts.scheme or parts.netloc or target.startswith("//"):
        return fallback
    return target


def _tell_of_sign_out() -> None:
    """Say why a browser that was signed in is not any more, on the next whole page."""
    if not _is_over() or is_partial():
        return
    is_page = request.method == "GET" and request.endpoint != "static"
    wanted = request.accept_mimetypes
    if not is_page or (wanted and not wanted.accept_html):
        return
    number = str(session.pop("_user_id")).partition(".")[0]
    sessions.give_way()
    is_there = accounts.player_info(services(), int(number)) is not None
    flash(SIGNED_OUT if is_there else PLAYER_GONE, "warn")


def _load(visitor_id: str) -> Visitor | None:
    _, _, key = visitor_id.partition(".")
    found = accounts.player_by_key(services(), key)
    return Visitor(found, key) if found else None


def _ask_who() -> Response:
    target = None
    if request.method == "GET":
        target = request.script_root + request.full_path.rstrip("?")
    return redirect(url_for("people.join", next=target), 303)
