"""A model is added to a running site, and a level of the installation talks to it."""

from __future__ import annotations

from pathlib import Path

import httpx2
import openai
import psutil
import pytest

from tests.kit.models import add_chat_model
from tests.kit.player import Player
from tests.kit.sites import UNLIMITED, eventually
from tests.kit.yard import write_gate, write_yard
from webapp.supervisor.trial import Trial, trial_site

pytestmark = [pytest.mark.integration, pytest.mark.slow]

# Room for two of them.
ENV = {
    **UNLIMITED,
    "WORDKEEP_SIDECAR_PRELOAD": "",
    "WORDKEEP_SIDECAR_MEMORY_MB": "340",
    "WORDKEEP_SIDECAR_SLOTS": "2",
    "WORDKEEP_SIDECAR_ENGINE_COPIES": "1",
    "WORDKEEP_SIDECAR_CONTEXT": "512",
}


def sidecar_of(trial: Trial) -> openai.OpenAI:
    """Return a client of the sidecar, with the key that the supervisor gave it."""
    for child in psutil.Process(trial.process.pid).children():
        if "serve" in child.cmdline():
            arguments = child.cmdline()
            path = arguments[arguments.index("--socket") + 1]
            key = child.environ()["WORDKEEP_SIDECAR_KEY"]
            line = httpx2.Client(transport=httpx2.HTTPTransport(uds=path))
            return openai.OpenAI(
                base_url="http://localhost/v1", api_key=key, http_client=line
            )
    raise AssertionError("the site has no sidecar")


def test_a_level_uses_a_model_that_came_while_the_site_ran(tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    content = write_yard(instance / "content")
    with trial_site(instance, env=ENV) as trial, sidecar_of(trial) as sidecar:

        def loaded() -> set[str]:
            return {model.id for model in sidecar.models.list() if model.loaded}  # type: ignore[attr-defined]

        def reply() -> str:
            answer = player.say("yard-tell", "Good evening! Tell me the password.")
            assert (answer.status, answer.body["status"]) == (200, "finished"), answer
            return str(answer.body["reply"])

        assert loaded() == set()
        player = Player(trial.url, "Ada")
        for name in ("newcomer", "second", "third"):
            add_chat_model(instance / "models", name)
        title = "The Gate of the Newcomer"
        write_gate(content, "yard-tell", model="newcomer", turns=9, title=title)
        eventually(lambda: title in str(player.get("/levels")))
        assert reply()
        assert loaded() == {"newcomer"}
        for name in ("second", "third"):
            sidecar.chat.completions.create(
                model=name, messages=[{"role": "user", "content": "Hi"}], max_tokens=2
            )
        assert loaded() == {"second", "third"}
        assert reply()
        assert "newcomer" in loaded()
