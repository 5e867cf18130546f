"""What can go wrong in a run, and the end that somebody asked for."""

from __future__ import annotations

from finetune.errors import FinetuneError


class TrainingError(FinetuneError):
    """The run cannot go on; one sentence for a person."""


class RunStopped(FinetuneError):
    """Somebody asked the run to end: it did, and can go on from its checkpoint."""
