"""The token that a check of probabilities looks at."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictInt

from webapp.checks.shared.options import CheckOptions
from webapp.plugins.check import (
    Chance,
    Outcome,
    PickedToken,
    Sample,
    Subject,
    failed,
    ungraded,
)

# What the examples of the checks look at: the second likeliest token, and a sure one.
NEXT = (Chance(" Paris", 0.77), Chance(" Lyon", 0.12), Chance(" Par", 0.04))
_TOKENS = (
    PickedToken(" Lyon", 0.12, NEXT),
    PickedToken(".", 0.9, (Chance(".", 0.9),)),
)


def lyon(tokens: tuple[PickedToken, ...] = _TOKENS) -> Subject:
    """Return the reply "Lyon." for an example of a check, or one of other tokens."""
    reply = "".join(token.text for token in tokens)
    return Subject("", sample=Sample(reply, tokens=tokens))


class At(CheckOptions):
    """Which token of the reply."""

    at: Annotated[StrictInt, Field(ge=1, le=300)] = Field(
        1, description="Which token of the reply; 1 is the first."
    )


def token_at(options: At, subject: Subject) -> PickedToken | Outcome:
    """Return the token, or the outcome if there is none to look at."""
    if subject.sample is None or not subject.sample.tokens:
        return ungraded("The model did not say how probable its tokens were.")
    tokens = subject.sample.tokens
    if options.at > len(tokens):
        return failed(f"The reply ends before token {options.at}.", count=len(tokens))
    token = tokens[options.at - 1]
    if not token.likeliest:
        return ungraded("The model did not say what else could have come.")
    return token


def same_token(one: str, other: str, *, ignore_case: bool = False) -> bool:
    """Say whether two tokens are the same but for spaces around them."""
    first, second = (text.strip() or text for text in (one, other))
    if ignore_case:
        return first.casefold() == second.casefold()
    return first == second


def percent(probability: float) -> str:
    """Return a probability as it is said to people; a tiny one is not called 0."""
    share = probability * 100
    if share >= 10:
        return f"{share:.0f} %"
    return f"{share:.1f} %" if share >= 0.1 else "less than 0.1 %"
