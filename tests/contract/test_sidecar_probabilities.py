"""What a model expects, as the sidecar tells it: chances, forced ids, the template."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from finetune.serving.engine.copies import Engine
from finetune.weights.places import find_file
from tests.kit.sidecar import CHAT_MODELS, MODEL, RunningSidecar, running_sidecar

pytestmark = pytest.mark.integration

ROOM = 512
START = "Once upon a"
FRANCE = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSidecar]:
    """Return a sidecar with the shipped model."""
    folder = tmp_path_factory.mktemp("sidecar")
    with running_sidecar(folder, context=ROOM) as sidecar:
        yield sidecar


@pytest.fixture(scope="module")
def everything() -> dict[int, float]:
    """Return the logarithm of each token's chance after START, from the engine itself.

    Asked in another way than the sidecar does it: nothing is forced.
    """
    place = CHAT_MODELS.partition("=")[2]
    engine = Engine(MODEL, find_file(place), slots=1, context=ROOM)
    chunks: list[str] = []
    request = {
        "prompt": engine.tokenise(START, start=True),
        "max_tokens": 1,
        "temperature": 0,
        "n_probs": engine.words,
        "stream": True,
    }
    engine.complete(request, lambda chunk: bool(chunks.append(chunk)))
    engine.close()
    first = json.loads(chunks[0])["choices"][0]["logprobs"]["content"][0]
    listed = first["top_logprobs"]
    assert len(listed) == 49152
    return {one["id"]: one["logprob"] for one in listed}


def ask(sidecar: RunningSidecar, path: str, **body: Any) -> dict[str, Any]:
    status, _, answer = sidecar.post(path, {"model": MODEL} | body)
    assert status == 200, answer
    return answer


def refusal(sidecar: RunningSidecar, path: str, **body: Any) -> str:
    status, _, answer = sidecar.post(path, {"model": MODEL} | body)
    assert status == 400, answer
    return str(answer["error"]["message"])


def softmax(everything: dict[int, float], temperature: float) -> dict[int, float]:
    ids = list(everything)
    scores = np.array([everything[one] for one in ids]) / temperature
    chances = np.exp(scores - scores.max())
    return dict(zip(ids, chances / chances.sum(), strict=True))


@pytest.mark.parametrize("temperature", [0.5, 1, 2])
def test_shown_chances_are_those_of_the_whole_vocabulary(
    sidecar, everything, temperature
):
    told = ask(sidecar, "/next_token", prompt=START, temperature=temperature, top=100)
    before, after = softmax(everything, 1), softmax(everything, temperature)
    assert len(told["tokens"]) == 100
    for one in told["tokens"]:
        assert one["p"] == pytest.approx(before[one["id"]], abs=1e-3)
        assert one["shaped"] == pytest.approx(after[one["id"]], abs=1e-3)
        assert one["is_kept"]
    shown = {one["id"] for one in told["tokens"]}
    assert told["rest"]["count"] == 49152 - 100
    others = math.fsum(p for token, p in after.items() if token not in shown)
    assert told["rest"]["shaped"] == pytest.approx(others, abs=1e-3)
    entropy = -sum(p * math.log2(p) for p in before.values() if p)
    assert told["entropy"] == pytest.approx(entropy, abs=0.01)
