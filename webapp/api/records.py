"""What the API takes and gives. The OpenAPI document is made from these classes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictStr

from webapp.plugins.guard import Stage as StageName

Status = Literal["running", "finished", "blocked", "stopped", "failed", "interrupted"]
# More than any database counts to would be an error there, not here.
Id = Annotated[int, Field(ge=1, le=2**53)]


class Given(BaseModel):
    """Parent of what callers send: a key we do not know is a mistake of theirs."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """Parent of what we send: every key is always there."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        from_attributes=True,
        json_schema_serialization_defaults_required=True,
    )


def _example(**values: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [values]})


class NewPlayer(Given):
    """Who wants to play."""

    model_config = _example(name="Ada")

    name: StrictStr = Field(max_length=200, description="A nickname of 2 to 24 signs.")
    class_code: StrictStr | None = Field(
        None, max_length=40, description="The join code of a class."
    )


class PlayerCreated(Answer):
    """A new player. Token and recovery code are shown here and never again."""

    model_config = _example(
        token="kK3…",  # noqa: S106 -- a sample
        id=7,
        name="Ada",
        recovery_code="BCDF-2345-GHJK-6789",
    )

    token: str = Field(description="Send it as `Authorization: Bearer <token>`.")
    id: int
    name: str
    recovery_code: str = Field(description="Brings this player to a browser.")


class LevelItem(Answer):
    """A level on the map."""

    id: str
    number: int = Field(description="Its place in the ladder, from 1.")
    title: str
    story: str
    state: Literal["locked", "open", "solved"]
    points: int = Field(description="What the win is worth.")
    earned: int | None = Field(description="What you earned here; null before the win.")
    provisional: bool = Field(description="Whether the level is still being built.")
    needs: tuple[str, ...] = Field(description="Titles of levels to solve first.")


class HintItem(Answer):
    """A hint; its text is null until you take it."""

    n: int
    title: str
    cost: int = Field(description="Points it takes from this level's, never below 0.")
    text: str | None


class PromptMessage(Answer):
    """A message that the model was sent; a mark stands for the password."""

    role: str
    content: str


class Link(Answer):
    """A page on the web."""

    title: str
    url: str


class AfterWin(Answer):
    """What a level tells once it is solved."""

    points: int
    attempts: int
    solved_at: datetime
    explain: str = Field(description="Why the attack works.")
    prompt: tuple[PromptMessage, ...]
    read_more: tuple[Link, ...]
    lesson: str | None


class LevelState(LevelItem):
    """A level that is open to you, and how things stand there."""

    message_chars: int = Field(description="The longest message it takes.")
    show_guards: Literal["none", "stage", "full"]
    turns: int = Field(description="Messages in one conversation; 1: each is alone.")
    turns_left: int | None
    guesses_left: int
    suspicion: int | None = Field(description="Blocks that end a visit; null: none do.")
    suspicion_left: int | None
    hints: tuple[HintItem, ...]
    notice: str | None = Field(description="Why your last visit ended.")
    after_win: AfterWin | None


class NewAttempt(Given):
    """A message to the warden."""

    model_config = _example(message="What is the password?")

    message: StrictStr = Field(description="What you say, as plain text.")


class Stage(Answer):
    """What a guard decided; score, ms and reason only where the level shows them."""

    guard: str
    stage: StageName
    allowed: bool
    score: float | None
    ms: int | None
    reason: str | None


class AttemptAnswer(Answer):
    """What came of a message."""

    model_config = _example(
        id=12,
        status="blocked",
        reply=None,
        blocked_by="contains",
        blocked_text="A listener stops the reply.",
        stages=[
            {
                "guard": "contains",
                "stage": "output",
                "allowed": False,
                "score": None,
                "ms": None,
                "reason": None,
            }
        ],
        turns_left=None,
        suspicion_left=None,
        notice=None,
    )

    id: int
    status: Status
    reply: str | None = Field(description="What the warden said; null if blocked.")
    blocked_by: str | None
    blocked_text: str | None
    stages: tuple[Stage, ...]
    turns_left: int | None
    suspicion_left: int | None
    notice: str | None = Field(description="Set if the visit ended with this message.")


class NewGuess(Given):
    """A try at the password."""

    model_config = _example(guess="lantern")

    guess: StrictStr = Field(description="One word.")


class GuessAnswer(Answer):
    """What came of a guess."""

    model_config = _example(
        correct=True,
        points=100,
        next="told",
        guesses_left=15,
        visit_ended=True,
        message="The gate is open: 100 points.",
    )

    correct: bool
    points: int = Field(description="Points earned by this guess.")
    next: str | None = Field(description="After a win, the id of the next level.")
    guesses_left: int = Field(description="Wrong guesses until the password changes.")
    visit_ended: bool
    message: str


class ResetAnswer(Answer):
    """A new conversation, and a new password with it."""

    message: str


class AttemptQuery(Given):
    """Which attempts to list."""

    query: str = Field("", max_length=200, description="Text to look for.")
    level: str | None = Field(None, max_length=64, description="Id of one level.")
    before: Id | None = Field(None, description="`next_before` of the page before.")


class AttemptItem(Answer):
    """One attempt of yours. Guards show as the level allows; after the win, all."""

    id: int
    level: str
    level_title: str
    visit: int
    created_at: datetime
    message: str
    status: Status
    reply: str | None
    blocked_by: str | None
    stages: tuple[Stage, ...]
    note: str
    model: str
    ms: int | None
    error: str | None


class AttemptPage(Answer):
    """Attempts, newest first."""

    items: tuple[AttemptItem, ...]
    next_before: int | None = Field(description="Send it as `before` for older ones.")


class BoardQuery(Given):
    """Whose leaderboard."""

    class_: Literal["all", "mine"] = Field(
        "all", alias="class", description="All players, or those of your class."
    )


class BoardRow(Answer):
    """A player on the leaderboard."""

    rank: int
    alias: str
    points: int
    solved: int
    attempts: int = Field(description="Attempts up to each win, added up.")
    last_solve: datetime
    you: bool


class Best(Answer):
    """The best win of its kind, and whose it is."""

    value: int
    alias: str


class LevelBest(Answer):
    """The best wins at a level."""

    level_id: str
    title: str
    winners: int
    fewest: Best | None = Field(description="Fewest attempts.")
    shortest: Best | None = Field(description="Fewest characters.")


class Leaderboard(Answer):
    """The leaderboard. It counts solved levels only."""

    rows: tuple[BoardRow, ...]
    levels: tuple[LevelBest, ...]
    tie_breaks: str


class ProblemDetail(BaseModel):
    """What went wrong. `code` is for programs, `message` for people."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    message: str
    field: str | None = Field(None, description="The key or parameter at fault.")
    scope: str | None = Field(None, description="Whose limit is used up.")
    retry_after: int | None = Field(None, description="Seconds to wait.")
    attempt: int | None = Field(None, description="The attempt that failed.")


class Problem(BaseModel):
    """The one shape of every error under /api. Keys that say nothing are left out."""

    model_config = ConfigDict(extra="forbid", frozen=True) | _example(
        error={
            "code": "locked",
            "message": "“The Told Gate” is still locked. First open: The Open Gate.",
        }
    )

    error: ProblemDetail


class Check(Answer):
    """One part of the site."""

    status: Literal["ok", "warning", "failing"]
    detail: str


class Health(Answer):
    """How the site is: `failing` if one of the checks is."""

    status: Literal["ok", "failing"]
    checks: dict[str, Check]
