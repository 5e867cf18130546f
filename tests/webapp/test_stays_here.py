"""Tests cannot reach another machine, whatever they import."""

from __future__ import annotations

import socket
import urllib.request

import pytest


@pytest.mark.parametrize("host", ["192.0.2.7", "2001:db8::7", "example.org"])
def test_other_machines_are_refused(host: str) -> None:
    with pytest.raises(AssertionError, match="tests stay on this machine"):
        socket.create_connection((host, 80), timeout=1)


def test_clients_of_all_kinds_are_refused() -> None:
    with pytest.raises(AssertionError, match=r"tried to reach example\.org"):
        urllib.request.urlopen("http://example.org/", timeout=1)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_reached(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = (host, server.getsockname()[1])
        with socket.create_connection(address, timeout=5):
            pass
