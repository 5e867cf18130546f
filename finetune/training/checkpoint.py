"""Saving a run so that it can go on exactly, and never half of it."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from finetune.training.recipe import RecipeError

_WEIGHTS = "learned.safetensors"
_STATE = "state.pt"


@dataclass(slots=True)
class Progress:
    """How far a run is."""

    update: int = 0
    tokens: int = 0
    seconds: float = 0.0


class Checkpoint:
    """The last saved state of a run, in a folder that is replaced as a whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, model: Any, optimizer: Any, progress: Progress) -> None:
        """Save what is learned, the optimizer, and the place in the data.

        Raises RecipeError if the disk is full; the checkpoint before stays.
        """
        new = self.folder.with_name(f"{self.folder.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        try:
            save_weights(_learned(model), new / _WEIGHTS)
            torch.save(
                {
                    "optimizer": optimizer.state_dict(),
                    "progress": asdict(progress),
                    "random": torch.get_rng_state(),
                },
                new / _STATE,
            )
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

    def load(self, model: Any, optimizer: Any) -> Progress:
        """Restore a run; raise RecipeError if there is none to go on with."""
        folder = self._existing()
        learned = load_file(folder / _WEIGHTS)
        missing = set(_learned(model)) ^ set(learned)
        if missing:
            raise RecipeError(
                f"The checkpoint {folder} is of another model or recipe"
                f" (for example {min(missing)}): train without --resume."
            )
        model.load_state_dict(learned, strict=False)
        state = torch.load(folder / _STATE, weights_only=True)
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        return Progress(**state["progress"])

    def remove(self) -> None:
        """Delete it; the finished run needs it no more."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _existing(self) -> Path:
        # A process killed between the two renames leaves only the old one.
        for folder in (self.folder, self.folder.with_name(f"{self.folder.name}.old")):
            if (folder / _STATE).is_file():
                return folder
        raise RecipeError(
            f"There is no checkpoint in {self.folder}: train without --resume."
        )


def save_weights(tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    """Write safetensors under a temporary name first; raise OSError if it fails."""
    new = path.with_name(f"{path.name}.new")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Tied weights share memory, which the format does not allow.
    own = {
        name: tensor.detach().contiguous().clone() for name, tensor in tensors.items()
    }
    try:
        save_file(own, new)
        new.replace(path)
    except Exception as error:
        new.unlink(missing_ok=True)
        if "No space left" in str(error):
            raise OSError(errno.ENOSPC, "No space left on device", str(path)) from error
        raise


def _learned(model: Any) -> dict[str, torch.Tensor]:
    return {n: p.data for n, p in model.named_parameters() if p.requires_grad}
