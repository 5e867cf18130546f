"""Low-rank adapters: what is added to a frozen model, and what a run writes of it.

An adapted layer computes x Wᵀ + s (x Aᵀ) Bᵀ (Hu et al. 2021, arXiv 2106.09685). W stays
as it is; A (rank, in) and B (out, rank) are learned. B begins with zeros, so that the
model begins as the base. With rank 32 that is a thirtieth of the weights of a small
model: few gradients, a small optimizer, and a file of some megabytes.
"""

from __future__ import annotations

import warnings
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from peft import LoraConfig, get_peft_model
from peft.tuners.lora import Linear as LoraLinear
from peft.utils import get_peft_model_state_dict, set_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers.pytorch_utils import Conv1D

from finetune.recipes.lm import Lora
from finetune.training.errors import TrainingError
from finetune.training.shapes import freeze, without_dropout
from finetune.training.sharding import whole
from finetune.weights.tensors import write_tensors

ADAPTER = "adapter_model.safetensors"
WEIGHTS = "model.safetensors"


def prepare(
    model: Any, base: str, lora: Lora | None, *, is_bf16: bool, frozen: int = 0
) -> Any:
    """Return the model as it is trained: with adapters, or `lora` None as a whole.

    A frozen base is kept in the type that it is used in; what learns stays in 32 bits.
    Without adapters the lowest `frozen` blocks do not learn. Raises TrainingError if
    the adapter to go on from does not fit, RecipeError if nothing is left to learn.
    """
    model.config.use_cache = False
    without_dropout(model)
    if lora is None:
        model = model.float()
        if frozen:
            freeze(model, frozen)
        return model
    if is_bf16:
        model = model.to(torch.bfloat16)
    model.name_or_path = base
    model = add_adapters(model, lora)
    if lora.start is not None:
        _load_start(model, lora.start)
    if lora.dropout == 0:
        for module in model.modules():
            if isinstance(module, LoraLinear):
                setattr(module, "forward", partial(_adapted_forward, module))  # noqa: B010
    return model


def add_adapters(model: Any, lora: Lora) -> Any:
    """Return the model with PEFT's adapters on every linear layer of its blocks."""
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules="all-linear",
        # GPT-2 keeps its weights the other way round: (in, out).
        fan_in_fan_out=any(isinstance(part, Conv1D) for part in model.modules()),
        task_type="CAUSAL_LM",
    )
    with warnings.catch_warnings():
        # PEFT asks transformers by a name that has a newer one.
        warnings.simplefilter("ignore", FutureWarning)
        return get_peft_model(model, config)


def write_learned(
    model: Any, out: Path, *, has_adapters: bool, writes: bool = True
) -> None:
    """Write what was learned to `out`: the adapter and its settings, or all weights.

    Of several processes all must come here, and one writes.
    """
    learned = _adapters(model) if has_adapters else _all_weights(model)
    state = {name: whole(tensor) for name, tensor in learned.items()}
    if not writes:
        return
    if has_adapters:
        write_tensors(state, out / ADAPTER)
        model.peft_config["default"].save_pretrained(out)
    else:
        model.config.save_pretrained(out)
        write_tensors(state, out / WEIGHTS)


def _adapters(model: Any) -> dict[str, torch.Tensor]:
    # Adapters are released in half the size; their values are small and few matter.
    return {
        name: tensor.to(torch.bfloat16)
        for name, tensor in get_peft_model_state_dict(
            # Else the hub is asked whether it knows the base.
            model,
            save_embedding_layers=False,
        ).items()
    }


def _all_weights(model: Any) -> dict[str, torch.Tensor]:
    """Return all weights in half the size, those that have two names once.

    Numbers of 16 bits with 11 for the digits: bf16 has 8, and what a short run changes
    would be lost.
    """
    named = {name: weight.half() for name, weight in model.named_parameters()}
    named |= dict(model.named_buffers())
    kept = set(model.state_dict())
    return {name: tensor for name, tensor in named.items() if name in kept}


def _adapted_forward(layer: Any, x: torch.Tensor) -> torch.Tensor:
    """Compute x Wᵀ + s (x Aᵀ) Bᵀ as PEFT does, without its copies in fp32.

    x is (…, in), and what comes out (…, out).
    """
    a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
    low = F.linear(x, a)  # (…, rank)
    added: torch.Tensor = F.linear(low, layer.scaling["default"] * b)
    whole: torch.Tensor = layer.base_layer(x) + added
    return whole


def _load_start(model: Any, folder: Path) -> None:
    """Take over the weights of an adapter of the same rank.

    Raises TrainingError when there is none, or it is of another shape.
    """
    try:
        state = load_file(folder / ADAPTER)
        found: Any = set_peft_model_state_dict(model, state)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise TrainingError(
            f"{folder} holds no adapter to go on from: {error}"
        ) from error
    if found.unexpected_keys:
        raise TrainingError(f"{folder} holds an adapter of another kind of model.")
