"""Fixtures for all tests: an instance, the app with a scripted model, no network."""

from __future__ import annotations

import gc
import ipaddress
import os
import shutil
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from pytest_timeout import Settings as Limit
from werkzeug.routing import Rule

from webapp import db
from webapp.app import create_app
from webapp.content import store
from webapp.content.files import Signature, find_files, signature
from webapp.content.lessons.collecting import Memory
from webapp.content.loader import Loaded, load
from webapp.db import Database
from webapp.domain.people import accounts
from webapp.domain.services import Services
from webapp.llm.gateway import Gateway
from webapp.llm.scripted import ScriptedBackend
from webapp.migrations import migrate
from webapp.settings import PROJECT, Settings, load_settings

# Before anything imports transformers: no test may ask a hub for a model.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

FOLDER_MARKERS = {"unit", "integration", "e2e"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by the folder it is in; others count as units, if not marked.

    A test of a browser or of several processes has a second go, and what needed it is
    listed at the end: when such a test fails once on a busy machine, it does not take
    nine thousand others with it. A unit that fails has failed.
    """
    for item in items:
        if not any(item.get_closest_marker(marker) for marker in FOLDER_MARKERS):
            folders = {part.name for part in item.path.parents}
            for marker in folders & FOLDER_MARKERS or {"unit"}:
                item.add_marker(marker)
        if item.get_closest_marker("e2e") or item.get_closest_marker("integration"):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show why a test needed its second go: it is a fault, if a small one."""
    for report in terminalreporter.getreports("rerun"):
        terminalreporter.write_sep("_", f"first go of {report.nodeid}")
        terminalreporter.write_line(report.longreprtext)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Look for garbage seldom, and not among what was there before the first test.

    A tenth of the tests' time would be spent on it: libraries and tests are some
    millions of objects.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Let the limit of a test hold for its end, too.

    A failure lifts it, and what is taken down afterwards may wait for ever as well.
    """
    config, hook = item.config, item.config.hook
    seconds = float(config.getoption("timeout") or config.getini("timeout"))
    limit = Limit(seconds, config.getini("timeout_method"), False, False)
    hook.pytest_timeout_cancel_timer(item=item)
    hook.pytest_timeout_set_timer(item=item, settings=limit)


@pytest.fixture(autouse=True)
def _no_outside_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that would leave this machine."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    look_up = socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _require_here(self.family, address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _require_here(self.family, address)
        return connect_ex(self, address)

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        _require_here(socket.AF_INET, (host, 0))
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)


def _require_here(family: int, address: Any) -> None:
    if family not in (socket.AF_INET, socket.AF_INET6):
        return
    host = address[0].decode() if isinstance(address[0], bytes) else address[0]
    if host in (None, "", "localhost"):
        return
    try:
        is_here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_here = False
    # Not an OSError: code that expects a broken network must not hide it.
    assert is_here, f"a test tried to reach {host}; tests stay on this machine"


@pytest.fixture(scope="session", autouse=True)
def _shipped_content_is_read_once() -> Iterator[None]:
    """Let the many apps of the tests share what was read of the shipped content."""
    known: dict[Signature, Loaded] = {}

    def load_once(roots: Sequence[Path], memory: Memory | None = None) -> Loaded:
        files = find_files(roots)
        shipped = all(file.path.is_relative_to(PROJECT) for file in files.values())
        if not files or not shipped or memory is not None:
            return load(roots, memory)
        key = signature(files)
        if key not in known:
            known[key] = load(roots)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "load", load_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def _templates_are_compiled_once(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    """Let the many apps of the tests share what Jinja makes of the templates."""
    cache = FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "jinja_options", {"bytecode_cache": cache})
        yield


@pytest.fixture(scope="session", autouse=True)
def _addresses_are_compiled_once() -> Iterator[None]:
    """Let the many apps of the tests share what Werkzeug makes of an address."""
    compiled: dict[tuple[object, ...], Callable[..., tuple[str, str]]] = {}
    compile_one = Rule._compile_builder

    def compile_once(
        self: Rule, append_unknown: bool = True
    ) -> Callable[..., tuple[str, str]]:
        key = (tuple(self._trace), append_unknown)
        if self.defaults:
            return compile_one(self, append_unknown)
        if key not in compiled:
            compiled[key] = compile_one(self, append_unknown)
        return compiled[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", compile_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def _passwords_are_hashed_at_once() -> Iterator[None]:
    """Hash passwords with the same method, but not as slowly as it ought to be."""
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "_hasher", lambda: quick)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_test_waits_for_the_disk() -> Iterator[None]:
    """Leave out waiting for the disk at each commit: these databases outlive no test.

    Programs that tests start, and kill, do wait.
    """
    prepare = db._prepare_sqlite

    def prepare_quickly(connection: Any, record: object) -> None:
        prepare(connection, record)
        connection.execute("PRAGMA synchronous=OFF")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db, "_prepare_sqlite", prepare_quickly)
        yield


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    """Return the folder of a fresh instance."""
    folder = tmp_path / "instance"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(instance: Path) -> Settings:
    """Return the default settings, with limits that tests do not run into."""
    return load_settings(
        {},
        instance=instance,
        attempts_per_minute=1000,
        guesses_per_minute=1000,
        guess_pause=0,
        sign_ups_per_hour=1000,
        sign_ins_per_minute=1000,
        debug_pages=True,
    )


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database file with all tables and no rows, to copy."""
    path = tmp_path_factory.mktemp("migrated") / "wordkeep.db"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    database.dispose()
    return path


@pytest.fixture
def backend() -> ScriptedBackend:
    """Return the scripted model; `enqueue` what it shall say, read its `history`."""
    return ScriptedBackend()


@pytest.fixture
def app(
    settings: Settings, migrated_file: Path, backend: ScriptedBackend
) -> Iterator[Flask]:
    """Return the whole site on a fresh database and the scripted model."""
    shutil.copyfile(migrated_file, settings.instance / "wordkeep.db")
    app = create_app(settings, gateway=Gateway.scripted(backend))
    app.testing = True
    yield app
    services: Services = app.extensions["wordkeep"]
    services.db.dispose()
    services.boot.close()


@pytest.fixture
def services(app: Flask) -> Services:
    """Return what the use cases of `app` work with."""
    found: Services = app.extensions["wordkeep"]
    return found


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return a browser without a player."""
    return app.test_client()
