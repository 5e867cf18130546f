"""What is wrong with a file of texts, or with what is to be made of it."""

from __future__ import annotations

from finetune.errors import FinetuneError


class DataError(FinetuneError):
    """Texts cannot be used; one sentence: what, where, and what to do."""
