"""Ways to put a text before a guard."""

from __future__ import annotations

from typing import Any

import pytest

import webapp.guards
from webapp.llm.ask import GatewayAsk
from webapp.llm.gateway import Gateway
from webapp.llm.scripted import ScriptedBackend
from webapp.plugins.asking import Ask, Exchange
from webapp.plugins.guard import Stage, Turn, Verdict, guards
from webapp.plugins.registry import load_plugins
from webapp.security import Secret

load_plugins(webapp.guards)


@pytest.fixture
def judge():
    """Judge a text: `judge("contains", "text", match="exact")`."""

    def run(
        name: str,
        text: str,
        *,
        stage: Stage = "output",
        secret: str = "lantern",  # noqa: S107 -- a sample word, no credential
        history: tuple[Exchange, ...] = (),
        ask: Ask | None = None,
        **options: Any,
    ) -> Verdict:
        guard = guards.get(name)
        turn = Turn(stage, text, text, history, Secret(secret))
        asked = ask or GatewayAsk(Gateway.scripted(ScriptedBackend()), "player-1")
        return guard(guard.Options.model_validate(options)).inspect(turn, asked)

    return run
