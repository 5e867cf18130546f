"""The base model that training starts from: weights and tokenizer of one GGUF file."""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

from finetune.places import ModelMissing, find_file, find_folder
from finetune.release import read_release

# Large enough to show what the processor can do; where bf16 is emulated, a large
# product takes seconds.
_PROBE_SIZE = {"cpu": 256, "cuda": 2048}
_PROBE_ROUNDS = 4


class Base(NamedTuple):
    """A causal language model in plain dense weights, and its tokenizer."""

    model: Any
    tokenizer: Any
    path: Path


def load_base(place: str, *, dtype: torch.dtype = torch.float32) -> Base:
    """Load a GGUF file, or a folder in the format of transformers.

    Raises ModelMissing if there is no such place.
    """
    is_folder = ".gguf" not in place
    path = find_folder(place) if is_folder else find_file(place)
    try:
        if is_folder:
            model = AutoModelForCausalLM.from_pretrained(path, dtype=dtype)
            return Base(model, AutoTokenizer.from_pretrained(path), path)
        tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
        model = AutoModelForCausalLM.from_pretrained(
            path.parent,
            gguf_file=path.name,
            dtype=dtype,
            quantization_config=GgufConfig(dequantize=True),
        )
    except (OSError, ValueError, KeyError) as error:
        raise ModelMissing(
            f"{path} is no model that can be trained: {error}"
        ) from error
    # What was read is dense now; a copy saved with this entry could not be loaded.
    model.config.quantization_config = None
    return Base(model, tokenizer, path)


def load_adapted(folder: Path) -> Base:
    """Load a released adapter on its base, by PEFT.

    Raises ModelMissing or ReleaseError.
    """
    base = load_base(read_release(folder).base_place)
    with warnings.catch_warnings():
        # PEFT asks transformers by a name that has a newer one.
        warnings.simplefilter("ignore", FutureWarning)
        model = PeftModel.from_pretrained(base.model, folder)
    return base._replace(model=model)


def is_bf16_faster(device: torch.device) -> bool:
    """Multiply matrices in both types and compare; processors without it emulate it."""
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        side = _PROBE_SIZE.get(device.type, _PROBE_SIZE["cpu"])
        a = torch.randn(side, side, device=device, dtype=dtype)
        a @ a  # the first one sets things up
        started = time.perf_counter()
        for _ in range(_PROBE_ROUNDS):
            a @ a
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds[dtype] = time.perf_counter() - started
    return seconds[torch.bfloat16] < 0.9 * seconds[torch.float32]
