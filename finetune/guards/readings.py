"""The ways in which a gate reads a text, and the windows that each is cut into."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from finetune.guards.canonical import Canonicaliser
from finetune.guards.detector import spans, with_marks
from finetune.guards.judge import MOST_TOKENS, TextTooLong
from finetune.guards.minilm import POSITIONS, load_tokenizer
from finetune.guards.text import with_gaps, without_padding

Window = tuple[int, ...]


class Reading(NamedTuple):
    """A text as it is read: its tokens, and where each of them stands in it."""

    text: str
    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]
    is_typed: bool

    def shown(self, span: slice) -> str:
        """Return the text of a window."""
        places = self.offsets[span]
        return self.text[places[0][0] : places[-1][1]]


class Reader:
    """Texts → all that a gate reads of them."""

    def __init__(self, base: Path, window: int) -> None:
        """`base` is the folder of the sentence model, `window` the most tokens."""
        self._tokenizer = load_tokenizer(base)
        vocabulary = (base / "vocab.txt").read_text("utf-8").splitlines()
        self._plain = Canonicaliser(vocabulary)
        self._window = window

    def readings(
        self, text: str, *, as_typed: bool = False, first_tokens: int | None = None
    ) -> list[Reading]:
        """Return a text as it was typed, in plain form, and without its padding.

        The plain form undoes disguises; but who knows how can write a text that it
        spoils, so the others count as much. So does each with gaps in long words. What
        has the same tokens is read once. Raises TextTooLong.
        """
        texts = [text]
        if not as_typed:
            texts += [self._plain(text), self._plain(without_padding(text))]
        shown = dict.fromkeys(form(t) for t in texts for form in (str, with_gaps))
        found: dict[Window, Reading] = {}
        for form in shown:
            is_typed = form in (text, with_gaps(text))
            reading = self._read(form, first_tokens, is_typed)
            found.setdefault(reading.ids, reading)
        return list(found.values())

    def spans(self, reading: Reading, *, as_typed: bool = False) -> list[slice]:
        """Return which tokens of a reading each window holds."""
        return spans(len(reading.ids), POSITIONS if as_typed else self._window)

    def windows(self, text: str) -> list[Window]:
        """Return the different windows of all readings."""
        rows = (
            with_marks(reading.ids[span])
            for reading in self.readings(text)
            for span in self.spans(reading)
        )
        return list(dict.fromkeys(rows))

    def first(self, text: str) -> Window:
        """Return the first window of a text as it stands; the largest that there is."""
        reading = self._read(with_gaps(text), None, is_typed=True)
        return with_marks(reading.ids[: POSITIONS - 2])

    def _read(self, text: str, first_tokens: int | None, is_typed: bool) -> Reading:
        tokens = self._tokenizer.encode(text, add_special_tokens=False)
        ids = tuple(tokens.ids[:first_tokens])
        if len(ids) > MOST_TOKENS:
            raise TextTooLong(len(ids))
        return Reading(text, ids, tuple(tokens.offsets[: len(ids)]), is_typed)
