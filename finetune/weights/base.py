"""The base model that training starts from: weights and tokenizer of one GGUF file."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, NamedTuple

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

from finetune.weights.files import made_once
from finetune.weights.hub import is_hub_name, model_folder
from finetune.weights.places import ModelMissing, find_file, find_folder
from finetune.weights.releases import read_release, sha256


class Base(NamedTuple):
    """A causal language model in plain dense weights, and its tokenizer."""

    model: Any
    tokenizer: Any


def load_base(place: str, *, cache: Path, dtype: torch.dtype = torch.float32) -> Base:
    """Load a GGUF file, or a folder in the format of transformers, also of the hub.

    Only safetensors are read, and no program that comes with a model is run. `cache`
    is for downloads and for what is read from GGUF files. Raises ModelMissing if there
    is no such model, OSError if the cache cannot be written.
    """
    if ".gguf" in place:
        path = _dense_copy(find_file(place, cache=cache), cache)
    elif is_hub_name(place) and not Path(place).is_dir():
        path = model_folder(place, cache)
    else:
        path = find_folder(place, cache=cache)
    try:
        model = AutoModelForCausalLM.from_pretrained(
            path, dtype=dtype, use_safetensors=True, trust_remote_code=False
        )
        tokenizer = AutoTokenizer.from_pretrained(path, trust_remote_code=False)
        return Base(model, tokenizer)
    except (OSError, ValueError, KeyError) as error:
        raise ModelMissing(_unusable(path, error)) from error


def load_adapted(folder: Path, *, cache: Path) -> Base:
    """Load a released adapter on its base, by PEFT.

    Raises ModelMissing, ReleaseError, or OSError if the cache cannot be written.
    """
    base = load_base(read_release(folder).base_place, cache=cache)
    return base._replace(model=with_adapter(base.model, folder))


def with_adapter(model: Any, folder: Path) -> Any:
    """Return a model with the adapter in a folder on it, by PEFT."""
    with warnings.catch_warnings():
        # PEFT uses a deprecated name of transformers.
        warnings.simplefilter("ignore", FutureWarning)
        return PeftModel.from_pretrained(model, folder)


def _dense_copy(gguf: Path, cache: Path) -> Path:
    """Return a folder with the weights of a GGUF file in fp32, and its tokenizer.

    transformers takes half a minute to read the file, and two seconds for the folder.
    """
    copy = cache / f"{gguf.stem}-{sha256(gguf)[:12]}"
    return made_once(copy, lambda new: _save_dense(gguf, new))


def _save_dense(gguf: Path, folder: Path) -> None:
    try:
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        model = AutoModelForCausalLM.from_pretrained(
            gguf.parent,
            gguf_file=gguf.name,
            dtype=torch.float32,
            quantization_config=GgufConfig(dequantize=True),
        )
    except (OSError, ValueError, KeyError) as error:
        raise ModelMissing(_unusable(gguf, error)) from error
    # What was read is dense now; a copy saved with this entry could not be loaded.
    model.config.quantization_config = None
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _unusable(path: Path, error: Exception) -> str:
    return f"{path} is not a model that can be trained: {error}"
