"""A run of a student becomes a folder that the catalogue can serve, and a card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from finetune.releasing import student
from finetune.releasing.facts import read_facts
from finetune.releasing.student import release_run
from finetune.serving.catalogue.entries import entry_of_folder
from finetune.serving.catalogue.manifests import read_manifest
from finetune.training.events import EVENTS
from finetune.weights.releases import CARD, MANIFEST, ReleaseError, sha256
from tests.finetune.training.student import (
    student_recipe,
    texts,
    train_student,
)

__all__ = ["texts"]  # a fixture
SAMPLE = {"prompt": "The *king*", "every_seconds": 600, "tokens": 8}
ABOUT = {"title": "My `king`", "data": "stories.txt", "licence": "CC0", "by": "Ada"}


def trained(out: Path, base: str | Path = "fresh", **changes: Any) -> Path:
    """Train a model, and leave what a worker leaves."""
    chosen = student_recipe(base, sample=SAMPLE, **changes)
    events: list[dict[str, Any]] = []
    train_student(chosen, out, events=events)
    lines = "".join(json.dumps(event) + "\n" for event in events)
    (out / EVENTS).write_text(lines, "utf-8")
    return out


def test_a_model_from_nothing_is_one_file_for_the_engine(texts, tmp_path):
    run = trained(tmp_path / "run")
    folder = release_run(run, tmp_path / "models", "king", about=ABOUT)
    assert folder == tmp_path / "models" / "king"
    manifest = read_manifest(folder)
    assert (manifest.name, manifest.kind, manifest.base) == ("king", "base", None)
    assert manifest.licence == "CC0"
    entry = entry_of_folder("king", folder, manifest)
    assert entry.gguf == folder / "model.gguf"
    for name, digest in manifest.files.items():
        assert sha256(folder / name) == digest
    assert load_file(folder / "model.safetensors")
    times = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert max(times.values()) == times[MANIFEST]


def test_the_card_says_what_the_run_says(texts, tmp_path):
    run = trained(tmp_path / "run", epochs=2)
    card = (
        release_run(run, tmp_path / "models", "king", about=ABOUT) / CARD
    ).read_text("utf-8")
    facts = read_facts(run)
    figures = json.loads((run / "run.json").read_text("utf-8"))["figures"]
    assert card.startswith("# My \\`king\\`\n")
    for name in ("heldout_perplexity", "heldout_bits_per_byte"):
        assert f"| {figures[f'base_{name}']:.3f} | {figures[name]:.3f} |" in card
    assert "goes on with a text. Trained by Ada. It began with random weights" in card
    assert "stories.txt: " in card
    assert (
        "Where the text is from: not told. Under what terms it may be used: not told."
        in card
    )
    assert f"{facts.learned:,} of {facts.parameters:,} learned (100 %)" in card
    assert f"{facts.updates:,} updates, {facts.tokens:,} tokens" in card
    assert "| 0 | The \\*king\\* |" in card
    assert f"| {facts.updates} | The \\*king\\* |" in card
    assert "{" not in card.replace("\\{", "")
    # Weights, gradients and Adam's two means, all in 32 bits.
    assert facts.weight_bytes == facts.gradient_bytes == 4 * facts.learned
    assert facts.optimizer_bytes == 8 * facts.learned


def test_what_a_student_wrote_cannot_change_the_card(texts, tmp_path):
    run = trained(tmp_path / "run")
    evil = {"title": "{cost}\n\n<script>alert(1)</script>", "by": "[x](javascript:1)"}
    evil |= {"data_source": "# A book\n{cost}.", "data_terms": "CC *BY*"}
    card = release_run(run, tmp_path / "models", "king", about=evil) / CARD
    text = card.read_text("utf-8")
    assert "Where the text is from: \\# A book \\{cost\\}. Under" in text
    assert "it may be used: CC \\*BY\\*." in text
    assert text.startswith("# \\{cost\\} \\<script\\>")
    assert "<script>" not in text
    assert "[x]" not in text.replace("\\[", "(")


def test_an_adapter_on_a_folder_is_merged(texts, tiny_base, tmp_path):
    run = trained(tmp_path / "run", tiny_base, lora={"rank": 4, "alpha": 8}, epochs=2)
    folder = release_run(run, tmp_path / "models", "king", about={})
    assert read_manifest(folder).base is None
    made = load_file(folder / "model.safetensors")
    base = AutoModelForCausalLM.from_pretrained(tiny_base).state_dict()
    adapter = load_file(run / "adapter_model.safetensors")
    name = "model.layers.1.mlp.up_proj"
    a, b = (
        adapter[f"base_model.model.{name}.lora_{half}.weight"].float() for half in "AB"
    )
    wanted = base[f"{name}.weight"] + 2 * b @ a
    torch.testing.assert_close(
        made[f"{name}.weight"].float(), wanted, rtol=1e-2, atol=1e-3
    )
    assert not torch.allclose(wanted, base[f"{name}.weight"], atol=1e-3)
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == []


def test_an_adapter_on_a_gguf_file_stays_one(texts, tmp_path, monkeypatch):
    """Nothing is read of the base here but its digest; merging is tested elsewhere."""
    base = tmp_path / "base.gguf"
    base.write_bytes(b"a base")
    run = trained(tmp_path / "run")
    told = json.loads((run / "run.json").read_text("utf-8"))
    told["recipe"] |= {"base": str(base), "lora": {"rank": 4, "alpha": 8}}
    (run / "run.json").write_text(json.dumps(told), "utf-8")
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        (run / name).write_bytes(name.encode())
    merged: list[Path] = []
    monkeypatch.setattr(student, "merged_model", lambda f, cache: merged.append(f))
    folder = release_run(run, tmp_path / "models", "king", about={})
    manifest = read_manifest(folder)
    assert manifest.base is not None
    assert (manifest.base.place, manifest.base.sha256) == (str(base), sha256(base))
    assert set(manifest.files) == {"adapter_model.safetensors", "adapter_config.json"}
    assert manifest.kind == "base"
    assert merged == [folder]


def test_a_release_made_again_replaces_the_first(texts, tmp_path):
    run = trained(tmp_path / "run")
    first = read_manifest(release_run(run, tmp_path / "models", "king", about={}))
    again = read_manifest(release_run(run, tmp_path / "models", "king", about={}))
    assert first.version == again.version


def test_half_a_release_is_none(texts, tmp_path, monkeypatch):
    run = trained(tmp_path / "run")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(student, "write_gguf", full)
    with pytest.raises(OSError, match="No space left"):
        release_run(run, tmp_path / "models", "king", about={})
    assert not (tmp_path / "models" / "king" / MANIFEST).exists()


def test_a_run_that_is_not_complete_is_refused(texts, tmp_path):
    run = trained(tmp_path / "run")
    (run / "run.json").unlink()
    with pytest.raises(ReleaseError, match="no complete run"):
        release_run(run, tmp_path / "models", "king", about={})
    assert not (tmp_path / "models").exists()


def test_a_line_that_a_killed_worker_left_half_written_is_passed_over(texts, tmp_path):
    run = trained(tmp_path / "run")
    whole = (run / EVENTS).read_text("utf-8")
    (run / EVENTS).write_text('{"event": "sam\n' + whole + '{"eve', "utf-8")
    assert (
        read_facts(run).updates
        == json.loads([line for line in whole.splitlines() if '"step"' in line][-1])[
            "update"
        ]
    )


def test_the_card_shows_the_first_the_middle_and_the_last_sample(texts, tmp_path):
    run = trained(tmp_path / "run")
    with (run / EVENTS).open("a", encoding="utf-8") as log:
        for update in (3, 7, 9):
            event = {"event": "sampled", "update": update, "prompt": "a", "text": "b"}
            log.write(json.dumps(event) + "\n")
    samples = read_facts(run).samples
    updates = sorted({0, 3, 7, 9, read_facts(run).updates})
    middle = updates[len(updates) // 2]
    assert [sample.update for sample in samples] == [0, middle, updates[-1]]


def test_the_command_releases_into_an_instance(texts, tmp_path, capsys):
    run = trained(tmp_path / "run")
    assert student.main([str(run), "--name", "king", "--instance", str(tmp_path)]) == 0
    assert (tmp_path / "models" / "king" / MANIFEST).is_file()
    assert student.main([str(tmp_path), "--instance", str(tmp_path)]) == 2
    assert "no complete run" in capsys.readouterr().err
