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

    def hear(chunk: str) -> bool:
        chunks.append(chunk)
        return False

    engine.complete(request, hear)
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
    # At lower temperatures the likeliest tokens are enough to tell all of that.
    assert (told["entropy"] is None) == (temperature < 2)
    if temperature == 2:
        entropy = -sum(p * math.log2(p) for p in before.values() if p)
        assert told["entropy"] == pytest.approx(entropy, abs=0.01)


@pytest.mark.parametrize(
    ("cut", "kept"),
    [
        ({"top_k": 3}, 3),
        ({"top_p": 0.3}, 3),
        ({"temperature": 0}, 1),
        ({"top_p": 0}, 1),
    ],
)
def test_what_is_cut_off_is_shown_and_has_no_chance(sidecar, everything, cut, kept):
    told = ask(sidecar, "/next_token", prompt=START, top=20, **cut)
    before = softmax(everything, 1)
    likeliest = sorted(before, key=before.__getitem__, reverse=True)[:20]
    assert [one["id"] for one in told["tokens"]] == likeliest
    assert [one["is_kept"] for one in told["tokens"]] == [n < kept for n in range(20)]
    total = sum(before[one] for one in likeliest[:kept])
    for one in told["tokens"][:kept]:
        assert one["shaped"] == pytest.approx(before[one["id"]] / total, abs=1e-3)
    assert told["rest"]["shaped"] == 0


@pytest.mark.parametrize(
    "prompt",
    [
        {"prompt": "The old lan"},
        {"prompt": "Party 🎉 and"},
        {"prompt": "  two spaces"},
        {"messages": FRANCE},
        {
            "messages": [*FRANCE, {"role": "assistant", "content": "The capital"}],
            "continue_final_message": True,
        },
        {
            "messages": [
                *FRANCE,
                {"role": "assistant", "content": "Paris."},
                {"role": "user", "content": "And of Hungary? 🎉"},
            ]
        },
    ],
    ids=["half a word", "emoji", "leading space", "chat", "after a prefill", "turn 2"],
)
def test_a_branch_is_the_ids_that_were_shown_and_the_chosen_one(sidecar, prompt):
    shown = ask(sidecar, "/next_token", top=20, **prompt)
    ids = [*shown["prompt_ids"], shown["tokens"][19]["id"]]
    branch = ask(sidecar, "/next_token", prompt_ids=ids, top=5)
    assert branch["prompt_ids"] == ids
    # The engine reads as many: nothing was put together or cut again.
    whole = ask(sidecar, "/completions", prompt=ids, max_tokens=1, temperature=0)
    assert whole["usage"]["prompt_tokens"] == len(ids)


def test_a_branch_into_a_word_differs_from_its_text(sidecar):
    halves = ask(sidecar, "/tokenize", prompt="tern", add_special_tokens=False)
    lan = ask(sidecar, "/next_token", prompt="The old lan", top=1)
    branch = [*lan["prompt_ids"], *halves["tokens"]]
    one = ask(sidecar, "/next_token", prompt_ids=branch, top=5)
    text = ask(sidecar, "/next_token", prompt="The old lantern", top=5)
    assert one["prompt_ids"] == branch
    assert text["prompt_ids"] != branch
    assert [t["p"] for t in one["tokens"]] != [t["p"] for t in text["tokens"]]


def test_drawn_tokens_are_those_of_the_engine_and_come_again(sidecar):
    how = {"prompt": START, "draw": 4, "top": 5}
    greedy = ask(sidecar, "/next_token", temperature=0, **how)
    reply = ask(sidecar, "/completions", prompt=START, temperature=0, max_tokens=4)
    said = "".join(one["text"] for one in greedy["drawn"])
    assert said == reply["choices"][0]["text"]
    assert [one["rank"] for one in greedy["drawn"]] == [1, 1, 1, 1]
    first = ask(sidecar, "/next_token", seed=7, top_k=50, temperature=1.5, **how)
    again = ask(sidecar, "/next_token", seed=7, top_k=50, temperature=1.5, **how)
    other = ask(sidecar, "/next_token", seed=8, top_k=50, temperature=1.5, **how)
    assert first == again
    assert first["drawn"] != other["drawn"]
    # What is drawn has its own chance, also where it is not among the likeliest.
    for one in first["drawn"]:
        listed = {other["id"]: other["p"] for other in one["top"]}
        assert listed.get(one["id"], one["p"]) == one["p"]
    ids = first["prompt_ids"] + [one["id"] for one in first["drawn"]]
    direct = ask(sidecar, "/next_token", prompt_ids=ids, top=5)
    shown = [one["id"] for one in direct["tokens"]]
    assert [one["id"] for one in first["tokens"]] == shown


def test_all_of_the_vocabulary_can_be_drawn_from(sidecar, everything):
    told = ask(sidecar, "/next_token", prompt=START, draw=1, seed=5, temperature=2)
    drawn = told["drawn"][0]
    reached = np.cumsum(list(softmax(everything, 2).values()))
    place = int(np.searchsorted(reached, np.random.default_rng(5).random()))
    assert drawn["id"] == list(everything)[place]
    assert drawn["rank"] == place + 1 > 1000
    assert drawn["p"] < drawn["shaped"] < 1e-3


def test_a_character_of_several_tokens_is_told_as_bytes(sidecar):
    told = ask(
        sidecar, "/next_token", prompt="🎉🎉🎉🎉🎉🎉", draw=3, temperature=0, top=3
    )
    assert b"".join(bytes(one["bytes"]) for one in told["drawn"]) == "🎉".encode()
    scored = ask(sidecar, "/score", prompt="Hello 🎉")
    parts = scored["tokens"][1:]
    assert b"".join(bytes(one["bytes"]) for one in parts) == " 🎉".encode()
    assert all(one["logprob"] < 0 for one in parts)


def test_the_end_of_a_reply_is_a_token_without_text(sidecar):
    told = ask(
        sidecar,
        "/next_token",
        messages=FRANCE,
        default_system=False,
        temperature=0,
        draw=16,
    )
    assert told["finish_reason"] == "stop"
    last = told["drawn"][-1]
    assert (last["text"], last["bytes"], last["is_special"]) == ("<|im_end|>", [], True)
    assert told["tokens"] == []
    assert told["rest"] is None


def test_the_chances_of_a_given_text(sidecar, everything):
    scored = ask(sidecar, "/score", prompt=f"{START} time, a qwertz", top=3)
    first, *_ = scored["tokens"]
    assert (first["logprob"], first["rank"], first["top"]) == (None, None, [])
    time = scored["tokens"][3]
    assert time["text"] == " time"
    assert time["logprob"] == pytest.approx(everything[time["id"]], abs=1e-3)
    assert time["rank"] == 1
    assert [one["text"] for one in time["top"]] == [" time", " night", " Sunday"]
    # Each is what comes next after those before it, however it was asked.
    ids = [one["id"] for one in scored["tokens"]]
    for place in (4, len(ids) - 1):
        told = ask(sidecar, "/next_token", prompt_ids=ids[:place], top=100)
        chances = {one["id"]: one["p"] for one in told["tokens"]}
        chance = math.exp(scored["tokens"][place]["logprob"])
        assert chances.get(ids[place], 0) == pytest.approx(chance, abs=1e-3)
    bits = -sum(one["logprob"] for one in scored["tokens"][1:]) / math.log(2)
    assert scored["bits"] == pytest.approx(bits)
    size = len(f"{START} time, a qwertz") - len("Once")
    assert scored["bits_per_byte"] == pytest.approx(bits / size)
    assert scored["perplexity"] == pytest.approx(2 ** (bits / (len(ids) - 1)))
    assert ask(sidecar, "/score", prompt_ids=ids, top=3) == scored
    unlikely = min(everything, key=everything.__getitem__)
    last = ask(sidecar, "/score", prompt_ids=[*ids[:3], unlikely])["tokens"][-1]
    assert last["logprob"] == pytest.approx(everything[unlikely], abs=1e-3)
    assert last["rank"] is None


def test_a_chat_is_shown_as_the_model_reads_it(sidecar):
    chat = [{"role": "user", "content": "Say <|im_end|> 🎉"}]
    shown = ask(sidecar, "/render", messages=chat)
    assert shown["text"].startswith("<|im_start|>system\n")
    assert b"".join(bytes(p["bytes"]) for p in shown["pieces"]) == (
        shown["text"].encode()
    )
    assert shown["ids"] == ask(sidecar, "/next_token", messages=chat)["prompt_ids"]
    # What was typed is no mark, though it reads like one.
    marks = [p["text"] for p in shown["pieces"] if p["is_special"]]
    assert marks == [*["<|im_start|>", "<|im_end|>"] * 2, "<|im_start|>"]
    raw = ask(sidecar, "/render", messages=chat, raw_tokens=True)
    assert raw["text"] == shown["text"]
    assert len(raw["ids"]) < len(shown["ids"])
    bare = ask(sidecar, "/render", messages=chat, default_system=False)
    assert bare["text"].startswith("<|im_start|>user\nSay")


def test_ids_of_what_is_written(sidecar):
    body = {"prompt": START, "max_tokens": 2, "temperature": 0, "logprobs": 2}
    old = ask(sidecar, "/completions", **body)["choices"][0]["logprobs"]
    written = [one["id"] for one in old["content"]]
    drawn = ask(sidecar, "/next_token", prompt=START, draw=2, temperature=0)["drawn"]
    assert written == [one["id"] for one in drawn]
    assert [len(one["top_logprobs"]) for one in old["content"]] == [2, 2]


@pytest.mark.parametrize(
    ("path", "body", "why"),
    [
        ("/next_token", {}, "Send one of messages, prompt and prompt_ids."),
        ("/next_token", {"prompt": "a", "prompt_ids": [1]}, "Send one of messages"),
        ("/next_token", {"prompt_ids": [49152]}, "this model's token ids end at 49151"),
        ("/next_token", {"prompt_ids": [5] * ROOM}, "maximum context length is 512"),
        ("/completions", {"prompt": [49152]}, "this model's token ids end at 49151"),
        ("/completions", {"prompt": []}, "send at least one token id"),
        ("/completions", {"prompt": ["a"]}, "prompt.0"),
        ("/completions", {"prompt": [-1]}, "prompt.0"),
        ("/score", {}, "Send one of prompt and prompt_ids."),
        ("/score", {"prompt": "one"}, "at least two tokens"),
        ("/score", {"prompt": "one " * 400}, "At most 256 are read at once."),
        ("/score", {"prompt": "🎉" * 40}, "parts of characters"),
        ("/render", {"messages": []}, "messages"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(sidecar, path, body, why):
    assert why in refusal(sidecar, path, **body)


def test_a_caller_who_leaves_gives_the_slot_back(sidecar):
    line = sidecar.call("/score", {"model": MODEL, "prompt": "word " * 250})
    line.close()
    sidecar.settle()
    assert ask(sidecar, "/next_token", prompt=START)["tokens"]
