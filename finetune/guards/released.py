"""The guards that are released with the project."""

from __future__ import annotations

from pathlib import Path

from finetune.guards.gate import Gate
from finetune.guards.judge import Judge
from finetune.guards.leak import Leak
from finetune.weights.places import find_folder
from finetune.weights.releases import read_release

RELEASES = Path(__file__).parent.parent / "adapters"
_GUARDS: dict[str, type[Gate] | type[Leak]] = {"gate": Gate, "leak": Leak}
GUARD_NAMES = tuple(_GUARDS)


def load_judge(name: str, *, cache: Path | None = None) -> Judge:
    """Load a released guard.

    Raises ReleaseError when it is damaged or made for another base, and ModelMissing
    when there is no base.
    """
    folder = RELEASES / name
    base = find_folder(read_release(folder).base_place, cache=cache)
    return _GUARDS[name](base, folder)
