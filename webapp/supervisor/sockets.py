"""The Unix socket on which the site calls its models: in the instance, if that works.

A port could be taken by another user of this computer while the models restart, who
would then be sent the key and a prompt with a password. A socket in a folder that only
its owner may open cannot.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

# What the address of a Unix socket holds, without the zero at its end. macOS: 103.
PATH_BYTES: Final = 103


@contextmanager
def sidecar_socket(instance: Path, *, say: Callable[[str], None]) -> Iterator[Path]:
    """Yield a path for a socket of one sidecar; what is there at the end is removed."""
    folder = instance / "run"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _remove_left(folder)
    # Several may run on one instance: beside a site, a check plays the proofs.
    path = folder / f"sidecar-{secrets.token_hex(4)}.sock"
    reason = _why_not(path)
    private = None
    if reason:
        private = Path(tempfile.mkdtemp(prefix="wordkeep-"))
        path = private / "sidecar.sock"
        say(f"The socket of the models is in {private}, because {reason}.")
    try:
        yield path
    finally:
        if private is not None:
            shutil.rmtree(private, ignore_errors=True)
        path.unlink(missing_ok=True)


def _why_not(path: Path) -> str:
    """Return why a path cannot be a socket's, or ""."""
    size = len(os.fsencode(path))
    if size > PATH_BYTES:
        return (
            f"its path in the instance would have {size} bytes, and no more than "
            f"{PATH_BYTES} can be used"
        )
    # Some file systems have no sockets.
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.bind(str(path))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            return f"the instance takes none: {reason}"
    path.unlink()
    return ""


def _remove_left(folder: Path) -> None:
    """Remove sockets of supervisors that were killed: nobody answers on them."""
    for path in folder.glob("sidecar-*.sock"):
        with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
