"""The commands of docs/classroom.md, run as they are written there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest
from werkzeug.serving import make_server

from tests.kit.postgres import Postgres
from tests.kit.redis_server import NoRedis, redis_server
from webapp.app import create_app
from webapp.db import Database
from webapp.llm.gateway import Gateway
from webapp.llm.scripted import ScriptedBackend
from webapp.migrations import migrate
from webapp.settings import PROJECT, Settings, load_settings

TEXT: Final = (PROJECT / "docs" / "classroom.md").read_text(encoding="utf-8")
BLOCKS: Final = re.findall(r"^```sh run=(\S+)\n(.*?)^```$", TEXT, re.M | re.S)
# The front door would make an environment of its own first.
DOOR: Final = f'#!/bin/sh\nexec "{sys.executable}" -P -m webapp.cli "$@"\n'
HERE: Final = "http://127.0.0.1:8000"
REDIS: Final = "redis://127.0.0.1:6379/0"
KEY: Final = "a key of the watcher"
DONE: Final = {"class", "class-up", "backup", "upgrade", "school-database", "school"}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a folder in which `./wordkeep` works, on an instance of its own."""
    folder = tmp_path / "clone"
    folder.mkdir()
    (folder / "wordkeep").write_text(DOOR)
    (folder / "wordkeep").chmod(0o755)
    return folder


@pytest.fixture
def installed(clone: Path, migrated_file: Path) -> Path:
    """Return a clone whose instance has been started once."""
    (clone / "instance").mkdir()
    (clone / "instance" / "secret.key").write_text("ab" * 32)
    shutil.copyfile(migrated_file, clone / "instance" / "wordkeep.db")
    return clone


def run(
    name: str,
    clone: Path,
    *,
    env: Mapping[str, str] | None = None,
    changes: Mapping[str, str] | None = None,
) -> str:
    """Run all blocks of a name, one after the other; return what they said."""
    script = "".join(block for marked, block in BLOCKS if marked == name)
    assert script
    for old, new in (changes or {}).items():
        assert old in script
        script = script.replace(old, new)
    done = subprocess.run(
        ["bash", "-euc", script],
        cwd=clone,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(PROJECT),
            "WORDKEEP_INSTANCE": str(clone / "instance"),
            **(env or {}),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_each_marked_block_is_run_here() -> None:
    assert {name for name, _ in BLOCKS} == DONE | {"watch"}


def test_what_is_not_run_starts_the_site_or_sets_what_there_is() -> None:
    others = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.M | re.S)
    assert len(others) == 3
    for line in "".join(others).splitlines():
        names = re.findall(r"WORDKEEP_(\w+)=", line)
        assert {name.lower() for name in names} <= set(Settings.model_fields)
        assert names or line in {"./wordkeep up", "./wordkeep up --host 0.0.0.0"}


def test_before_and_after_a_class(installed: Path) -> None:
    said = run("class", installed)
    assert "Added the class 10b. Join code: " in said
    assert "Added Ms Gray (instructor)." in said
    assert "The class 10b is in season 2 now." in said
    assert (installed / "before-10b.tar").is_file()
    assert (installed / "after-10b.tar").is_file()


def test_a_backup_is_made_and_put_back_twice(installed: Path) -> None:
    said = run("backup", installed)
    assert said.count(f"Restored {installed / 'another'} as it was on ") == 2
    assert f"the old folder is {installed / 'another'}.before_" in said
    assert (installed / "another" / "secret.key").read_text() == "ab" * 32


def test_an_update_begins_with_a_backup(installed: Path) -> None:
    assert "Saved " in run("upgrade", installed)
    assert (installed / "before-update.tar").is_file()


@pytest.fixture
def site(installed: Path) -> Iterator[str]:
    """Return the address of a running site."""
    settings = load_settings({}, instance=installed / "instance", metrics_key=KEY)
    app = create_app(settings, gateway=Gateway.scripted(ScriptedBackend()))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()
    app.extensions["wordkeep"].db.dispose()
    app.extensions["wordkeep"].boot.close()


def test_health_and_figures_are_asked_for(installed: Path, site: str) -> None:
    changes = {HERE: site}
    assert '"status":"ok"' in run("class-up", installed, changes=changes)
    env = {"WORDKEEP_METRICS_KEY": KEY}
    said = run("watch", installed, changes=changes, env=env)
    for name in (
        "wordkeep_requests_total",
        "wordkeep_replies_waiting",
        'wordkeep_part_ok{part="disk"} 1.0',
    ):
        assert name in said


def test_a_school_on_postgresql_and_redis(clone: Path, postgres: Postgres) -> None:
    socket = str(postgres.folder)
    server = {"PGHOST": socket, "PGUSER": "wordkeep", "PGDATABASE": "postgres"}
    run("school-database", clone, env=server)
    database = Database(
        f"postgresql+psycopg://keep:a%20long%20password@/keep?host={socket}"
    )
    assert migrate(database) is True
    database.dispose()
    try:
        with redis_server() as redis:
            redis.start()
            changes = {REDIS: redis.url, "@/keep": f"@/keep?host={socket}"}
            said = run("school", clone, changes=changes)
    except NoRedis as why:
        pytest.skip(f"not tested with Redis: {why}")
    assert "Added the class 10b. Join code: " in said
    assert f"Saved {clone / 'instance'} in school.tar" in said
