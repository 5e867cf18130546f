"""Tell the thoughts of a model from its reply, in pieces of any size.

Servers without a reasoning parser send both as one text, with tags around the thoughts.
Some models get the opening tag with their prompt, so that only the closing one comes:
until it does, nothing shows that these were thoughts. So of a model that may be one of
them, text is held back until it is known.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from string import ascii_uppercase

from webapp.llm.events import Piece, Thought

# Opening tag: closing tag. DeepSeek, Qwen and most others use the first.
_TAGS = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "[think]": "[/think]",
}
_LOWER = {ord(c): ord(c.lower()) for c in ascii_uppercase}
# Shows that the model is at work.
_ALIVE = Thought("")


class Sorter:
    """Sorts one reply. With `holds`, text waits for a closing tag or for the end."""

    def __init__(self, *, holds: bool = False) -> None:
        self._holds = holds
        self._held = ""  # text that may still turn out to be thoughts
        self._text = ""  # what may be the beginning of a tag
        self._closing = ""  # the tag that ends the thoughts under way
        self._blank: str | None = ""  # blanks before the reply; None once it has begun
        self._has_thought = False  # then blanks before the reply are dropped
        self.was_opened_before = False

    def thought(self, text: str) -> Iterator[Piece | Thought]:
        """Take what the server itself calls a thought."""
        yield from self._release()
        self._has_thought = True
        yield Thought(text)

    def text(self, text: str) -> Iterator[Piece | Thought]:
        """Take the next text of the model."""
        self._text += text
        while found := self._next_tag():
            start, tag = found
            end = start + len(tag)
            yield from self._pass_on(self._text[:start])
            yield from self._turn(tag, self._text[start:end])
            self._text = self._text[end:]
        keep = _size_of_beginning(self._text, self._awaited())
        sure = len(self._text) - keep
        ready, self._text = self._text[:sure], self._text[sure:]
        yield from self._pass_on(ready)

    def end(self, *, held_is_thought: bool = False) -> Iterator[Piece | Thought]:
        """Give out what was kept back; no more text comes."""
        rest, self._text = self._text, ""
        yield from self._pass_on(rest)
        if held_is_thought and self._held:
            yield Thought(self._held)
            self._held = ""
        yield from self._release()

    def _awaited(self) -> list[str]:
        if self._closing:
            return [self._closing]
        return [*_TAGS, *_TAGS.values()]

    def _next_tag(self) -> tuple[int, str] | None:
        lower = _lower(self._text)
        places = [(lower.find(tag), tag) for tag in self._awaited()]
        return min(((at, tag) for at, tag in places if at >= 0), default=None)

    def _turn(self, tag: str, written: str) -> Iterator[Piece | Thought]:
        if tag in _TAGS:
            yield from self._release()
            self._closing = _TAGS[tag]
        elif self._closing:
            self._closing = ""
        else:
            self.was_opened_before = self.was_opened_before or not self._has_thought
            if not self._holds:
                # Too late: what came before it was passed on.
                yield from self._say(written)
                return
            yield Thought(self._held)
            self._held, self._holds = "", False
        self._has_thought = True

    def _pass_on(self, text: str) -> Iterator[Piece | Thought]:
        if not text:
            return
        if self._closing:
            yield Thought(text)
        elif self._holds:
            self._held += text
            yield _ALIVE
        else:
            yield from self._say(text)

    def _say(self, text: str) -> Iterator[Piece]:
        if self._blank is not None:
            text = self._blank + text
            if not text.strip():
                self._blank = text
                return
            self._blank = None
            if self._has_thought:
                text = text.lstrip()
        yield Piece(text)

    def _release(self) -> Iterator[Piece | Thought]:
        self._holds = False
        held, self._held = self._held, ""
        if held:
            yield from self._say(held)


class Habits:
    """Which models of an endpoint have their thoughts opened by the prompt.

    The majority of a model's replies decides: one reply may only quote a tag.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()  # protects the counts
        self._opened: Counter[str] = Counter()
        self._plain: Counter[str] = Counter()

    def is_unknown(self, model: str) -> bool:
        """Whether no reply of the model was seen yet."""
        with self._lock:
            return not self._opened[model] + self._plain[model]

    def opens_before(self, model: str) -> bool:
        """Whether replies of the model begin with thoughts and no tag."""
        with self._lock:
            return self._opened[model] > self._plain[model]

    def learn(self, model: str, *, opened: bool) -> None:
        """Count a reply."""
        with self._lock:
            (self._opened if opened else self._plain)[model] += 1


def _size_of_beginning(text: str, tags: list[str]) -> int:
    """Return how many characters at the end of the text may begin one of the tags."""
    end = _lower(text[-max(map(len, tags)) :])
    sizes = range(len(end), 0, -1)
    return next(
        (size for size in sizes if any(t.startswith(end[-size:]) for t in tags)), 0
    )


def _lower(text: str) -> str:
    """Lower the ASCII letters only: others can change the length of a text."""
    return text.translate(_LOWER)
