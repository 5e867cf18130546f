"""Building blocks of requests: fields without an effect, and fields of two shapes."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

UNSUPPORTED = "unsupported_value"
_ONE, _LIST = "<one>", "<list>"
# What pydantic puts into the place of an error, and no caller wrote.
MARKS = frozenset({_ONE, _LIST})

S = TypeVar("S")
T = TypeVar("T")


class Body(BaseModel):
    """An object in a request; an unknown field is refused: silence would mislead.

    An optional field that is null counts as left out, as in the OpenAI API.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _leave_out_nulls(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        fields = cls.model_fields
        return {
            name: value
            for name, value in data.items()
            if value is not None or name not in fields or fields[name].is_required()
        }


def unsupported(why: str) -> PydanticCustomError:
    """Return the error for a value that is understood and cannot be served."""
    # Braces in the text would be read as places to fill.
    return PydanticCustomError(UNSUPPORTED, "{why}", {"why": why})


def only(*served: object, why: str) -> AfterValidator:
    """Return a check for a field that takes these values; `why` ends a sentence."""

    def check(value: Any) -> Any:
        if value not in served:
            raise unsupported(why)
        return value

    return AfterValidator(check)


def _shape(value: Any) -> str | None:
    if isinstance(value, str):
        return _ONE
    return _LIST if isinstance(value, list) else None


# Tagged, so that an error is about the shape that was sent and not about the other.
OneOrList: TypeAlias = Annotated[
    Annotated[S, Tag(_ONE)] | Annotated[list[T], Tag(_LIST)],
    Discriminator(
        _shape,
        custom_error_type="one_or_list",
        custom_error_message="Input should be a string or a list",
    ),
]
