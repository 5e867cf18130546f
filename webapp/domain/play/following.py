"""An attempt that its reader left in the middle: read on, or stopped."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from functools import partial

from webapp.domain.generations import feeds
from webapp.domain.generations import following as any_run
from webapp.domain.generations.following import keep_going
from webapp.domain.generations.sweeping import DIED
from webapp.domain.play import conversation, events, notebook
from webapp.domain.play.attempts import AttemptView
from webapp.domain.services import Services
from webapp.errors import NotFound
from webapp.rows import BLOCKED, FINISHED, HELPED, REFUSED, STOPPED, Visit

__all__ = ["follow", "keep_going", "stop"]


def follow(
    services: Services, *, player_id: int, attempt_id: int
) -> Generator[events.Event]:
    """Return all events of an attempt, from its start; raise NotFound."""
    attempt = notebook.find(services, player_id=player_id, attempt_id=attempt_id)
    feed = feeds.find(services.boot.id, attempt.id)
    if feed is not None:
        return feed.follow()
    return _recorded(services, player_id, attempt_id)


def stop(services: Services, *, player_id: int, attempt_id: int) -> None:
    """Stop an attempt, unless it is over; raise NotFound, or Conflict if it cannot."""
    any_run.stop(
        services,
        notebook.find(services, player_id=player_id, attempt_id=attempt_id),
    )


def _recorded(
    services: Services, player_id: int, attempt_id: int
) -> Generator[events.Event]:
    """Yield what the record of an attempt tells, once it is over."""
    look = partial(notebook.find, services, player_id=player_id, attempt_id=attempt_id)
    yield events.Start(attempt_id, look().visit_id)
    attempt = yield from any_run.wait_for_end(look)
    if attempt is not None:
        yield from _told(services, attempt)


def _told(services: Services, attempt: AttemptView) -> Iterator[events.Event]:
    for seen in attempt.verdicts:
        yield events.GuardEvent(
            guard=seen.guard,
            guard_name=seen.guard_name,
            guard_term=seen.guard_term,
            stage=seen.stage,
            allowed=seen.allowed,
            score=seen.score,
            ms=seen.ms,
            reason=seen.reason,
        )
    if attempt.status == FINISHED:
        yield events.ShownReply(attempt.reply, None, None)
    elif attempt.status == BLOCKED:
        yield events.ShownReply(
            None, attempt.blocked_by, _blocked_text(services, attempt.level_id)
        )
    elif attempt.status in {HELPED, REFUSED}:
        yield events.Answer(attempt.reply or "")
    elif attempt.status == STOPPED:
        yield events.Delta(attempt.reply or "")
    else:
        yield events.ErrorEvent("interrupted", attempt.error or DIED, 500)
    yield _end(services, attempt)


def _blocked_text(services: Services, level_id: str) -> str:
    try:
        return services.content.current().level(level_id).blocked_text
    except NotFound:
        return ""


def _end(services: Services, attempt: AttemptView) -> events.End:
    try:
        level = services.content.current().level(attempt.level_id)
    except NotFound:
        return events.End(attempt.id, attempt.status, None, None, None)
    with services.db.read() as session:
        visit = session.get_one(Visit, attempt.visit_id)
        return events.End(
            attempt.id,
            attempt.status,
            conversation.visit_turns_left(session, level, visit),
            conversation.suspicion_left(level, visit.blocks),
            None,
        )
