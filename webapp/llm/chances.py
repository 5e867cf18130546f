"""What a model expects, as it is read from an answer."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat


def _bytes(value: Any) -> Any:
    return bytes(value) if isinstance(value, list) else value


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Token(_Shape):
    """A token by its id. A control token has a name as its text, and no bytes."""

    id: int
    text: str
    data: Annotated[bytes, BeforeValidator(_bytes)] = Field(b"", alias="bytes")
    is_special: bool = False

    @property
    def is_part(self) -> bool:
        """Whether it is only a part of a character, which no text can show."""
        return not self.is_special and self.data != self.text.encode(errors="replace")


class Likely(Token):
    """A token that could come: its chance, and the one with which it is drawn."""

    p: FiniteFloat
    shaped: FiniteFloat
    is_kept: bool


class Drawn(Likely):
    """A token that was drawn, its rank by chance, and what could have been there."""

    rank: int
    top: tuple[Likely, ...] = ()


class Rest(_Shape):
    """All tokens that are not listed, as one."""

    count: int
    p: FiniteFloat
    shaped: FiniteFloat


class NextTokens(_Shape):
    """What was drawn, and what may follow; nothing follows where the reply has ended.

    `entropy` is how many bits of surprise the model expects of the next token.
    """

    prompt_ids: tuple[int, ...]
    seed: int = 0
    drawn: tuple[Drawn, ...] = ()
    finish_reason: str = "length"
    tokens: tuple[Likely, ...] = ()
    rest: Rest | None = None
    entropy: FiniteFloat | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the model ended its reply."""
        return self.finish_reason == "stop"


class Alternative(Token):
    """A token that could have been in a text, and the logarithm of its chance."""

    logprob: FiniteFloat


class ScoredToken(Token):
    """A token of a text. The first one has no chance: nothing comes before it.

    The rank is unknown where many tokens were likelier.
    """

    logprob: FiniteFloat | None = None
    rank: int | None = None
    top: tuple[Alternative, ...] = ()


class Scored(_Shape):
    """A text token by token, and what it comes to."""

    tokens: tuple[ScoredToken, ...] = Field(min_length=1)
    bits: FiniteFloat
    bits_per_byte: FiniteFloat | None = None
    perplexity: FiniteFloat


class Rendered(_Shape):
    """A chat as the model reads it: one text, and its tokens."""

    text: str
    ids: tuple[int, ...]
    pieces: tuple[Token, ...]
    context: int = Field(alias="max_model_len")
