"""A run of a panel that its page left in the middle: read on, or stopped."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from functools import partial

from webapp.domain.generations import feeds
from webapp.domain.generations import following as any_run
from webapp.domain.generations.following import keep_going
from webapp.domain.generations.sweeping import DIED
from webapp.domain.learn import events
from webapp.domain.learn.history import RunView, find_run
from webapp.domain.services import Services
from webapp.rows import FINISHED, HELPED, REFUSED, STOPPED

__all__ = ["follow", "keep_going", "stop"]


def follow(
    services: Services, *, player_id: int, run_id: int
) -> Generator[events.Event]:
    """Return all events of a run, from its start; raise NotFound."""
    run = find_run(services, player_id=player_id, run_id=run_id)
    feed = feeds.find(services.boot.id, run.id)
    if feed is not None:
        return feed.follow()
    return _recorded(services, player_id, run_id)


def stop(services: Services, *, player_id: int, run_id: int) -> None:
    """Stop a run, unless it is over; raise NotFound, or Conflict if it cannot."""
    any_run.stop(services, find_run(services, player_id=player_id, run_id=run_id))


def _recorded(
    services: Services, player_id: int, run_id: int
) -> Generator[events.Event]:
    look = partial(find_run, services, player_id=player_id, run_id=run_id)
    yield events.Start(run_id)
    run = yield from any_run.wait_for_end(look)
    if run is not None:
        yield from _told(run)


def _told(run: RunView) -> Iterator[events.Event]:
    for number, sample in enumerate(run.samples, 1):
        yield events.SampleBegins(number, run.of, "")
        if sample.status is None:
            yield events.Delta(sample.reply)
        else:
            yield events.JudgedSample.of_row(number, sample)
    if run.told is not None:
        yield events.OutcomeEvent(run.told)
    elif run.status in {HELPED, REFUSED}:
        yield events.Answer(run.answer or "")
    elif run.status not in {FINISHED, STOPPED}:
        yield events.ErrorEvent("interrupted", run.error or DIED, 500)
    yield events.End(run.id, run.status)
