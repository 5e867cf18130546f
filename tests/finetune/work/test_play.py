"""Giving way: training waits for players, and never for good."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from finetune.settings import load_settings
from finetune.work.play import Engine, Turns


@pytest.mark.parametrize("step", [0.1, 0.5, 1.0])
def test_at_most_four_fifths_of_the_time_are_given_away(step):
    turns = Turns()
    waited = learned = 0.0
    for _ in range(int(1000 / step)):
        if turns.next(others_wait=True, seconds=step):
            waited += step
        else:
            learned += step
    share = waited / (waited + learned)
    assert 0.6 < share < 0.83


def test_nobody_waiting_means_no_wait():
    turns = Turns()
    assert not any(turns.next(others_wait=False, seconds=1) for _ in range(50))


def test_it_goes_on_at_once_when_they_are_served():
    turns = Turns()
    assert turns.next(others_wait=True, seconds=1)
    assert not turns.next(others_wait=False, seconds=1)


class _Health(BaseHTTPRequestHandler):
    """A sidecar in which as many requests wait as its server says."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.server.said)  # type: ignore[attr-defined]

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    ("said", "waits"),
    [
        (b'{"waiting": 3}', True),
        (b'{"waiting": 0}', False),
        (b"no JSON", False),
        (b"[]", False),
    ],
)
def test_the_sidecar_is_asked_whether_players_wait(said, waits, tmp_path):
    with HTTPServer(("127.0.0.1", 0), _Health) as server:
        server.said = said  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.handle_request, daemon=True)
        thread.start()
        settings = load_settings({}, instance=tmp_path, port=server.server_port)
        assert Engine(settings).has_waiting() is waits
        thread.join(20)


def test_without_a_sidecar_nobody_waits(tmp_path):
    assert not Engine(load_settings({}, instance=tmp_path)).has_waiting()
