"""Small talk and ordinary requests, answered in the voice that a prompt asks for."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Literal

from finetune.data.phrases import fill
from finetune.data.warden.chores import write_chore
from finetune.data.warden.pieces import Pieces, Talk, TaughtExchange
from finetune.data.warden.prompts import SystemPrompt
from finetune.data.words import Words

Kind = Literal["talk", "answer", "chore", "foreign"]
_SHARES: dict[Kind, int] = {"talk": 24, "answer": 42, "chore": 27, "foreign": 7}


class OrdinaryWriter:
    """Writes what a visitor asks who is after nothing."""

    def __init__(
        self,
        pieces: Pieces,
        rng: random.Random,
        *,
        is_heldout: bool,
        typed: Callable[[str, random.Random], str],
    ) -> None:
        """`typed` is how visitors write what they ask."""
        answers = pieces.heldout_answers if is_heldout else pieces.answers
        self._talk = pieces.heldout_talk if is_heldout else pieces.talk
        self._answers = [talk for talk in answers if not talk.is_foreign]
        self._foreign = [talk for talk in answers if talk.is_foreign]
        self._meanings = {h.word: h.description for h in pieces.hints.values()}
        self._words = Words(rng, tuple(self._meanings), is_heldout=is_heldout)
        self._rng = rng
        self._typed = typed

    def write(
        self, word: str, system: SystemPrompt, kind: Kind | None = None
    ) -> TaughtExchange:
        """Write a request and its answer; the secret `word` is in neither."""
        while True:
            exchange = self._exchange(system, kind)
            # Else it would be learned that the secret is said, or described, unasked.
            if word not in f"{exchange.ask} {exchange.answer}".casefold():
                return exchange

    def _exchange(self, system: SystemPrompt, kind: Kind | None) -> TaughtExchange:
        rng = self._rng
        kind = kind or rng.choices(list(_SHARES), list(_SHARES.values()))[0]
        if kind == "talk":
            return self._small_talk(rng.choice(self._talk), system)
        is_bare = kind == "foreign"
        if kind == "chore":
            ask, answer, is_bare = write_chore(self._words, self._meanings)
        else:
            written = rng.choice(self._foreign if is_bare else self._answers)
            ask, answer = rng.choice(written.asks), rng.choice(written.says)
        if system.voice and not is_bare:
            answer = system.voice.around(answer, rng)
        return TaughtExchange(self._typed(ask, rng), answer, "ordinary")

    def _small_talk(self, talk: Talk, system: SystemPrompt) -> TaughtExchange:
        rng, voice = self._rng, system.voice
        own = voice.talk.get(talk.asks[0]) if voice else None
        name, gate = system.named()
        answer = capital(fill(rng.choice(own or talk.says), name=name, gate=gate))
        if voice and not own:
            answer = voice.around(answer, rng)
        return TaughtExchange(rng.choice(talk.asks), answer, "talk")


def capital(text: str) -> str:
    """Begin a text with a capital where "the" begins it."""
    # Not where a word in quotes, or a bare one, comes first: it would be changed.
    return text[0].upper() + text[1:] if text.startswith("the ") else text
