"""Writing files whole: nobody ever finds half of one.

Each is written under another name beside its own first, and takes its place at the end.
What was there before stays until then, and stays if writing fails.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def new_file(text: str) -> Path:
    """Return the path of an option, for argparse: an error before the work, not after.

    Folders on the way to the file are made when it is written.
    """
    path = Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{path} is a folder; name a file in it")
    above = path.absolute().parent
    while not above.exists() and above != above.parent:
        above = above.parent
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise argparse.ArgumentTypeError(
            f"{path} cannot be written: this user may not write to {above}"
        )
    return path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path to write to; what lies there at the end takes the place of `path`.

    If the block raises, nothing of it is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    remove(new)
    try:
        yield new
        new.replace(path)
    finally:
        remove(new)


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8; raise OSError if it cannot be written."""
    with replacing(path) as new:
        # Half of a surrogate pair, which JSON may hold, is written as \ud83d.
        new.write_bytes(text.encode("utf-8", "backslashreplace"))


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON for people: indented, and in UTF-8."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def made_once(path: Path, make: Callable[[Path], object]) -> Path:
    """Return `path`; if it is not there, `make` first writes it under another name.

    Processes that make something in the same folder wait for each other. What an
    interrupted one left half-made is deleted. Raises what `make` raises.
    """
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if not path.exists():
            with replacing(path) as new:
                make(new)
    finally:
        os.close(folder)
    return path


def remove(path: Path) -> None:
    """Delete a file or a folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
