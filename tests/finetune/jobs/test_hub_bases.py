"""Models of a hub to start from, with a hub on this machine."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM

from finetune.jobs.errors import JobError
from finetune.jobs.hub_bases import PRESETS, HubBases
from finetune.jobs.hub_shapes import shape_of_config
from finetune.recipes.lm import Lora
from finetune.training.lora import prepare
from finetune.weights.base import load_base
from finetune.weights.hub import Hub, HubAway, HubError
from tests.finetune.tiny_models import KINDS, write_tiny
from tests.finetune.training.student import stories, student_recipe
from tests.kit.hub import FakeHub, running_hub

TEXTS = stories(40)
LICENCE = {
    "cardData": {"license": "mit"},
    "safetensors": {"total": 5, "parameters": {}},
}


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("repositories")
    return {kind: write_tiny(folder / kind, kind, TEXTS) for kind in KINDS}


@pytest.fixture
def hub(
    repositories: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeHub]:
    with running_hub() as running:
        for kind, folder in repositories.items():
            running.models[f"tiny/{kind}"] = folder
            running.about[f"tiny/{kind}"] = LICENCE
        running.use(monkeypatch)
        yield running


def hub_of(folder: Path) -> Hub:
    return Hub(folder / "models", folder / "hub")


def bases(folder: Path, *, most_bytes: int = 10**9) -> HubBases:
    return HubBases(hub_of(folder), most_bytes=most_bytes)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_shape_is_that_of_the_model(repositories: dict[str, Path], kind: str):
    """What is told without weights is what transformers counts with them."""
    folder = repositories[kind]
    shape = shape_of_config(json.loads((folder / "config.json").read_text()), name=kind)
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert shape.parameters == sum(w.numel() for w in model.parameters())
    for lora, frozen in ((Lora(rank=4, alpha=8), 0), (None, 1), (None, 0)):
        recipe = student_recipe(str(folder)).model_copy(
            update={"lora": lora, "frozen": frozen}
        )
        fresh = AutoModelForCausalLM.from_pretrained(folder)
        prepared = prepare(fresh, "x", lora, is_bf16=False, frozen=frozen)
        learned = sum(w.numel() for w in prepared.parameters() if w.requires_grad)
        assert shape.learned(recipe) == learned, (lora, frozen)


def test_presets_are_the_sizes_that_everybody_knows():
    known = {
        "distilgpt2": 81_912_576,
        "gpt2": 124_439_808,
        "pythia-70m": 70_426_624,
        "bloom-560m": 559_214_592,
        "smollm2-135m": 134_515_008,
        "qwen2.5-0.5b": 494_032_768,
    }
    told = {n: b.sizes.parameters for n, b in PRESETS.items() if b.sizes and n in known}
    assert told == known
    assert all(base.licence for base in PRESETS.values())


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_card_needs_no_weights(tmp_path: Path, hub: FakeHub, kind: str):
    found = bases(tmp_path)
    base = found.find(f"tiny/{kind}")
    weights = hub.models[f"tiny/{kind}"] / "model.safetensors"
    assert (base.licence, base.kind) == ("mit", "base")
    assert base.file_bytes == weights.stat().st_size
    assert found.problem(base) == ""
    assert not any("safetensors" in path for path in hub.asked)
    assert not found.is_here(base)


def test_what_is_fetched_is_no_program_and_stays(tmp_path: Path, hub: FakeHub):
    folder = hub.models["tiny/gpt2"]
    pickle, inside = folder / "pytorch_model.bin", folder / "onnx"
    pickle.write_bytes(b"\x80")
    inside.mkdir()
    (inside / "config.json").write_text("{}")
    (folder / "modeling.py").write_text("raise SystemExit")
    cache = tmp_path / "models"
    first = load_base("tiny/gpt2", cache=cache)
    assert first.model.config.model_type == "gpt2"
    assert {p.name for p in cache.rglob("*") if p.suffix in (".bin", ".py")} == set()
    assert not list(cache.rglob("onnx"))
    count = len(hub.asked)
    again = load_base("tiny/gpt2", cache=cache)
    assert len(hub.asked) == count
    assert again.model.config.n_embd == first.model.config.n_embd
    assert bases(tmp_path).is_here(bases(tmp_path).find("tiny/gpt2"))
    for path in (pickle, inside / "config.json", folder / "modeling.py"):
        path.unlink()
    inside.rmdir()


def test_pickles_alone_are_refused(tmp_path: Path, hub: FakeHub):
    folder = tmp_path / "pickled"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((hub.models["tiny/gpt2"] / name).read_bytes())
    (folder / "pytorch_model.bin").write_bytes(b"\x80")
    hub.models["tiny/pickled"] = folder
    with pytest.raises(JobError, match="no weights as safetensors"):
        bases(tmp_path).find("tiny/pickled")
    with pytest.raises(HubError, match="no weights as safetensors"):
        load_base("tiny/pickled", cache=tmp_path / "models")


@pytest.mark.parametrize(
    ("about", "problem"),
    [
        ({"gated": "manual"}, "accept its terms"),
        ({"siblings": [{"rfilename": "model.safetensors", "size": 9 * 10**9}]},
         r"9\.0 GB large, and at most 1\.0 GB"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_said(
    tmp_path: Path, hub: FakeHub, about: dict[str, object], problem: str
):
    hub.about["tiny/llama"] = about
    with pytest.raises(JobError, match=problem):
        bases(tmp_path).find("tiny/llama")


def test_a_kind_that_the_loop_is_not_tested_with_is_refused(
    tmp_path: Path, hub: FakeHub
):
    folder = tmp_path / "mamba"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "mamba"}))
    (folder / "model.safetensors").write_bytes(b"")
    hub.models["tiny/mamba"] = folder
    with pytest.raises(JobError, match="of the kind mamba, which cannot be trained"):
        bases(tmp_path).find("tiny/mamba")


def test_a_name_that_the_hub_does_not_know(tmp_path: Path, hub: FakeHub):
    with pytest.raises(HubError, match="has no tiny/nothing that everybody may read"):
        bases(tmp_path).find("tiny/nothing")
    with pytest.raises(HubError, match="is not the name of a model"):
        bases(tmp_path).find("tiny/../../etc")
    assert not any("etc" in path for path in hub.asked)


def test_without_the_internet_it_is_said_and_the_cache_is_used(
    tmp_path: Path, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
):
    bases(tmp_path).find("tiny/llama")
    load_base("tiny/llama", cache=tmp_path / "models")
    bases(tmp_path).find("tiny/gpt2")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    count = len(hub.asked)
    found = bases(tmp_path)
    here, away = found.find("tiny/llama"), found.find("tiny/gpt2")
    assert found.problem(here) == ""
    found.check(here)
    assert load_base("tiny/llama", cache=tmp_path / "models").model is not None
    assert "needs the internet" in found.problem(away)
    with pytest.raises(HubAway, match=r"set to stay offline.*connect it"):
        found.check(away)
    with pytest.raises(HubAway, match="tiny/gpt2 is not on this computer yet"):
        load_base("tiny/gpt2", cache=tmp_path / "models")
    with pytest.raises(HubAway):
        found.find("tiny/bloom")
    assert [b.name for b in found.known()][-1] == "tiny/llama"
    assert len(hub.asked) == count


def test_a_hub_that_does_not_answer_is_said_within_seconds(
    tmp_path: Path, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
):
    """Connections are refused, or answered by nothing but silence."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        monkeypatch.setattr("finetune.weights.hub._SECONDS", 0.5)
        monkeypatch.setattr("finetune.weights.hub._PROBE_SECONDS", 0.2)
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
        found = bases(tmp_path)
        with pytest.raises(HubAway, match="does not answer"):
            found.find("tiny/gpt2")
        assert "needs the internet" in found.problem(PRESETS["gpt2"])
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    with pytest.raises(HubAway, match="does not answer"):
        bases(tmp_path).check(PRESETS["gpt2"])


def test_a_hub_in_trouble_is_one_that_does_not_answer(tmp_path: Path, hub: FakeHub):
    hub.is_broken = True
    with pytest.raises(HubAway, match="does not answer"):
        bases(tmp_path).find("tiny/gpt2")


def test_no_room_on_the_disk_is_said_before(
    tmp_path: Path, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("finetune.weights.hub._ROOM", 10**16)
    found = bases(tmp_path)
    with pytest.raises(HubError, match="the disk of this computer has"):
        found.check(found.find("tiny/gpt2"))
