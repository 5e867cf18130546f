"""What a model expects next, from its whole vocabulary, and of a given text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
# What the rest may have of a draw and still change none that is shown.
_NEGLIGIBLE = 1e-4
# What chances that make one may sum up to.
_ALL = 1 - 1e-9
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

    `entropy` is the surprise in bits to be expected from the model's own chances;
    None where not all of them were looked at.
    """

    likely: tuple[Likely, ...]
    rest: int
    rest_p: float
    rest_shaped: float
    entropy: float | None


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


class View(NamedTuple):
    """The likeliest tokens, or all; their chances before and after the cut."""

    top: list[Step]
    chances: Numbers
    shaped: Numbers
    is_whole: bool


def shape(logprobs: Numbers, cut: Cut, *, is_whole: bool = True) -> Numbers | None:
    """Return the chances that tokens are drawn with, from the likeliest on.

    As the engine does it: first the likeliest `top_k`, then the temperature, then as
    many as `top_p` needs. Temperature 0 always takes the likeliest. None if it takes
    the whole vocabulary to tell.
    """
    result = np.zeros(len(logprobs))
    if cut.temperature == 0:
        result[0] = 1.0
        return result
    has_all = is_whole or 0 < cut.top_k <= len(logprobs)
    if not has_all and cut.temperature != 1:
        if _rest(logprobs, cut.temperature) > _NEGLIGIBLE:
            return None
        has_all = True
    kept = logprobs[: cut.top_k or None] / cut.temperature
    # Else the chances are those of the model, and the rest has the rest.
    total = np.logaddexp.reduce(kept) if has_all else 0.0
    chances = np.exp(kept - total)
    if cut.top_p < 1:
        size = int(np.searchsorted(np.cumsum(chances), cut.top_p)) + 1
        if size > len(chances) and not has_all:
            return None
        chances = chances[:size] / chances[:size].sum()
    result[: len(chances)] = chances
    return result


def _rest(logprobs: Numbers, temperature: float) -> float:
    """Return the most that all tokens that are not listed can have of a draw.

    None of them is likelier than the last that is; below temperature 1 that bounds
    their chances together.
    """
    if temperature > 1:
        return 1.0
    left = max(0.0, 1.0 - float(np.exp(logprobs).sum()))
    most = left * np.exp(logprobs[-1] * (1 / temperature - 1))
    return float(most / np.exp(np.logaddexp.reduce(logprobs / temperature)))


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
        view = self._view(ids, cut)
        shown, shaped = view.chances[:listed], view.shaped[:listed]
        # None of those that were not looked at can be drawn, unless nothing was cut.
        is_cut = view.is_whole or not np.array_equal(view.chances, view.shaped)
        entropy = _bits(view.chances) if view.is_whole else None
        return Outlook(
            self._likely(view, listed),
            self._engine.words - len(shown),
            max(0.0, 1.0 - float(shown.sum())),
            float(view.shaped[listed:].sum() if is_cut else 1.0 - shaped.sum()),
            entropy,
        )

    def draw(
        self, ids: list[int], cut: Cut, *, tokens: int, seed: int | None, listed: int
    ) -> Iterator[Drawn]:
        """Draw tokens one by one, up to a control token."""
        chance = np.random.default_rng(seed)
        prompt = list(ids)
        for _ in range(tokens):
            self._check()
            view, which = self._drawn(prompt, cut, chance.random())
            one = self._likely_one(view, which)
            yield Drawn(one, which + 1, self._likely(view, listed))
            if one.word.is_special:
                return
            prompt.append(one.word.id)

    def given(self, first: Word, ids: list[int], listed: int) -> Iterator[Given]:
        """Return how likely each token of a text was after those before it.

        `first` is the first of the ids.
        """
        yield Given(first, None, None, ())
        for place in range(1, len(ids)):
            self._check()
            yield self._expected(ids[:place], ids[place], listed)

    def _expected(self, ids: list[int], token: int, listed: int) -> Given:
        step = self._steps.look(ids, forced=token, listed=RANKED)
        if step is not None:
            top = step["top_logprobs"]
        else:
            top, step = self._part_of_a_character(ids, token)
        rank = next((n for n, one in enumerate(top, 1) if one["id"] == token), None)
        likely = [(self._word(one), float(one["logprob"])) for one in top[:listed]]
        return Given(self._word(step), float(step["logprob"]), rank, tuple(likely))

    def _part_of_a_character(
        self, ids: list[int], token: int
    ) -> tuple[list[Step], Step]:
        """Return the list in which a token is, and its entry."""
        for listed in (_QUICK, _WHOLE):
            top = self._top(ids, listed)
            for one in top:
                if one["id"] == token:
                    return top, one
        raise EngineError("the engine does not list a token")

    def _drawn(self, ids: list[int], cut: Cut, dice: float) -> tuple[View, int]:
        """Return what may follow, and the place of the token on which dice fell.

        They are between 0 and 1, and rarely fall on what is not among the likeliest.
        """
        view = self._view(ids, cut)
        reached = np.cumsum(view.shaped)
        if dice >= reached[-1] and not view.is_whole and reached[-1] < _ALL:
            view = self._view(ids, cut, looks=(_WHOLE,))
            reached = np.cumsum(view.shaped)
        last = int(np.flatnonzero(view.shaped)[-1])
        return view, min(int(np.searchsorted(reached, dice, side="right")), last)

    def _view(
        self, ids: list[int], cut: Cut, *, looks: tuple[int, ...] = (_QUICK, _WHOLE)
    ) -> View:
        """Look at as many tokens as it takes to tell their chances exactly."""
        for listed in looks:
            top = self._top(ids, listed)
            is_whole = listed == _WHOLE or len(top) < listed
            logprobs = np.array([one["logprob"] for one in top])
            if is_whole:
                # The engine's own sum is off by a ten-thousandth.
                logprobs -= np.logaddexp.reduce(logprobs)
            shaped = shape(logprobs, cut, is_whole=is_whole)
            if shaped is not None:
                return View(top, np.exp(logprobs), shaped, is_whole)
        raise EngineError("the engine lists no chances")

    def _top(self, ids: list[int], listed: int) -> list[Step]:
        step = self._steps.look(ids, forced=self._plain, listed=listed)
        if step is None:
            raise EngineError("the engine lists no chances")
        top: list[Step] = step["top_logprobs"]
        return top

    def _likely(self, view: View, listed: int) -> tuple[Likely, ...]:
        count = min(listed, len(view.top))
        return tuple(self._likely_one(view, place) for place in range(count))

    def _likely_one(self, view: View, place: int) -> Likely:
        word = self._word(view.top[place])
        return Likely(word, float(view.chances[place]), float(view.shaped[place]))

    def _word(self, one: dict[str, Any]) -> Word:
        data = bytes(one["bytes"])
        if not data:
            return Word(one["id"], self._engine.name_of(one["id"]), b"", True)
        return Word(one["id"], data.decode(errors="replace"), data, False)

    def _check(self) -> None:
        if not self._is_wanted():
            raise Unwanted


def _bits(chances: Numbers) -> float:
    seen = chances[chances > 0]
    return float(-(seen * np.log2(seen)).sum())
