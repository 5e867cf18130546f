"""Embeddings worth remembering: the sample sentences of guards come with every turn."""

from __future__ import annotations

import hashlib
import threading
from array import array
from collections import OrderedDict


class VectorCache:
    """The embeddings of the last texts, found by digest: texts are not kept."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()  # protects the order of `_vectors`
        # Arrays: lists of floats would take four times the memory.
        self._vectors: OrderedDict[bytes, array[float]] = OrderedDict()

    def get(self, model: str, text: str) -> list[float] | None:
        """Return the vector of a text seen lately."""
        key = _digest(model, text)
        with self._lock:
            if key not in self._vectors:
                return None
            self._vectors.move_to_end(key)
            return self._vectors[key].tolist()

    def put(self, model: str, text: str, vector: list[float]) -> None:
        """Keep a vector; the one unused for longest makes room."""
        with self._lock:
            self._vectors[_digest(model, text)] = array("d", vector)
            if len(self._vectors) > self._size:
                self._vectors.popitem(last=False)


def _digest(model: str, text: str) -> bytes:
    return hashlib.blake2b(f"{model}\x1f{text}".encode(), digest_size=16).digest()
