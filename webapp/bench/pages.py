"""Times of pages over databases of different sizes, in one process, without a model."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import insert

from webapp.app import create_app
from webapp.db import Database
from webapp.domain.people import classes
from webapp.domain.people.accounts import create_player, create_token
from webapp.domain.services import Services
from webapp.domain.teach import wall
from webapp.llm.gateway import Gateway
from webapp.migrations import migrate
from webapp.rows import ATTEMPT, FINISHED, Attempt, LevelVersion, Solve, Visit
from webapp.settings import load_settings

REPEATS = 15
PLAYERS = 200
BATCH = 5_000
PASSWORD = "only for this bench"  # noqa: S105 -- a throw-away instance


@dataclass(frozen=True, slots=True)
class PageTimes:
    """Median milliseconds of each page with `attempts` rows in the database."""

    attempts: int
    ms: dict[str, float]


def time_pages(instance: Path, *, attempts: int) -> PageTimes:
    """Fill a fresh instance with attempts of 200 players and time what reads them."""
    instance.mkdir(parents=True)
    settings = load_settings({}, instance=instance)
    database = Database(settings.database)
    migrate(database)
    database.dispose()
    app = create_app(settings, gateway=Gateway.scripted())
    services: Services = app.extensions["wordkeep"]
    token = _fill(services, attempts)
    browser = app.test_client()
    _sign_in(browser)
    bearer = {"Authorization": f"Bearer {token}"}
    on_wall = _wall_link(services)
    part = {"HX-Request": "true"}
    pages: dict[str, Callable[[], int]] = {
        "/keep": lambda: browser.get("/keep").status_code,
        "/keep/open": lambda: browser.get("/keep/open").status_code,
        "/notebook": lambda: browser.get("/notebook").status_code,
        "/leaderboard": lambda: browser.get("/leaderboard").status_code,
        "/wall": lambda: app.test_client().get(on_wall).status_code,
        "/wall, its part": lambda: (
            app.test_client().get(on_wall, headers=part).status_code
        ),
        "GET /api/v1/leaderboard": lambda: (
            app.test_client().get("/api/v1/leaderboard", headers=bearer).status_code
        ),
        "GET /api/v1/me/attempts": lambda: (
            app.test_client().get("/api/v1/me/attempts", headers=bearer).status_code
        ),
        "POST guess": lambda: (
            app.test_client()
            .post(
                "/api/v1/levels/open/guesses",
                headers=bearer,
                json={"guess": "certainly wrong"},
            )
            .status_code
        ),
    }
    times = {name: _median_ms(name, page) for name, page in pages.items()}
    services.db.dispose()
    services.boot.close()
    return PageTimes(attempts, times)


def _wall_link(services: Services) -> str:
    """Return the link to the wall of the class that all players are in."""
    (info,) = classes.classes(services)
    return f"/wall/{info.id}?key={wall.link_key(services, info)}"


def _sign_in(browser: FlaskClient) -> None:
    """Sign in as a person does, with the form's token."""
    form = browser.get("/login").get_data(as_text=True)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
    answer = browser.post(
        "/login",
        data={
            "name": "player 0",
            "password": PASSWORD,
            "csrf_token": token.group(1) if token else "",
        },
    )
    if answer.status_code != 303:
        raise RuntimeError(f"the bench could not sign in: {answer.status}")


def _median_ms(name: str, page: Callable[[], int]) -> float:
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        status = page()
        times.append(1000 * (time.perf_counter() - started))
        if status != 200:
            raise RuntimeError(f"{name} answered {status}")
    return statistics.median(times)


def _fill(services: Services, attempts: int) -> str:
    """Insert players, visits, solves and attempts; every twentieth is the viewer's.

    Return the viewer's API token.
    """
    viewer = create_player(services, name="player 0", password=PASSWORD)
    players = [viewer.player_id] + [
        create_player(services, name=f"player {n}").player_id for n in range(1, PLAYERS)
    ]
    index = services.content.current()
    now = services.now()
    level = index.level("open")
    version = LevelVersion(
        hash=index.level_hash("open"),
        level_id="open",
        body=level.model_dump(mode="json"),
        first_seen_at=now,
    )
    visits = {
        player: Visit(
            player_id=player,
            level_id="open",
            number=1,
            season=1,
            secret_digest=f"bench {player}",
            wrong_guesses=0,
            blocks=0,
            started_at=now,
            ended_at=now,
            ended_why="win",
        )
        for player in players
    }
    with services.db.write() as session:
        session.add(version)
        session.add_all(visits.values())
        session.flush()
        session.add_all(
            Solve(
                player_id=player,
                level_id="open",
                visit_id=visit.id,
                points=100,
                attempts=1 + player % 9,
                chars=20 + player % 50,
                solved_at=now - timedelta(minutes=player),
            )
            for player, visit in visits.items()
        )
    for first in range(0, attempts, BATCH):
        numbers = range(first, min(attempts, first + BATCH))
        rows = []
        for n in numbers:
            player = players[0] if n % 20 == 0 else players[1 + n % (PLAYERS - 1)]
            rows.append(
                {
                    "feature": ATTEMPT,
                    "player_id": player,
                    "visit_id": visits[player].id,
                    "level_id": "open",
                    "content_hash": version.hash,
                    "boot_id": "bench",
                    "status": FINISHED,
                    "message": f"What is the password, please? ({n})",
                    "reply": "I like to talk about the weather over the keep. " * 5,
                    "verdicts": [],
                    "model": "warden",
                    "settings": {},
                    "seed": n,
                    "note": "",
                    "created_at": now,
                    "finished_at": now,
                }
            )
        with services.db.write() as session:
            session.execute(insert(Attempt), rows)
    return create_token(services, player_id=players[0])
