"""Every failure of a call in one shape: {"error": {"code", "message", …}}."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, make_response, request
from werkzeug.exceptions import HTTPException

from webapp.api.records import Problem, ProblemDetail
from webapp.errors import InvalidInput, LabError, QuotaExceeded
from webapp.web.context import services

log = logging.getLogger(__name__)

PREFIX = "/api/"
# Addresses outside of the API that are asked by programs, too.
WATCHED = frozenset({"/health", "/metrics"})
CODES = {
    400: "invalid_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "not_json",
    429: "quota_exceeded",
}
Handler = Callable[[Any], Any]


class InvalidField(InvalidInput):
    """A key of the body or a parameter of the address is wrong."""

    def __init__(self, message: str, *, field: str, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.field = field


class NotJson(InvalidInput):
    """The body is not what the call reads."""

    status = 415
    code = "not_json"


class AttemptFailed(LabError):
    """An attempt was recorded and then failed; the caller may look it up."""

    def __init__(self, message: str, *, code: str, status: int, attempt: int) -> None:
        super().__init__(message, code=code)
        self.status = status
        self.attempt = attempt


def init_app(app: Flask) -> None:
    """Let the error handlers of the pages answer for pages only."""
    for by_class in app.error_handler_spec[None].values():
        for kind, handler in by_class.items():
            by_class[kind] = _choose(handler)


def _choose(for_pages: Handler) -> Handler:
    def handle(error: Exception) -> Any:
        return answer(error) if _is_call() else for_pages(error)

    return handle


def _is_call() -> bool:
    return request.path.startswith(PREFIX) or request.path.rstrip("/") in WATCHED


def answer(error: Exception) -> Response:
    """Return any failure as JSON."""
    match error:
        case LabError():
            return _lab_problem(error)
        case HTTPException():
            return _http_problem(error)
        case _:
            return _unknown_problem(error)


def _lab_problem(error: LabError) -> Response:
    more: dict[str, Any] = {}
    match error:
        case InvalidField():
            more = {"field": error.field}
        case QuotaExceeded():
            more = {"scope": error.scope}
        case AttemptFailed():
            more = {"attempt": error.attempt}
    detail = ProblemDetail(
        code=error.code, message=error.message, retry_after=error.retry_after, **more
    )
    response = _response(error.status, detail)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _http_problem(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        return make_response(error.get_response())
    response = _response(
        status,
        ProblemDetail(code=CODES.get(status, "http_error"), message=_explain(error)),
    )
    for name, value in error.get_headers():
        if name.lower() == "allow":
            response.headers[name] = value
    return response


def _explain(error: HTTPException) -> str:
    texts = {
        400: "The request could not be read.",
        404: (
            "There is nothing at this address. All calls are described at "
            f"{request.script_root}/api."
        ),
        405: f"{request.method} does not work at this address; see the Allow header.",
        413: f"The request has more than {services().settings.request_bytes:,} bytes.",
    }
    return texts.get(error.code or 500, f"The request failed: {error.name}.")


def _unknown_problem(error: Exception) -> Response:
    # The id joins what the caller sees with what the log says.
    reference = uuid.uuid4().hex[:8]
    log.error("request %s failed (%s)", request.path, reference, exc_info=error)
    return _response(
        500,
        ProblemDetail(
            code="internal",
            message=f"An error on our side. Tell your instructor: {reference}.",
        ),
    )


def _response(status: int, detail: ProblemDetail) -> Response:
    body = Problem(error=detail).model_dump_json(exclude_none=True)
    response = Response(body, status, mimetype="application/json")
    if detail.retry_after is not None:
        response.headers["Retry-After"] = str(detail.retry_after)
    return response
