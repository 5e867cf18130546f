"""What several calls of the API take and give.

All other records lie beside the call that uses them. The OpenAPI document is made from
these classes.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from webapp.plugins.guard import Stage as StageName

Status = Literal[
    "running",
    "finished",
    "blocked",
    "stopped",
    "failed",
    "interrupted",
    "helped",
    "refused",
]


class Given(BaseModel):
    """Parent of what callers send: a key we do not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """Parent of what we send: every key is always there."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        from_attributes=True,
        json_schema_serialization_defaults_required=True,
    )


# Where in the document a record says which address gives it.
SOURCE: Final = "x-source"


def example(**values: Any) -> ConfigDict:
    """Return what shows one record of its kind in the document."""
    return ConfigDict(json_schema_extra={"examples": [values]})


def given_by(path: str, **values: Any) -> ConfigDict:
    """Return an example of a record that is sent back as a GET of `path` gave it."""
    return ConfigDict(json_schema_extra={"examples": [values], SOURCE: path})


class Stage(Answer):
    """What a guard decided; score, ms and reason only where the level shows them."""

    guard: str = Field(description="The kind of guard, as level files name it.")
    guard_name: str = Field(description="How the level calls it: the listener.")
    guard_term: str = Field(description="What the field calls it: output filter.")
    stage: StageName
    allowed: bool
    score: float | None
    ms: int | None
    reason: str | None


class ProblemDetail(BaseModel):
    """What went wrong. `code` is for programs, `message` for people."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    message: str
    field: str | None = Field(None, description="The key or parameter at fault.")
    scope: str | None = Field(
        None,
        description="Whose limit is used up, and of which period: player, share (of "
        "one player in the class), class, address or network.",
    )
    retry_after: int | None = Field(None, description="Seconds to wait.")
    attempt: int | None = Field(None, description="The attempt that failed.")


class Problem(BaseModel):
    """The one shape of every error under /api. Keys that say nothing are left out."""

    model_config = ConfigDict(extra="forbid", frozen=True) | example(
        error={
            "code": "locked",
            "message": "“The Told Gate” is still locked. First open: The Open Gate.",
        }
    )

    error: ProblemDetail
