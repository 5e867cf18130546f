"""The supervisor of one instance: its programs up, healthy, and up again."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from webapp.llm.endpoints import LOCAL, UNIX, read_endpoints
from webapp.settings import PROJECT, Settings
from webapp.supervisor import checks
from webapp.supervisor.checks import StartError
from webapp.supervisor.child import Child, Program
from webapp.supervisor.sockets import sidecar_socket

START_SECONDS = 180.0
# How long to wait for a site that answers but is not well: an endpoint elsewhere
# may be down, which must not keep the class from playing.
PATIENCE_SECONDS = 15.0
TICK_SECONDS = 0.1
_EVERYWHERE = {"0.0.0.0", "::", ""}  # noqa: S104 -- compared with, not listened on
# Both programs are found beside this file, whatever folder the command is given in.
_OURS = {"PYTHONPATH": str(PROJECT)}

Say = Callable[[str], None]


class Supervisor:
    """Starts the sidecar, the site and the worker of an instance; keeps them up."""

    def __init__(self, settings: Settings, *, say: Say) -> None:
        if settings.port == 0:
            settings = settings.but(port=checks.free_port())
        self.settings = settings
        self.say = say
        self.children: list[Child] = []
        self._is_stopping = False
        # What is taken away when all programs have ended.
        self._until_end = ExitStack()

    def run(self) -> None:
        """Start, watch until a signal comes, stop. Raises StartError, ContentError."""
        started = time.monotonic()
        instance = self.settings.instance
        checks.require_shared_services(self.settings)
        checks.prepare_instance(instance)
        checks.require_space(instance)
        with (
            checks.instance_lock(instance, self.address),
            checks.listen(self.settings.host, self.settings.port) as listener,
            self.signals(),
            self._until_end,
        ):
            try:
                self._start(started, listener.fileno())
                while not self._is_stopping:
                    self._watch()
                    time.sleep(TICK_SECONDS)
                self.say("Stopping.")
            finally:
                self._stop()

    @property
    def address(self) -> str:
        """What to type into a browser on this computer."""
        host = self.settings.host
        shown = "localhost" if host in _EVERYWHERE else host
        shown = f"[{shown}]" if ":" in shown else shown
        return f"http://{shown}:{self.settings.port}"

    def _start(self, started: float, listener: int) -> None:
        settings = self.settings.but(listener=listener)
        # First, because loading the models takes longest.
        if needs_sidecar(settings):
            path = self._until_end.enter_context(
                sidecar_socket(settings.instance, say=self.say)
            )
            settings = with_sidecar(settings, path)
            self._add(sidecar_program(settings))
        counts = self._until_end.enter_context(counting_folder(settings))
        self._add(site_program(settings, self.address, counts=counts))
        for child in self.children:
            self._await_up(child)
        if needs_sidecar(self.settings) and not self._is_stopping:
            # It has time: nobody has sent it anything yet.
            self._add(worker_program(settings))
        if not self._is_stopping:
            self.say(f"Ready after {time.monotonic() - started:.1f} s: {self.address}")
            if settings.host in _EVERYWHERE:
                self.say(f"From other computers: http://{_own_name()}:{settings.port}")
            self.say("Ctrl-C stops it.")

    def _add(self, program: Program) -> None:
        child = Child(program)
        self.children.append(child)
        child.start()

    def _await_up(self, child: Child) -> None:
        """Wait until it is up; raise StartError with the program's own words."""
        told = 0
        while not self._is_stopping and not child.probe():
            self._read_all()
            for other in self.children:
                if other.exit_code() is not None:
                    raise StartError(_failure(other))
            if child.status == "failed" or child.waited > START_SECONDS:
                raise StartError(_failure(child))
            if child.waited > 15 * (told + 1):
                told += 1
                self.say(f"Still waiting for {child.program.name}…")
            time.sleep(TICK_SECONDS)
        if child.is_up and child.status != "ok":
            self.say(
                f"{child.program.title} is running, but something is wrong: "
                f"see {child.program.health_url}"
            )

    def _watch(self) -> None:
        """Notice what ended, start what is due, check what has just started."""
        self._read_all()
        for child in self.children:
            if how := _gone(child):
                self.say(
                    f"{child.program.title} {how}. It is being restarted; its log is "
                    f"{child.program.log}"
                )
            if child.is_due():
                child.start()
            elif child.pid is not None and not child.is_up:
                self._ask_fresh(child)

    def _ask_fresh(self, child: Child) -> None:
        is_again = child.failures > 0
        if child.probe():
            if is_again:
                self.say(f"{child.program.title} is up again.")
        elif child.waited > START_SECONDS:
            child.ask_to_stop()

    def _read_all(self) -> None:
        for child in self.children:
            child.read_output()

    def _stop(self) -> None:
        for child in self.children:
            child.ask_to_stop()
        # The site first: it has streams to end. The sidecar has nothing to lose.
        for child in reversed(self.children):
            child.wait_stopped(time.monotonic() + child.program.stop_seconds)

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Let signals stop the watch, in good order."""

        def stop(number: int, frame: object) -> None:
            self._is_stopping = True

        numbers = [signal.SIGINT, signal.SIGTERM]
        # Ignored means nohup: the terminal may close.
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            numbers.append(signal.SIGHUP)
        before = {number: signal.signal(number, stop) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _gone(child: Child) -> str:
    """Return how a program ended, or "" while it does its work."""
    if child.exit_code() is not None:
        return child.bury()
    if child.is_silent():
        child.bury()
        return "did not answer any more"
    return ""


def sidecar_program(settings: Settings) -> Program:
    """Return how the sidecar of these settings is run."""
    path = settings.sidecar_url.removeprefix(UNIX)
    return Program(
        name="the sidecar",
        argv=(
            *(sys.executable, "-P", "-m", "finetune", "serve"),
            *("--socket", path),
            *("--instance", str(settings.instance)),
        ),
        health_url="http://localhost/health",
        socket=path,
        log=settings.instance / "logs" / "sidecar.log",
        # In the environment, because everybody may read the arguments of a process.
        env={**_OURS, "WORDKEEP_SIDECAR_KEY": settings.sidecar_key},
        key=settings.sidecar_key,
    )


def worker_program(settings: Settings) -> Program:
    """Return how the worker that trains models is run: with the lowest priority."""
    return Program(
        name="the training worker",
        argv=(
            *(sys.executable, "-P", "-m", "finetune", "work"),
            *("--socket", settings.sidecar_url.removeprefix(UNIX)),
            *("--instance", str(settings.instance)),
        ),
        # It has no page; it is well as long as it lives.
        health_url="",
        log=settings.instance / "logs" / "worker.log",
        # It finishes an update and writes a checkpoint; without, some work is lost.
        stop_seconds=10.0,
        env=_OURS,
    )


def site_program(
    settings: Settings, address: str, *, counts: Path | None = None
) -> Program:
    """Return how the site of these settings is run.

    In `counts` several processes of it keep what they count, and add it up.
    """
    return Program(
        name="the site",
        stop_seconds=6.0,
        argv=(sys.executable, "-P", "-m", "webapp.serve"),
        health_url=f"{_here(settings, address)}/health",
        log=settings.instance / "logs" / "site.log",
        patience=PATIENCE_SECONDS,
        env={
            **_OURS,
            "WORDKEEP_INSTANCE": str(settings.instance),
            "WORDKEEP_HOST": settings.host,
            "WORDKEEP_PORT": str(settings.port),
            "WORDKEEP_LISTENER": str(settings.listener),
            "WORDKEEP_SIDECAR_URL": settings.sidecar_url,
            "WORDKEEP_SIDECAR_KEY": settings.sidecar_key,
            **({"PROMETHEUS_MULTIPROC_DIR": str(counts)} if counts else {}),
        },
        files=(settings.listener,),
    )


def with_sidecar(settings: Settings, path: Path) -> Settings:
    """Return settings with a socket and a fresh key for a sidecar."""
    return settings.but(
        sidecar_url=f"{UNIX}{path}",
        sidecar_key=secrets.token_hex(32),
    )


@contextmanager
def sidecar_running(settings: Settings, *, say: Say) -> Iterator[Settings]:
    """Run a sidecar alone, for proofs and benches; yield the settings that reach it.

    Without need for one (endpoints.yaml names others as `local`) nothing is started.
    """
    if not needs_sidecar(settings):
        yield settings
        return
    checks.prepare_instance(settings.instance)
    with sidecar_socket(settings.instance, say=say) as path:
        settings = with_sidecar(settings, path)
        supervisor = Supervisor(settings, say=say)
        child = Child(sidecar_program(settings))
        supervisor.children.append(child)
        try:
            child.start()
            supervisor._await_up(child)
            yield settings
        finally:
            child.ask_to_stop()
            child.wait_stopped(time.monotonic() + child.program.stop_seconds)


@contextmanager
def counting_folder(settings: Settings) -> Iterator[Path | None]:
    """Yield a folder in which the processes of a site count; None for a single one.

    In memory where that is possible: counting must not depend on a disk with room.
    """
    if settings.processes < 2:
        yield None
        return
    memory = Path("/dev/shm")  # noqa: S108 -- a private folder is made in it
    base = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="wordkeep-", dir=base) as folder:
        yield Path(folder)


def _failure(child: Child) -> str:
    title, log = child.program.title, child.program.log
    if child.exit_code() is None and child.status != "failed":
        return f"{title} was not ready after {child.waited:.0f} s. Its log: {log}"
    return f"{title} could not start: {child.log.reason()}\nIts log: {log}"


def needs_sidecar(settings: Settings) -> bool:
    """Whether the models are ours; endpoints.yaml may name others as `local`."""
    entries = read_endpoints(settings.instance / "endpoints.yaml")
    return all(entry.name != LOCAL for entry in entries)


def _here(settings: Settings, address: str) -> str:
    """Return the address at which this computer reaches the site, without a name."""
    if settings.host in {"0.0.0.0", ""}:  # noqa: S104 -- compared with
        return f"http://127.0.0.1:{settings.port}"
    if settings.host == "::":
        return f"http://[::1]:{settings.port}"
    return address


def _own_name() -> str:
    """Return the address of this computer in its network; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])
