"""What can go wrong in a run."""

from __future__ import annotations


class TrainingError(Exception):
    """The run cannot go on; one sentence for a person."""
