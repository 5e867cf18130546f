"""Every failure that a person may read. Views and the API turn these into answers."""

from __future__ import annotations


class LabError(Exception):
    """A failure with a message that is safe to show to the player who caused it."""

    status = 500
    code = "error"
    # Seconds after which it is worth trying again; None if that is not known.
    retry_after: int | None = None

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class InvalidInput(LabError):
    """Something typed or sent cannot be accepted as it is."""

    status = 400
    code = "invalid_input"


class NotSignedIn(LabError):
    """The request needs a player, and there is none."""

    status = 401
    code = "not_signed_in"


class Forbidden(LabError):
    """The player may not do this; code `locked` when a level is not open yet."""

    status = 403
    code = "forbidden"


class NotFound(LabError):
    """There is no such level, attempt, hint or page for this player."""

    status = 404
    code = "not_found"


class Conflict(LabError):
    """The request is fine but cannot be done in the current state."""

    status = 409
    code = "conflict"


class QuotaExceeded(LabError):
    """A limit is used up; `scope` names whose: player, class, endpoint or day."""

    status = 429
    code = "quota_exceeded"
    retry_after: int

    def __init__(self, message: str, *, scope: str, retry_after: int) -> None:
        super().__init__(message)
        self.scope = scope
        self.retry_after = retry_after


class Busy(LabError):
    """The site has no room for this just now; nothing was counted."""

    status = 503
    code = "busy"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ContentError(LabError):
    """The authored content or configuration cannot be used."""

    status = 500
    code = "content"


class StorageError(LabError):
    """The database could not be read or written: it is full, locked or gone."""

    status = 503
    code = "storage"


class BackendError(LabError):
    """A model endpoint failed or answered with something unusable."""

    status = 502
    code = "backend"


class BackendTimeout(BackendError):
    """A model endpoint took longer than it may."""

    status = 504
    code = "backend_timeout"


class BackendOverloaded(BackendError):
    """A model endpoint has no room for one more request."""

    status = 503
    code = "backend_overloaded"


class BackendRefused(BackendError):
    """A model endpoint rejected the request itself (model, key or size)."""

    status = 502
    code = "backend_refused"


class BackendTooLong(BackendRefused):
    """A text is longer than the model can read, so it reads none of it."""

    code = "context_length"
