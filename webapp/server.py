"""The site under gunicorn."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any, NoReturn

from flask import Flask
from gunicorn.app.base import BaseApplication
from sqlalchemy.exc import SQLAlchemyError

from webapp import meters
from webapp.app import create_app
from webapp.connections import SiteWorker
from webapp.db import Database
from webapp.domain.generations.sweeping import sweep_interrupted
from webapp.domain.play.turn import read_beginning
from webapp.domain.safety.rule import find_concern
from webapp.domain.services import Services
from webapp.errors import LabError
from webapp.files import file_sentence
from webapp.migrations import migrate
from webapp.settings import Settings, load_settings
from webapp.supervisor.child import die_with_parent
from webapp.supervisor.logs import MARK

log = logging.getLogger(__name__)

# How long a stream that is still going when the site stops may take to end.
GRACEFUL_SECONDS = 3


class Site(BaseApplication):  # type: ignore[misc]
    """Gunicorn with our settings."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Translate our settings into gunicorn's."""
        settings = self.settings
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        chosen: dict[str, Any] = {
            "bind": (
                f"fd://{settings.listener}"
                if settings.listener
                else f"{host}:{settings.port}"
            ),
            "workers": settings.processes,
            "worker_class": SiteWorker,
            "graceful_timeout": GRACEFUL_SECONDS,
            "timeout": 60,
            "control_socket_disable": True,
            "errorlog": "-",
            "loglevel": "warning",
            "proc_name": "wordkeep",
            "post_fork": _post_fork,
            "child_exit": _child_exit,
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Build the app, in the worker: locks and connections belong to it."""
        with _faults_told():
            app = create_app(self.settings)
        # What was built so far stays; `webapp.serve` had looking for garbage put off.
        gc.freeze()
        gc.enable()
        Thread(target=_warm_up, args=(app,), name="warm-up", daemon=True).start()
        return app


def _warm_up(app: Flask) -> None:
    """Do now what the first message would have to wait for."""
    services: Services = app.extensions["wordkeep"]
    infos = services.gateway.models()
    find_concern("")
    index = services.content.current()
    # A model that is not there yet is loaded when somebody needs it, not for this; and
    # only our own sidecar says that one is, so no call of this is ever paid for.
    loaded = {info.name.partition("/")[2] for info in infos if info.is_loaded}
    for ladder_id in index.ladders:
        first = index.levels(ladder_id)[0]
        if first.defender.model.rpartition("/")[2] in loaded:
            read_beginning(services.gateway, first)


@contextmanager
def _faults_told() -> Iterator[None]:
    """End the program with one sentence where a fault has one."""
    try:
        yield
    except LabError as error:
        _give_up(error.message)
    except OSError as error:
        if error.filename is None:
            raise
        _give_up(file_sentence(error))


def _give_up(message: str) -> NoReturn:
    # The supervisor shows the lines with this mark.
    marked = message.replace("\n", f"\n{MARK}")
    print(f"{MARK}{marked}", file=sys.stderr, flush=True)  # noqa: T201
    # 4 tells gunicorn that starting again is no use.
    sys.exit(4)


def _post_fork(arbiter: Any, worker: Any) -> None:
    prepare = die_with_parent(arbiter.pid)
    if prepare is not None:
        prepare()


def _child_exit(arbiter: Any, worker: Any) -> None:
    meters.forget_process(worker.pid)


def prepare(settings: Settings) -> None:
    """Bring the tables up to date, and close what dead processes left open.

    Raises LabError where the database cannot be used.
    """
    database = Database(settings.database)
    try:
        migrate(database)
        _sweep(database, settings)
    finally:
        # The workers are forks, which must share no connection.
        database.dispose()


def _sweep(database: Database, settings: Settings) -> None:
    try:
        sweep_interrupted(database, settings.instance)
    except (SQLAlchemyError, LabError) as error:
        # The next start tries again; the site must not stay away for this.
        log.error("Interrupted attempts could not be marked: %s", error)


def main() -> None:
    """Serve until a signal comes."""
    settings = load_settings(os.environ)
    with _faults_told():
        prepare(settings)
    Site(settings).run()
