"""What can go wrong in a run."""

from __future__ import annotations

from finetune.errors import FinetuneError


class TrainingError(FinetuneError):
    """The run cannot go on; one sentence for a person."""
