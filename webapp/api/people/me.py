"""What belongs to the caller."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StrictInt, StrictStr

from webapp.api.operations import Api
from webapp.api.records import Answer, Given, Stage, Status, given_by
from webapp.domain.learn import carrying
from webapp.domain.people.accounts import PlayerInfo
from webapp.domain.play import notebook
from webapp.domain.play.attempts import AttemptView
from webapp.web.context import services
from webapp.web.uploads import takes_files

# More than any database counts to would be an error there, not here.
Id = Annotated[int, Field(ge=1, le=2**53)]

api = Api("me")


class AttemptQuery(Given):
    """Which attempts to list."""

    query: str = Field("", max_length=200, description="Text to look for.")
    level: str | None = Field(None, max_length=64, description="Id of one level.")
    before: Id | None = Field(None, description="`next_before` of the page before.")


class AttemptItem(Answer):
    """One of your attempts. Guards show what the level allows; after the win, all."""

    id: int
    level: str
    level_title: str
    visit: int
    created_at: datetime
    message: str
    status: Status
    reply: str | None
    thoughts: str | None
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


class Progress(Answer):
    """Your progress in lessons, sealed by this site: changed, it is refused."""

    format: str
    version: int
    panels: tuple[dict[str, Any], ...]
    answers: tuple[dict[str, Any], ...]
    seal: str


class BroughtProgress(Given):
    """What `GET /me/progress` gave, or the file of your page, exactly as it was."""

    model_config = given_by(
        "/api/v1/me/progress",
        format="wordkeep-progress",
        version=1,
        panels=[],
        answers=[],
        seal="3f9c…",
    )

    format: StrictStr = Field(max_length=40)
    version: StrictInt
    panels: tuple[dict[str, Any], ...]
    answers: tuple[dict[str, Any], ...]
    seal: StrictStr = Field(max_length=200)


class TakenOver(Answer):
    """How much of it was new to you.

    `missing` are panels and questions that no lesson has now.
    """

    panels: int
    answers: int
    missing: tuple[str, ...]
    message: str


@api.get("/me/attempts")
def my_attempts(player: PlayerInfo, query: AttemptQuery) -> AttemptPage:
    """List your attempts, newest first, 20 at a time.

    What a guard held back is neither shown nor found before you solve its level.
    """
    page = notebook.search(
        services(),
        player_id=player.id,
        query=query.query,
        level_id=query.level,
        before=query.before,
    )
    items = tuple(_item(attempt) for attempt in page.items)
    return AttemptPage(items=items, next_before=page.next_before)


@api.get("/me/progress")
def my_progress(player: PlayerInfo) -> Progress:
    """Read your progress in lessons, to bring it back later under another name."""
    text = carrying.export(services(), player_id=player.id)
    return Progress.model_validate_json(text)


@api.post("/me/progress")
@takes_files
def bring_progress(player: PlayerInfo, body: BroughtProgress) -> TakenOver:
    """Take progress of this site over.

    What you have reached only gets better by it; the same a second time changes
    nothing.
    """
    brought = carrying.bring_back(
        services(), player_id=player.id, data=json.dumps(body.model_dump()).encode()
    )
    return TakenOver.model_validate(brought)


def _item(attempt: AttemptView) -> AttemptItem:
    return AttemptItem(
        id=attempt.id,
        level=attempt.level_id,
        level_title=attempt.level_title,
        visit=attempt.visit_id,
        created_at=attempt.created_at,
        message=attempt.message,
        status=attempt.status,
        reply=attempt.reply,
        thoughts=attempt.thoughts,
        blocked_by=attempt.blocked_by,
        stages=tuple(Stage.model_validate(verdict) for verdict in attempt.verdicts),
        note=attempt.note,
        model=attempt.model,
        ms=attempt.ms,
        error=attempt.error,
    )
