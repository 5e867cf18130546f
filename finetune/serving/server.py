"""Runs the application under gunicorn: one process, many threads."""

from __future__ import annotations

import argparse
import ctypes
import logging
import os
import signal
import socket
import sys
import threading
from types import FrameType
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker

from finetune.serving.listening import listen
from finetune.serving.routes.app import create_app
from finetune.settings import Settings

# Threads beyond the ones that replies can hold: health, models, embeddings.
_SPARE_THREADS = 64
_PR_SET_PDEATHSIG = 1


class SidecarWorker(ThreadWorker):  # type: ignore[misc]
    """A gunicorn worker that tells the application when it has to stop."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop. In a signal handler, so the work is left to a thread."""
        if self.alive:
            threading.Thread(target=self._stop_replies).start()
        super().handle_exit(sig, frame)

    def _stop_replies(self) -> None:
        self.wsgi.extensions["sidecar"].stop()


class Server(BaseApplication):  # type: ignore[misc]
    """The sidecar as a gunicorn application."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._settings = settings
        self._listener = listener
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn up; it reads no file and no environment."""
        settings = self._settings
        chosen: dict[str, Any] = {
            "bind": [f"fd://{self._listener.detach()}"],
            "workers": 1,
            "worker_class": "finetune.serving.server.SidecarWorker",
            "threads": settings.slots + settings.waiting + _SPARE_THREADS,
            "keepalive": 75,
            "timeout": 120,
            "graceful_timeout": settings.stop_seconds + 2,
            "loglevel": "warning",
            "post_fork": _follow_parent,
            "worker_exit": _leave,
            "control_socket_disable": True,
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Build the application, in the worker: an engine does not survive a fork."""
        return create_app(self._settings)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `serve`."""
    parser.add_argument(
        "--socket", help="Unix socket to listen on (default: in the instance)"
    )
    parser.add_argument(
        "--port", type=int, help="port to listen on instead, for other computers"
    )
    parser.add_argument(
        "--host", help="address to listen on instead (with --port: 127.0.0.1)"
    )


def main(chosen: argparse.Namespace, settings: Settings) -> int:
    """Serve until a signal says stop; raise CannotListen."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    Server(settings, listen(settings)).run()
    return 0


def _follow_parent(server: Any, worker: Any) -> None:
    # If the parent is killed outright, this process must not keep the port.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _leave(server: Any, worker: Any) -> None:
    # All replies are over. Taking torch and the engine down piece by piece would only
    # take seconds, and a model that is still loading could not be stopped at all.
    if worker.booted:
        logging.shutdown()
        os._exit(0)
