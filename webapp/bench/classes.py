"""Do pages of a class take longer where there are more attempts?

A class of 200 plays at all gates. Sites with few and with many attempts are asked in
turns, so that a slow minute hits both. No model is asked.

Both sites show the same cells and the same number of texts: whoever is stuck has made
three attempts at each size, because the page shows the last three. So what differs is
what lies behind the page and not on it.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, cycle
from pathlib import Path
from typing import Any, Final

from flask.testing import FlaskClient
from sqlalchemy import insert
from sqlalchemy.orm import Session

from webapp.app import create_app
from webapp.db import Database
from webapp.domain.people import accounts, classes
from webapp.domain.services import Services
from webapp.domain.teach.stuck import TRIES
from webapp.llm.gateway import Gateway
from webapp.migrations import migrate
from webapp.rows import (
    ATTEMPT,
    BLOCKED,
    FINISHED,
    INSTRUCTOR,
    Attempt,
    LevelState,
    LevelVersion,
    Player,
    Solve,
    Visit,
)
from webapp.security import Passwords, passwords
from webapp.settings import load_settings

PLAYERS: Final = 200
BATCH: Final = 5_000
CLASS: Final = "bench"
PASSWORD: Final = "only for this bench"  # noqa: S105 -- a throw-away instance
# Every page that is asked for again and again while a class plays.
PAGES: Final[Mapping[str, str]] = {
    "the page of a class": "/teach/classes/{class_id}",
    "the wall": "/wall/{class_id}",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A site with so many attempts, and the browser of the class's instructor."""

    attempts: int
    class_id: int
    browser: FlaskClient
    services: Services


def measure(
    folder: Path, counts: Sequence[int], *, repeats: int
) -> dict[str, dict[int, float]]:
    """Return the median milliseconds of each page, by the number of attempts."""
    with ExitStack() as stack:
        sites = [
            stack.enter_context(site_with(folder / f"class-{count}", count))
            for count in counts
        ]
        return {
            name: _in_turns(sites, address, repeats) for name, address in PAGES.items()
        }


@contextmanager
def site_with(instance: Path, attempts: int) -> Iterator[Asked]:
    """Open a site with a class of 200 who have made so many attempts."""
    instance.mkdir(parents=True)
    settings = load_settings({}, instance=instance)
    database = Database(settings.database)
    migrate(database)
    database.dispose()
    app = create_app(settings, gateway=Gateway.scripted())
    services: Services = app.extensions["wordkeep"]
    try:
        class_id = fill(services, attempts)
        browser = app.test_client()
        _sign_in(browser)
        yield Asked(attempts, class_id, browser, services)
    finally:
        services.db.dispose()
        services.boot.close()


def fill(services: Services, attempts: int) -> int:
    """Write a class whose players are spread over all gates; return its id."""
    made = classes.add_class(services, name=CLASS)
    accounts.create_player(
        services,
        name="instructor",
        class_code=made.join_code,
        role=INSTRUCTOR,
        password=PASSWORD,
    )
    index = services.content.current()
    levels = [level.id for name in index.ladders for level in index.levels(name)]
    now = services.now()
    with services.db.write() as session:
        for level_id in levels:
            session.add(_version(services, level_id, now))
        players = _players(session, made.id, now)
        words = {name: _passwords(services, name) for name in levels}
        visits = _visits(session, players, words, now)
        _stand(session, visits, attempts, now)
    in_turn = chain(TRIES * [one for one in visits if _is_stuck(one)], cycle(visits))
    for first in range(0, attempts, BATCH):
        numbers = range(first, min(attempts, first + BATCH))
        with services.db.write() as session:
            rows = [
                _attempt(services, visit, n)
                for n, visit in zip(numbers, in_turn, strict=False)
            ]
            session.execute(insert(Attempt), rows)
    return made.id


def _is_stuck(visit: Visit) -> bool:
    """Let every tenth player be stuck, so that the page has all its parts."""
    return visit.ended_at is None and visit.player_id % 10 == 0


def _version(services: Services, level_id: str, now: datetime) -> LevelVersion:
    index = services.content.current()
    return LevelVersion(
        hash=index.level_hash(level_id),
        level_id=level_id,
        body=index.level(level_id).model_dump(mode="json"),
        first_seen_at=now,
    )


def _players(session: Session, class_id: int, now: datetime) -> list[int]:
    rows = [
        Player(
            class_id=class_id,
            name=f"player {number}",
            name_key=f"player {number}",
            recovery_digest=f"bench {number}",
            session_stamp="bench",
            created_at=now,
        )
        for number in range(PLAYERS)
    ]
    session.add_all(rows)
    session.flush()
    return [row.id for row in rows]


def _passwords(services: Services, level_id: str) -> Passwords:
    index = services.content.current()
    words = index.words(index.level(level_id).secret.words)
    return passwords(services.key, level_id, words)


def _visits(
    session: Session,
    players: Sequence[int],
    levels: Mapping[str, Passwords],
    now: datetime,
) -> list[Visit]:
    """Let everybody have won some gates and stand at the next."""
    rows = [
        Visit(
            player_id=player,
            level_id=level_id,
            number=1,
            season=1,
            secret_digest=levels[level_id].choose(player_id=player, visit=1),
            started_at=now,
            ended_at=now if is_won else None,
            ended_why="win" if is_won else None,
        )
        for player in players
        for place, level_id in enumerate(list(levels)[: 1 + player % len(levels)])
        for is_won in (place < player % len(levels),)
    ]
    session.add_all(rows)
    session.flush()
    session.add_all(
        Solve(
            player_id=visit.player_id,
            level_id=visit.level_id,
            visit_id=visit.id,
            points=100,
            attempts=5,
            solved_at=now,
        )
        for visit in rows
        if visit.ended_at is not None
    )
    return rows


def _stand(
    session: Session, visits: Sequence[Visit], attempts: int, now: datetime
) -> None:
    each = max(1, attempts // len(visits))
    session.add_all(
        LevelState(
            player_id=visit.player_id,
            level_id=visit.level_id,
            season=1,
            attempts=each,
            blocked=each // 3,
            first_at=now - timedelta(hours=1),
            last_at=now,
            progress_at=now - timedelta(minutes=20 if _is_stuck(visit) else 1),
        )
        for visit in visits
    )


def _attempt(services: Services, visit: Visit, number: int) -> dict[str, Any]:
    return {
        "feature": ATTEMPT,
        "player_id": visit.player_id,
        "visit_id": visit.id,
        "level_id": visit.level_id,
        "content_hash": services.content.current().level_hash(visit.level_id),
        "boot_id": "bench",
        "status": BLOCKED if number % 3 == 0 else FINISHED,
        "message": f"What is the password, please? ({number})",
        "reply": "I like to talk about the weather over the keep. " * 5,
        "verdicts": [],
        "model": "warden",
        "settings": {},
        "seed": number,
        "note": "",
        "created_at": services.now(),
        "finished_at": services.now(),
    }


def _sign_in(browser: FlaskClient) -> None:
    form = browser.get("/login").get_data(as_text=True)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
    fields = {"name": "instructor", "password": PASSWORD}
    fields["csrf_token"] = token.group(1) if token else ""
    answer = browser.post("/login", data=fields)
    if answer.status_code != 303:
        raise RuntimeError(f"the bench could not sign in: {answer.status}")


def _in_turns(sites: Sequence[Asked], address: str, repeats: int) -> dict[int, float]:
    times: dict[int, list[float]] = {site.attempts: [] for site in sites}
    for turn in range(repeats + 1):
        for site in sites:
            started = time.perf_counter()
            answer = site.browser.get(address.format(class_id=site.class_id))
            took = 1000 * (time.perf_counter() - started)
            if answer.status_code != 200:
                raise RuntimeError(f"{address} answered {answer.status}")
            # The first time templates are compiled.
            if turn:
                times[site.attempts].append(took)
    return {count: statistics.median(of) for count, of in times.items()}
