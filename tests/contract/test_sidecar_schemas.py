"""A reply that is held to a schema fits it, whatever the seed; a free one need not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest

from tests.kit.sidecar import MODEL, RunningSidecar, running_sidecar
from webapp.domain.lab.tool_calls import CALL_TOKENS
from webapp.domain.lab.tool_starters import starter
from webapp.domain.lab.tools import read_call, read_tools, schema_of

pytestmark = pytest.mark.integration

SEEDS = range(20)
TOOLS = read_tools(starter("two").tools_text)
# Short, since each seed reads it again, and nothing in it says how a call looks.
PROMPT = "Call:"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    """Return a client of a sidecar with the shipped model."""
    sidecar: RunningSidecar
    with (
        running_sidecar(tmp_path_factory.mktemp("sidecar"), context=1024) as sidecar,
        sidecar.client() as client,
    ):
        yield client


def held(schema: dict[str, Any]) -> dict[str, Any]:
    named = {"name": "reply", "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


def test_a_held_call_can_be_read_for_every_seed(client: openai.OpenAI) -> None:
    schema = schema_of(TOOLS, has_none=True)

    def ask(seed: int) -> str:
        answer = client.completions.create(
            model=MODEL,
            prompt=PROMPT,
            temperature=1.5,
            seed=seed,
            max_tokens=CALL_TOKENS,
            stop=["\n"],
            extra_body=held(schema),
        )
        return answer.choices[0].text

    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(ask, SEEDS))
    problems = [read_call(reply, TOOLS).problem for reply in replies]
    assert problems == [""] * len(SEEDS), replies
    assert len(set(replies)) > 5


def test_a_free_reply_is_none(client: openai.OpenAI) -> None:
    answer = client.completions.create(
        model=MODEL, prompt=PROMPT, temperature=1.5, seed=0, max_tokens=9, stop=["\n"]
    )
    assert read_call(answer.choices[0].text, TOOLS).problem != ""


def test_a_chat_is_held_too(client: openai.OpenAI) -> None:
    schema = {
        "type": "object",
        "properties": {
            "animal": {"enum": ["cat", "dog"]},
            "legs": {"type": "integer"},
        },
        "required": ["animal", "legs"],
        "additionalProperties": False,
    }
    answer = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "Which animal do you like?"}],
        temperature=0,
        max_tokens=60,
        extra_body=held(schema),
    )
    said = json.loads(answer.choices[0].message.content or "")
    assert said.keys() == {"animal", "legs"}
    assert said["animal"] in {"cat", "dog"}
    assert isinstance(said["legs"], int)


def test_a_reply_is_one_of_the_choices_for_every_seed(client: openai.OpenAI) -> None:
    choices = ["yes", "no", 'the 3rd "one"']

    def ask(seed: int) -> str:
        answer = client.completions.create(
            model=MODEL,
            prompt="Question: Is it so? Answer:",
            temperature=2,
            seed=seed,
            max_tokens=20,
            extra_body={"structured_outputs": {"choice": choices}},
        )
        assert answer.choices[0].finish_reason == "stop"
        return answer.choices[0].text

    with ThreadPoolExecutor(4) as pool:
        replies = {text.strip() for text in pool.map(ask, SEEDS)}
    assert replies <= set(choices)
    assert len(replies) > 1
