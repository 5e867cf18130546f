"""`bench class`: a class whose students all start a training at the same moment.

The site, the sidecar and a real worker run; each student pastes a text as a browser
does and starts a short run, and a few of them start several. Watched are whose turn it
is, how long everybody waits, and how long pages take meanwhile.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path

from webapp.bench.players import ApiFailure, PageStudent, all_at_once
from webapp.supervisor.trial import Trial, trial_site

# Short, so that a run takes seconds and the class minutes; each brings its own.
TEXT = "\n".join(
    f"Soup {n} has {n} leeks, {n + 1} beans and some salt." for n in range(80)
)
BASE = "fresh-small"
PAGES = ("/", "/keep", "/learn", "/train", "/leaderboard")
PAGE_SECONDS = 1.0
PATIENCE = 1_800.0
LOOK_SECONDS = 0.25
# What the trainer calls a run that is over.
OVER = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Turn:
    """A run: whose it is, and when, in seconds since all were sent."""

    user: str
    status: str
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a class. Times in seconds.

    `overtaken` are turns that somebody got for a second or third run while another
    student's first one still waited. `pages` are the slowest answers by their address.
    """

    students: int
    runs: int
    finished: int
    errors: tuple[str, ...]
    sent_worst: float
    overtaken: int
    first_median: float
    first_worst: float
    all_done: float
    pages: dict[str, float]
    page_median: float
    pages_asked: int

    @property
    def is_well(self) -> bool:
        """Whether all finished in a fair order, and pages came within a second."""
        return (
            not self.errors
            and self.finished == self.runs
            and not self.overtaken
            and max(self.pages.values()) < PAGE_SECONDS
        )


def main(arguments: list[str]) -> int:
    """Run the bench, print a table or JSON; return 1 if anything was not well."""
    chosen = _parser().parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="wordkeep-class-") as folder,
        trial_site(Path(folder) / "instance") as system,
        ExitStack() as stack,
    ):
        found = _measure(system, chosen, stack)
    sys.stdout.write(
        json.dumps(asdict(found), indent=2) + "\n" if chosen.json else _table(found)
    )
    for error in found.errors:
        sys.stderr.write(f"bench class: {error}\n")
    return 0 if found.is_well else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="wordkeep bench class", description=__doc__)
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--greedy", type=int, default=3, help="who start three runs")
    parser.add_argument("--updates", type=int, default=1, help="steps of each run")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


class _Watch:
    """Asks for pages, one after the other, for as long as it is open."""

    def __init__(self, url: str) -> None:
        self._student = PageStudent(url)
        self._is_over = threading.Event()
        self._times: list[tuple[str, float]] = []
        self._errors: list[str] = []
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ask for no more."""
        self._is_over.set()
        self._thread.join()
        self._student.close()

    def slowest(self) -> dict[str, float]:
        """Return the longest answer of each page."""
        return {
            page: max(took for one, took in self._times if one == page)
            for page in PAGES
        }

    def median(self) -> float:
        """Return the usual time of a page."""
        return statistics.median(took for _, took in self._times)

    def asked(self) -> int:
        """Return how many pages came."""
        return len(self._times)

    def errors(self) -> list[str]:
        """Return what was answered instead of a page."""
        return self._errors

    def _ask(self) -> None:
        while not self._is_over.wait(LOOK_SECONDS):
            for page in PAGES:
                started = time.perf_counter()
                try:
                    self._student.page(page)
                except (ApiFailure, OSError) as error:
                    self._errors.append(str(error))
                self._times.append((page, time.perf_counter() - started))


def _measure(system: Trial, chosen: argparse.Namespace, stack: ExitStack) -> Found:
    students = [
        stack.enter_context(closing(PageStudent(system.url)))
        for _ in range(chosen.students)
    ]
    for student in students:
        student.send("/train/data", {"pasted": TEXT})
    errors: list[str] = []
    sent: list[float] = []

    def start(number: int) -> None:
        student = students[number]
        data = student.at.rpartition("/")[2]
        for run in range(3 if number < chosen.greedy else 1):
            started = time.perf_counter()
            try:
                student.send("/train/new", _fields(data, number, run, chosen.updates))
            except (ApiFailure, OSError) as error:
                errors.append(str(error))
            sent.append(time.perf_counter() - started)

    with closing(_Watch(system.url)) as watch:
        began = time.time()
        all_at_once(range(chosen.students), start)
        turns = _await_all(system, began, wanted=len(sent) - len(errors))
    done = [turn for turn in turns if turn.status == "succeeded"]
    firsts = _firsts(turns)
    return Found(
        students=chosen.students,
        runs=len(sent),
        finished=len(done),
        errors=(*errors, *watch.errors()),
        sent_worst=max(sent),
        overtaken=overtaken(turns),
        first_median=statistics.median(turn.began for turn in firsts),
        first_worst=max(turn.began for turn in firsts),
        all_done=max(turn.ended for turn in turns),
        pages=watch.slowest(),
        page_median=watch.median(),
        pages_asked=watch.asked(),
    )


def _fields(data: str, number: int, run: int, updates: int) -> dict[str, str]:
    return {
        "data": data,
        "form": f"bench-{number}-{run}",
        "title": f"Model {number} {run}",
        "base": BASE,
        "length": "updates",
        "updates": str(updates),
        "rows": "4",
        "block": "64",
    }


def _await_all(system: Trial, began: float, *, wanted: int) -> list[Turn]:
    deadline = time.monotonic() + PATIENCE
    while True:
        turns = _turns(system, began)
        if len(turns) >= wanted and all(turn.status in OVER for turn in turns):
            return turns
        if time.monotonic() > deadline:
            raise ApiFailure(f"the runs are not over after {PATIENCE:.0f} s: {turns}")
        time.sleep(1)


def _turns(system: Trial, began: float) -> list[Turn]:
    """Return the runs in the order in which they were begun, those that wait last.

    The site keeps when a run was asked for and when it ended; the trainer's own file
    says when its turn came.
    """
    with closing(sqlite3.connect(system.instance / "jobs.db")) as jobs:
        rows = jobs.execute('SELECT "user", status, started, finished FROM jobs')
        found = [
            Turn(user, status, started - began, finished - began)
            for user, status, started, finished in rows
        ]
    return sorted(found, key=lambda turn: (turn.status == "queued", turn.began))


def _firsts(turns: Sequence[Turn]) -> list[Turn]:
    """Return the first run of each student."""
    found: dict[str, Turn] = {}
    for turn in turns:
        found.setdefault(turn.user, turn)
    return list(found.values())


def overtaken(turns: Sequence[Turn]) -> int:
    """Count turns beyond a student's first before everybody has had one."""
    waiting = {turn.user for turn in turns}
    had: Counter[str] = Counter()
    count = 0
    for turn in turns:
        had[turn.user] += 1
        waiting.discard(turn.user)
        count += had[turn.user] > 1 and bool(waiting)
    return count


def _table(found: Found) -> str:
    pages = ", ".join(f"{page} {took:.2f}" for page, took in found.pages.items())
    return (
        f"\n{found.students} students sent {found.runs} runs at once; "
        f"{found.finished} finished, the last after {found.all_done:.0f} s.\n"
        f"Sending one took {found.sent_worst:.2f} s at most.\n"
        f"A student's first run began after {found.first_median:.0f} s (median), "
        f"{found.first_worst:.0f} s (worst); {found.overtaken} turns went to a second "
        "run before everybody had one.\n"
        f"{found.pages_asked} pages meanwhile: {found.page_median:.3f} s (median); "
        f"slowest, in seconds: {pages}\n"
        f"errors: {len(found.errors)}\n"
    )
