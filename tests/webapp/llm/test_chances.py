"""What a model expects: asked of our own sidecar, read, and played by rules."""

from __future__ import annotations

import math

import pytest

from webapp.errors import BackendError, BackendRefused
from webapp.llm.chances import Token
from webapp.llm.gateway import ChatRequest, Gateway, NextRequest, Sampling
from webapp.plugins.asking import Message

HELLO: tuple[Message, ...] = ({"role": "user", "content": "Hello"},)
WORD = {"id": 7, "text": " time", "bytes": [32, 116, 105, 109, 101]}
LIKELY = WORD | {"is_special": False, "p": 0.25, "shaped": 0.5, "is_kept": True}
NEXT = {
    "prompt_ids": [1, 2],
    "seed": 5,
    "drawn": [LIKELY | {"rank": 3, "top": [LIKELY]}],
    "finish_reason": "length",
    "tokens": [LIKELY],
    "rest": {"count": 9, "p": 0.75, "shaped": 0.5},
    "entropy": None,
}
SCORED = {
    "tokens": [WORD, WORD | {"logprob": -1.0, "rank": None, "top": []}],
    "bits": 1.44,
    "bits_per_byte": 0.3,
    "perplexity": 2.7,
}
RENDERED = {"text": " time", "ids": [7], "pieces": [WORD], "max_model_len": 512}
CUT = Sampling(temperature=0.5, top_p=0.9, top_k=40, seed=5)


@pytest.mark.parametrize(
    ("chat", "prompt"),
    [
        (ChatRequest("smollm2", text="Once"), {"prompt": "Once"}),
        (ChatRequest("smollm2", ids=(4, 5)), {"prompt_ids": [4, 5]}),
        (ChatRequest("smollm2", HELLO), {"messages": list(HELLO)}),
        (
            ChatRequest("smollm2", HELLO, start_reply="Hi", default_system=False),
            {
                "messages": [*HELLO, {"role": "assistant", "content": "Hi"}],
                "continue_final_message": True,
                "default_system": False,
            },
        ),
    ],
)
def test_what_may_come_next_is_asked_with_every_sampler(
    upstream, gateway_of, chat, prompt
):
    upstream.answer(lambda call: call.json(NEXT))
    request = ChatRequest(
        chat.model,
        chat.messages,
        CUT,
        "ann",
        text=chat.text,
        ids=chat.ids,
        start_reply=chat.start_reply,
        default_system=chat.default_system,
    )
    told = gateway_of().next_tokens(NextRequest(request, listed=9, draw=2))
    assert upstream.calls[0].path == "/v1/next_token"
    assert upstream.calls[0].body == {
        "model": "smol-upstream",
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "raw_tokens": False,
        "seed": 5,
        "user": "ann",
        "top": 9,
        "draw": 2,
        **prompt,
    }
    assert told.prompt_ids == (1, 2)
    assert (told.tokens[0].id, told.tokens[0].data) == (7, b" time")
    assert (told.drawn[0].rank, told.drawn[0].top) == (3, told.tokens)
    assert told.rest is not None
    assert told.rest.count == 9
    assert not told.has_ended


def test_a_text_is_scored_and_a_chat_shown(upstream, gateway_of):
    gateway = gateway_of()
    upstream.answer(lambda call: call.json(SCORED))
    scored = gateway.score("smollm2", "Once upon")
    assert upstream.calls[0].body == {"model": "smol-upstream", "prompt": "Once upon"}
    assert scored.tokens[0].logprob is None
    assert scored.perplexity == 2.7
    gateway.score("smollm2", (1, 2))
    assert upstream.calls[1].body == {"model": "smol-upstream", "prompt_ids": [1, 2]}
    upstream.answer(lambda call: call.json(RENDERED))
    shown = gateway.render(ChatRequest("smollm2", HELLO))
    assert upstream.calls[2].path == "/v1/render"
    assert (shown.ids, shown.context) == ((7,), 512)


def test_ids_are_carried_on_as_they_are(upstream, gateway_of):
    def answer(call):
        call.start()
        call.send({"choices": [{"index": 0, "text": " time"}]})
        call.finish()

    upstream.answer(answer)
    request = ChatRequest("smollm2", ids=(4, 5), sampling=CUT)
    assert gateway_of().whole_reply(request).text == " time"
    sent = upstream.calls[0]
    assert sent.path == "/v1/completions"
    assert (sent.body["prompt"], sent.body["top_k"]) == ([4, 5], 40)


def test_other_endpoints_show_none_of_it(upstream, gateway_of):
    gateway = gateway_of("openai")
    chat = ChatRequest("smollm2", HELLO)
    for call in (
        lambda: gateway.next_tokens(NextRequest(chat)),
        lambda: gateway.score("smollm2", "Once upon"),
        lambda: gateway.render(chat),
        lambda: gateway.whole_reply(ChatRequest("smollm2", ids=(1,))),
    ):
        with pytest.raises(BackendRefused, match="Choose another model"):
            call()
    assert upstream.calls == []


@pytest.mark.parametrize(
    "answer", [{}, NEXT | {"tokens": [WORD]}, NEXT | {"entropy": "much"}]
)
def test_garbled_chances(upstream, gateway_of, answer):
    upstream.answer(lambda call: call.json(answer))
    with pytest.raises(BackendError) as caught:
        gateway_of().next_tokens(NextRequest(ChatRequest("smollm2", text="Once")))
    assert caught.value.code == "backend_garbage"


def test_a_part_of_a_character():
    assert Token(id=1, text="\ufffd", data=b"\x9f").is_part
    assert not Token(id=1, text="é", data="é".encode()).is_part
    assert not Token(id=1, text="<end>", is_special=True).is_part


def scripted(draw: int = 0, listed: int = 20, **sampling):
    request = ChatRequest("warden", text="Once upon a", sampling=Sampling(**sampling))
    return Gateway.scripted().next_tokens(NextRequest(request, listed, draw))


def test_the_scripted_model_halves_its_chances():
    told = scripted(temperature=1, top_p=1)
    assert [one.text for one in told.tokens[:2]] == [" time", " day"]
    assert [one.p for one in told.tokens[:2]] == [0.5, 0.25]
    assert told.rest is not None
    assert sum(one.p for one in told.tokens) + told.rest.p == pytest.approx(1)
    cold = scripted(temperature=0.5, top_p=1, top_k=2)
    assert [one.shaped for one in cold.tokens[:3]] == pytest.approx([0.8, 0.2, 0])
    assert scripted(temperature=0, draw=2).drawn[1].text == " time"
    few = scripted(temperature=1, top_p=1, listed=1)
    assert few.rest is not None
    assert few.rest.p == pytest.approx(0.5)


def test_the_scripted_model_draws_by_its_seed_and_may_end():
    drawn = {scripted(temperature=1, top_p=1, seed=n, draw=1).drawn for n in range(40)}
    assert len(drawn) > 2
    ended = [scripted(temperature=2, top_p=1, seed=n, draw=9) for n in range(9)]
    assert {one.has_ended for one in ended} == {True, False}
    assert all(one.drawn[-1].is_special == one.has_ended for one in ended)


def test_the_scripted_model_knows_its_tokens_again():
    gateway = Gateway.scripted()
    scored = gateway.score("warden", "Once upon a time")
    assert [one.text for one in scored.tokens] == ["Once ", "upon ", "a ", "time"]
    assert scored.tokens[1].logprob == pytest.approx(math.log(0.5))
    assert scored.bits == 3
    ids = tuple(one.id for one in scored.tokens)
    assert gateway.score("warden", ids) == scored
    begun = ChatRequest("warden", ids=ids[:2])
    assert gateway.size(begun).tokens == 2
    assert gateway.whole_reply(begun).text.startswith("Good evening")
    shown = gateway.render(ChatRequest("warden", HELLO))
    assert shown.text == "<user>Hello<assistant>"
    with pytest.raises(BackendRefused):
        gateway.score("warden", (1, 2))
