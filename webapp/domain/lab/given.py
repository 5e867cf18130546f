"""A given text: how much each token of it surprised a model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from webapp.domain.lab.expected import bytes_of
from webapp.domain.lab.looking import Look, Seen, look
from webapp.domain.lab.models import models_for, require_model
from webapp.domain.safety.answers import SiteAnswer
from webapp.domain.services import Services
from webapp.domain.texts import require_text
from webapp.errors import InvalidInput
from webapp.llm import gateway as llm

TEXT_CHARS: Final = 1500
GUESS_CHARS: Final = 40


@dataclass(frozen=True, slots=True)
class Rival:
    """A token that could have come, with its chance."""

    text: str
    p: float
    data: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """A token of the text. The first has no chance: nothing comes before it.

    The rank is unknown where many others were likelier.
    """

    text: str
    data: tuple[int, ...]
    is_special: bool
    p: float | None
    rank: int | None
    rivals: tuple[Rival, ...]

    @property
    def bits(self) -> float | None:
        """How much it surprised the model."""
        return None if self.p is None else -math.log2(max(self.p, 1e-300))


@dataclass(frozen=True, slots=True)
class TextView:
    """A text token by token, and what it comes to."""

    model: str
    tokens: tuple[Heard, ...]
    bits: float
    bits_per_byte: float | None
    perplexity: float

    @property
    def most_surprising(self) -> tuple[Heard, ...]:
        """The three tokens that the model expected least."""
        known = [one for one in self.tokens if one.p is not None]
        return tuple(sorted(known, key=lambda one: one.p or 0.0)[:3])


@dataclass(frozen=True, slots=True)
class Guess:
    """A word somebody guessed, beside the one that comes and the model's own first.

    The chances are those of whole words, given what came before.
    """

    word: str
    p: float
    truth: str
    truth_p: float
    favourite: str
    favourite_p: float

    @property
    def is_right(self) -> bool:
        """Whether it was the word that comes."""
        return self.word.casefold() == self.truth.casefold()


def read_text(text: str) -> str:
    """Return a text to look at; raise InvalidInput."""
    if len(text) - text.count("\r\n") > TEXT_CHARS:
        raise InvalidInput(
            f"The text has at most {TEXT_CHARS:,} characters. Use a shorter part."
        )
    plain = require_text(text, what="text").strip("\n")
    if not plain.strip():
        raise InvalidInput("The text is empty. Write a sentence or paste one.")
    return plain


def read_guess(word: str) -> str:
    """Return a guessed word; raise InvalidInput."""
    plain = require_text(word, what="word").strip()
    if not plain or len(plain.split()) != 1 or len(plain) > GUESS_CHARS:
        raise InvalidInput(
            f"Guess one word, without spaces, of at most {GUESS_CHARS} characters."
        )
    return plain


def score(
    services: Services, *, player_id: int, model: str, text: str
) -> TextView | SiteAnswer:
    """Return how likely a model finds each token of a text.

    Raises InvalidInput for a model that the player may not ask, QuotaExceeded, and
    BackendError, also where the text is too long for one look.
    """
    named = require_model(models_for(services, player_id=player_id), model).name

    def ask() -> Seen[llm.Scored]:
        told = services.gateway.score(named, text)
        return Seen(told, len(told.tokens))

    wanted = Look(named, ask, {"score": True}, prompt=text, typed=text)
    told = look(services, player_id=player_id, wanted=wanted)
    return told if isinstance(told, SiteAnswer) else _view(named, told)


def guess(
    services: Services,
    *,
    player_id: int,
    model: str,
    before: str,
    word: str,
    truth: str,
) -> Guess | SiteAnswer:
    """Return how likely a guessed word was beside the one that really comes.

    `before` is the text so far, without a blank at its end. Raises what `score` does.
    """
    named = require_model(models_for(services, player_id=player_id), model).name

    def ask() -> Seen[Guess]:
        # The model's own favourite is a token; where a word takes several, it is the
        # first of them.
        told = services.gateway.next_tokens(
            llm.NextRequest(
                llm.ChatRequest(
                    named,
                    sampling=llm.Sampling(temperature=1.0, top_p=1.0, top_k=0),
                    user=f"player-{player_id}",
                    text=before,
                ),
                listed=1,
            )
        )
        first = told.tokens[0]
        size = len(told.prompt_ids)
        found = Guess(
            word=word,
            p=_chance(services, named, f"{before} {word}", size),
            truth=truth,
            truth_p=_chance(services, named, f"{before} {truth}", size),
            favourite=first.text.strip() or first.text,
            favourite_p=first.p,
        )
        return Seen(found, size)

    wanted = Look(named, ask, {"guess": True}, prompt=before, typed=word)
    return look(services, player_id=player_id, wanted=wanted)


def _chance(services: Services, model: str, text: str, known: int) -> float:
    """Return the chance of what comes after the first tokens of a text."""
    told = services.gateway.score(model, text)
    return math.exp(sum(one.logprob or 0.0 for one in told.tokens[known:]))


def _view(model: str, told: llm.Scored) -> TextView:
    return TextView(
        model=model,
        tokens=tuple(
            Heard(
                text=one.text,
                data=bytes_of(one),
                is_special=one.is_special,
                p=None if one.logprob is None else math.exp(one.logprob),
                rank=one.rank,
                rivals=tuple(
                    Rival(each.text, math.exp(each.logprob), bytes_of(each))
                    for each in one.top
                ),
            )
            for one in told.tokens
        ),
        bits=told.bits,
        bits_per_byte=told.bits_per_byte,
        perplexity=told.perplexity,
    )
