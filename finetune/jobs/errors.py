"""What can be wrong with files and jobs; each message is one sentence for a person."""

from __future__ import annotations

from finetune.errors import FinetuneError


class JobError(FinetuneError):
    """A file or a job cannot be used as asked. `param` is the field it is about."""

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class NoSuch(JobError):
    """There is no such file, job or model."""


class NotNow(JobError):
    """The job is in a state in which that cannot be done."""


class TooMany(JobError):
    """The user has as many jobs as one may have."""


class CannotKeep(JobError):
    """The disk took no more, or may not be written; nothing half-written is left."""
