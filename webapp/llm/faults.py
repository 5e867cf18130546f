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
    BackendTooLong,
)

log = logging.getLogger(__name__)

BROKE_OFF = "backend_broke_off"
_CODE = re.compile(r"[a-z0-9_]{1,40}")
_STATUS = re.compile(r"[45][0-9]{2}")
# What servers call a prompt that the model has no room for: OpenAI and our sidecar,
# llama.cpp, OpenAI again for a single text, Groq and Anthropic.
_TOO_LONG = {
    "context_length_exceeded",
    "exceed_context_size_error",
    "string_above_max_length",
    "request_too_large",
}
_TOO_LONG_WORDS = re.compile(
    r"\bcontext[ _-]?(?:length|size|window)\b|\bmaximum model length\b"
    r"|\bmax_model_len\b|\b(?:prompt|input) (?:is )?too long\b",
    re.IGNORECASE,
)
_BY_STATUS = {
    401: "key",
    402: "insufficient_quota",
    403: "key",
    404: "model_not_found",
}
_REFUSALS = {
    "content_filter": (
        "{who} has a filter of its own that stopped this message. Put it another way."
    ),
    "insufficient_quota": "{who} has no budget left. Tell your instructor.",
    "model_not_found": "{who} does not have this model. Tell your instructor.",
    "text_too_long": (
        "This text has too many tokens to look at them one by one. Use a shorter part."
    ),
    "text_too_short": (
        "This text is a single token: nothing comes before it that it could follow."
        " Write some more."
    ),
    "key": "{who} does not accept our key. Tell your instructor.",
}


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
        case openai.APIError():
            return _explain_answer(error, who)
        case _:
            return Fault(garbage(who))


def too_long() -> BackendTooLong:
    """Return the error for a text that a model cannot read to its end."""
    return BackendTooLong(
        "The message and the conversation are too long for this model. Send a "
        "shorter message or start over."
    )


def garbage(who: str) -> BackendError:
    """Return the error for an answer that does not speak the agreed format."""
    return BackendError(
        f"{who} sent an answer that cannot be read. If this keeps happening, tell "
        "your instructor.",
        code="backend_garbage",
    )


def _explain_answer(error: openai.APIError, who: str) -> Fault:
    """Explain an error that the endpoint put into words, as a status or in a stream."""
    status, code = _status(error), _code(error)
    if _is_too_long(error, status):
        return Fault(too_long())
    if code in _REFUSALS:
        return Fault(_refusal(code, who))
    if status in {429, 503} or code == "queue_full" or error.type == "overloaded":
        return Fault(_overloaded(who), can_retry=True, retry_after=_retry_after(error))
    if status in {408, 504}:
        return Fault(BackendTimeout(f"{who} took too long. Please try again."))
    if status in _BY_STATUS:
        return Fault(_refusal(_BY_STATUS[status], who))
    if not isinstance(error, openai.APIStatusError):
        return Fault(BackendError(f"{who} failed while writing. Please try again."))
    if status >= 500:
        return Fault(
            BackendError(f"{who} failed. Please try again in a moment."),
            can_retry=True,
        )
    return Fault(garbage(who) if status < 400 else _refusal("", who))


def _status(error: openai.APIError) -> int:
    """Return the status of an answer, or the one that an error in a stream quotes."""
    if isinstance(error, openai.APIStatusError):
        return error.status_code
    code = _code(error)
    return int(code) if _STATUS.fullmatch(code) else 0


def _is_too_long(error: openai.APIError, status: int) -> bool:
    # Whatever the types say, an endpoint may put any JSON there.
    if status == 413 or _code(error) in _TOO_LONG or str(error.type) in _TOO_LONG:
        return True
    # Many servers have no code for it. An overloaded or closed one means other things.
    if status in {401, 402, 403, 404, 429, 503}:
        return False
    return _TOO_LONG_WORDS.search(f"{error.message} {error.body}") is not None


def _overloaded(who: str) -> BackendOverloaded:
    return BackendOverloaded(f"{who} is busy right now. Wait a moment and try again.")


def _refusal(why: str, who: str) -> BackendRefused:
    message = _REFUSALS.get(why, "{who} refused the request. Tell your instructor.")
    return BackendRefused(message.format(who=who))


def _code(error: openai.APIError) -> str:
    code = error.code or ""
    return code if _CODE.fullmatch(code) else ""


def _retry_after(error: openai.APIError) -> float | None:
    if not isinstance(error, openai.APIStatusError):
        return None
    value = error.response.headers.get("retry-after", "")
    return float(value) if value.isdigit() else None


def _details(error: Exception) -> str:
    status = getattr(error, "status_code", None)
    code = _code(error) if isinstance(error, openai.APIError) else ""
    return f"{f' {status}' if status else ''}{f' {code}' if code else ''}"
