"""`./wordkeep up`, whole: start, second start, faults, and a clean end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.kit.postgres import Postgres
from tests.kit.sites import WARDEN_ONLY, share_models
from webapp.bench.players import ApiPlayer
from webapp.settings import PROJECT
from webapp.supervisor.checks import StartError, free_port
from webapp.supervisor.child import health_status
from webapp.supervisor.trial import Trial, scripted_endpoints, stop, trial_site

# More threads than free cores make the engine crawl, and tests share the machine.
ENV = {"WORDKEEP_SIDECAR_ENGINE_THREADS": "1"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Trial]:
    """Return a running site on the scripted model."""
    with trial_site(tmp_path / "instance", scripted="keeper") as trial:
        yield trial


def wordkeep(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, "-P", "-m", "webapp.cli", *map(str, arguments)),
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def start(*arguments: str | Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        (sys.executable, "-P", "-m", "webapp.cli", "up", *map(str, arguments)),
        env={**os.environ, "PYTHONPATH": str(PROJECT), **ENV},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # Started under nohup, the tests would hand down that it is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )


def family(trial: Trial) -> list[psutil.Process]:
    return psutil.Process(trial.process.pid).children(recursive=True)


def await_true(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def is_gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.slow
def test_up_serves_the_real_models_and_leaves_nothing_behind(tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    for _ in ("first start", "second start"):
        with trial_site(instance, env=ENV) as trial:
            assert health_status(f"{trial.url}/health") == "ok"
            everyone = family(trial)
            # Two programs, each with a main process and a worker; and one that trains.
            assert len(everyone) == 5
            assert stop(trial.process) == 0
        assert [process for process in everyone if not is_gone(process)] == []
        said = trial.said()
        assert said.splitlines()[0] == f"Starting Wordkeep in {instance}"
        # Alone on a machine it is about 5 s; here other tests run beside it.
        assert float(re.findall(r"Ready after ([\d.]+) s", said)[0]) < 60
        assert said.endswith(f" s: {trial.url}\nCtrl-C stops it.\nStopping.\n")
    logs = {path.name for path in (instance / "logs").iterdir()}
    assert logs <= {"sidecar.log", "site.log", "worker.log"}


def test_no_key_is_in_an_argument_or_a_log(tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    instance.mkdir()
    share_models(instance, tmp_path.parent)
    with trial_site(instance, env=ENV | WARDEN_ONLY) as trial:
        environments = [process.environ() for process in family(trial)]
        (key,) = {
            env["WORDKEEP_SIDECAR_KEY"]
            for env in environments
            if "WORDKEEP_SIDECAR_KEY" in env
        }
        # What trains asks the sidecar nothing that needs the key, and has none.
        assert sum("WORDKEEP_SIDECAR_KEY" in env for env in environments) == 4
        assert len(key) == 64
        arguments = [" ".join(process.cmdline()) for process in family(trial)]
        assert [line for line in arguments if key in line] == []
    files = [path for path in trial.instance.rglob("*") if path.is_file()]
    assert [path for path in files if key.encode() in path.read_bytes()] == []


def test_up_on_postgresql(tmp_path: Path, postgres: Postgres) -> None:
    instance = tmp_path / "instance"
    env = {"WORDKEEP_DATABASE_URL": postgres.url("up", create=True)}
    with trial_site(instance, scripted="keeper", env=env) as trial:
        assert health_status(f"{trial.url}/health") == "ok"
        assert (
            ApiPlayer(trial.url, "Ada").attack("open", "Who are you?").attempt_id == 1
        )
    assert not (instance / "wordkeep.db").exists()


def test_a_second_up_on_the_same_instance_is_refused(site: Trial) -> None:
    done = wordkeep("up", "--port", "0", "--instance", site.instance)
    assert done.returncode == 1
    assert done.stderr == (
        f"wordkeep: Wordkeep already runs on {site.instance} (process "
        f"{site.process.pid}, {site.url}). Stop that one with Ctrl-C, or choose "
        "another folder with --instance DIR.\n"
    )


def test_a_busy_port_is_one_sentence(site: Trial, tmp_path: Path) -> None:
    port = site.url.rpartition(":")[2]
    done = wordkeep("up", "--port", port, "--instance", tmp_path / "other")
    assert done.returncode == 1
    assert re.fullmatch(
        rf"wordkeep: Port {port} is used by another program\. Stop that one, or choose "
        r"another port: \./wordkeep up --port \d+\n",
        done.stderr,
    )
    assert health_status(f"{site.url}/health") == "ok"


def test_of_two_started_at_once_on_one_port_one_is_ready(tmp_path: Path) -> None:
    port = str(free_port())
    both = []
    for name in ("one", "other"):
        instance = tmp_path / name
        instance.mkdir()
        text = scripted_endpoints("keeper")
        (instance / "endpoints.yaml").write_text(text)
        both.append(start("--port", port, "--instance", instance))
    try:
        await_true(lambda: any(process.poll() is not None for process in both))
        (loser,) = [process for process in both if process.poll() is not None]
        (winner,) = [process for process in both if process is not loser]
        assert loser.wait() == 1
        assert (
            f"Port {port} is used by another program."
            in loser.communicate()[0].decode()
        )
        await_true(lambda: health_status(f"http://127.0.0.1:{port}/health") == "ok")
        assert stop(winner) == 0
        assert winner.communicate()[0].endswith(b"Stopping.\n")
    finally:
        for process in both:
            process.kill()


def test_broken_content_is_shown_and_nothing_is_left(tmp_path: Path) -> None:
    own = tmp_path / "instance" / "content" / "game" / "mine"
    own.mkdir(parents=True)
    (own / "ladder.yaml").write_text("id: mine\ntitle: [\n")
    with (
        pytest.raises(StartError) as caught,
        trial_site(tmp_path / "instance", scripted="keeper"),
    ):
        pass
    assert "The site could not start: " in caught.value.message
    assert re.search(r"content/game/mine/ladder\.yaml:\d+: ", caught.value.message)
    assert "Its log: " in caught.value.message
    assert not re.search("Traceback", caught.value.message)


def test_broken_endpoints_are_shown_with_their_line(tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    instance.mkdir()
    (instance / "endpoints.yaml").write_text("endpoints:\n  - nam: x\n")
    done = wordkeep("up", "--port", "0", "--instance", instance)
    assert done.returncode == 1
    assert "wordkeep: instance/endpoints.yaml:2: " in done.stderr
    assert 'unknown key "nam" in "endpoints[1]"; did you mean "name"?' in done.stderr


def test_killed_programs_come_back(site: Trial) -> None:
    for depth in ("worker", "main"):
        (main,) = psutil.Process(site.process.pid).children()
        victim = main.children()[0] if depth == "worker" else main
        victim.kill()
        victim.wait(10)
        await_true(lambda: health_status(f"{site.url}/health") == "ok")
    await_true(lambda: "The site is up again." in site.said())
    assert "The site was killed by SIGKILL. It is being restarted" in site.said()


def test_what_trains_comes_back_too(tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    instance.mkdir()
    share_models(instance, tmp_path.parent)
    with trial_site(instance, env=ENV | WARDEN_ONLY) as trial:
        children = psutil.Process(trial.process.pid).children()
        (worker,) = [child for child in children if "work" in child.cmdline()]
        lowest = min(19, psutil.Process().nice() + 10)
        await_true(lambda: worker.nice() == lowest)
        # Linux shares the cores among sessions first, and this is one of its own.
        session = Path(f"/proc/{worker.pid}/autogroup")
        if session.exists():
            await_true(lambda: session.read_text().endswith("nice 10\n"))
        worker.kill()
        await_true(lambda: "The training worker is up again." in trial.said())
        assert health_status(f"{trial.url}/health") == "ok"


def test_nothing_outlives_a_supervisor_that_is_killed(site: Trial) -> None:
    everyone = family(site)
    assert everyone
    site.process.kill()
    await_true(lambda: all(is_gone(process) for process in everyone))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_during_the_start_stops_it(
    tmp_path: Path, number: signal.Signals
) -> None:
    instance = tmp_path / "instance"
    process = start("--port", "0", "--instance", instance)
    await_true(lambda: psutil.Process(process.pid).children())
    started = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    first, *rest = said.decode().splitlines()
    assert (first, rest[-1]) == (f"Starting Wordkeep in {instance}", "Stopping.")
    # A long path, as tests have, takes the socket elsewhere, and that is said.
    assert all(line.startswith("The socket of the models is in") for line in rest[:-1])
    assert [process for process in started if not is_gone(process)] == []


@pytest.mark.slow
def test_no_acknowledged_attempt_is_lost_when_programs_are_killed() -> None:
    done = wordkeep("bench", "kill", "--kills", "5", "--scripted", "--seed", "7")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert sum(report["kills"].values()) == 5
    assert report["acknowledged"] > 10
    assert (report["lost"], report["changed"], report["running"]) == ([], [], 0)
    assert report["miscounted"] == []
