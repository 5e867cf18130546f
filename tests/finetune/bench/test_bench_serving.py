"""`bench serving`: every size of a tiny model, and the table of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune import __main__ as cli
from finetune.bench import serving
from finetune.bench.serving import Size, _table, perplexity, round_weights
from finetune.weights.base import load_base
from finetune.weights.export import write_gguf

pytestmark = pytest.mark.integration


def test_each_size_is_measured_and_kept_for_the_page(
    tiny_base: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    gguf = tmp_path / "tiny.gguf"
    write_gguf(tiny_base, gguf, name="tiny")
    monkeypatch.setenv("WORDKEEP_SIDECAR_CHAT_MODELS", f"tiny={gguf}")
    # The file of so small a tokenizer is nothing that transformers reads back.
    monkeypatch.setattr(
        serving,
        "load_base",
        lambda place, cache: load_base(str(tiny_base), cache=cache),
    )
    asked = ["bench-serving", "--model", "tiny", "--tokens", "4", "--rounds", "1"]
    asked += ["--threads", "1"]
    assert cli.main([*asked, "--instance", str(tmp_path / "instance")]) == 0
    told = json.loads((tmp_path / "instance" / "serving.json").read_text())
    sizes = {size["name"]: size for size in told["sizes"]}
    assert [size["program"] for size in told["sizes"]] == ["torch"] * 2 + [
        "llama.cpp"
    ] * 3
    assert all(size["ms_per_token"] > 0 for size in told["sizes"])
    whole, half = sizes["32 bits (fp32)"], sizes["16 bits (bf16)"]
    assert whole["bytes"] == 2 * half["bytes"]
    assert sizes["4 bits"]["bytes"] < sizes["8 bits"]["bytes"]
    # A random model is as unsure as can be, and rounding it changes little.
    assert half["perplexity"] == pytest.approx(whole["perplexity"], rel=0.02)
    assert sizes["as it comes"]["perplexity"] == whole["perplexity"]
    assert "perplexity" in capsys.readouterr().out


def test_rounding_keeps_fewer_different_numbers(tiny_base: Path) -> None:
    base = load_base(str(tiny_base), cache=tiny_base)
    weight = base.model.model.layers[0].mlp.up_proj.weight
    before = perplexity(base)
    assert weight[0].unique().numel() > 16
    round_weights(base.model, "q4_0")
    # One scale for the 32 numbers of a row here: sixteen steps are all there are.
    assert weight[0].unique().numel() <= 16
    assert perplexity(base) != before


def test_an_unknown_model_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bench-serving", "--model", "none"]) == 2
    assert "There is no none; there are warden, smollm2." in capsys.readouterr().err


def test_speed_may_be_left_out() -> None:
    line = _table([Size("8 bits", "llama.cpp", 8.6, 145_000_000, None, 30.2)])
    assert line.splitlines()[-1].split() == [
        "8", "bits", "llama.cpp", "145", "8.6", "-", "-", "30.20",
    ]  # fmt: skip
