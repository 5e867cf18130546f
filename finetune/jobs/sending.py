"""What of a finished model goes to a hub: its weights, and its card as a README."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from finetune.jobs.bases import BaseModel

_ADAPTER: Final = ("adapter_model.safetensors", "adapter_config.json")
_WHOLE: Final = ("model.safetensors", "config.json", "tokenizer.json")
# The shipped base is a file of a package here, which nobody finds elsewhere.
_AT_THE_HUB: Final[Mapping[str, str]] = {
    "smollm2": "HuggingFaceTB/SmolLM2-135M-Instruct"
}


def files_for_hub(
    base: BaseModel, *, is_adapter: bool, find: Callable[[str], Path]
) -> dict[str, Path | bytes]:
    """Return the files of a model by their names in a repository.

    `find` gives a file of the model, and its errors are raised.
    """
    origin = base.name if base.is_of_hub else _AT_THE_HUB.get(base.name, "")
    files: dict[str, Path | bytes] = {
        name: find(name) for name in (_ADAPTER if is_adapter else _WHOLE)
    }
    if is_adapter and origin:
        config = json.loads(find("adapter_config.json").read_text("utf-8"))
        config["base_model_name_or_path"] = origin
        files["adapter_config.json"] = json.dumps(config, indent=2).encode()
    head: dict[str, Any] = {
        "library_name": "peft" if is_adapter else "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["wordkeep"],
    }
    if base.licence:
        head["license"] = base.licence.lower()
    if origin:
        head["base_model"] = origin
    front = yaml.safe_dump(head, sort_keys=False)
    card = find("card.md").read_text("utf-8")
    files["README.md"] = f"---\n{front}---\n\n{card}".encode()
    return files
