"""What the options of all checks have in common."""

from __future__ import annotations

from typing import Annotated, Any, Final

import regex
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from webapp.text.finding import composed

# A slot or a hidden value, which is filled in before the check is asked.
_PLACEHOLDER: Final = regex.compile(r"\{[a-z][a-z0-9_]{0,29}\}")


class CheckOptions(BaseModel):
    """Parent of all options: unknown keys are errors, and nothing changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def has_placeholder(text: str) -> bool:
    """Say whether something in a text is still to be filled in."""
    return _PLACEHOLDER.search(text) is not None


def with_sample(text: str, sample: str) -> str:
    """Return a text in which each {name} became a sample of what it may be."""
    return str(_PLACEHOLDER.sub(lambda _: sample, text))


def _can_be_found(text: str) -> str:
    if not composed(text):
        raise ValueError("has nothing in it to look for")
    return text


def _as_tuple(value: Any) -> Any:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


Wanted = Annotated[
    str, Field(min_length=1, max_length=2_000), AfterValidator(_can_be_found)
]
SeveralWanted = Annotated[
    tuple[Wanted, ...],
    Field(min_length=1, max_length=100),
    BeforeValidator(_as_tuple, json_schema_input_type=Wanted | tuple[Wanted, ...]),
]
