"""A supervised program: watched, started again, and never left behind."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from webapp.settings import PROJECT
from webapp.supervisor.checks import free_port
from webapp.supervisor.child import Child, Program, health_status, how_it_ended
from webapp.supervisor.logs import MAX_BYTES, ChildLog

# A health page that says what is in its folder; `crash` there ends it.
SERVER = """
import http.server, os, pathlib, sys
here = pathlib.Path(sys.argv[2])
print("hello from", os.getpid(), "key", os.environ["TEST_KEY"], flush=True)
if (here / "crash").exists():
    print("wordkeep: the reason", flush=True)
    print("more words", flush=True)
    sys.exit(3)
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write((here / "health").read_bytes())
    def log_message(self, *args): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "health").write_text('{"status": "ok"}')
    return tmp_path


def make_child(folder: Path, patience: float | None = None) -> Child:
    port = free_port()
    return Child(
        Program(
            name="the server",
            argv=(sys.executable, "-c", SERVER, str(port), str(folder)),
            health_url=f"http://127.0.0.1:{port}/health",
            log=folder / "server.log",
            patience=patience,
            env={"TEST_KEY": "from the environment"},
        )
    )


@pytest.fixture
def child(folder: Path) -> Iterator[Child]:
    made = make_child(folder)
    yield made
    made.wait_stopped(0)


def await_true(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_it_comes_up_and_its_words_are_logged(child: Child) -> None:
    child.start()
    pid = child.pid
    await_true(child.probe)
    child.read_output()
    child.ask_to_stop()
    child.wait_stopped(time.monotonic() + 5)
    assert child.pid is None
    assert (
        child.program.log.read_text() == f"hello from {pid} key from the environment\n"
    )


def test_keys_are_in_no_argument_and_no_repr(child: Child) -> None:
    assert "from the environment" not in repr(child.program)
    assert "from the environment" not in " ".join(child.program.argv)


def test_a_crash_is_explained_and_the_next_start_waits_longer(folder: Path) -> None:
    (folder / "crash").touch()
    now = [0.0]
    child = Child(make_child(folder).program, clock=lambda: now[0])
    pauses = []
    for _ in range(8):
        child.start()
        await_true(lambda: child.exit_code() is not None)
        assert child.bury() == "ended with code 3"
        began = now[0]
        while not child.is_due():
            now[0] += 0.1
        pauses.append(round(now[0] - began))
    child.wait_stopped(0)
    assert child.log.reason() == "the reason"
    assert pauses == [0, 0, 1, 2, 3, 6, 10, 10]


def test_the_pause_is_short_again_after_it_was_up(child: Child, folder: Path) -> None:
    child.failures = 5
    child.start()
    await_true(child.probe)
    assert child.failures == 0
    os.kill(child.pid or 0, signal.SIGKILL)
    await_true(lambda: child.exit_code() is not None)
    assert child.bury() == "was killed by SIGKILL"
    await_true(child.is_due, 1)


def test_without_a_health_page_it_is_up_once_it_has_lived(tmp_path: Path) -> None:
    now = [100.0]
    program = Program(
        name="the worker",
        argv=(sys.executable, "-c", "input()"),
        health_url="",
        log=tmp_path / "worker.log",
    )
    child = Child(program, clock=lambda: now[0])
    child.start()
    try:
        assert not child.probe()
        now[0] += 6
        assert child.probe()
        now[0] += 3600
        assert not child.is_silent()
    finally:
        child.wait_stopped(0)


def test_an_unwell_program_counts_as_up_only_after_patience(folder: Path) -> None:
    (folder / "health").write_text('{"status": "degraded"}')
    strict, patient = make_child(folder), make_child(folder, patience=0.0)
    try:
        for made in (strict, patient):
            made.start()
        await_true(patient.probe)
        await_true(lambda: strict.probe() or strict.status)
        assert not strict.is_up
        assert strict.status == "degraded"
    finally:
        strict.wait_stopped(0)
        patient.wait_stopped(0)


def test_patience_begins_with_the_first_answer(folder: Path) -> None:
    (folder / "health").write_text('{"status": "failing"}')
    now = 0.0
    child = Child(make_child(folder, patience=15.0).program, clock=lambda: now)
    try:
        child.start()
        await_true(lambda: health_status(child.program.health_url))
        now = 60.0  # so long another program was waited for, and nobody asked this one
        assert not child.probe()
        now = 74.0
        assert not child.probe()
        now = 75.0
        assert child.probe()
        (folder / "health").write_text('{"status": "ok"}')
        now = 76.0
        assert child.probe()
    finally:
        child.wait_stopped(0)


def test_a_health_page_that_is_garbage_is_not_well(child: Child, folder: Path) -> None:
    assert health_status(child.program.health_url) == ""
    child.start()
    await_true(child.probe)
    for garbage in ("<html>", "[]", "\xff", ""):
        (folder / "health").write_text(garbage, encoding="latin-1")
        assert health_status(child.program.health_url) == ""


def test_a_child_that_does_not_listen_is_ended_all_the_same(tmp_path: Path) -> None:
    stubborn = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "wait = 'import time; time.sleep(99)'\n"
        "own = subprocess.Popen([sys.executable, '-c', wait])\n"
        "print(own.pid, flush=True)\n"
        "time.sleep(99)\n"
    )
    log = tmp_path / "log"
    child = Child(Program("it", (sys.executable, "-c", stubborn), "http://x/", log))
    child.start()
    while not child.log.last:
        child.read_output()
    pids = [child.pid or 0, int(child.log.last[0])]
    child.ask_to_stop()
    child.wait_stopped(time.monotonic() + 0.3)
    await_true(lambda: not any(is_running(pid) for pid in pids))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can promise this")
def test_children_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    parent = (
        "import sys, time, pathlib\n"
        "from webapp.supervisor.child import Child, Program\n"
        "argv = (sys.executable, '-c', 'import time; time.sleep(99)')\n"
        "child = Child(Program('it', argv, 'http://x/', pathlib.Path(sys.argv[1])))\n"
        "child.start()\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(99)\n"
    )
    with subprocess.Popen(
        (sys.executable, "-c", parent, str(tmp_path / "log")),
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert is_running(pid)
        process.kill()
    await_true(lambda: not is_running(pid))


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "ended with code 0"),
        (-9, "was killed by SIGKILL"),
        (-40, "was killed by signal 40"),
        (None, "was stopped"),
    ],
)
def test_ends_are_described(code: int | None, words: str) -> None:
    assert how_it_ended(code) == words


def test_logs_are_rotated_by_size_and_keep_whole_lines(tmp_path: Path) -> None:
    log = ChildLog(tmp_path / "site.log")
    line = b"x" * 999_999 + b"\n"
    for _ in range(12):
        log.feed(line[:500])
        log.feed(line[500:])
    log.close()
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert sorted(sizes) == ["site.log", "site.log.1", "site.log.2", "site.log.3"]
    assert max(sizes.values()) <= MAX_BYTES
    assert log.reason() == "x" * 999_999


def test_one_that_no_longer_answers_is_started_again(
    child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.supervisor.child.WATCH_PAUSE", 0.05)
    monkeypatch.setattr("webapp.supervisor.child.PROBE_SECONDS", 0.2)
    child.start()
    await_true(child.probe)
    pid = child.pid
    assert pid is not None
    assert not any(child.is_silent() for _ in range(20))
    os.kill(pid, signal.SIGSTOP)
    await_true(child.is_silent)
    child.bury()
    assert not is_running(pid)
    await_true(child.is_due)
    child.start()
    await_true(child.probe)
    assert not child.is_silent()


def test_one_that_answers_now_and_then_is_left_alone(
    child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = itertools.cycle([*([""] * 5), "failing"])
    monkeypatch.setattr("webapp.supervisor.child.WATCH_PAUSE", 0.0)
    child.start()
    await_true(child.probe)
    monkeypatch.setattr(
        "webapp.supervisor.child.health_status", lambda *asked: next(answers)
    )
    assert not any(child.is_silent() for _ in range(50))


def test_a_log_that_cannot_be_written_does_not_stop_play(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = ChildLog(tmp_path / "missing" / "site.log")
    log.feed(b"one\ntwo\n")
    assert log.last == ["one", "two"]
    assert capsys.readouterr().out.count("cannot be written") == 1
