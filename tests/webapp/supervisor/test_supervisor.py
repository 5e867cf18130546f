"""Decisions of the supervisor that need no running program."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.settings import Settings
from webapp.supervisor.run import (
    Supervisor,
    needs_sidecar,
    sidecar_program,
    site_program,
    with_sidecar,
    worker_program,
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
    settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "sidecar.sock"
    one, other = with_sidecar(settings, path), with_sidecar(settings, path)
    assert one.sidecar_key != other.sidecar_key
    site, sidecar = site_program(one, "http://x"), sidecar_program(one)
    key = {"WORDKEEP_SIDECAR_KEY": one.sidecar_key}
    assert key.items() <= site.env.items()
    assert key.items() <= sidecar.env.items()
    assert one.sidecar_url == f"unix:{path}"
    assert sidecar.socket == str(path)
    assert site.env["WORDKEEP_SIDECAR_URL"] == one.sidecar_url
    # Without it, a sidecar of somebody else in its place would pass for this one.
    assert sidecar.key == one.sidecar_key


def test_the_worker_knows_its_instance_and_no_key(
    settings: Settings, tmp_path: Path
) -> None:
    chosen = with_sidecar(settings, tmp_path / "sidecar.sock")
    worker = worker_program(chosen)
    assert worker.argv[-4:] == (
        *("--socket", str(tmp_path / "sidecar.sock")),
        *("--instance", str(settings.instance)),
    )
    assert chosen.sidecar_key not in repr([worker.argv, dict(worker.env)])


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
