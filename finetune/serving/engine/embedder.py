"""Sentence embeddings with sentence-transformers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finetune.weights.places import find_folder

Vectors = NDArray[np.float32]


class Embedder:
    """Texts → unit vectors, and how many tokens they took."""

    def __init__(self, model: Any) -> None:
        self._model = model
        # The tokeniser changes its settings while it works, so calls take turns.
        self._lock = threading.Lock()

    @classmethod
    def load(cls, place: str, *, cache: Path | None = None) -> Embedder:
        """Load a model from its place. Slow: this is where torch is imported."""
        folder = find_folder(place, cache=cache)
        import torch  # noqa: PLC0415 -- slow import
        from sentence_transformers import (  # noqa: PLC0415 -- slow import
            SentenceTransformer,
        )
        from transformers.utils import logging  # noqa: PLC0415 -- slow import

        logging.disable_progress_bar()
        # One thread: the cores belong to the chat engine.
        torch.set_num_threads(1)
        return cls(SentenceTransformer(str(folder), device="cpu"))

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text, as rows."""
        with self._lock:
            vectors = self._model.encode(
                list(texts),
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return np.asarray(vectors, dtype=np.float32)

    @property
    def longest(self) -> int:
        """How many tokens the model reads of a text; it never sees the others."""
        return int(self._model.max_seq_length)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each of these texts has."""
        with self._lock:
            lists = self._model.tokenizer(list(texts), truncation=False, verbose=False)
        return [len(ids) for ids in lists["input_ids"]]
