"""Where a reply ends early: at the first stop word.

The engine could look for stop words itself, but it then loses what it holds back when
the reply reaches its length, and writes held text into the wrong tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class Token(NamedTuple):
    """The text that one step of the engine added, with its log-probabilities."""

    text: str
    logprobs: list[dict[str, Any]]


class StopWords:
    """Lets tokens through as soon as they can no longer be part of a stop word."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = tuple(words)
        self._held: list[Token] = []
        self.is_hit = False

    def push(self, token: Token) -> list[Token]:
        """Take a token; return the ones that are certain now."""
        if not self._words:
            return [token]
        self._held.append(token)
        text = "".join(held.text for held in self._held)
        starts = [start for word in self._words if (start := text.find(word)) >= 0]
        if starts:
            self.is_hit = True
            return self._cut(min(starts))
        return self._take(len(text) - self._may_begin(text))

    def rest(self) -> list[Token]:
        """Return what is still held, when nothing more will come."""
        rest, self._held = self._held, []
        return rest

    def _may_begin(self, text: str) -> int:
        """Return how many characters at the end may be the start of a stop word."""
        longest = min(len(text), max(len(word) for word in self._words) - 1)
        for size in range(longest, 0, -1):
            if any(word.startswith(text[-size:]) for word in self._words):
                return size
        return 0

    def _take(self, chars: int) -> list[Token]:
        """Release the tokens that end within the first `chars` characters."""
        taken = []
        while self._held and len(self._held[0].text) <= chars:
            chars -= len(self._held[0].text)
            taken.append(self._held.pop(0))
        return taken

    def _cut(self, start: int) -> list[Token]:
        """Release the tokens before the stop word, the last one cut to fit."""
        taken = self._take(start)
        left = start - sum(len(token.text) for token in taken)
        if left:
            taken.append(Token(self._held[0].text[:left], self._held[0].logprobs))
        self._held = []
        return taken
