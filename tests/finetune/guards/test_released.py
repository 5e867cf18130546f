"""A guard of another version of this code is refused in a sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from finetune.guards.released import RELEASES, load_guard
from finetune.weights.releases import MANIFEST, ReleaseError, sha256


@pytest.mark.parametrize(("name", "lost"), [("gate", "tuned"), ("leak", "threshold")])
def test_a_guard_of_another_version_is_refused(tmp_path: Path, name: str, lost: str):
    folder = shutil.copytree(RELEASES / name, tmp_path / name)
    settings = folder / "guard.json"
    kept = json.loads(settings.read_text("utf-8"))
    del kept[lost]
    settings.write_text(json.dumps(kept), "utf-8")
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    manifest["files"][settings.name] = sha256(settings)
    (folder / MANIFEST).write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(ReleaseError, match=rf"does not say {lost}.*Train {name} again"):
        load_guard(folder)
