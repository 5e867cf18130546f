"""Failures in the shape that the OpenAI API gives them."""

from __future__ import annotations

import logging
import secrets
from typing import Any

_log = logging.getLogger(__name__)


class ApiError(Exception):
    """A failure that the caller reads: {"error": {message, type, param, code}}."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.retry_after = retry_after

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the error."""
        return {
            "error": {
                "message": self.message,
                "type": self.kind,
                "param": self.param,
                "code": self.code,
            }
        }


def wrong_key() -> ApiError:
    """Say that the bearer key is missing or wrong, without repeating it."""
    return ApiError("Incorrect API key provided.", status=401, code="invalid_api_key")


def unknown_model(name: str, known: list[str]) -> ApiError:
    """Say which models there are."""
    return ApiError(
        f"The model {name[:80]!r} does not exist here. There are: {', '.join(known)}.",
        status=404,
        code="model_not_found",
        param="model",
    )


def no_guard(reads: str, known: list[str]) -> ApiError:
    """Say that no guard reads this by default; `reads` is "message" or "reply"."""
    return ApiError(
        f"No guard here reads a {reads}. Guards: {', '.join(known) or 'none'}.",
        status=404,
        code="model_not_found",
        param="model",
    )


def context_overflow(tokens: int, context: int) -> ApiError:
    """Say that the prompt leaves no room for a reply."""
    return ApiError(
        f"This model's maximum context length is {context} tokens, but the messages"
        f" take {tokens} and leave no room for a reply. Shorten them.",
        code="context_length_exceeded",
        param="messages",
    )


def text_too_long(tokens: int, most: int) -> ApiError:
    """Say that a text is not read, since it would not be read to its end."""
    return ApiError(
        f"A text in input has {tokens} tokens, but this model reads at most {most}.",
        code="context_length_exceeded",
        param="input",
    )


def queue_full() -> ApiError:
    """Say that too many requests wait already."""
    return ApiError(
        "Too many requests are waiting. Try again in a few seconds.",
        status=429,
        kind="overloaded",
        code="queue_full",
        retry_after=3,
    )


def wrong_kind(name: str, kind: str, instead: str) -> ApiError:
    """Say that a model cannot be used in this way, and in which way it can."""
    return ApiError(
        f"The model {name} is of the kind {kind}: {instead}.",
        code="wrong_kind",
        param="model",
    )


def model_failed(name: str, problem: str) -> ApiError:
    """Say why a model could not be loaded; the next call tries again."""
    return not_ready(f"The model {name} could not be loaded: {problem}", code="failed")


def model_too_large(name: str, memory: int, budget: int) -> ApiError:
    """Say that a model does not fit even if it is the only one."""
    return ApiError(
        f"The model {name} needs about {memory // 10**6} MB, but all models together"
        f" may take {budget // 10**6} MB. Raise WORDKEEP_SIDECAR_MEMORY_MB, or lower"
        " WORDKEEP_SIDECAR_SLOTS or WORDKEEP_SIDECAR_CONTEXT.",
        status=503,
        kind="server_error",
        code="too_large",
    )


def no_memory(name: str) -> ApiError:
    """Say that all the memory is taken by models in use."""
    return ApiError(
        f"There is no memory for the model {name} while the others are in use."
        " Try again in a few seconds.",
        status=503,
        kind="overloaded",
        code="no_memory",
        retry_after=5,
    )


def not_ready(what: str, *, code: str = "starting") -> ApiError:
    """Say that a model is not loaded yet, or never will be."""
    return ApiError(what, status=503, kind="server_error", code=code, retry_after=2)


def stopping() -> ApiError:
    """Say that the sidecar is being stopped."""
    return not_ready("The model server is being stopped.", code="stopping")


def engine_failed() -> ApiError:
    """Say that the engine broke, without its words: they may quote a prompt."""
    return ApiError(
        "The model engine could not finish this reply. Try again.",
        status=500,
        kind="server_error",
        code="engine_failed",
    )


def crashed(error: Exception) -> ApiError:
    """Log where a request broke, and say so under the same mark.

    Where, not what: the message of the error may quote what somebody typed.
    """
    mark = secrets.token_hex(4)
    innermost = error.__traceback__
    while innermost and innermost.tb_next:
        innermost = innermost.tb_next
    file = innermost.tb_frame.f_code.co_filename if innermost else "?"
    line = innermost.tb_lineno if innermost else 0
    _log.error("crash %s: %s at %s:%s", mark, type(error).__name__, file, line)
    return ApiError(
        f"The model server broke on this request (mark {mark} in its log).",
        status=500,
        kind="server_error",
        code="server_error",
    )
