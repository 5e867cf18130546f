"""What a bench makes of what was typed: lists, requests, settings."""

from __future__ import annotations

import random
from dataclasses import fields, replace

import pytest

from webapp.domain.lab.bench import (
    BRIEF,
    MOST_CHARS,
    MOST_TURNS,
    Bench,
    Pane,
    Turn,
    begun,
    bench_from,
    checked,
    request_of,
    seed_of,
    stops,
    system_of,
    taken,
)
from webapp.errors import InvalidInput
from webapp.llm.gateway import Sampling

ASKED = Turn("user", "What is six times seven?")
TOLD = Turn("assistant", "Six times seven is 42.")
LITERAL = "{word} {{ secret }} <|im_start|>system"


def test_a_message_becomes_the_last_turn() -> None:
    ready = begun(Bench(turns=(ASKED, TOLD), message="And eight?"), "send")
    assert ready.turns == (ASKED, TOLD, Turn("user", "And eight?"))
    assert ready.message == ""


@pytest.mark.parametrize("do", ["retry", "fresh"])
def test_another_reply_takes_the_place_of_the_last_one(do: str) -> None:
    bench = Bench(turns=(ASKED, TOLD), message="not sent yet")
    ready = begun(bench, do)
    assert ready.turns == (ASKED,)
    assert ready.message == "not sent yet"
    assert taken(ready, "41.").turns == (ASKED, Turn("assistant", "41."))


def test_a_message_that_was_changed_is_answered_as_it_is() -> None:
    changed = Turn("user", "What is six times eight?")
    assert begun(Bench(turns=(changed,)), "send").turns == (changed,)


def test_the_model_goes_on_with_a_reply_that_was_made_up() -> None:
    made_up = Turn("assistant", "Seven times eight is")
    ready = begun(Bench(turns=(ASKED, made_up)), "carry")
    request = request_of(ready, Pane("m"), seed=1)
    assert [m["content"] for m in request.messages] == [ASKED.text]
    assert request.start_reply == "Seven times eight is"
    whole = taken(ready, " 56.")
    assert whole.turns == (ASKED, Turn("assistant", "Seven times eight is 56."))


@pytest.mark.parametrize(
    ("bench", "words"),
    [
        (Bench(), "There is no message yet"),
        (Bench(message=" \n"), "There is no message yet"),
        (Bench(turns=(ASKED, TOLD)), "The last message is the model’s own"),
        (Bench(mode="text"), "The text is empty"),
    ],
)
def test_nothing_to_answer_is_one_sentence(bench: Bench, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        begun(bench, "send")


def test_raw_text_grows_and_can_be_taken_back() -> None:
    bench = Bench(mode="text", text="Once upon")
    longer = taken(begun(bench, "send"), " a time")
    assert (longer.text, longer.before) == ("Once upon a time", "Once upon")
    assert begun(longer, "send").text == "Once upon a time"
    assert begun(longer, "retry").text == "Once upon"
    request = request_of(bench, Pane("m"), seed=1)
    assert (request.text, request.messages) == ("Once upon", ())


def test_no_system_message_means_none_of_the_model_either() -> None:
    bench = Bench(system="none", turns=(ASKED,))
    request = request_of(bench, Pane("m"), seed=1)
    assert [m["role"] for m in request.messages] == ["user"]
    assert request.default_system is False
    usual = request_of(replace(bench, system="usual"), Pane("m"), seed=1)
    assert usual.messages == request.messages
    assert usual.default_system is True


def test_what_is_added_stands_in_one_system_message() -> None:
    bench = Bench(
        system="own",
        system_text="You are a pirate.",
        with_instructions=True,
        is_brief=True,
        turns=(ASKED,),
    )
    first, _ = request_of(bench, Pane("m"), seed=1, instructions="I am 14.").messages
    told = f"You are a pirate.\n\nI am 14.\n\n{BRIEF}"
    assert first == {"role": "system", "content": told}
    hidden = replace(bench, system="usual", with_instructions=False, is_brief=False)
    assert system_of(hidden, "I am 14.") is None


def test_what_looks_like_a_template_is_only_text() -> None:
    bench = Bench(system="own", system_text=LITERAL, message=LITERAL)
    request = request_of(begun(bench, "send"), Pane("m"), seed=1)
    assert [m["content"] for m in request.messages] == [LITERAL, LITERAL]
    assert request.raw_tokens is False


@pytest.mark.parametrize("number", range(20))
def test_every_sampler_is_named_in_every_request(number: int) -> None:
    chance = random.Random(number)
    temperature, top_p = chance.uniform(0, 2), chance.uniform(0.01, 1)
    top_k, max_tokens = chance.randint(0, 1_000), chance.randint(1, 400)
    seed = chance.randrange(2**31)
    pane = Pane("m", str(temperature), str(top_p), str(top_k))
    bench = Bench(turns=(ASKED,), max_tokens=str(max_tokens), stop="\\n\nEnd")
    found = request_of(bench, pane, seed=seed).sampling
    assert found == Sampling(
        temperature=temperature,
        top_p=top_p,
        max_tokens=max_tokens,
        seed=seed,
        stop=("\n", "End"),
        top_k=top_k,
    )
    assert {f.name for f in fields(Sampling)} == {
        "temperature",
        "top_p",
        "max_tokens",
        "seed",
        "stop",
        "top_k",
    }


def test_the_usual_settings_cut_nothing_off() -> None:
    found = request_of(Bench(turns=(ASKED,)), Pane("m"), seed=1).sampling
    assert (found.top_p, found.top_k) == (1, 0)


@pytest.mark.parametrize(
    ("pane", "more", "words"),
    [
        (Pane(temperature="hot"), {}, "temperature must be a number from 0 to 2"),
        (Pane(temperature="nan"), {}, "temperature must be a number from 0 to 2"),
        (Pane(temperature="2.1"), {}, "You wrote “2.1”"),
        (Pane(top_p="0"), {}, "top-p must be a number from 0.01 to 1"),
        (Pane(top_k="1.5"), {}, "top-k must be a whole number from 0 to 1,000"),
        (Pane(), {"max_tokens": "500"}, "length must be a whole number from 1 to 400"),
        (Pane(), {"max_tokens": ""}, "length must be a whole number"),
        (Pane(), {"stop": "a\nb\nc\nd\ne"}, "There may be 4 stop texts"),
        (Pane(), {"stop": "x" * 41}, "There may be 4 stop texts"),
    ],
)
def test_a_setting_that_cannot_be_is_named(
    pane: Pane, more: dict[str, str], words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        request_of(Bench(turns=(ASKED,), **more), pane, seed=1)  # type: ignore[arg-type]


def test_numbers_may_have_a_comma() -> None:
    found = request_of(Bench(turns=(ASKED,)), Pane(temperature="0,5"), seed=1)
    assert found.sampling.temperature == 0.5


def test_seeds_are_whole_or_chance() -> None:
    assert seed_of(Bench(seed="7")) == 7
    assert seed_of(Bench(seed=" ")) is None
    with pytest.raises(InvalidInput, match="seed must be a whole number"):
        seed_of(Bench(seed=str(2**31)))


def test_stop_texts_are_lines() -> None:
    assert stops("Q:\r\n\r\n\\n\\n") == ("Q:", "\n\n")


def test_what_is_too_much_or_no_text_is_refused() -> None:
    with pytest.raises(InvalidInput, match="more than 60 messages"):
        checked(Bench(turns=(ASKED,) * (MOST_TURNS + 1)))
    with pytest.raises(InvalidInput, match="24,000 are the most"):
        checked(Bench(message="x" * MOST_CHARS, text="x"))
    with pytest.raises(InvalidInput, match="Ask one to 4 models"):
        checked(Bench(panes=(Pane(),) * 5))
    with pytest.raises(InvalidInput, match="of the message number 2 is U"):
        checked(Bench(turns=(ASKED, Turn("assistant", "\0"))))


def test_a_bench_is_kept_whole() -> None:
    bench = Bench(
        mode="text",
        turns=(ASKED, TOLD),
        panes=(Pane("a"), Pane("b", "0")),
        runs=(3, 4),
        chat=9,
    )
    assert bench_from(bench.as_row(), chat=9) == bench
    assert bench_from({"mode": "text", "gone": 1}) == Bench(mode="text")
