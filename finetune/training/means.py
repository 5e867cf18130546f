"""The mean of a model's weights over the last part of a run.

They move about in one valley of the loss, and their mean lies nearer to its middle than
each of them.
"""

from __future__ import annotations

from typing import Any

from torch import nn

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
