"""The site under gunicorn: `python -m webapp.serve`, started by the supervisor."""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

from flask import Flask
from gunicorn.app.base import BaseApplication

from webapp.app import create_app
from webapp.errors import LabError
from webapp.files import file_sentence
from webapp.settings import Settings, load_settings
from webapp.supervisor.child import die_with_parent
from webapp.supervisor.logs import MARK

# How long a stream that is still going when the site stops may take to end.
GRACEFUL_SECONDS = 3


class Site(BaseApplication):  # type: ignore[misc]
    """Gunicorn with our settings: threads, because each open stream holds one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Translate our settings into gunicorn's."""
        settings = self._settings
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        chosen: dict[str, Any] = {
            "bind": (
                f"fd://{settings.listener}"
                if settings.listener
                else f"{host}:{settings.port}"
            ),
            "workers": settings.processes,
            "worker_class": "gthread",
            "threads": settings.threads,
            # Idle browsers keep connections; they must not use up the threads.
            "worker_connections": 16 * settings.threads,
            "keepalive": 5,
            "graceful_timeout": GRACEFUL_SECONDS,
            "timeout": 60,
            "control_socket_disable": True,
            "errorlog": "-",
            "loglevel": "warning",
            "proc_name": "wordkeep",
            "post_fork": _post_fork,
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Build the app, in the worker: locks and connections belong to it."""
        try:
            return create_app(self._settings)
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


if __name__ == "__main__":
    Site(load_settings(os.environ)).run()
