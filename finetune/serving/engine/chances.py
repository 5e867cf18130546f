"""What a model expects next, from its whole vocabulary, and of a given text."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from finetune.serving.engine.copies import Engine
from finetune.serving.engine.loopback import EngineError
from finetune.serving.engine.steps import Step, Steps

# The engine lists this many tokens about as quickly as one; the whole vocabulary takes
# far longer.
_QUICK = 1000
_WHOLE = 2**20
# Ranks are counted so far down.
RANKED = 64

Numbers = NDArray[np.float64]


class Unwanted(Exception):
    """The caller no longer waits for it."""


class Cut(NamedTuple):
    """How the chances are changed before one token is drawn."""

    temperature: float
    top_p: float
    top_k: int


class Word(NamedTuple):
    """A token: its id, how it reads, and its bytes, which may be half a character.

    A control token has a name, and no bytes of text.
    """

    id: int
    text: str
    bytes: bytes
    is_special: bool


class Likely(NamedTuple):
    """A token that could come, and its chance before and after the cut."""

    word: Word
    p: float
    shaped: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """All that may come next: the likeliest, and the rest as one.

    `entropy` is the surprise in bits to be expected from the model's own chances.
    """

    likely: tuple[Likely, ...]
    rest: int
    rest_p: float
    rest_shaped: float
    entropy: float


class Drawn(NamedTuple):
    """A token that was drawn, how many tokens were likelier, and what else could be."""

    likely: Likely
    rank: int
    others: tuple[Likely, ...]


class Given(NamedTuple):
    """A token of a given text. Nothing comes before the first, so it has no chance.

    The rank is None where it is not among the first ones.
    """

    word: Word
    logprob: float | None
    rank: int | None
    top: tuple[tuple[Word, float], ...]


def shape(logprobs: Numbers, cut: Cut) -> Numbers:
    """Return the chances that a token is drawn with, from the likeliest on.

    As the engine does it: first the likeliest `top_k`, then the temperature, then as
    many as `top_p` needs. Temperature 0 always takes the likeliest.
    """
    result = np.zeros(len(logprobs))
    if cut.temperature == 0:
        result[0] = 1.0
        return result
    kept = logprobs[: cut.top_k or None] / cut.temperature
    chances = np.exp(kept - kept.max())
    chances /= chances.sum()
    if cut.top_p < 1:
        size = int(np.searchsorted(np.cumsum(chances), cut.top_p)) + 1
        chances = chances[:size] / chances[:size].sum()
    result[: len(chances)] = chances
    return result


class Looker:
    """Looks at one engine for one caller, in a slot of its own."""

    def __init__(
        self, engine: Engine, steps: Steps, is_wanted: Callable[[], bool]
    ) -> None:
        self._engine = engine
        self._steps = steps
        self._is_wanted = is_wanted
        # Any token that reads as text: one that is forced tells what all could be.
        self._plain = engine.tokenise("a")[0]

    def read(self, ids: list[int]) -> None:
        """Read a prompt; raise Unwanted if its caller leaves meanwhile."""
        if not self._steps.read(ids, self._is_wanted):
            if not self._is_wanted():
                raise Unwanted
            raise EngineError("the engine did not read a prompt")

    def outlook(self, ids: list[int], cut: Cut, listed: int) -> Outlook:
        """Return what may follow a prompt that was read."""
        top, logprobs = self._all(ids)
        shaped = shape(logprobs, cut)
        chances = np.exp(logprobs)
        return Outlook(
            self._likely(top, chances, shaped, listed),
            len(top) - min(listed, len(top)),
            float(chances[listed:].sum()),
            float(shaped[listed:].sum()),
            float(-(chances * logprobs).sum() / math.log(2)),
        )

    def draw(
        self, ids: list[int], cut: Cut, *, tokens: int, seed: int | None, listed: int
    ) -> Iterator[Drawn]:
        """Draw tokens one by one, up to a control token."""
        chance = np.random.default_rng(seed)
        prompt = list(ids)
        for _ in range(tokens):
            self._check()
            is_quick = cut.temperature == 0 or 0 < cut.top_k <= _QUICK
            top, logprobs = self._some(prompt) if is_quick else self._all(prompt)
            shaped = shape(logprobs, cut)
            which = int(chance.choice(len(shaped), p=shaped))
            chances = np.exp(logprobs)
            one = Likely(
                self._word(top[which]), float(chances[which]), float(shaped[which])
            )
            yield Drawn(one, which + 1, self._likely(top, chances, shaped, listed))
            if one.word.is_special:
                return
            prompt.append(one.word.id)

    def given(
        self, words: Sequence[Word], listed: int, *, start: int = 1
    ) -> Iterator[Given]:
        """Return how likely each token of a text was after those before it."""
        ids = [word.id for word in words]
        yield from (Given(word, None, None, ()) for word in words[:start])
        for place in range(start, len(ids)):
            self._check()
            yield self._expected(ids[:place], words[place], listed)

    def _expected(self, ids: list[int], word: Word, listed: int) -> Given:
        step = self._steps.look(ids, forced=word.id, listed=RANKED)
        if step is not None:
            top, logprob = step["top_logprobs"], float(step["logprob"])
        else:
            top, logprob = self._part_of_a_character(ids, word.id)
        rank = next((n for n, one in enumerate(top, 1) if one["id"] == word.id), None)
        likely = [(self._word(one), float(one["logprob"])) for one in top[:listed]]
        return Given(word, logprob, rank, tuple(likely))

    def _part_of_a_character(
        self, ids: list[int], token: int
    ) -> tuple[list[Step], float]:
        """Return the list in which a token is, and what it says of it."""
        for listed in (_QUICK, _WHOLE):
            top = self._top(ids, listed)
            for one in top:
                if one["id"] == token:
                    return top, float(one["logprob"])
        raise EngineError("the engine does not list a token")

    def _all(self, ids: list[int]) -> tuple[list[Step], Numbers]:
        """Return all tokens and their logarithms, so that the chances make one."""
        top = self._top(ids, _WHOLE)
        logprobs = np.array([one["logprob"] for one in top])
        return top, logprobs - np.logaddexp.reduce(logprobs)

    def _some(self, ids: list[int]) -> tuple[list[Step], Numbers]:
        top = self._top(ids, _QUICK)
        return top, np.array([one["logprob"] for one in top])

    def _top(self, ids: list[int], listed: int) -> list[Step]:
        step = self._steps.look(ids, forced=self._plain, listed=listed)
        if step is None:
            raise EngineError("the engine lists no chances")
        top: list[Step] = step["top_logprobs"]
        return top

    def _likely(
        self, top: list[Step], chances: Numbers, shaped: Numbers, listed: int
    ) -> tuple[Likely, ...]:
        rows = zip(top[:listed], chances, shaped, strict=False)
        return tuple(
            Likely(self._word(one), float(p), float(cut)) for one, p, cut in rows
        )

    def _word(self, one: dict[str, Any]) -> Word:
        data = bytes(one["bytes"])
        if not data:
            return Word(one["id"], self._engine.name_of(one["id"]), b"", True)
        return Word(one["id"], data.decode(errors="replace"), data, False)

    def _check(self) -> None:
        if not self._is_wanted():
            raise Unwanted
