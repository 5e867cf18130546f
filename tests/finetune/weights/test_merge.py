"""An adapter and its base become one file for the engine."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, quants
from jinja2 import Template
from safetensors.torch import save_file

from finetune.weights.merge import ADAPTER, CONFIG
from finetune.weights.releases import ReleaseError, read_release, write_release
from finetune.weights.served import merged_model, served_file

WIDTH, HEADS = 64, 2
QUERY, UP, NORM = "blk.0.attn_q.weight", "blk.0.ffn_up.weight", "blk.0.attn_norm.weight"


def base_file(folder: Path) -> Path:
    """Write a base of three tensors."""
    path = folder / "base.gguf"
    rng = np.random.default_rng(0)
    writer = GGUFWriter(path, "llama")
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(1)
    writer.add_array("tokenizer.ggml.tokens", ["a", "b"])
    writer.add_chat_template("{{ 'a system prompt that nobody wrote' }}")
    for name in (QUERY, UP):
        writer.add_tensor(name, rng.normal(size=(WIDTH, WIDTH)).astype(np.float32))
    writer.add_tensor(NORM, np.ones(WIDTH, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def release_of(base: Path, folder: Path) -> dict[str, np.ndarray]:
    """Write a release of rank 4; return what each module adds, in their order."""
    made, added = folder / "made", {}
    made.mkdir()
    tensors: dict[str, torch.Tensor] = {}
    torch.manual_seed(1)
    for module in ("self_attn.q_proj", "mlp.up_proj"):
        a, b = torch.randn(4, WIDTH), torch.randn(WIDTH, 4)
        name = f"base_model.model.model.layers.0.{module}"
        tensors |= {f"{name}.lora_A.weight": a, f"{name}.lora_B.weight": b}
        added[module] = (2.0 * b @ a).numpy()
    save_file(tensors, made / ADAPTER)
    (made / CONFIG).write_text(json.dumps({"r": 4, "lora_alpha": 8}))
    write_release(
        folder / "release",
        name="tiny",
        kind="lm",
        base_place=str(base),
        base=base,
        files={name: made / name for name in (ADAPTER, CONFIG)},
        recipe={},
        figures={},
        seconds=1.0,
    )
    return added


def tensors(path: Path) -> dict[str, np.ndarray]:
    return {
        t.name: quants.dequantize(t.data, t.tensor_type)
        for t in GGUFReader(path).tensors
    }


def test_what_is_merged_is_the_sum(tmp_path: Path):
    base = base_file(tmp_path)
    added = release_of(base, tmp_path)
    path = served_file(str(tmp_path / "release"), tmp_path / "cache")
    before, after = tensors(base), tensors(path)
    np.testing.assert_allclose(
        after[UP], before[UP] + added["mlp.up_proj"], atol=0.1, rtol=0
    )
    np.testing.assert_array_equal(after[NORM], before[NORM])
    # llama.cpp turns neighbouring rows together, transformers row i with row i + half.
    half = WIDTH // HEADS // 2
    order = [
        head * 2 * half + place + side * half
        for head in range(HEADS)
        for place in range(half)
        for side in (0, 1)
    ]
    np.testing.assert_allclose(
        after[QUERY],
        before[QUERY] + added["self_attn.q_proj"][order],
        atol=0.1,
        rtol=0,
    )
    kinds = {t.name: t.tensor_type for t in GGUFReader(path).tensors}
    assert kinds[UP] == GGMLQuantizationType.Q8_0


def test_it_is_prompted_as_it_was_trained(tmp_path: Path):
    base = base_file(tmp_path)
    release_of(base, tmp_path)
    path = served_file(str(tmp_path / "release"), tmp_path / "cache")
    field = GGUFReader(path).get_field("tokenizer.chat_template")
    assert field is not None
    chat = [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Hi!"}]
    told = Template(field.contents()).render(messages=chat, add_generation_prompt=True)
    assert told == (
        "<|im_start|>user\nHi?<|im_end|>\n<|im_start|>assistant\nHi!<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_it_is_merged_once(tmp_path: Path):
    release_of(base_file(tmp_path), tmp_path)
    first = merged_model(tmp_path / "release", tmp_path / "cache")
    stamp = first.stat().st_mtime_ns
    again = merged_model(tmp_path / "release", tmp_path / "cache")
    assert (again, again.stat().st_mtime_ns) == (first, stamp)
    assert [path.name for path in first.parent.iterdir()] == [first.name]


def test_a_release_with_a_changed_file_is_refused(tmp_path: Path):
    release_of(base_file(tmp_path), tmp_path)
    (tmp_path / "release" / CONFIG).write_text("{}")
    with pytest.raises(ReleaseError, match="not what was released"):
        merged_model(tmp_path / "release", tmp_path / "cache")


def test_a_release_for_another_base_is_refused(tmp_path: Path):
    base = base_file(tmp_path)
    release_of(base, tmp_path)
    base.write_bytes(base.read_bytes() + b"x")
    with pytest.raises(ReleaseError, match="another base"):
        merged_model(tmp_path / "release", tmp_path / "cache")
    assert list((tmp_path / "cache").glob("*")) == []


def test_half_a_release_is_none(tmp_path: Path):
    (tmp_path / "release").mkdir()
    with pytest.raises(ReleaseError, match="no complete release"):
        read_release(tmp_path / "release")
