"""What is checked before anything starts."""

from __future__ import annotations

import os
import re
import socket
import stat
from pathlib import Path

import pytest

from webapp.settings import Settings
from webapp.supervisor import checks
from webapp.supervisor.checks import StartError

LOOK_UP = socket.getaddrinfo


def test_the_instance_is_for_its_owner_only(tmp_path: Path) -> None:
    checks.prepare_instance(tmp_path / "instance")
    assert stat.S_IMODE((tmp_path / "instance").stat().st_mode) == 0o700
    assert (tmp_path / "instance" / "logs").is_dir()


def test_an_instance_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartError) as caught:
        checks.prepare_instance(tmp_path / "file" / "instance")
    assert caught.value.message == (
        f"The instance folder {tmp_path}/file/instance cannot be made: not a "
        "directory. Choose another one with --instance DIR."
    )


def test_a_nearly_full_disk_is_one_sentence(tmp_path: Path) -> None:
    checks.require_space(tmp_path)
    with pytest.raises(StartError, match=r"has only \d+ MB left\. Free some space"):
        checks.require_space(tmp_path, needed_mb=10**9)


def test_a_busy_port_is_one_sentence_with_a_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(StartError) as caught:
            checks.listen("127.0.0.1", port)
    found = re.fullmatch(
        rf"Port {port} is used by another program\. Stop that one, or choose another "
        r"port: \./wordkeep up --port (\d+)",
        caught.value.message,
    )
    assert found is not None
    with checks.listen("127.0.0.1", int(found[1])):
        pass


@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-host.invalid"])
def test_an_address_of_another_computer_is_one_sentence(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_up(*args: object, **kwargs: object) -> object:
        if host.endswith("invalid"):
            raise socket.gaierror(-2, "Name or service not known")
        kind = socket.SOCK_STREAM
        return [(socket.AF_INET, kind, 0, "", (host, 8000))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(StartError, match="is not an address of this computer"):
        checks.listen(host, 8000)


@pytest.mark.parametrize(
    "host",
    [
        *("192.168..10", "..", "a" * 64, f"a.{'b' * 64}.c", "ü..x", "\udcff"),
        *("224.0.0.1", "255.255.255.255", "ff02::1", "*"),
    ],
)
def test_a_host_that_cannot_be_one_is_the_same_sentence(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # None of these is looked up outside: they are numbers, or cannot be asked for.
    monkeypatch.setattr(socket, "getaddrinfo", LOOK_UP)
    with pytest.raises(StartError) as caught:
        checks.listen(host, 0)
    shown = host.replace("\udcff", "\\udcff")
    assert caught.value.message == (
        f'"{shown}" is not an address of this computer. Use --host 127.0.0.1 for '
        "this computer only, or --host 0.0.0.0 for everyone in the network."
    )


def test_while_it_listens_nobody_else_gets_the_port() -> None:
    port = checks.free_port()
    with (
        checks.listen("127.0.0.1", port),
        pytest.raises(StartError, match=f"Port {port} is used by another program"),
        checks.listen("127.0.0.1", port),
    ):
        pass
    with checks.listen("127.0.0.1", port):
        pass


def test_two_supervisors_do_not_share_an_instance(tmp_path: Path) -> None:
    with (
        checks.instance_lock(tmp_path, "http://127.0.0.1:8000"),
        pytest.raises(StartError) as caught,
        checks.instance_lock(tmp_path, "http://127.0.0.1:8001"),
    ):
        pass
    assert caught.value.message == (
        f"Wordkeep already runs on {tmp_path} (process {os.getpid()}, "
        "http://127.0.0.1:8000). Stop that one with Ctrl-C, or choose another folder "
        "with --instance DIR."
    )
    with checks.instance_lock(tmp_path, "http://127.0.0.1:8001"):
        pass


def test_several_processes_need_shared_services(settings: Settings) -> None:
    checks.require_shared_services(settings)
    many = settings.but(processes=2)
    with pytest.raises(StartError, match="2 site processes need PostgreSQL and Redis"):
        checks.require_shared_services(many)
    with pytest.raises(StartError, match="need PostgreSQL and Redis"):
        checks.require_shared_services(many.but(database_url="postgresql://db/w"))
    checks.require_shared_services(
        many.but(database_url="postgresql://db/w", redis_url="redis://r")
    )


def test_a_free_port_is_outside_of_what_systems_give_to_others() -> None:
    assert 20_000 <= checks.free_port() < 32_000
