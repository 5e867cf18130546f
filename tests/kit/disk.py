"""A disk that a test can fill."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEGABYTES = 300


class SmallDisk:
    """A file system in memory, with a file that takes all the room there is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Leave no byte."""
        with self._filler.open("ab", buffering=0) as file:
            block = bytes(1 << 20)
            while block:
                try:
                    file.write(block)
                except OSError:
                    # Ever smaller pieces, until not even one byte fits.
                    block = block[: len(block) // 2]

    def free(self) -> None:
        """Give the room back."""
        self._filler.unlink()


class NoDisk(Exception):
    """This user may not make file systems."""


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """Mount a small disk; raises NoDisk where that is not allowed."""
    if os.geteuid() != 0:
        raise NoDisk("only root may mount a small disk")
    options = f"size={MEGABYTES}m"
    mount = ["mount", "-t", "tmpfs", "-o", options, "wordkeep-test", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoDisk(done.stderr.strip())
    try:
        yield SmallDisk(folder)
    finally:
        # Lazily: a process that is still ending may have a file open.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
