"""Back up while players play and the site is killed; nothing acknowledged may be lost.

Players attack through the API all the time, and random processes of the site are
killed. In between, `./wordkeep backup` is run. Every attempt whose id had reached its
player before a backup began must be in the installation that is restored from it, in
another folder, with its message. The last one is started, and must go on.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from webapp.bench.audit import stored_attempts
from webapp.bench.kill import (
    HASTY_SHARE,
    LEVEL,
    UNLIMITED,
    Log,
    await_reply,
    kill_one,
    play,
)
from webapp.bench.players import ApiPlayer
from webapp.rows import RUNNING
from webapp.settings import PROJECT, load_settings
from webapp.supervisor.trial import Trial, trial_site


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup, and what had been acknowledged when it began."""

    path: Path
    acknowledged: Mapping[int, str]
    seconds: float


def main(arguments: Sequence[str]) -> int:
    """Run the bench; return 1 if anything was lost."""
    chosen = _parser().parse_args(arguments)
    scripted = "keeper-slow" if chosen.scripted else None
    with tempfile.TemporaryDirectory(prefix="wordkeep-backup-") as folder:
        base = Path(folder)
        env = UNLIMITED
        with trial_site(base / "instance", scripted=scripted, env=env) as trial:
            kills, log, taken = _run(trial, chosen, base)
        lost = [number for one in taken for number in _lost(one, base)]
        goes_on = _goes_on(taken[-1], base)
    report = {
        "kills": dict(kills),
        "acknowledged": len(log.acknowledged),
        "backups": len(taken),
        "acknowledged_before": [len(one.acknowledged) for one in taken],
        "backup_max_s": round(max(one.seconds for one in taken), 2),
        "lost": len(lost),
        "goes_on": goes_on,
        "seed": chosen.seed,
    }
    click.echo("\n".join(f"{name:20} {value}" for name, value in report.items()))
    click.echo(json.dumps(report))
    return 0 if not lost and goes_on else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="wordkeep bench backup", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--every", type=int, default=20, help="kills for each backup")
    parser.add_argument("--players", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0, help="of moments and victims")
    parser.add_argument(
        "--scripted", action="store_true", help="use the scripted model: faster"
    )
    return parser


def _run(
    trial: Trial, chosen: argparse.Namespace, base: Path
) -> tuple[Counter[str], Log, list[Taken]]:
    """Kill and back up while players play."""
    log, is_over = Log(), threading.Event()
    players = [ApiPlayer(trial.url, f"player {n}") for n in range(chosen.players)]
    threads = [
        threading.Thread(target=play, args=(player, n, log, is_over))
        for n, player in enumerate(players)
    ]
    for thread in threads:
        thread.start()
    kills: Counter[str] = Counter()
    taken: list[Taken] = []
    rng = random.Random(chosen.seed)
    try:
        await_reply(trial, log)
        for number in range(chosen.kills):
            time.sleep(rng.uniform(0, 1.2))
            is_due = (number + 1) % chosen.every == 0 or number + 1 == chosen.kills
            saving = _Saving(trial, log, base / f"{number}.tar") if is_due else None
            # In the middle of the backup, where there is one.
            kills[kill_one(trial, rng)] += 1
            if saving is not None:
                taken.append(saving.end())
                click.echo(f"{number + 1} kills, {len(log.acknowledged)} acknowledged")
            if rng.random() >= HASTY_SHARE:
                await_reply(trial, log)
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    return kills, log, taken


class _Saving:
    """A backup that is being made by the command for it."""

    def __init__(self, trial: Trial, log: Log, path: Path) -> None:
        self._path = path
        self._known = dict(log.acknowledged)
        self._began = time.monotonic()
        self._process = _command("backup", path, "--instance", trial.instance)

    def end(self) -> Taken:
        """Wait for its end; raise ClickException if it failed."""
        _require(self._process)
        return Taken(self._path, self._known, time.monotonic() - self._began)


def _lost(taken: Taken, base: Path) -> list[int]:
    """Restore a backup elsewhere; return the acknowledged attempts that it lacks."""
    place = _place(taken, base)
    _require(_command("restore", taken.path, "--instance", place))
    stored = stored_attempts(load_settings(os.environ, instance=place))
    return [
        number
        for number, message in taken.acknowledged.items()
        if number not in stored or stored[number][0] != message
    ]


def _goes_on(taken: Taken, base: Path) -> bool:
    """Start what was restored: nothing is left running, and somebody new can play."""
    place = _place(taken, base)
    with trial_site(place, env=UNLIMITED) as trial:
        before = stored_attempts(load_settings(os.environ, instance=place))
        player = ApiPlayer(trial.url, "somebody new")
        new = player.attack(LEVEL, "Is anybody there?").attempt_id
    is_still = all(status != RUNNING for _, status in before.values())
    return is_still and new > max(taken.acknowledged, default=0)


def _place(taken: Taken, base: Path) -> Path:
    return base / f"restored-{taken.path.stem}"


def _command(*arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        (sys.executable, "-P", "-m", "webapp.cli", *map(str, arguments)),
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _require(process: subprocess.Popen[str]) -> None:
    said, _ = process.communicate()
    if process.returncode != 0:
        raise click.ClickException(f"A command failed:\n{said}")
