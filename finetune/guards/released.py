"""The guards that are released with the project."""

from __future__ import annotations

from pathlib import Path

from finetune.guards.gate import Gate
from finetune.guards.judge import Judge
from finetune.guards.leak import Leak
from finetune.weights.places import find_folder
from finetune.weights.releases import ReleaseError, read_release

RELEASES = Path(__file__).parent.parent / "adapters"
# What guards are trained for, as their recipes name it.
_TASKS: dict[str, type[Gate] | type[Leak]] = {"gate": Gate, "leak": Leak}


def load_judge(name: str, *, cache: Path | None = None) -> Judge:
    """Load a released guard; raises what `load_guard` raises."""
    return load_guard(RELEASES / name, cache=cache)


def load_guard(folder: Path, *, cache: Path | None = None) -> Judge:
    """Load the guard of a release.

    Raises ReleaseError when it is damaged or made for another base, and ModelMissing
    when there is no base.
    """
    release = read_release(folder)
    task = str(release.recipe.get("task", ""))
    if task not in _TASKS:
        raise ReleaseError(
            f"{folder} is not a guard that can be served: its recipe names the task"
            f" {task[:40]!r}, but there are: {', '.join(_TASKS)}."
        )
    return _TASKS[task](find_folder(release.base_place, cache=cache), folder)
