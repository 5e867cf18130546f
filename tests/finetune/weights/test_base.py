"""Base models are read from GGUF once, and from a dense copy afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

from finetune.weights.base import load_base
from finetune.weights.places import ModelMissing


@pytest.fixture
def reads(tiny_base: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let every GGUF file hold the tiny model; return the names of those read."""
    names: list[str] = []
    for kind in (AutoModelForCausalLM, AutoTokenizer):
        real = kind.from_pretrained

        def read(place, *, _real=real, gguf_file=None, **given):
            if gguf_file is None:
                return _real(place, **given)
            names.append(gguf_file)
            given.pop("quantization_config", None)
            return _real(tiny_base, **given)

        monkeypatch.setattr(kind, "from_pretrained", read)
    return names


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    path = tmp_path / "small.gguf"
    path.write_bytes(b"some weights")
    return path


def test_a_file_is_read_once(gguf, reads, tiny_base, tmp_path):
    cache = tmp_path / "cache"
    first = load_base(str(gguf), cache=cache)
    again = load_base(str(gguf), cache=cache)
    assert reads == [gguf.name, gguf.name]  # its tokenizer and its weights
    real = LlamaForCausalLM.from_pretrained(tiny_base).state_dict()
    for base in (first, again):
        assert base.tokenizer.eos_token == "<|im_end|>"
        for name, weight in base.model.state_dict().items():
            assert torch.equal(weight, real[name]), name


def test_a_changed_file_is_read_again(gguf, reads, tmp_path):
    load_base(str(gguf), cache=tmp_path / "cache")
    gguf.write_bytes(b"other weights")
    load_base(str(gguf), cache=tmp_path / "cache")
    assert len(reads) == 4
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_half_a_copy_is_none(gguf, reads, tmp_path, monkeypatch):
    def full(self, folder):
        Path(folder).mkdir()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(LlamaForCausalLM, "save_pretrained", full)
    with pytest.raises(OSError, match="No space"):
        load_base(str(gguf), cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_is_not_a_gguf_is_named(tmp_path):
    path = tmp_path / "notes.gguf"
    path.write_text("no weights")
    with pytest.raises(ModelMissing, match=r"notes\.gguf is not a model that can be"):
        load_base(str(path), cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
