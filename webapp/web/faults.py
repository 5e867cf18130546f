"""Error pages: what happened, whose limit was reached, and what to do next."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass

from flask import Flask, Response, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from webapp.errors import LabError, QuotaExceeded
from webapp.web import seals, sse
from webapp.web.context import is_partial
from webapp.web.hosts import WrongHost
from webapp.web.limits import TooMany
from webapp.web.seals import OtherSite, Unsealed

log = logging.getLogger(__name__)

TITLES = {
    400: "That did not work",
    401: "Please sign in",
    403: "This door is shut",
    404: "Nothing here",
    405: "Not like this",
    409: "Not just now",
    413: "That is too long",
    429: "Too many at once",
    500: "Something broke",
    502: "The warden did not answer",
    503: "The keep is busy",
    504: "The warden took too long",
}
TEXTS = {
    404: "There is no page at this address. It may have moved, or never existed.",
    405: "This address cannot be opened like this.",
    413: "What you sent is larger than this site accepts. Make it shorter.",
}
BELOW = "What you typed is below."
STILL_THERE = "Copy what you typed, reload the page, and send it again."
# Never shown again, and never sent along again.
PRIVATE = frozenset({"csrf_token", "password", "new", "current", "code"})


@dataclass(frozen=True, slots=True)
class Fault:
    """What an error page says. `kept` are the fields of the form that was sent.

    A bare one is nothing but its message, without any form to press.
    """

    status: int
    title: str
    message: str
    code: str = ""
    scope: str | None = None
    retry_after: int | None = None
    reference: str | None = None
    kept: tuple[tuple[str, str], ...] = ()
    is_resendable: bool = False
    is_bare: bool = False


def init_app(app: Flask) -> None:
    """Answer every failure of a page with a page."""
    app.register_error_handler(OtherSite, _bare_fault)
    app.register_error_handler(WrongHost, _bare_fault)
    app.register_error_handler(Unsealed, _unsealed_fault)
    app.register_error_handler(LabError, _lab_fault)
    app.register_error_handler(HTTPException, _http_fault)
    app.register_error_handler(Exception, _unknown_fault)


def kept_fields() -> tuple[tuple[str, str], ...]:
    """Return what the visitor typed, without passwords and codes."""
    return tuple(
        (name, value)
        for name, value in request.form.items()
        if name not in PRIVATE and value
    )


def stream_fault(fault: LabError | Fault) -> Response:
    """Return an error for the script of the page that asked for a stream."""
    error = {"code": fault.code, "message": fault.message}
    return _with_wait(make_response({"error": error}, fault.status), fault.retry_after)


def _with_wait(response: Response, seconds: int | None) -> Response:
    if seconds is not None:
        response.headers["Retry-After"] = str(seconds)
    return response


def _answer(fault: Fault) -> Response:
    if sse.is_wanted():
        return stream_fault(fault)
    if fault.is_bare and not is_partial():
        return Response(f"{fault.message}\n", fault.status, mimetype="text/plain")
    template = "faults/_fault.html" if is_partial() else "faults/fault.html"
    response = make_response(render_template(template, fault=fault), fault.status)
    if is_partial():
        response.headers["HX-Retarget"] = "#messages"
        response.headers["HX-Reswap"] = "innerHTML"
    return _with_wait(response, fault.retry_after)


def _lab_fault(error: LabError) -> Response:
    return _answer(
        Fault(
            status=error.status,
            title=TITLES.get(error.status, TITLES[500]),
            message=error.message,
            code=error.code,
            scope=_scope(error),
            retry_after=error.retry_after,
            kept=kept_fields(),
        )
    )


def _scope(error: LabError) -> str | None:
    match error:
        case TooMany():
            return error.told
        case QuotaExceeded():
            return error.scope
        case _:
            return None


def _bare_fault(error: LabError) -> Response:
    return _answer(
        Fault(
            status=error.status,
            title=TITLES.get(error.status, TITLES[403]),
            message=error.message,
            code=error.code,
            is_bare=True,
        )
    )


def _unsealed_fault(error: Unsealed) -> Response:
    is_for_script = is_partial() or sse.is_wanted()
    is_resendable = seals.is_resendable() and not is_for_script
    return _answer(
        Fault(
            status=error.status,
            title="Please send that again",
            message=f"{error.message} {BELOW if is_resendable else STILL_THERE}",
            code=error.code,
            kept=kept_fields(),
            is_resendable=is_resendable,
        )
    )


def _http_fault(error: HTTPException) -> Response:
    if error.response is not None or (error.code or 500) < 400:
        return make_response(error.get_response())
    status = error.code or 500
    response = _answer(
        Fault(
            status=status,
            title=TITLES.get(status, "That did not work"),
            message=TEXTS.get(status, "The site could not read what was sent."),
            # A body that was too large has not been read, and must not be now.
            kept=kept_fields() if status == 400 else (),
        )
    )
    for name, value in error.get_headers():
        if name.lower() == "allow":
            response.headers[name] = value
    return response


def _unknown_fault(error: Exception) -> Response:
    # The id joins what the visitor sees with what the log says.
    reference = uuid.uuid4().hex[:8]
    log.error("request %s failed (%s)", request.path, reference, exc_info=error)
    return _answer(
        Fault(
            status=500,
            title=TITLES[500],
            message=(
                "This is our fault, not yours. Try again; if it happens again, tell "
                "your instructor the number below."
            ),
            reference=reference,
            kept=kept_fields(),
        )
    )
