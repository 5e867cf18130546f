"""Decisions of the supervisor that need no running program."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from webapp.errors import StorageError
from webapp.settings import Settings
from webapp.supervisor.run import (
    Supervisor,
    needs_sidecar,
    sidecar_program,
    site_program,
    with_sidecar,
)


@pytest.mark.parametrize(
    ("host", "address", "probed"),
    [
        ("127.0.0.1", "http://127.0.0.1:8101", "http://127.0.0.1:8101/health"),
        ("0.0.0.0", "http://localhost:8101", "http://127.0.0.1:8101/health"),
        ("::", "http://localhost:8101", "http://[::1]:8101/health"),
        ("::1", "http://[::1]:8101", "http://[::1]:8101/health"),
        ("keep.example", "http://keep.example:8101", "http://keep.example:8101/health"),
    ],
)
def test_the_address_is_one_that_a_browser_here_reaches(
    settings: Settings, host: str, address: str, probed: str
) -> None:
    chosen = settings.but(host=host, port=8101)
    supervisor = Supervisor(chosen, say=print)
    assert supervisor.address == address
    assert site_program(chosen, supervisor.address).health_url == probed


def test_each_start_has_a_key_of_its_own_that_both_programs_know(
    settings: Settings,
) -> None:
    one, other = with_sidecar(settings), with_sidecar(settings)
    assert one.sidecar_key != other.sidecar_key
    site, sidecar = site_program(one, "http://x"), sidecar_program(one)
    key = {"WORDKEEP_SIDECAR_KEY": one.sidecar_key}
    assert key.items() <= site.env.items()
    assert key.items() <= sidecar.env.items()
    assert sidecar.health_url == f"{one.sidecar_url}/health"
    assert site.env["WORDKEEP_SIDECAR_URL"] == one.sidecar_url
    # Without it, a sidecar of somebody else at this port would pass for this one.
    assert sidecar.key == one.sidecar_key


def test_port_nought_is_any_free_one(settings: Settings) -> None:
    supervisor = Supervisor(settings.but(port=0), say=print)
    assert 20_000 <= supervisor.settings.port < 32_000
    assert supervisor.address.endswith(f":{supervisor.settings.port}")


def test_no_sidecar_is_started_when_others_take_its_place(settings: Settings) -> None:
    assert needs_sidecar(settings) is True
    entry = "endpoints: [{name: NAME, kind: scripted, models: {a: keeper}}]\n"
    path = settings.instance / "endpoints.yaml"
    path.write_text(entry.replace("NAME", "demo"))
    assert needs_sidecar(settings) is True
    path.write_text(entry.replace("NAME", "local"))
    assert needs_sidecar(settings) is False


def test_a_full_disk_does_not_stop_the_supervisor(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise StorageError("The disk is full.")

    monkeypatch.setattr("webapp.supervisor.upkeep.sweep_interrupted", fail)
    said: list[str] = []
    Supervisor(settings, say=said.append)._sweep()
    assert said == ["Interrupted attempts could not be marked: The disk is full."]


@pytest.fixture
def hang_up() -> Iterator[None]:
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hang_up")
def test_under_nohup_a_closed_terminal_does_not_stop_it(settings: Settings) -> None:
    supervisor = Supervisor(settings, say=print)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with supervisor.signals():
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    with supervisor.signals():
        assert callable(signal.getsignal(signal.SIGHUP))
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL
