"""Whole sites in processes of their own, with limits that tests do not run into."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.kit.clocks import nap, patient
from tests.kit.yard import SCRIPTED, write_yard
from webapp.security import load_key, passwords
from webapp.settings import PROJECT
from webapp.supervisor.trial import Trial, trial_site

T = TypeVar("T")

UNLIMITED = {
    "WORDKEEP_ATTEMPTS_PER_MINUTE": "100000",
    "WORDKEEP_GUESSES_PER_MINUTE": "100000",
    "WORDKEEP_GUESS_PAUSE": "0",
    "WORDKEEP_WRONG_GUESSES_PER_GATE": "100000",
    "WORDKEEP_SIGN_UPS_PER_HOUR": "100000",
    "WORDKEEP_SIGN_INS_PER_MINUTE": "100000",
    "WORDKEEP_DEBUG_PAGES": "1",
    # More threads than free cores make the engine crawl, and tests share the machine.
    "WORDKEEP_SIDECAR_ENGINE_THREADS": "1",
}
# For sites whose tests only talk: embedder and guards take longer to load than all
# else of a start.
WARDEN_ONLY = {"WORDKEEP_SIDECAR_PRELOAD": "warden"}


@dataclass(frozen=True, slots=True)
class Site:
    """A running site, its folder of levels and its database."""

    trial: Trial
    content: Path

    @property
    def url(self) -> str:
        """The address of the first page."""
        return self.trial.url

    @property
    def instance(self) -> Path:
        """The folder of database and logs."""
        return self.trial.instance

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Read rows of the database, as nobody can who plays."""
        path = f"file:{self.instance / 'wordkeep.db'}?mode=ro"
        with closing(sqlite3.connect(path, uri=True, timeout=10)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(query, values)]

    def attempt(self, attempt_id: int) -> dict[str, Any]:
        """Return the row of an attempt."""
        query = "select * from attempts join generations using (id) where id = ?"
        (row,) = self.rows(query, attempt_id)
        return row

    def password(self, name: str, level_id: str, words: str = "castle") -> str:
        """Return what a player's current visit guards: for gates that keep it well."""
        (row,) = self.rows(
            "select secret_digest as digest from visits"
            " join players on players.id = player_id"
            " where players.name = ? and level_id = ? and ended_at is null",
            name,
            level_id,
        )
        key = load_key(self.instance)
        listed = (PROJECT / "challenges" / "words" / f"{words}.txt").read_text()
        found = passwords(key, level_id, tuple(listed.split())).find(row["digest"])
        assert found is not None
        return found.reveal()

    def logs(self) -> str:
        """Return what all programs have logged so far."""
        logs = (self.instance / "logs").glob("*")
        return "".join(path.read_text(errors="replace") for path in logs)

    def add_instructor(self, name: str, password: str) -> None:
        """Add an instructor with the command for it."""
        arguments = ["user", "add", name, "--role", "instructor"]
        arguments += ["--password", "--instance", str(self.instance)]
        subprocess.run(
            [sys.executable, "-P", "-m", "webapp.cli", *arguments],
            env={
                **os.environ,
                "PYTHONPATH": str(PROJECT),
                "WORDKEEP_CONTENT_ROOTS": str(self.content),
            },
            input=f"{password}\n",
            text=True,
            stdout=subprocess.DEVNULL,
            timeout=240,
            check=True,
        )


@contextmanager
def running_site(
    folder: Path,
    *,
    endpoints: str = SCRIPTED,
    env: Mapping[str, str] | None = None,
) -> Iterator[Site]:
    """Run a site with the yard beside the keep; on the real models with `PROPS`."""
    content = write_yard(folder / "content")
    instance = folder / "instance"
    instance.mkdir(parents=True)
    (instance / "endpoints.yaml").write_text(endpoints)
    share_models(instance, folder.parent)
    chosen = {**UNLIMITED, "WORDKEEP_CONTENT_ROOTS": str(content), **(env or {})}
    with trial_site(instance, env=chosen) as trial:
        yield Site(trial, content)


def share_models(instance: Path, base: Path) -> None:
    """Let all instances of a test run merge the warden once."""
    (instance / "models").symlink_to(shared_models(base))


def shared_models(base: Path) -> Path:
    """Return a folder beside pytest's base, or that of all workers of pytest-xdist."""
    folder = base.parent if base.name.startswith("popen-") else base
    models = folder / "models"
    models.mkdir(exist_ok=True)
    return models


def eventually(find: Callable[[], T], *, seconds: float = 30.0) -> T:
    """Ask until the answer is true in Python's sense; return it."""
    started = time.monotonic()
    end = started + patient(seconds)
    while not (found := find()):
        assert time.monotonic() < end, f"not within {seconds:g} s: {find}"
        nap(started)
    return found
