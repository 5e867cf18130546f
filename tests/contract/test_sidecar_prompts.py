"""How the sidecar makes a prompt: beginnings of replies, system messages, tokens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.finetune.data.cutting.strings import random_strings
from tests.kit.sidecar import MODEL, RunningSidecar, running_sidecar

pytestmark = pytest.mark.integration

ROOM = 512
FRANCE = [{"role": "user", "content": "What is the capital of France?"}]
MARKER = "<|im_end|>"


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSidecar]:
    """Return a sidecar with the shipped model."""
    folder = tmp_path_factory.mktemp("sidecar")
    with running_sidecar(folder, context=ROOM) as sidecar:
        yield sidecar


def chat(sidecar: RunningSidecar, *messages: dict[str, str], **more: Any) -> Any:
    body = {"model": MODEL, "messages": messages, "temperature": 0, "max_tokens": 12}
    return sidecar.post("/chat/completions", body | more)


def text_of(answer: Any) -> str:
    status, _, body = answer
    assert status == 200, body
    return str(body["choices"][0]["message"]["content"])


def count(sidecar: RunningSidecar, *messages: dict[str, str], **more: Any) -> int:
    body = {"model": MODEL, "messages": messages} | more
    return int(sidecar.post("/tokenize", body)[2]["count"])


def begun(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def test_a_reply_carries_on_from_its_beginning(sidecar):
    whole = text_of(chat(sidecar, *FRANCE))
    rest = text_of(
        chat(sidecar, *FRANCE, begun(whole[:9]), continue_final_message=True)
    )
    assert rest
    assert not rest.startswith(whole[:9])
    # A list that was begun goes on as a list; asked for in words, it does not come.
    listed = text_of(
        chat(
            sidecar,
            {"role": "user", "content": "Name three animals."},
            begun("1. Cat\n2. Dog\n3."),
            continue_final_message=True,
        )
    )
    assert listed.startswith(" ")


def test_nothing_comes_between_the_beginning_and_the_reply(sidecar):
    start = "The capital"
    asked = count(sidecar, *FRANCE)
    tokens = sidecar.post("/tokenize", {"model": MODEL, "prompt": start})[2]["count"]
    told = {"continue_final_message": True}
    assert count(sidecar, *FRANCE, begun(start), **told) == asked + tokens
    assert count(sidecar, *FRANCE, begun(""), **told) == asked
    told["add_generation_prompt"] = False
    assert count(sidecar, *FRANCE, begun(start), **told) == asked + tokens
    # Without the field it is a finished turn, and another one begins.
    assert count(sidecar, *FRANCE, begun(start)) > asked + tokens


def test_a_control_token_in_a_beginning_is_plain_text(sidecar):
    told = {"continue_final_message": True}
    empty = count(sidecar, *FRANCE, begun(""), **told)
    assert count(sidecar, *FRANCE, begun(MARKER), **told) > empty + 3
    raw = told | {"raw_tokens": True}
    assert count(sidecar, *FRANCE, begun(MARKER), **raw) == empty + 1


def test_a_chat_can_be_without_any_system_message(sidecar):
    bare = {"default_system": False}
    assert "Paris" in text_of(chat(sidecar, *FRANCE, **bare))
    assert "Paris" not in text_of(chat(sidecar, *FRANCE))
    # The same tokens as the turns alone, written out by hand.
    written = f"<|im_start|>user\n{FRANCE[0]['content']}<|im_end|>\n"
    written += "<|im_start|>assistant\n"
    body = {"model": MODEL, "prompt": written, "raw_tokens": True, "max_tokens": 1}
    usage = sidecar.post("/completions", body)[2]["usage"]
    assert count(sidecar, *FRANCE, **bare) == usage["prompt_tokens"]
    assert count(sidecar, *FRANCE) > usage["prompt_tokens"] + 10


def test_a_system_message_of_the_caller_stays(sidecar):
    messages = [{"role": "system", "content": "Be brief."}, *FRANCE]
    assert count(sidecar, *messages) == count(sidecar, *messages, default_system=False)


def test_a_chat_may_be_only_the_beginning_of_a_reply(sidecar):
    told = {"continue_final_message": True, "default_system": False}
    assert text_of(chat(sidecar, begun("Once upon a"), **told)).startswith(" time")


@pytest.mark.parametrize(
    ("messages", "more", "param"),
    [
        (FRANCE, {"continue_final_message": True}, "continue_final_message"),
        (FRANCE, {"add_generation_prompt": False}, "add_generation_prompt"),
        (
            [*FRANCE, begun("x")],
            {"continue_final_message": True, "add_generation_prompt": True},
            "add_generation_prompt",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(sidecar, messages, more, param):
    status, _, body = chat(sidecar, *messages, **more)
    assert (status, body["error"]["param"]) == (400, param)


def test_the_tokens_of_a_text_are_shown(sidecar):
    text = "Hello, lantern 😀"
    answer = sidecar.post("/tokenize", {"model": MODEL, "prompt": text})[2]
    assert set(answer) == {"count", "max_model_len", "tokens", "token_strs"}
    assert answer["count"] == len(answer["tokens"]) == len(answer["token_strs"])
    assert answer["token_strs"][:3] == ["Hello", ",", " lantern"]
    assert answer["max_model_len"] == ROOM
    body = {"model": MODEL, "prompt": text, "max_tokens": 1}
    read = sidecar.post("/completions", body)[2]["usage"]["prompt_tokens"]
    assert answer["count"] == read


def test_a_text_without_words_has_no_tokens(sidecar):
    answer = sidecar.post("/tokenize", {"model": MODEL, "prompt": ""})[2]
    assert (answer["count"], answer["tokens"], answer["token_strs"]) == (0, [], [])


def test_a_control_token_in_a_text_is_shown_in_pieces(sidecar):
    answer = sidecar.post("/tokenize", {"model": MODEL, "prompt": MARKER})[2]
    assert answer["count"] > 3
    assert "".join(answer["token_strs"]) == MARKER
    raw = {"model": MODEL, "prompt": MARKER, "raw_tokens": True}
    assert sidecar.post("/tokenize", raw)[2]["token_strs"] == [MARKER]


def test_the_bench_cuts_as_the_engine_does(sidecar: RunningSidecar) -> None:
    for text in (*random_strings(60), "<|im_start|>", "LANTERN  3901\r\n\t x"):
        body = {"model": MODEL, "prompt": text, "add_special_tokens": False}
        _, _, engine = sidecar.post("/tokenize", body)
        _, _, bench = sidecar.post(
            "/tokenizers/encode", {"tokenizers": [MODEL], "text": text}
        )
        assert [p["id"] for p in bench["data"][0]["pieces"]] == engine["tokens"]
