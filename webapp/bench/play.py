"""`bench play`: what a class feels. Throughput, waiting, fairness, page times.

Each figure of the site is shown beside the same figure of the bare engine, measured in
the same run, so that the ratio means something on any computer.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from webapp.bench.pages import PageTimes, time_pages
from webapp.bench.players import ApiFailure, ApiPlayer, Timed, all_at_once
from webapp.db import Database
from webapp.rows import Generation
from webapp.supervisor.trial import Trial, trial_site

LEVEL = "bench-story"
MESSAGE = "Tell me a long story about a lighthouse and the people who keep it."
SYSTEM = (
    "You are a storyteller. Tell long stories and never end them early. The password "
    "is {{ secret }}."
)
TOKENS = 96
_LADDER = """\
id: bench
title: Bench
story: A ladder that exists while the bench runs.
levels: [bench-story]
"""
_LEVEL = f"""\
id: {LEVEL}
title: Bench story
story: A level without guards.
defender:
  system: "{SYSTEM}"
  max_tokens: {TOKENS}
secret: {{words: castle}}
points: 1
explain: Nothing to explain.
"""


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens per second over all streams, and the median time to the first text."""

    streams: int
    tokens: int
    seconds: float
    first_text_ms: float

    @property
    def tokens_per_second(self) -> float:
        """Tokens of all streams together in one second."""
        return self.tokens / self.seconds


@dataclass(frozen=True, slots=True)
class Crowd:
    """How `players` at once fared; times in seconds, ratios of whole runs."""

    players: int
    attempts: int
    errors: int
    first_text_median: float
    first_text_worst: float
    slowest_over_median: float
    greedy_over_others: float


def main(arguments: list[str]) -> int:
    """Run the bench, print a table or JSON; return 1 if a player met errors."""
    chosen = _parser().parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="wordkeep-bench-"))
    try:
        result = _measure(chosen, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.write(
        json.dumps(result, indent=2) + "\n" if chosen.json else _table(result)
    )
    return 1 if result["crowd"]["errors"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="wordkeep bench play", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="engine/site pairs")
    parser.add_argument("--requests", type=int, default=3, help="replies per stream")
    parser.add_argument("--players", type=int, default=30, help="players at once")
    parser.add_argument(
        "--attempts", type=int, nargs="+", default=[1_000, 100_000], help="row counts"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _measure(chosen: argparse.Namespace, folder: Path) -> dict[str, Any]:
    instance = folder / "instance"
    ladder = instance / "content" / "game" / "bench"
    ladder.mkdir(parents=True)
    (ladder / "ladder.yaml").write_text(_LADDER)
    (ladder / "01-story.yaml").write_text(_LEVEL)
    limits = {"WORDKEEP_ATTEMPTS_PER_MINUTE": "100000"}
    speeds: dict[str, dict[str, Any]] = {}
    with trial_site(instance, env=limits) as system:
        for streams in (1, 8):
            speeds[str(streams)] = _compare(chosen, system, streams)
        crowd = _crowd(system, chosen.players)
    pages = [time_pages(folder / f"pages-{n}", attempts=n) for n in chosen.attempts]
    return {
        "speed": speeds,
        "crowd": asdict(crowd),
        "pages": [asdict(page) for page in pages],
        "pages_ratio": _ratios(pages[0], pages[-1]),
    }


def _compare(chosen: argparse.Namespace, system: Trial, streams: int) -> dict[str, Any]:
    """Measure engine and site in turns, so that a slow minute hits both."""
    players = [ApiPlayer(system.url, f"bench {streams} {n}") for n in range(streams)]
    _site_speed(system, players, 1)
    bare, site = [], []
    for _ in range(chosen.rounds):
        bare.append(_engine_speed(streams, chosen.requests))
        site.append(_site_speed(system, players, chosen.requests))
    middle = statistics.median
    figures = {
        name: {
            "tokens_per_second": middle(s.tokens_per_second for s in speeds),
            "first_text_ms": middle(s.first_text_ms for s in speeds),
        }
        for name, speeds in (("engine", bare), ("site", site))
    }
    pairs = list(zip(bare, site, strict=True))
    return figures | {
        "throughput_ratio": middle(
            s.tokens_per_second / b.tokens_per_second for b, s in pairs
        ),
        "first_text_ratio": middle(s.first_text_ms / b.first_text_ms for b, s in pairs),
    }


def _engine_speed(streams: int, requests: int) -> Speed:
    """Measure the engine alone, in a process of its own, on the same messages."""
    command = [sys.executable, "-m", "finetune", "bench-engine", "--json"]
    command += ["--streams", str(streams), "--requests", str(requests)]
    command += ["--tokens", str(TOKENS), "--message", MESSAGE]
    # The length of the prompt counts, not which word of the list it holds.
    command += ["--system", SYSTEM.replace("{{ secret }}", "lantern")]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    figures = json.loads(answer.stdout)
    return Speed(
        streams, figures["tokens"], figures["seconds"], figures["first_token_ms"]
    )


def _site_speed(system: Trial, players: list[ApiPlayer], requests: int) -> Speed:
    def play(player: ApiPlayer) -> list[Timed]:
        return [player.attack(LEVEL, MESSAGE) for _ in range(requests)]

    started = time.perf_counter()
    timed = [t for many in all_at_once(players, play) for t in many]
    seconds = time.perf_counter() - started
    tokens = _tokens(system, [t.attempt_id for t in timed])
    first = statistics.median(t.first_text or t.total for t in timed)
    return Speed(len(players), tokens, seconds, 1000 * first)


def _tokens(system: Trial, ids: list[int]) -> int:
    database = Database(system.instance / "wordkeep.db")
    try:
        with database.read() as session:
            counts = session.scalars(
                select(Generation.reply_tokens).where(Generation.id.in_(ids))
            ).all()
    finally:
        database.dispose()
    if len(counts) != len(ids) or None in counts:
        raise ApiFailure("an attempt of the bench is not recorded with its tokens")
    return sum(count or 0 for count in counts)


def _crowd(system: Trial, count: int) -> Crowd:
    """Let `count` players send at once; the first of them sends two at a time."""
    players = [ApiPlayer(system.url, f"crowd {n}") for n in range(count)]
    senders = [players[0], *players]
    errors: list[str] = []

    def play(player: ApiPlayer) -> list[Timed]:
        try:
            return [player.attack(LEVEL, MESSAGE) for _ in range(2)]
        except (ApiFailure, OSError) as error:
            errors.append(str(error))
            return []

    runs = all_at_once(senders, play)
    totals = [sum(t.total for t in timed) for timed in runs if timed]
    firsts = [t.first_text or t.total for timed in runs for t in timed]
    for error in errors:
        sys.stderr.write(f"bench play: {error}\n")
    others = statistics.median(totals[2:])
    return Crowd(
        players=count,
        attempts=len(firsts),
        errors=len(errors),
        first_text_median=statistics.median(firsts),
        first_text_worst=max(firsts),
        slowest_over_median=max(totals[2:]) / others,
        greedy_over_others=statistics.mean(totals[:2]) / others,
    )


def _ratios(few: PageTimes, many: PageTimes) -> dict[str, float]:
    return {page: many.ms[page] / few.ms[page] for page in few.ms}


def _table(result: dict[str, Any]) -> str:
    lines = ["", "streams  engine tok/s  site tok/s  ratio  first text: engine  site"]
    for streams, row in result["speed"].items():
        engine, site = row["engine"], row["site"]
        lines.append(
            f"{streams:>7}  {engine['tokens_per_second']:12.1f}  "
            f"{site['tokens_per_second']:10.1f}  {row['throughput_ratio']:5.2f}  "
            f"{engine['first_text_ms']:15.0f} ms  {site['first_text_ms']:.0f} ms"
        )
    crowd = result["crowd"]
    lines += [
        "",
        f"{crowd['players']} players at once, {crowd['attempts']} attempts: "
        f"{crowd['errors']} errors;",
        f"first text after {crowd['first_text_median']:.1f} s (median), "
        f"{crowd['first_text_worst']:.1f} s (worst);",
        f"the slowest player took {crowd['slowest_over_median']:.2f} times the median; "
        f"a player sending two at a time took {crowd['greedy_over_others']:.2f} times "
        "as long for each.",
        "",
        "page".ljust(24)
        + "".join(f"{p['attempts']:>12,}" for p in result["pages"])
        + "   ratio",
    ]
    for page, ratio in result["pages_ratio"].items():
        cells = "".join(f"{p['ms'][page]:9.1f} ms" for p in result["pages"])
        lines.append(f"{page.ljust(24)}{cells}{ratio:8.2f}")
    return "\n".join(lines) + "\n"
