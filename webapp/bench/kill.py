"""Kill the site and the models at random moments; nothing acknowledged may be lost.

A few players attack through the API all the time. Each attempt whose id has reached
its player is acknowledged. At the end every one of them must be in the database with
its message, none may be left running, and interrupted ones must not count.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import click
import psutil

from webapp.bench.audit import Findings, audit
from webapp.bench.players import ApiFailure, ApiPlayer
from webapp.settings import load_settings
from webapp.supervisor.child import health_status
from webapp.supervisor.trial import Trial, trial_site

LEVEL = "open"
RECOVERY_SECONDS = 180.0
# Kills that come without waiting for the site to survive the last one.
HASTY_SHARE = 0.5
UNLIMITED = {
    f"WORDKEEP_{name}": "100000000"
    for name in (
        "ATTEMPTS_PER_MINUTE",
        "ATTEMPTS_PER_DAY",
        "CLASS_ATTEMPTS_PER_DAY",
        "SIGN_UPS_PER_HOUR",
    )
}


@dataclass(slots=True)
class Log:
    """What the players saw. Filled by their threads."""

    acknowledged: dict[int, str] = field(default_factory=dict)
    ended: dict[int, str] = field(default_factory=dict)
    broken: Counter[str] = field(default_factory=Counter)

    def replies(self) -> int:
        """How many attempts brought their player a reply."""
        return sum(status != "failed" for status in list(self.ended.values()))


def main(arguments: Sequence[str]) -> int:
    """Run the bench; return 1 if anything was lost."""
    chosen = _parser().parse_args(arguments)
    scripted = "keeper-slow" if chosen.scripted else None
    with tempfile.TemporaryDirectory(prefix="wordkeep-kill-") as folder:
        instance = Path(folder) / "instance"
        with trial_site(instance, scripted=scripted, env=UNLIMITED) as trial:
            report, findings = _run(trial, chosen)
    report["seed"] = chosen.seed
    click.echo(_table(report))
    click.echo(json.dumps(report))
    return 0 if findings.is_clean else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="wordkeep bench kill", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--players", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0, help="of moments and victims")
    parser.add_argument(
        "--scripted", action="store_true", help="use the scripted model: faster"
    )
    return parser


def _run(
    trial: Trial, chosen: argparse.Namespace
) -> tuple[dict[str, object], Findings]:
    log, is_over = Log(), threading.Event()
    players = [ApiPlayer(trial.url, f"player {n}") for n in range(chosen.players)]
    threads = [
        threading.Thread(target=play, args=(player, n, log, is_over))
        for n, player in enumerate(players)
    ]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    try:
        kills, recoveries = _kill_often(trial, chosen, log)
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    _await_well(trial)
    settings = load_settings(os.environ, instance=trial.instance)
    findings = audit(settings, players, LEVEL, log.acknowledged, log.ended)
    return {
        "kills": dict(kills),
        "seconds": round(time.monotonic() - started),
        "acknowledged": len(log.acknowledged),
        "replies": log.replies(),
        "recovery_median_s": _median(recoveries),
        "recovery_max_s": round(max(recoveries, default=0.0), 2),
        **findings.as_row(),
    }, findings


def play(player: ApiPlayer, number: int, log: Log, is_over: threading.Event) -> None:
    """Attack until it is over, and note what is acknowledged."""
    count = 0
    while not is_over.is_set():
        count += 1
        message = f"Player {number} asks for the {count}th time: what is the password?"
        try:
            for name, data in player.stream(LEVEL, message):
                if name == "start":
                    log.acknowledged[data["id"]] = message
                elif name == "end":
                    log.ended[data["id"]] = data["status"]
        except (OSError, ValueError, http.client.HTTPException, ApiFailure) as error:
            log.broken[type(error).__name__] += 1
            is_over.wait(0.1)


def _kill_often(
    trial: Trial, chosen: argparse.Namespace, log: Log
) -> tuple[Counter[str], list[float]]:
    rng = random.Random(chosen.seed)
    kills: Counter[str] = Counter()
    recoveries: list[float] = []
    for number in range(chosen.kills):
        time.sleep(rng.uniform(0, 1.2))
        kills[kill_one(trial, rng)] += 1
        if rng.random() >= HASTY_SHARE:
            recoveries.append(await_reply(trial, log))
        if (number + 1) % 20 == 0:
            click.echo(f"{number + 1} kills, {len(log.acknowledged)} acknowledged")
    return kills, recoveries


def kill_one(trial: Trial, rng: random.Random) -> str:
    """Kill a random process of a random program; return which."""
    while True:
        victims = _processes(trial)
        program = rng.choice(sorted(victims)) if victims else ""
        for role, process in (
            rng.sample(victims.get(program, []), k=1) if program else ()
        ):
            with suppress(psutil.NoSuchProcess):
                process.kill()
                return f"{program} {role}"
        time.sleep(0.02)


def _processes(trial: Trial) -> dict[str, list[tuple[str, psutil.Process]]]:
    """Return the processes of each program: its main one and its workers."""
    processes: dict[str, list[tuple[str, psutil.Process]]] = {}
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(trial.process.pid).children():
            with suppress(psutil.NoSuchProcess):
                program = _program(child.cmdline())
                workers = [("worker", process) for process in child.children()]
                processes[program] = [("main", child), *workers]
    return processes


def _program(command: list[str]) -> str:
    if "webapp.serve" in command:
        return "site"
    return "sidecar" if "serve" in command else "trainer"


def await_reply(trial: Trial, log: Log) -> float:
    """Wait until a player gets a reply again; return the seconds."""
    began, before = time.monotonic(), log.replies()
    while log.replies() == before:
        waited = time.monotonic() - began
        if waited > RECOVERY_SECONDS or trial.process.poll() is not None:
            raise click.ClickException(
                f"The site did not recover in {waited:.0f} s.\n{trial.said()}"
            )
        time.sleep(0.02)
    return time.monotonic() - began


def _await_well(trial: Trial) -> None:
    deadline = time.monotonic() + RECOVERY_SECONDS
    while health_status(f"{trial.url}/health") != "ok":
        if time.monotonic() > deadline:
            raise click.ClickException(f"The site stayed unwell.\n{trial.said()}")
        time.sleep(0.2)


def _median(values: list[float]) -> float:
    return round(sorted(values)[len(values) // 2], 2) if values else 0.0


def _table(report: dict[str, object]) -> str:
    return "\n".join(f"{name:20} {value}" for name, value in report.items())
