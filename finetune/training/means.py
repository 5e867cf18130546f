"""Means of weights: of one run over its last part, and of several runs.

Models that were trained from the same weights lie in the same valley of the loss, and
their mean lies nearer to its middle than each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from finetune.guards.detector import ADAPTER
from finetune.recipes.common import RecipeError
from finetune.training.checkpoint import learned_weights


class RunningMean:
    """The mean of a model's learned weights over some of its updates.

    It is a second set of weights; a checkpoint keeps it beside the optimizer.
    """

    def __init__(self, model: nn.Module) -> None:
        self.weights = {
            name: weight.clone() for name, weight in learned_weights(model).items()
        }
        self.count = 0

    def add(self, model: nn.Module) -> None:
        """Count the weights as they are now: mean += (weight - mean) / count."""
        self.count += 1
        for name, weight in learned_weights(model).items():
            mean = self.weights[name]
            mean += (weight - mean) / self.count

    def replace_weights(self, model: nn.Module) -> None:
        """Give the mean to the model; without any update in it nothing changes."""
        if self.count:
            model.load_state_dict(self.weights, strict=False)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"weights": self.weights, "count": self.count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave, to the device that this one is on."""
        for name, weight in state["weights"].items():
            self.weights[name].copy_(weight)
        self.count = state["count"]


def mean_of(folders: Sequence[Path]) -> dict[str, Tensor]:
    """Return the mean of each tensor of the adapters in these folders, in its type.

    A weight that an adapter leaves as it is in the base counts as a change of 0. Raises
    RecipeError if one cannot be read or is of another shape.
    """
    loaded = [_read(folder / ADAPTER) for folder in folders]
    whole = {name: tensor for one in loaded for name, tensor in one.items()}
    means = {}
    for name, like in whole.items():
        tensors = [one.get(name, torch.zeros_like(like)).float() for one in loaded]
        if {tensor.shape for tensor in tensors} != {like.shape}:
            raise RecipeError(f"The adapters differ in the shape of {name}.")
        means[name] = torch.stack(tensors).mean(0).to(like.dtype)
    return means


def _read(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise RecipeError(f"{path} is not an adapter: {error}") from error
