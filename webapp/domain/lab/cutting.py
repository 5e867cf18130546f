"""Cut a text into passages of so many words, which share some with the next one."""

from __future__ import annotations

import re
from typing import Final

# Scripts without gaps would make one word of a page.
_WORD: Final = re.compile(r"\S{1,20}")


def cut(text: str, *, size: int, overlap: int) -> list[str]:
    """Return the passages of a text, in order; `overlap` is less than `size`."""
    spans = [found.span() for found in _WORD.finditer(text)]
    passages: list[str] = []
    for start in range(0, len(spans), size - overlap):
        words = spans[start : start + size]
        passages.append(text[words[0][0] : words[-1][1]])
        if start + size >= len(spans):
            # What is left has been said already.
            break
    return passages
