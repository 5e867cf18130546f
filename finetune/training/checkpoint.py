"""Saving a stage of a run so that it can go on exactly, and never half of it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

from finetune.recipes.common import RecipeError
from finetune.training.sharding import part_of, whole
from finetune.weights.tensors import write_tensors

_WEIGHTS = "learned.safetensors"
_STATE = "state.pt"


class Kept(Protocol):
    """What a checkpoint keeps beside the weights, such as an optimizer."""

    def state_dict(self) -> Mapping[str, Any]:
        """Return plain values and tensors."""

    def load_state_dict(self, state: dict[str, Any], /) -> object:
        """Take back what `state_dict` gave."""


@dataclass(slots=True)
class Progress:
    """How far a stage is.

    `tokens` are those of texts, without filling; `seconds` those of learning, and
    `whole` those that the run took with everything else, pauses left out.
    """

    update: int = 0
    tokens: int = 0
    seconds: float = 0.0
    whole: float = 0.0


class Checkpoint:
    """The last saved state of a stage, in a folder that is replaced as a whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(
        self,
        model: nn.Module | None,
        kept: Mapping[str, Kept],
        progress: Progress,
        *,
        writes: bool = True,
    ) -> None:
        """Save what is learned, what else is kept, and how far the stage is.

        Of several processes all must come here, and one writes. Raises RecipeError if
        the disk is full; the checkpoint before stays.
        """
        learned = {name: whole(part) for name, part in learned_weights(model).items()}
        states = {name: part.state_dict() for name, part in kept.items()}
        if not writes:
            return
        new = self.folder.with_name(f"{self.folder.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        try:
            write_tensors(learned, new / _WEIGHTS)
            state = {
                "kept": states,
                "progress": asdict(progress),
                "random": random_state(),
            }
            torch.save(state, new / _STATE)
        except (OSError, RuntimeError) as error:
            shutil.rmtree(new, ignore_errors=True)
            raise RecipeError(
                f"The checkpoint {self.folder} cannot be written: {error}."
                " Free some space and run the command again with --resume."
            ) from error
        old = self.folder.with_name(f"{self.folder.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        if self.folder.exists():
            self.folder.rename(old)
        new.rename(self.folder)
        shutil.rmtree(old, ignore_errors=True)

    def load(self, model: nn.Module | None, kept: Mapping[str, Kept]) -> Progress:
        """Restore a stage; raise RecipeError if there is none to go on with."""
        folder = self._existing()
        learned = load_file(folder / _WEIGHTS)
        state = torch.load(folder / _STATE, weights_only=True)
        mine = learned_weights(model)
        if _shapes(mine) != _shapes(learned):
            raise RecipeError(
                f"The checkpoint {folder} is of another model: train without --resume."
            )
        if model is not None:
            parts = {name: part_of(learned[name], mine[name]) for name in mine}
            model.load_state_dict(parts, strict=False)
        for name, part in kept.items():
            part.load_state_dict(state["kept"][name])
        set_random_state(state["random"])
        return Progress(**state["progress"])

    def exists(self) -> bool:
        """Say whether there is one to go on from."""
        return any((folder / _STATE).is_file() for folder in self._places())

    def _existing(self) -> Path:
        for folder in self._places():
            if (folder / _STATE).is_file():
                return folder
        raise RecipeError(
            f"There is no checkpoint in {self.folder}: train without --resume."
        )

    def _places(self) -> tuple[Path, Path]:
        # A process killed between the two renames leaves only the old one.
        return self.folder, self.folder.with_name(f"{self.folder.name}.old")


def random_state() -> dict[str, Any]:
    """Return where all random numbers of this process are."""
    numpy: Any = np.random.get_state(legacy=True)
    name, keys, *rest = numpy
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all(),
        "python": random.getstate(),
        "numpy": (name, keys.tolist(), *rest),
    }


def set_random_state(state: Mapping[str, Any]) -> None:
    """Go on from what `random_state` gave; a GPU only if there are as many."""
    torch.set_rng_state(state["torch"])
    if len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
    random.setstate(state["python"])
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, np.array(keys, dtype=np.uint32), *rest))


def _shapes(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in tensors.items()}


def learned_weights(model: nn.Module | None) -> dict[str, torch.Tensor]:
    """Return the weights of a model that are not frozen; None has none."""
    named = () if model is None else model.named_parameters()
    return {name: weight.data for name, weight in named if weight.requires_grad}
