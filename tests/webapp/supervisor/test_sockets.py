"""The socket between the site and its models."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.supervisor.sockets import PATH_BYTES, sidecar_socket


@pytest.fixture
def short() -> Iterator[Path]:
    """Return a folder whose path is short, whatever that of the tests is."""
    with tempfile.TemporaryDirectory(prefix="wk-", dir="/tmp") as folder:
        yield Path(folder)


def test_it_is_in_the_instance_and_gone_at_the_end(short: Path) -> None:
    said: list[str] = []
    with sidecar_socket(short, say=said.append) as path:
        assert path.parent == short / "run"
        assert not path.exists()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
    assert list((short / "run").iterdir()) == []
    assert said == []


def test_two_on_one_instance_have_one_each(short: Path) -> None:
    with (
        sidecar_socket(short, say=print) as one,
        socket.socket(socket.AF_UNIX) as listener,
    ):
        listener.bind(str(one))
        listener.listen()
        with sidecar_socket(short, say=print) as other:
            assert one != other
            # The one that is in use is left alone.
            assert one.exists()


def test_what_a_killed_one_left_is_removed(short: Path) -> None:
    (short / "run").mkdir()
    left = short / "run" / "sidecar-01234567.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(left))
    with sidecar_socket(short, say=print):
        assert not left.exists()


def test_a_path_that_is_too_long_gets_a_private_folder(short: Path) -> None:
    instance = short / ("i" * PATH_BYTES)
    said: list[str] = []
    with sidecar_socket(instance, say=said.append) as path:
        assert instance not in path.parents
        assert path.parent.stat().st_mode & 0o777 == 0o700
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
        size = len(str(instance)) + len("/run/sidecar-01234567.sock")
        assert said == [
            f"The socket of the models is in {path.parent}, because its path in the "
            f"instance would have {size} bytes, and no more than {PATH_BYTES} can be "
            "used."
        ]
    assert not path.parent.exists()


def test_a_file_system_without_sockets_gets_a_private_folder(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bind = socket.socket.bind

    def refuse(self: socket.socket, address: str) -> None:
        if address.startswith(str(short)):
            raise PermissionError(1, "Operation not permitted")
        bind(self, address)

    monkeypatch.setattr(socket.socket, "bind", refuse)
    said: list[str] = []
    with sidecar_socket(short, say=said.append) as path:
        assert short not in path.parents
    assert "because the instance takes none: operation not permitted." in said[0]
