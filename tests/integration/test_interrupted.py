"""A process that dies in the middle of an attempt, and what is left of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.kit.world import World
from webapp.domain.boots import Boot
from webapp.domain.generations.sweeping import sweep_interrupted
from webapp.domain.play import keep, leaderboard, notebook
from webapp.rows import FINISHED, INTERRUPTED, RUNNING

# Another process of the same instance: it begins an attempt and never ends it.
_CHILD = """
import sys
from dataclasses import replace
from pathlib import Path
from webapp import guards
from webapp.content.store import ContentStore
from webapp.db import Database
from webapp.domain.boots import Boot
from webapp.domain.play import attack
from webapp.domain.services import Services
from webapp.llm.gateway import Gateway
from webapp.plugins.registry import load_plugins
from webapp.settings import load_settings

load_plugins(guards)
instance, content, url, player = sys.argv[1:]
settings = load_settings({}, instance=Path(instance))
services = Services(
    settings, Database(url), ContentStore([Path(content)]), Gateway.scripted(),
    Boot(settings.instance), b"a key of tests",
)
run = attack.attack(
    services, player_id=int(player), level_id="talk", message="Hello?"
)
print(run.id, flush=True)
sys.stdin.read()
"""


def start_attempt(world: World, player: int) -> tuple[subprocess.Popen[str], int]:
    """Return a process that is in the middle of an attempt, and the attempt's id."""
    url = world.db.engine.url.render_as_string(hide_password=False)
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            _CHILD,
            str(world.services.settings.instance),
            str(world.content),
            url,
            str(player),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert child.stdout is not None
    return child, int(child.stdout.readline())


def end(child: subprocess.Popen[str]) -> None:
    child.send_signal(signal.SIGKILL)
    child.communicate()


def test_what_a_killed_process_left_running_is_interrupted(world: World) -> None:
    ada = world.player()
    world.win(ada, "open")
    child, attempt_id = start_attempt(world, ada)
    mine = world.begin(ada, "Mine", "open")
    instance = world.services.settings.instance
    assert sweep_interrupted(world.db, instance) == 0
    end(child)
    assert sweep_interrupted(world.db, instance) == 1
    assert sweep_interrupted(world.db, instance) == 0
    statuses = {row.id: row.status for row in world.attempts(ada)}
    assert statuses == {attempt_id: INTERRUPTED, mine.id: RUNNING}
    list(mine)
    assert {row.id: row.status for row in world.attempts(ada)}[mine.id] == FINISHED


def test_an_interrupted_attempt_is_there_and_does_not_count(world: World) -> None:
    ada = world.player()
    world.win(ada, "open")
    child, attempt_id = start_attempt(world, ada)
    end(child)
    sweep_interrupted(world.db, world.services.settings.instance)
    found = notebook.find(world.services, player_id=ada, attempt_id=attempt_id)
    assert (found.status, found.message, found.reply) == (INTERRUPTED, "Hello?", None)
    assert "stopped before the reply" in str(found.error)
    page = keep.level_page(world.services, player_id=ada, level_id="talk")
    assert page.turns_left == 3
    world.win(ada, "talk")
    assert leaderboard.board(world.services).rows[0].attempts == 0


def test_other_instances_judge_only_their_own(world: World, tmp_path: Path) -> None:
    ada = world.player()
    run = world.begin(ada, "Hello")
    other = tmp_path / "other"
    boot = Boot(other)
    assert sweep_interrupted(world.db, other) == 0
    boot.close()
    world.services.boot.close()
    assert sweep_interrupted(world.db, other) == 0
    assert sweep_interrupted(world.db, world.services.settings.instance) == 1
    list(run)


def test_a_sweep_never_takes_a_starting_process_for_dead(tmp_path: Path) -> None:
    """The lock file has its final name only once it is locked."""
    boot = Boot(tmp_path)
    (lock,) = (tmp_path / "run").iterdir()
    assert lock.name == f"{boot.id}.lock"
    boot.close()
