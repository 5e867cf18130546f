"""What this package tells a person when something cannot be done."""

from __future__ import annotations


class FinetuneError(Exception):
    """One sentence for a person: what is wrong, where, and what to do."""
