"""What is the caller's own."""

from __future__ import annotations

from webapp.api.operations import Api
from webapp.api.records import AttemptItem, AttemptPage, AttemptQuery, Stage
from webapp.api.requests import services
from webapp.domain.people.accounts import PlayerInfo
from webapp.domain.play import notebook
from webapp.domain.play.attempts import AttemptView

api = Api("me")


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
        blocked_by=attempt.blocked_by,
        stages=tuple(Stage.model_validate(verdict) for verdict in attempt.verdicts),
        note=attempt.note,
        model=attempt.model,
        ms=attempt.ms,
        error=attempt.error,
    )
