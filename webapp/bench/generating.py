"""`bench lessons`: how long a class waits that presses Generate at the same moment.

First one student fills in the solution of a panel some times, alone. Then all students
press Generate at once, each of them a guest with a browser's cookie. The same samples
are asked of the engine's own queue, in a process of its own, in the same run; the ratio
means something on any computer.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from webapp import checks, guards
from webapp.bench.players import ApiFailure, PageStudent, all_at_once
from webapp.bench.playground import LIMITS, engine_waits
from webapp.content.lessons.schema import Panel
from webapp.content.loader import load
from webapp.domain.learn import filling
from webapp.errors import InvalidInput
from webapp.plugins.registry import load_plugins
from webapp.settings import PROJECT
from webapp.supervisor.trial import Trial, trial_site

# What one student may wait alone, and what nobody may in a class, in seconds.
FIRST: Final = 3.0
WHOLE: Final = 12.0
WORST: Final = 60.0


@dataclass(frozen=True, slots=True)
class Ran:
    """One press of Generate; times in seconds since then.

    `first` is the outcome of the first sample, `whole` that of the run. `place` is the
    largest place in the queue that was told; 0 where none was.
    """

    first: float
    whole: float
    samples: int
    place: int


@dataclass(frozen=True, slots=True)
class Waits:
    """The median and the worst of several runs, in seconds."""

    first_median: float
    first_worst: float
    whole_median: float
    whole_worst: float


@dataclass(frozen=True, slots=True)
class Found:
    """What came of the bench.

    The ratios are medians of the site over those of the engine. `told` is how many
    students of the class were told a place in the queue, `last` the largest place, and
    `load` what the computer was busy with before it began (one minute).
    """

    alone: Waits
    alone_engine: Waits
    together: Waits
    together_engine: Waits
    first_ratio: float
    whole_ratio: float
    students: int
    told: int
    last: int
    load: float
    errors: tuple[str, ...]

    @property
    def is_well(self) -> bool:
        """Say whether nobody met an error or waited longer than is allowed."""
        return (
            not self.errors
            and self.alone.first_median < FIRST
            and self.alone.whole_median < WHOLE
            and self.together.whole_worst < WORST
        )


def main(arguments: list[str]) -> int:
    """Run the bench, print a table or JSON; 1 if somebody waits too long."""
    chosen = _parser().parse_args(arguments)
    panel = panel_of(chosen.lesson, chosen.panel)
    with (
        tempfile.TemporaryDirectory(prefix="wordkeep-lessons-") as folder,
        trial_site(Path(folder) / "instance", env=LIMITS) as system,
    ):
        found = measure(
            system, chosen.lesson, panel, students=chosen.students, alone=chosen.alone
        )
    sys.stdout.write(
        json.dumps(asdict(found), indent=2) + "\n" if chosen.json else _table(found)
    )
    for error in found.errors:
        sys.stderr.write(f"bench lessons: {error}\n")
    return 0 if found.is_well else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="wordkeep bench lessons", description=__doc__)
    parser.add_argument("--lesson", default="hacking/first-contact", help="its id")
    parser.add_argument("--panel", default="ask", help="a panel of it that is a chat")
    parser.add_argument("--students", type=int, default=30, help="at the same moment")
    parser.add_argument("--alone", type=int, default=5, help="runs of one student")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def panel_of(lesson_id: str, name: str) -> Panel:
    """Return a panel of a shipped lesson; raise InvalidInput if it cannot be used."""
    load_plugins(guards)
    load_plugins(checks)
    index = load([PROJECT / "challenges"]).index
    lesson = index.find_lesson(lesson_id) if index else None
    found = [panel for panel in lesson.panels if panel.name == name] if lesson else []
    if not found:
        raise InvalidInput(
            f"The lessons that come with Wordkeep have no panel {lesson_id} {name}. "
            "Look into challenges/lessons."
        )
    if found[0].talk != "chat":
        raise InvalidInput(
            f"The panel {name} is no chat, and the queue is asked chats only. Choose "
            "one with talk: chat."
        )
    return found[0]


def measure(
    system: Trial, lesson_id: str, panel: Panel, *, students: int, alone: int
) -> Found:
    """Let one student and then a class run a panel, and ask the engine the same."""
    load_before = os.getloadavg()[0]
    with ExitStack() as stack:
        guests = [
            stack.enter_context(closing(PageStudent(system.url)))
            for _ in range(students + 1)
        ]
        for guest in guests:
            guest.page(f"/learn/{lesson_id}")
        errors: list[str] = []

        def press(guest: PageStudent) -> Ran | None:
            try:
                return generate(guest, lesson_id, panel)
            except (ApiFailure, OSError) as error:
                errors.append(str(error))
                return None

        # The model is loaded, as on a site that is up.
        press(guests[0])
        single = [press(guests[0]) for _ in range(alone)]
        crowd = all_at_once(guests[1:], press)
    alone_runs, runs = _all(single), _all(crowd)
    alone_engine = _engine(system, panel, alone_runs, one_by_one=True)
    engine = _engine(system, panel, runs)
    together, together_engine = _waits(runs), _waits(engine)
    return Found(
        alone=_waits(alone_runs),
        alone_engine=_waits(alone_engine),
        together=together,
        together_engine=together_engine,
        first_ratio=together.first_median / together_engine.first_median,
        whole_ratio=together.whole_median / together_engine.whole_median,
        students=students,
        told=sum(run.place > 0 for run in runs),
        last=max(run.place for run in runs),
        load=load_before,
        errors=tuple(errors),
    )


def generate(guest: PageStudent, lesson_id: str, panel: Panel) -> Ran:
    """Press Generate with the solution in the boxes; read the stream to its end."""
    values = panel.proof.solved_by[0]
    fields = {f"s.{name}": text for name, text in values.items()}
    started = time.perf_counter()
    first, whole, samples, place = None, None, 0, 0
    for name, data in guest.stream(f"/learn/{lesson_id}/{panel.name}/runs", fields):
        now = time.perf_counter() - started
        if name == "queue":
            place = max(place, data["position"])
        elif name == "judged":
            samples += 1
            first = first or now
        elif name == "outcome":
            whole = now
        elif name == "error":
            raise ApiFailure(f"{lesson_id} {panel.name}: {data['code']}")
    if first is None or whole is None:
        raise ApiFailure(f"{lesson_id} {panel.name}: the stream ended too early")
    return Ran(first, whole, samples, place)


def _engine(
    system: Trial, panel: Panel, runs: Sequence[Ran], *, one_by_one: bool = False
) -> list[Ran]:
    """Ask the engine for as many samples as each run had, all runs at once or not."""
    asked = [_bodies(panel, run.samples, n) for n, run in enumerate(runs)]
    if one_by_one:
        asked = [tuple(body for bodies in asked for body in bodies)]
    waits = engine_waits(system, asked)
    if one_by_one:
        in_line = iter(waits[0])
        waits = [[next(in_line) for _ in range(run.samples)] for run in runs]
    return [
        Ran(one[0]["total"], sum(wait["total"] for wait in one), len(one), 0)
        for one in waits
    ]


def _bodies(panel: Panel, samples: int, student: int) -> tuple[dict[str, Any], ...]:
    given = filling.typed(panel, panel.proof.solved_by[0])
    name = f"student-{student}"
    bodies = []
    for n, hidden in enumerate(filling.hidden_sets(panel, samples)):
        request = filling.request_of(
            panel, given, hidden, seed=100 * student + n, salt=name
        )
        bodies.append(
            {
                "model": panel.model,
                "messages": [dict(message) for message in request.messages],
                "default_system": request.has_default_system,
                "temperature": panel.temperature,
                "top_p": panel.top_p,
                "max_tokens": panel.max_tokens,
                "stop": list(panel.stop),
                "seed": request.sampling.seed,
                "user": name,
                "public": request.public,
                "cache_salt": name,
            }
        )
    return tuple(bodies)


def _all(runs: Sequence[Ran | None]) -> list[Ran]:
    found = [run for run in runs if run is not None]
    if not found:
        raise ApiFailure("nobody got an outcome")
    return found


def _waits(runs: Sequence[Ran]) -> Waits:
    firsts, wholes = [run.first for run in runs], [run.whole for run in runs]
    return Waits(
        statistics.median(firsts), max(firsts), statistics.median(wholes), max(wholes)
    )


def _table(found: Found) -> str:
    lines = ["", "seconds".ljust(28) + "first: median  worst   whole: median  worst"]
    for words, waits in (
        ("one student", found.alone),
        ("the engine, one", found.alone_engine),
        (f"{found.students} at once", found.together),
        (f"the engine, {found.students}", found.together_engine),
    ):
        lines.append(
            f"{words.ljust(28)}{waits.first_median:13.2f}{waits.first_worst:7.2f}"
            f"{waits.whole_median:16.2f}{waits.whole_worst:7.2f}"
        )
    lines += [
        "",
        f"all at once, site over engine: first {found.first_ratio:.2f}, "
        f"whole {found.whole_ratio:.2f}",
        f"told a place in the queue: {found.told} of {found.students}, the last one "
        f"place {found.last}",
        f"load before: {found.load:.1f}; errors: {len(found.errors)}",
        f"One student may wait {FIRST:g} s for the first and {WHOLE:g} s for the whole "
        f"(medians), nobody longer than {WORST:g} s.",
    ]
    return "\n".join(lines) + "\n"
