"""Turn what a client library raises into an error that a player may read.

The texts of upstream errors stay out: they can quote the key, the address or the
prompt, and with it the secret.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

import openai

from webapp.errors import (
    BackendError,
    BackendOverloaded,
    BackendRefused,
    BackendTimeout,
)

log = logging.getLogger(__name__)

BROKE_OFF = "backend_broke_off"
_CODE = re.compile(r"[a-z0-9_]{1,40}")


@dataclass(frozen=True, slots=True)
class Fault:
    """An error for the player, and whether asking again may help."""

    error: BackendError
    can_retry: bool = False
    retry_after: float | None = None


def explain(error: Exception, endpoint: str) -> Fault:
    """Return the fault behind an exception of a call, and log its kind."""
    fault = _explain(error, f'The model endpoint "{endpoint}"')
    log.warning(
        "endpoint %s: %s%s -> %s",
        endpoint,
        type(error).__name__,
        _details(error),
        fault.error.code,
    )
    return fault


def _explain(error: Exception, who: str) -> Fault:
    match error:
        case BackendError():
            can_retry = isinstance(error, BackendOverloaded) or error.code == BROKE_OFF
            return Fault(error, can_retry=can_retry)
        case openai.APITimeoutError():
            return Fault(BackendTimeout(f"{who} took too long. Please try again."))
        case openai.APIConnectionError():
            return Fault(
                BackendError(
                    f"{who} cannot be reached or stopped answering. Try again in a "
                    "moment.",
                    code="backend_unreachable",
                ),
                can_retry=True,
            )
        case openai.APIStatusError():
            return _explain_status(error, who)
        case openai.APIError():
            return _explain_in_stream(error, who)
        case _:
            return Fault(garbage(who))


def garbage(who: str) -> BackendError:
    """Return the error for an answer that does not speak the agreed format."""
    return BackendError(
        f"{who} sent an answer that cannot be read. If this keeps happening, tell "
        "your instructor.",
        code="backend_garbage",
    )


def _explain_status(error: openai.APIStatusError, who: str) -> Fault:
    status, code = error.status_code, _code(error)
    if code in {"context_length_exceeded", "insufficient_quota", "model_not_found"}:
        return Fault(_refusal(code, who))
    if status == 429 or status == 503:
        return Fault(_overloaded(who), can_retry=True, retry_after=_retry_after(error))
    if status in {408, 504}:
        return Fault(BackendTimeout(f"{who} took too long. Please try again."))
    if status >= 500:
        return Fault(
            BackendError(f"{who} failed. Please try again in a moment."),
            can_retry=True,
        )
    if status in {401, 403}:
        return Fault(_refusal("key", who))
    if status == 404:
        return Fault(_refusal("model_not_found", who))
    if status < 400:
        return Fault(garbage(who))
    return Fault(_refusal("", who))


def _explain_in_stream(error: openai.APIError, who: str) -> Fault:
    code = _code(error)
    if code in {"context_length_exceeded", "insufficient_quota", "model_not_found"}:
        return Fault(_refusal(code, who))
    if code == "queue_full" or error.type == "overloaded":
        return Fault(_overloaded(who), can_retry=True)
    return Fault(BackendError(f"{who} failed while writing. Please try again."))


def _overloaded(who: str) -> BackendOverloaded:
    return BackendOverloaded(f"{who} is busy right now. Wait a moment and try again.")


def _refusal(why: str, who: str) -> BackendRefused:
    messages = {
        "context_length_exceeded": (
            "The message and the conversation are too long for this model. Send a "
            "shorter message or start over."
        ),
        "insufficient_quota": f"{who} has no budget left. Tell your instructor.",
        "model_not_found": f"{who} does not have this model. Tell your instructor.",
        "key": f"{who} does not accept our key. Tell your instructor.",
    }
    codes = {"context_length_exceeded": "context_length"}
    default = f"{who} refused the request. Tell your instructor."
    return BackendRefused(messages.get(why, default), code=codes.get(why))


def _code(error: openai.APIError) -> str:
    code = error.code or ""
    return code if _CODE.fullmatch(code) else ""


def _retry_after(error: openai.APIStatusError) -> float | None:
    value = error.response.headers.get("retry-after", "")
    return float(value) if value.isdigit() else None


def _details(error: Exception) -> str:
    status = getattr(error, "status_code", None)
    code = _code(error) if isinstance(error, openai.APIError) else ""
    return f"{f' {status}' if status else ''}{f' {code}' if code else ''}"
