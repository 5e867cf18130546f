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

from finetune.recipes.common import Recipe, RecipeError

_WEIGHTS = "learned.safetensors"
_STATE = "state.pt"
_MAY_DIFFER = {"purpose", "minutes", "log_every", "eval_every"}


@dataclass(slots=True)
class Progress:
    """How far a run is."""

    update: int = 0
    tokens: int = 0
    seconds: float = 0.0


class Checkpoint:
    """The last saved state of a run, in a folder that is replaced as a whole."""

    def __init__(self, folder: Path, recipe: Recipe | None = None) -> None:
        """With `recipe`, only a run of the same one goes on; its budget may differ."""
        self.folder = folder
        self._recipe = (
            recipe.model_dump_json(exclude=_MAY_DIFFER) if recipe is not None else ""
        )

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
                    "random_cuda": torch.cuda.get_rng_state_all(),
                    "recipe": self._recipe,
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
        state = torch.load(folder / _STATE, weights_only=True)
        mine = {name: tensor.shape for name, tensor in _learned(model).items()}
        saved = {name: tensor.shape for name, tensor in learned.items()}
        if mine != saved or state["recipe"] != self._recipe:
            raise RecipeError(
                f"The checkpoint {folder} is of another model or recipe:"
                " train without --resume."
            )
        model.load_state_dict(learned, strict=False)
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        if len(state["random_cuda"]) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all(state["random_cuda"])
        return Progress(**state["progress"])

    def remove(self) -> None:
        """Delete it; the finished run needs it no more."""
        for end in ("", ".old", ".new"):
            folder = self.folder.with_name(f"{self.folder.name}{end}")
            shutil.rmtree(folder, ignore_errors=True)

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
