"""Small models with random weights, of each kind that the loop knows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    BloomConfig,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MistralConfig,
    Qwen2Config,
)

from finetune.training.fresh import train_tokenizer

WIDTH, LAYERS = 64, 2
_SIZES = {
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "intermediate_size": 96,
    "max_position_embeddings": 256,
}
_GROUPED = _SIZES | {"num_key_value_heads": 2}
# Sizes of each kind, as different from the defaults as they may be.
KINDS: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "gpt2": (GPT2Config, {"n_embd": WIDTH, "n_layer": LAYERS, "n_head": 4,
                          "n_positions": 256}),
    "gpt_neox": (GPTNeoXConfig, _SIZES | {"rotary_pct": 0.25}),
    "bloom": (BloomConfig, {"hidden_size": WIDTH, "n_layer": LAYERS, "n_head": 4}),
    "llama": (LlamaConfig, _GROUPED),
    "qwen2": (Qwen2Config, _GROUPED | {"tie_word_embeddings": True}),
    "mistral": (MistralConfig, _GROUPED | {"sliding_window": None}),
}  # fmt: skip


def write_tiny(
    folder: Path, kind: str, texts: Sequence[str], *, padding: int = 0
) -> Path:
    """Write a random model and a tokenizer made of texts, as a repository has them.

    `padding` are rows of the table that stand for no token.
    """
    tokenizer = train_tokenizer(texts, 300)
    config, sizes = KINDS[kind]
    end = tokenizer.eos_token_id
    torch.manual_seed(7)
    model = AutoModelForCausalLM.from_config(
        config(
            vocab_size=len(tokenizer) + padding,
            bos_token_id=end,
            eos_token_id=end,
            **sizes,
        )
    )
    # Large enough that the model prefers some tokens, and biases count.
    for name, weight in model.named_parameters():
        if weight.ndim > 1 or name.endswith("bias"):
            torch.nn.init.normal_(weight, std=0.15)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
