"""What must be true before anything is started, each with its own clear sentence."""

from __future__ import annotations

import errno
import fcntl
import ipaddress
import os
import random
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from webapp.errors import LabError
from webapp.files import make_private
from webapp.settings import Settings

NEEDED_MB = 200
# Callers that may wait while the site is not up; gunicorn's own default.
BACKLOG = 2048
# Below the range from which systems take the ports of outgoing connections: while the
# sidecar restarts, no other program is given its port by accident.
_OWN_PORTS = range(20_000, 32_000)


class StartError(LabError):
    """Wordkeep cannot start; the message says why and what to do."""

    code = "start"


def prepare_instance(instance: Path) -> None:
    """Make the instance folder, readable for its owner only, and its log folder."""
    try:
        make_private(instance)
        (instance / "logs").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StartError(
            f"The instance folder {instance} cannot be made: {_reason(error)}. Choose "
            "another one with --instance DIR."
        ) from error
    if not os.access(instance, os.W_OK):
        raise StartError(
            f"The instance folder {instance} cannot be written by this user. Choose "
            "another one with --instance DIR."
        )


def require_space(instance: Path, *, needed_mb: int = NEEDED_MB) -> None:
    """Refuse to start on a disk that is nearly full."""
    free = shutil.disk_usage(instance).free // 1_000_000
    if free < needed_mb:
        raise StartError(
            f"The disk that holds {instance} has only {free} MB left. Free some space "
            f"(at least {needed_mb} MB) and start again."
        )


def listen(host: str, port: int) -> socket.socket:
    """Listen for the site: while the socket is open, no other program gets its port.

    Whoever calls while the site is down is answered when it is up again. Raises
    StartError for a port that the site could not listen on.
    """
    try:
        return _bind(host, port)
    # A ValueError (of Unicode) for a name with an empty or a very long part.
    except (socket.gaierror, ValueError) as error:
        raise StartError(_host_sentence(host)) from error
    except (OSError, OverflowError) as error:
        raise StartError(_port_sentence(host, port, error)) from error


def _host_sentence(host: str) -> str:
    # What was typed may hold bytes that are not UTF-8, and must be printed.
    shown = host.encode(errors="backslashreplace").decode()
    return (
        f'"{shown}" is not an address of this computer. Use --host 127.0.0.1 for '
        "this computer only, or --host 0.0.0.0 for everyone in the network."
    )


def _port_sentence(host: str, port: int, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        other = _first_free(host, port + 1)
        return (
            f"Port {port} is used by another program. Stop that one, or choose another "
            f"port: ./wordkeep up --port {other}"
        )
    if number == errno.EACCES:
        return (
            f"Port {port} may only be used by the system. Choose one above 1023, "
            "for example: ./wordkeep up --port 8000"
        )
    if number in {errno.EADDRNOTAVAIL, errno.EINVAL}:
        return _host_sentence(host)
    return f"The site cannot listen on {host}:{port}: {_reason(error)}."


def free_port() -> int:
    """Return a port on which nobody listens, for programs on this computer only."""
    for port in random.sample(_OWN_PORTS, k=200):
        with suppress(OSError), _bind("127.0.0.1", port):
            return port
    raise StartError("No free port was found. Stop some programs.")


def _first_free(host: str, start: int) -> int:
    for port in range(start, start + 200):
        with suppress(OSError, OverflowError), _bind(host, port):
            return port
    return start


def _bind(host: str, port: int) -> socket.socket:
    family, *_, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bare = ipaddress.ip_address(str(address[0]).partition("%")[0])
    # One can listen there, but nobody can call.
    if host == "*" or bare.is_multicast or str(bare) == "255.255.255.255":
        raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
    is_dual = family == socket.AF_INET6 and socket.has_dualstack_ipv6()
    # As with gunicorn, connections that are just closing do not matter to it.
    return socket.create_server(
        address, family=family, backlog=BACKLOG, dualstack_ipv6=is_dual
    )


def require_shared_services(settings: Settings) -> None:
    """Refuse several processes on storage that only one can use well."""
    is_shared = settings.database_url.startswith("postgresql") and settings.redis_url
    if settings.processes > 1 and not is_shared:
        raise StartError(
            f"{settings.processes} site processes need PostgreSQL and Redis: set "
            "WORDKEEP_DATABASE_URL and WORDKEEP_REDIS_URL, or leave "
            "WORDKEEP_PROCESSES at 1."
        )


@contextmanager
def instance_lock(instance: Path, address: str) -> Iterator[None]:
    """Hold the instance for this supervisor; a second one is told who has it."""
    path = instance / "up.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+", errors="backslashreplace") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = file.read().strip() or "another process"
            raise StartError(
                f"Wordkeep already runs on {instance} ({holder}). Stop that one with "
                "Ctrl-C, or choose another folder with --instance DIR."
            ) from error
        file.truncate(0)
        file.write(f"process {os.getpid()}, {address}\n")
        file.flush()
        yield
        file.truncate(0)


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
