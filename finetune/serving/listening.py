"""Where the sidecar listens: a Unix socket for this computer, or a port for others."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from finetune.errors import FinetuneError
from finetune.settings import Settings

BACKLOG: Final = 2048
# What the address of a Unix socket holds, without the zero at its end. macOS: 103.
PATH_BYTES: Final = 103


class CannotListen(FinetuneError):
    """There is nothing to listen on; the message is one sentence for a person."""


def listen(settings: Settings) -> socket.socket:
    """Return a listening socket; raise CannotListen."""
    if settings.is_for_others:
        return _on_port(settings.host, settings.port)
    return _on_path(settings.socket_path)


def _on_path(path: Path) -> socket.socket:
    size = len(os.fsencode(path))
    if size > PATH_BYTES:
        raise CannotListen(
            f"The path of the socket {path} has {size} bytes, and no more than "
            f"{PATH_BYTES} can be used. Choose a shorter one with --socket FILE."
        )
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_room(path)
        return _bound(path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CannotListen(
            f"The socket {path} cannot be made: {reason}. Choose another place with "
            "--socket FILE, or a port of this computer with --port 8001."
        ) from error


def _make_room(path: Path) -> None:
    """Remove the socket of a sidecar that is gone."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _bound(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    try:
        # From the first moment nobody else may call.
        with _masked(0o177):
            listener.bind(str(path))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


@contextmanager
def _masked(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def _on_port(host: str, port: int) -> socket.socket:
    try:
        return _bound_port(host, port)
    # A ValueError (of Unicode) for a name with an empty or a very long part.
    except (socket.gaierror, ValueError) as error:
        raise CannotListen(_host_sentence(host)) from error
    except (OSError, OverflowError) as error:
        raise CannotListen(_port_sentence(host, port, error)) from error


def _bound_port(host: str, port: int) -> socket.socket:
    family, *_, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bare = ipaddress.ip_address(str(address[0]).partition("%")[0])
    # One can listen there, but nobody can call.
    if host == "*" or bare.is_multicast or str(bare) == "255.255.255.255":
        raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
    return socket.create_server(address, family=family, backlog=BACKLOG)


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
        return (
            f"Port {port} is used by another program. Choose another: --port {port + 1}"
        )
    if number == errno.EACCES:
        return (
            f"Port {port} may only be used by the system. Choose one above 1023, "
            "for example: --port 8001"
        )
    if number in {errno.EADDRNOTAVAIL, errno.EINVAL}:
        return _host_sentence(host)
    reason = (getattr(error, "strerror", None) or str(error)).lower()
    return f"The models cannot be served on {host}:{port}: {reason}."
