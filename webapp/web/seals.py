"""Whether a form was sent by a page of this site to the visitor who sends it."""

from __future__ import annotations

import json

from flask import Flask, current_app, g, request, session
from flask_wtf import CSRFProtect
from flask_wtf.csrf import validate_csrf
from werkzeug.exceptions import HTTPException
from wtforms import ValidationError

from webapp.errors import Forbidden, InvalidInput
from webapp.web.context import services
from webapp.web.cookies import Cookies
from webapp.web.origins import Sender, said_origin, sender
from webapp.web.reading import parts_of
from webapp.web.sessions import SEAL

# The API knows no cookies, so no other site can act in a player's name there.
COOKIELESS = ("/api/v1/",)
HARMLESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
FIELD = SEAL

ELSEWHERE = (
    "This form was sent from a page of another site, so nothing was done. If you meant "
    "to do this, open this site itself and do it there."
)
UNLIKE = (
    "This form was sent from “{origin}”, and this site was asked for as “{host}”, so "
    "nothing was done. If both are this site, tell whoever runs it: the proxy in front "
    "must pass the header Host on as it came, or send it as X-Forwarded-Host while "
    "WORDKEEP_TRUSTED_PROXIES counts that proxy."
)
NO_COOKIE = (
    "No cookie came with this form. Allow this site to set cookies: without one it "
    "cannot know that the form is yours."
)
PLAIN_HTTP = (
    "No cookie came with this form, because this site sends its cookies over HTTPS "
    "only. Open it at the address that begins with https://."
)
NO_FIELD = (
    f"The form came without its hidden field “{FIELD}”, which every form of this site "
    "carries."
)
STALE = (
    "This page is too old: since it was opened, you have signed in or out in another "
    "tab, or the site has been set up again."
)


class OtherSite(Forbidden):
    """A form of another site. The answer is bare: no form, no cookie."""

    code = "other_site"


class Unsealed(InvalidInput):
    """A form without the valid token of this visit."""

    code = "csrf"


csrf = CSRFProtect()


def init_app(app: Flask) -> None:
    """Check every form before its page does anything."""
    # The check below replaces that of the extension, which gives the tokens.
    app.config.setdefault("WTF_CSRF_CHECK_DEFAULT", False)
    # A form stays valid for as long as its session: people think before they send.
    app.config.setdefault("WTF_CSRF_TIME_LIMIT", None)
    csrf.init_app(app)
    app.session_interface = Cookies()
    app.before_request(check)


def check() -> None:
    """Let forms of this site through; raise OtherSite or Unsealed for all others."""
    if request.method in HARMLESS or request.path.startswith(COOKIELESS):
        return
    who = sender()
    # Until the token proves the visit, no answer may touch the visitor's session.
    g.is_quiet = who is not Sender.HERE
    if who is Sender.ELSEWHERE:
        raise OtherSite(ELSEWHERE)
    if who is Sender.UNLIKE:
        raise OtherSite(_unlike() if _is_sealed_and_readable() else ELSEWHERE)
    if request.routing_exception is not None:
        # No page is here to protect, and the answer is that there is none.
        return
    if not _is_sealed():
        raise Unsealed(_why_unsealed())
    g.is_quiet = False
    g.csrf_valid = True


def form_mark() -> str:
    """Return what only this form has, with what was typed into it, in this browser.

    It is equal if the form is sent twice. Only for forms that `check` let through.
    """
    # The token is among the fields, and the session's own says whose it is.
    return json.dumps([session[FIELD], request.form.to_dict()], sort_keys=True)


def is_resendable() -> bool:
    """Tell whether a refused form may be offered to its visitor again."""
    return request.method == "POST" and sender() is Sender.HERE


def _is_sealed() -> bool:
    try:
        validate_csrf(request.form.get(FIELD))
    except ValidationError:
        return False
    return True


def _is_sealed_and_readable() -> bool:
    try:
        return _is_sealed()
    except HTTPException:
        # Too large, for one: what is wrong with another site's form is not our matter.
        return False


def _unlike() -> str:
    origin = parts_of(said_origin())
    shown = f"{origin.scheme}://{origin.netloc}" if origin.netloc else origin.path
    return UNLIKE.format(origin=shown[:200], host=request.host[:200])


def _why_unsealed() -> str:
    own = current_app.config["SESSION_COOKIE_NAME"]
    if not any(name.startswith(own) for name in request.cookies):
        is_plain = parts_of(said_origin()).scheme == "http"
        needs_tls = services().settings.secure_cookies
        return PLAIN_HTTP if needs_tls and is_plain else NO_COOKIE
    return STALE if request.form.get(FIELD) else NO_FIELD
