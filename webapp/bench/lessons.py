"""`bench pages`: do pages take longer where there are more lessons, or attempts?

The lessons that come with Wordkeep are copied until there are enough of them. Sites
with few and with many are asked in turns, so that a slow minute hits both. No model is
asked. Pages of a class are asked for in the same way where it has made more attempts.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flask import Flask
from flask.testing import FlaskClient

from webapp.app import create_app
from webapp.bench import classes
from webapp.db import Database
from webapp.domain.people.accounts import create_player
from webapp.domain.services import Services
from webapp.llm.gateway import Gateway
from webapp.migrations import migrate
from webapp.settings import PROJECT, load_settings

SHIPPED: Final = PROJECT / "challenges" / "lessons"
# A copy is no older name of the lesson that it is copied from.
_WAS: Final = re.compile(r"^was:.*\n", re.MULTILINE)
_PLACE: Final = re.compile(r"^place: (\d+)$", re.MULTILINE)
# Tracks that come with Wordkeep; their copies stand after them.
PLACES: Final = 8
PASSWORD: Final = "only for this bench"  # noqa: S105 -- a throw-away instance
LIMIT: Final = 1.3
# How long a page of a class may take, with the most attempts.
LIMIT_MS: Final = 300.0
COURSE: Final = "/learn"


@dataclass(frozen=True, slots=True)
class Asked:
    """A site with so many lessons, and a browser of a player on it."""

    lessons: int
    app: Flask
    browser: FlaskClient


def main(arguments: list[str]) -> int:
    """Run the bench, print tables or JSON; 1 if a page is over a limit.

    The page of the course lists all lessons, so it is shown and not judged.
    """
    chosen = _parser().parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="wordkeep-bench-"))
    try:
        times = measure(folder, chosen.lessons, repeats=chosen.repeats)
        of_class = classes.measure(folder, chosen.attempts, repeats=chosen.repeats)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    ratios, class_ratios = _ratios(times), _ratios(of_class)
    judged = {**ratios, **class_ratios}
    worst = max(ratio for path, ratio in judged.items() if path != COURSE)
    slowest = max(max(ms.values()) for ms in of_class.values())
    result = {
        "ms": times,
        "ratio": ratios,
        "class_ms": of_class,
        "class_ratio": class_ratios,
        "worst": worst,
        "limit": LIMIT,
        "class_worst_ms": slowest,
        "class_limit_ms": LIMIT_MS,
    }
    if chosen.json:
        sys.stdout.write(json.dumps(result, indent=2) + "\n")
    else:
        sys.stdout.write(_table(times, ratios, "lessons"))
        sys.stdout.write(_table(of_class, class_ratios, "attempts"))
        sys.stdout.write(
            f"A page may take {LIMIT} times as long with the most, and one of a class "
            f"at most {LIMIT_MS:.0f} ms.\n"
        )
    return 0 if worst <= LIMIT and slowest <= LIMIT_MS else 1


def _ratios(times: dict[str, dict[int, float]]) -> dict[str, float]:
    """Return how much longer each page takes with the most than with the fewest."""
    return {name: ms[max(ms)] / ms[min(ms)] for name, ms in times.items()}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="wordkeep bench pages", description=__doc__)
    parser.add_argument(
        "--lessons",
        type=int,
        nargs="+",
        default=[len(shipped()), 10 * len(shipped())],
        help="how many there are; default: those that are shipped, and ten times them",
    )
    parser.add_argument(
        "--attempts",
        type=int,
        nargs="+",
        default=[1_000, 100_000],
        help="how many a class has made",
    )
    parser.add_argument("--repeats", type=int, default=40, help="requests of each page")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def measure(
    folder: Path, counts: Sequence[int], *, repeats: int
) -> dict[str, dict[int, float]]:
    """Return the median milliseconds of each page, by the number of lessons."""
    with ExitStack() as stack:
        sites = [
            stack.enter_context(site_with(folder / str(count), count))
            for count in counts
        ]
        return {
            path: _in_turns(sites, path, repeats)
            for path in (COURSE, *_chosen_lessons())
        }


@contextmanager
def site_with(instance: Path, lessons: int) -> Iterator[Asked]:
    """Open a site with so many lessons and a player who reads them."""
    instance.mkdir(parents=True)
    write_lessons(instance / "content" / "lessons", lessons)
    settings = load_settings({}, instance=instance)
    database = Database(settings.database)
    migrate(database)
    database.dispose()
    app = create_app(settings, gateway=Gateway.scripted())
    services: Services = app.extensions["wordkeep"]
    try:
        _require_all(services, lessons)
        create_player(services, name="reader", password=PASSWORD)
        yield Asked(lessons, app, _signed_in(app))
    finally:
        services.db.dispose()
        services.boot.close()


def _require_all(services: Services, lessons: int) -> None:
    found = sum(len(track.lessons) for track in services.content.current().tracks)
    if found != lessons:
        problems = [problem.message for problem in services.content.problems()]
        raise RuntimeError(f"the site has {found} lessons: {problems[:1]}")


def shipped() -> list[Path]:
    """Return the files of the lessons that come with Wordkeep."""
    return sorted(SHIPPED.glob("*/*.md"))


def write_lessons(folder: Path, count: int) -> None:
    """Copy shipped lessons, whole tracks first, until there are `count` with them."""
    files = shipped()
    for number in range(len(files), count):
        copy, at = divmod(number, len(files))
        source = files[at]
        track = folder / f"{source.parent.name}-{copy}"
        if not track.exists():
            track.mkdir(parents=True)
            text = (source.parent / "track.yaml").read_text(encoding="utf-8")
            (track / "track.yaml").write_text(_PLACE.sub(_later(copy), text))
        text = source.read_text(encoding="utf-8")
        (track / source.name).write_text(_WAS.sub("", text), encoding="utf-8")


def _later(copy: int) -> Any:
    return lambda found: f"place: {copy * PLACES + int(found[1])}"


def _chosen_lessons() -> list[str]:
    """Return the first lesson of each track."""
    firsts = (min(track.glob("*.md")) for track in sorted(SHIPPED.glob("*/")))
    return [f"/learn/{one.parent.name}/{one.stem.partition('-')[2]}" for one in firsts]


def _signed_in(app: Flask) -> FlaskClient:
    browser = app.test_client()
    form = browser.get("/login").get_data(as_text=True)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
    fields = {"name": "reader", "password": PASSWORD}
    fields["csrf_token"] = token.group(1) if token else ""
    answer = browser.post("/login", data=fields)
    if answer.status_code != 303:
        raise RuntimeError(f"the bench could not sign in: {answer.status}")
    return browser


def _in_turns(sites: list[Asked], path: str, repeats: int) -> dict[int, float]:
    times: dict[int, list[float]] = {site.lessons: [] for site in sites}
    for turn in range(repeats + 1):
        for site in sites:
            started = time.perf_counter()
            answer = site.browser.get(path)
            took = 1000 * (time.perf_counter() - started)
            if answer.status_code != 200:
                raise RuntimeError(f"{path} answered {answer.status}")
            # The first time templates are compiled.
            if turn:
                times[site.lessons].append(took)
    return {count: statistics.median(of) for count, of in times.items()}


def _table(
    times: dict[str, dict[int, float]], ratios: dict[str, float], what: str
) -> str:
    counts = list(next(iter(times.values())))
    head = "".join(f"{count:>9,} {what:<8}" for count in counts)
    lines = ["", f"{'page'.ljust(32)}{head}   ratio"]
    for path, ms in times.items():
        cells = "".join(f"{one:15.1f} ms" for one in ms.values())
        lines.append(f"{path.ljust(32)}{cells}{ratios[path]:8.2f}")
    return "\n".join(lines) + "\n"
