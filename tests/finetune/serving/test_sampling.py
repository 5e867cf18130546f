"""The engine samples as it is told: nothing is left to what it would do unasked."""

from __future__ import annotations

import random

import pytest

from finetune.serving.routes.chat import engine_request
from finetune.serving.routes.schemas import ChatRequest, CompletionRequest, parse

# What samples in llama.cpp. Those that are no value here are out of the chain.
IN_CHAIN = {"penalties", "top_k", "temperature", "top_p"}
NAMED = {
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "samplers",
    "frequency_penalty",
    "presence_penalty",
    "repeat_penalty",
    "dynatemp_range",
    "mirostat",
    "max_tokens",
    "cache_prompt",
}


def body(chance: random.Random) -> ChatRequest | CompletionRequest:
    """Return a request in which each option may be left out."""
    options = {
        "temperature": chance.choice([0, 0.2, 1, 2]),
        "top_p": chance.choice([0.1, 0.9, 1]),
        "seed": chance.randrange(2**31),
        "frequency_penalty": chance.choice([0, 0.5]),
        "presence_penalty": chance.choice([0, -0.5]),
        "max_tokens": chance.randrange(1, 300),
        "stop": ["\n"],
    }
    kept = {name: v for name, v in options.items() if chance.random() < 0.5}
    if chance.random() < 0.5:
        return parse(CompletionRequest, {"model": "m", "prompt": "Once", **kept})
    messages = [{"role": "user", "content": "Hello"}]
    return parse(ChatRequest, {"model": "m", "messages": messages, **kept})


@pytest.mark.parametrize("seed", range(50))
def test_every_sampler_is_named(seed):
    chance = random.Random(seed)
    asked = body(chance)
    sent = engine_request(asked, [1, 2, 3], 20)
    assert sent.keys() >= NAMED
    assert set(sent["samplers"]) == IN_CHAIN
    assert (sent["min_p"], sent["repeat_penalty"], sent["mirostat"]) == (0, 1, 0)
    assert sent["temperature"] == asked.temperature
    assert sent["top_p"] == asked.top_p
    assert all(sent[name] is not None for name in NAMED)
    assert ("seed" in sent) == (asked.seed is not None)
