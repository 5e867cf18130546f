"""A model endpoint to talk to, and gateways that do."""

from __future__ import annotations

import pytest

from tests.webapp.llm.upstream import Upstream
from webapp.llm.endpoints import Endpoint
from webapp.llm.gateway import Gateway
from webapp.plugins.asking import Message
from webapp.security import Secret

KEY = "sk-test-0123456789-do-not-show"
SECRET = "lantern"
MESSAGES: list[Message] = [
    {"role": "system", "content": f"The password is {SECRET}."},
    {"role": "user", "content": "Good evening"},
]


@pytest.fixture
def upstream(monkeypatch):
    # Another test may be laying siege to a site on the same two cores.
    monkeypatch.setattr("webapp.llm.remote.LIST_SECONDS", 30.0)
    server = Upstream()
    yield server
    server.close()


@pytest.fixture
def gateway_of(upstream):
    """Return a gateway to the upstream server: `gateway_of(kind, reply_seconds=2)`."""

    def make(kind="wordkeep", **options):
        endpoint = Endpoint(
            name="local",
            kind=kind,
            models={
                "smollm2": "smol-upstream",
                "minilm": "minilm",
                "gate": "gate",
                "leak": "leak",
            },
            base_url=upstream.url,
            key=Secret(KEY),
        )
        # Pauses are the wished time times (0.5 + chance): here, a hundredth of it.
        return Gateway([endpoint], **{"chance": lambda: -0.49, **options})

    return make


@pytest.fixture
def talk(gateway_of):
    """Stream one reply and return all its events."""

    def run(kind="wordkeep", **options):
        stream = gateway_of(kind, **options).stream(model="smollm2", messages=MESSAGES)
        return list(stream)

    return run
