"""The shipped levels on the real tokenizer: what is reserved is enough for any word."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.sidecar import KEY, MODEL, PATIENCE, RunningSidecar, running_sidecar
from webapp import guards
from webapp.content.index import Index
from webapp.content.loader import load
from webapp.content.schema import Level
from webapp.domain.play import room
from webapp.domain.play.turn import TurnRecord, prompt, run_turn
from webapp.errors import InvalidInput
from webapp.llm import gateway as gateways
from webapp.llm.endpoints import Endpoint
from webapp.llm.gateway import Gateway
from webapp.plugins.registry import load_plugins
from webapp.security import Secret
from webapp.settings import PROJECT

pytestmark = pytest.mark.integration

CONTEXT = 1024
WORDS = 60


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSidecar]:
    folder = tmp_path_factory.mktemp("room")
    with running_sidecar(folder, context=CONTEXT, slots=1) as sidecar:
        yield sidecar


@pytest.fixture(scope="module")
def gateway(sidecar: RunningSidecar) -> Gateway:
    url, models = f"{sidecar.url}/v1", {"warden": MODEL}
    return Gateway([Endpoint("local", "wordkeep", models, url, key=Secret(KEY))])


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a size as long as a busy machine may take; a page does not."""
    monkeypatch.setattr(gateways, "SIZE_SECONDS", PATIENCE)


@pytest.fixture(scope="module")
def index() -> Index:
    load_plugins(guards)
    loaded = load((PROJECT / "challenges",))
    assert loaded.index is not None
    return loaded.index


def levels(index: Index) -> list[Level]:
    return [level for ladder in index.ladders for level in index.levels(ladder)]


def room_of(level: Level, gateway: Gateway) -> int:
    found = room.message_room(level, gateway)
    assert found is not None
    return found


def filled(gateway: Gateway, level: Level, tokens: int) -> str:
    """Return a message of exactly that many tokens, nearly all of one character."""
    text = "\U00020000" * (tokens // 4 - 1) + " a" * (4 + tokens % 4)
    assert room.message_tokens(level, gateway, text) == tokens
    return text


def test_no_password_takes_more_than_what_is_reserved(index, gateway):
    for level in levels(index):
        most = CONTEXT - room_of(level, gateway) - level.defender.max_tokens
        words = index.words(level.secret.words)
        sizes = {
            gateway.measure(
                model="warden", messages=prompt(level, Secret(word), (), "")
            ).tokens
            for word in words[:: len(words) // WORDS]
        }
        # They differ, as those of real passwords do, and none comes near.
        assert len(sizes) > 3
        assert max(sizes) < most


@pytest.mark.parametrize("word", ["oak", "lantern" * 4])
def test_the_longest_message_is_answered_in_full(index, gateway, word):
    level = index.level("open")
    text = filled(gateway, level, room_of(level, gateway))
    record = TurnRecord()
    turn = run_turn(
        level,
        secret=Secret(word),
        history=(),
        message=text,
        gateway=gateway,
        user="player-1",
        seed=1,
        record=record,
    )
    for _ in turn:
        assert not record.is_blocked
    assert record.completion is not None
    read = record.completion.prompt_tokens
    assert read is not None
    # Whatever it said, the longest reply had room behind it.
    assert read + level.defender.max_tokens <= CONTEXT


@pytest.mark.parametrize("over", [1, 2, 50])
def test_one_token_more_is_refused_for_every_password(index, gateway, over):
    level = index.level("hardened")
    most = room_of(level, gateway)
    text = filled(gateway, level, most + over)
    with pytest.raises(InvalidInput, match=f"takes {most + over} tokens; {most} fit"):
        room.check_message(level, gateway, text)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("的" * 400, True),
        ("中文字符的测试，这是一个很长的句子。" * 20, True),
        ("привет мир " * 60, True),
        ("नमस्ते दुनिया " * 30, True),
        ("สวัสดีชาวโลก" * 20, True),
        ("0123456789" * 40, True),
        ("The baker made bread. " * 90, True),
        ("的" * 2000, False),
        ("0123456789" * 200, False),
    ],
)
def test_what_the_page_promises_holds_in_every_script(index, gateway, text, fits):
    level = index.level("open")
    tokens = room.message_tokens(level, gateway, text)
    assert tokens is not None
    assert (tokens <= room_of(level, gateway)) is fits
    assert tokens <= len(text.encode())
    if fits:
        room.check_message(level, gateway, text)
    else:
        with pytest.raises(InvalidInput):
            room.check_message(level, gateway, text)
