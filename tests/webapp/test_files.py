"""A file is written whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from tests.kit.disk import NoDisk, small_disk
from webapp.errors import StorageError
from webapp.files import make_private, write_once, write_whole

pytestmark = pytest.mark.unit

KILLED = """\
import os, signal, sys
from pathlib import Path
from webapp import files

# All is written, and nothing is certain yet.
os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
getattr(files, sys.argv[1])(Path(sys.argv[2]), "new" * 100_000)
"""


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let this process write no file that is larger."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("content", ["süß\n", b"\x00\xff", ""])
@pytest.mark.parametrize("write", [write_whole, write_once])
def test_a_file_is_written(tmp_path, write, content):
    path = tmp_path / "a.txt"
    write(path, content)
    data = content.encode() if isinstance(content, str) else content
    assert path.read_bytes() == data
    assert names(tmp_path) == ["a.txt"]


def test_the_second_of_two_replaces_or_gives_way(tmp_path):
    path = tmp_path / "a.txt"
    write_once(path, "first")
    write_once(path, "second")
    assert path.read_text() == "first"
    write_whole(path, "third")
    assert path.read_text() == "third"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("write", [write_whole, write_once])
def test_who_may_read_it(tmp_path, write):
    before = os.umask(0o022)
    try:
        write(tmp_path / "open", "x")
        write(tmp_path / "shut", "x", mode=0o600)
    finally:
        os.umask(before)
    modes = [stat.S_IMODE((tmp_path / n).stat().st_mode) for n in ("open", "shut")]
    assert modes == [0o644, 0o600]


def test_many_at_once_leave_one_whole_file(tmp_path):
    texts = [str(number) * 50_000 for number in range(8)]
    one, last = tmp_path / "one", tmp_path / "last"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: write_once(one, text), texts))
        list(pool.map(lambda text: write_whole(last, text), texts))
    assert one.read_text() in texts
    assert last.read_text() in texts
    assert names(tmp_path) == ["last", "one"]


@pytest.mark.parametrize("write", [write_whole, write_once])
def test_a_write_that_fails_half_way_changes_nothing(tmp_path, write):
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("old")
    path = old if write is write_whole else new
    with largest_file(1_000), pytest.raises(StorageError) as caught:
        write(path, "x" * 10_000)
    assert caught.value.message == (
        f"{path} cannot be written: File too large. Nothing was changed."
    )
    assert (caught.value.code, caught.value.status) == ("storage", 503)
    assert names(tmp_path) == ["old"]
    assert old.read_text() == "old"


@pytest.mark.parametrize("write", [write_whole, write_once])
def test_a_full_disk_changes_nothing(tmp_path, write):
    try:
        with small_disk(tmp_path) as disk:
            old, new = tmp_path / "old", tmp_path / "new"
            old.write_text("old")
            disk.fill()
            path = old if write is write_whole else new
            with pytest.raises(StorageError, match="No space left on device"):
                write(path, "x" * 10_000)
            assert old.read_text() == "old"
            assert names(tmp_path) == ["filler", "old"]
            disk.free()
            write(path, "new")
            assert path.read_text() == "new"
    except NoDisk as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("write", [write_whole, write_once])
def test_a_folder_that_is_not_there(tmp_path, write):
    with pytest.raises(StorageError, match="cannot be written: No such file"):
        write(tmp_path / "none" / "a.txt", "x")


@pytest.mark.parametrize("name", ["write_whole", "write_once"])
def test_a_killed_writer_leaves_the_old_file(tmp_path, name):
    path = tmp_path / "a.txt"
    if name == "write_whole":
        path.write_text("old")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, name, str(path)], check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL
    assert path.read_text() == "old" if name == "write_whole" else not path.exists()
    # What it left has a name that nothing reads, and stands in nobody's way.
    assert [other[:7] for other in names(tmp_path) if other != "a.txt"] == [".a.txt."]
    write_whole(path, "new")
    assert path.read_text() == "new"


def test_ctrl_c_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("mode", [0o755, 0o777, 0o750, 0o700])
def test_a_folder_that_was_made_by_hand_becomes_private(
    tmp_path: Path, mode: int
) -> None:
    folder = tmp_path / "instance"
    folder.mkdir()
    folder.chmod(mode)
    make_private(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_is_not_there_is_made_private(tmp_path: Path) -> None:
    make_private(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_the_instance_is_private_whoever_opens_it(app: Flask) -> None:
    folder = Path(app.instance_path)
    assert folder.stat().st_mode & 0o777 == 0o700
