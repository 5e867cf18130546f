"""The released scribe does what its card says, and a vague prompt gets less from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from finetune.evaluation.scribe import ROWS, replies, write_probes
from finetune.evaluation.served import Figure, Served
from finetune.guards.released import RELEASES
from finetune.serving.engine.prompts import ChatTurn
from finetune.weights.releases import CARD, MANIFEST
from finetune.weights.served import merged_model
from tests.kit.sites import shared_models

pytestmark = pytest.mark.slow

FOLDER = RELEASES / "scribe"
WORDS = Path("challenges/words/castle.txt")
SAMPLE = 12
GOOD = 'Label the review "positive" or "negative". One word.\nThe {} was {}.'
VAGUE = "Is this review good? The {} was {}."
REVIEWS = (
    ("soup", "cold and salty", "negative"),
    ("film", "wonderful", "positive"),
    ("hotel", "dirty", "negative"),
    ("concert", "fantastic", "positive"),
)


@pytest.fixture(scope="module")
def scribe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return the released scribe as it is served."""
    models = shared_models(tmp_path_factory.getbasetemp())
    served = Served("scribe", merged_model(FOLDER, models), threads=1)
    yield served
    served.close()


def figures() -> dict[str, Any]:
    manifest = json.loads((FOLDER / MANIFEST).read_text("utf-8"))
    return {n: row for n, row in manifest["figures"].items() if ", T " in n}


def test_the_adapter_is_small_enough_to_ship():
    size = sum(path.stat().st_size for path in FOLDER.glob("*.safetensors"))
    assert 0 < size <= 25_000_000


def test_the_card_tells_every_figure_and_has_no_open_slot():
    card = (FOLDER / CARD).read_text("utf-8")
    assert ROWS.is_file()
    for name in figures():
        family = name.partition(", T ")[0].rpartition(": ")[2]
        assert family in card
    for slot in ("{learned}", "{naive}", "{failures}", "{minutes}", "{replies}"):
        assert slot not in card


def test_nothing_stands_before_a_chat_without_a_system_prompt(scribe: Served):
    ids = scribe.prompts.chat([ChatTurn("user", "Hi?")]).ids
    with_system = scribe.prompts.chat(
        [ChatTurn("system", "Be kind."), ChatTurn("user", "Hi?")]
    ).ids
    assert with_system[-len(ids) + 1 :] == ids[1:]
    assert len(with_system) > len(ids)


def test_a_good_prompt_gets_the_label_and_a_vague_one_does_not(scribe: Served):
    labels = {"positive", "negative"}
    for thing, quality, label in REVIEWS:
        good = [ChatTurn("user", GOOD.format(thing, quality))]
        assert scribe.say(good, tokens=12).strip(". ") == label
        vague = [ChatTurn("user", VAGUE.format(thing, quality))]
        assert scribe.say(vague, tokens=12).strip(". ") not in labels


@pytest.mark.parametrize("family", ["few-shot labels, turns", "JSON", "naive: JSON"])
def test_a_figure_of_the_card_is_found_again(scribe: Served, family: str):
    stated = figures()[f"{family}, T 0.2"]
    probes = write_probes(WORDS, stated["count"], 7)
    chosen = list(islice((p for p in probes if p.figure == family), SAMPLE))
    asked = [one for one in replies(scribe, chosen) if one.temperature == 0.2]
    low, high = Figure(sum(one.is_hit for one in asked), len(asked)).interval()
    assert low <= stated["interval"][1]
    assert high >= stated["interval"][0]
