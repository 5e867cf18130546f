"""Models of the Hugging Face hub to start from: presets, and any by its name.

Of presets the sizes and licences are written here, as their pages on the hub told them
in 2025: so their cards need no network. Of others they are asked for once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from tokenizers import Tokenizer

from finetune.jobs.bases import BaseModel
from finetune.jobs.counting import CountTokens
from finetune.jobs.errors import JobError
from finetune.jobs.hub_shapes import shape_of_config
from finetune.jobs.shapes import Shape
from finetune.weights.hub import (
    TOKENIZER,
    TOKENIZER_CONFIG,
    Hub,
    HubError,
    check_room,
    is_hub_name,
)

_CHAT_MARKS: Final = ("<|im_start|>", "<|im_end|>")
_HALF, _FULL = 2, 4  # bytes of a number
_USUAL: Final[dict[str, Any]] = {
    "lora": {"rank": 16, "alpha": 32},
    "learning_rate": 1e-3,
    "block": 256,
    "rows": 2,
    "epochs": 3.0,
    "minutes": 3.0,
    "log_every": 1,
}
_APACHE, _MIT, _RAIL = "apache-2.0", "mit", "bigscience-bloom-rail-1.0"


def _base(
    name: str, place: str, title: str, licence: str, shape: Shape, size: int, about: str
) -> BaseModel:
    return BaseModel(
        name=name,
        title=title,
        about=about,
        kind="base",
        licence=licence,
        place=place,
        usual=dict(_USUAL),
        sizes=shape,
        bytes=shape.parameters * size,
    )


def _gpt2(layers: int) -> Shape:
    return Shape(
        layers, 768, 3072, 12, 12, 50_257, places=1024, is_like_gpt=True
    )  # fmt: skip


def _pythia(layers: int, width: int, heads: int) -> Shape:
    return Shape(
        layers, width, 4 * width, heads, heads, 50_304, table_count=2, is_like_gpt=True
    )


_BLOOM = Shape(
    24, 1024, 4096, 16, 16, 250_880, is_like_gpt=True, extra_norms=2
)  # fmt: skip
_PYTHIA = "It has read the Pile, 800 GB of English text and programs."

PRESETS: Final = {
    base.name: base
    for base in (
        _base(
            "distilgpt2", "distilbert/distilgpt2", "DistilGPT-2", _APACHE,
            _gpt2(6), _FULL,
            "GPT-2 made half as large. It goes on with English text.",
        ),
        _base(
            "gpt2", "openai-community/gpt2", "GPT-2", _MIT, _gpt2(12), _FULL,
            "The famous small model of 2019. It goes on with English text.",
        ),
        _base(
            "pythia-14m", "EleutherAI/pythia-14m", "Pythia 14M", _APACHE,
            _pythia(6, 128, 4), _HALF, f"{_PYTHIA} Tiny, and quick.",
        ),
        _base(
            "pythia-70m", "EleutherAI/pythia-70m", "Pythia 70M", _APACHE,
            _pythia(6, 512, 8), _HALF, _PYTHIA,
        ),
        _base(
            "pythia-160m", "EleutherAI/pythia-160m", "Pythia 160M", _APACHE,
            _pythia(12, 768, 12), _HALF, _PYTHIA,
        ),
        _base(
            "pythia-410m", "EleutherAI/pythia-410m", "Pythia 410M", _APACHE,
            _pythia(24, 1024, 16), _HALF, f"{_PYTHIA} Slow without a GPU.",
        ),
        _base(
            "bloom-560m", "bigscience/bloom-560m", "BLOOM 560M", _RAIL, _BLOOM, _HALF,
            "It has read 46 languages. Slow without a GPU; its licence forbids some"
            " uses.",
        ),
        _base(
            "smollm2-135m", "HuggingFaceTB/SmolLM2-135M", "SmolLM2 135M, plain",
            _APACHE, Shape(30, 576, 1536, 9, 3, 49_152), _HALF,
            "What the shipped model was before it learned to answer.",
        ),
        _base(
            "smollm2-360m", "HuggingFaceTB/SmolLM2-360M", "SmolLM2 360M, plain",
            _APACHE, Shape(32, 960, 2560, 15, 5, 49_152), _HALF,
            "The larger sister of the shipped model. Slow without a GPU.",
        ),
        _base(
            "qwen2.5-0.5b", "Qwen/Qwen2.5-0.5B", "Qwen2.5 0.5B", _APACHE,
            Shape(24, 896, 4864, 14, 2, 151_936, has_qkv_bias=True), _HALF,
            "It has read many languages, and programs. Slow without a GPU.",
        ),
    )
}  # fmt: skip
_BY_PLACE: Final = {base.place.lower(): base for base in PRESETS.values()}


class HubBases:
    """What can be started from on the hub. Safe to use from many threads."""

    def __init__(self, hub: Hub, *, most_bytes: int) -> None:
        """`most_bytes` are those of the largest weights that may be fetched."""
        self._hub = hub
        self._most_bytes = most_bytes

    def knows(self, name: str) -> bool:
        """Whether a name is that of a preset, or has the form owner/name."""
        return name in PRESETS or is_hub_name(name)

    def find(self, name: str) -> BaseModel:
        """Return a model by its name; raise JobError, or HubError.

        That of a preset costs nothing; others are asked for on the hub, once.
        """
        preset = PRESETS.get(name) or _BY_PLACE.get(name.lower())
        if preset is not None:
            return preset
        if Path(name).exists():
            raise JobError(
                f"{name} is a folder of this computer, and only models of the Hugging"
                " Face hub may be named like that.",
                param="model",
            )
        told = self._hub.told(name)
        if told.is_gated or not told.has_safetensors:
            why = (
                "is only given to those who accept its terms"
                if told.is_gated
                else "has no weights as safetensors, and other forms may hide programs"
            )
            raise JobError(f"{name} {why}: choose another model.", param="model")
        self._check_size(name, told.bytes)
        shape = shape_of_config(self._hub.config(name), name=name)
        is_chat = self._is_chat(name)
        return BaseModel(
            name=name,
            title=name.partition("/")[2],
            about="It answers in turns." if is_chat else "It goes on with a text.",
            kind="chat" if is_chat else "base",
            licence=told.licence or "not said",
            place=name,
            usual=dict(_USUAL),
            sizes=shape,
            bytes=told.bytes,
        )

    def known(self) -> Iterable[BaseModel]:
        """Yield the presets, and whatever else of the hub lies here whole."""
        yield from PRESETS.values()
        for name in self._hub.noted():
            if name.lower() not in _BY_PLACE and self._hub.has(name):
                yield self.find(name)

    def is_here(self, base: BaseModel) -> bool:
        """Whether it lies whole on this computer."""
        return self._hub.has(base.place)

    def problem(self, base: BaseModel) -> str:
        """Return why it cannot be started from now, in a sentence; empty if it can.

        Waits half a second for the hub at most.
        """
        if self.is_here(base) or self._hub.is_there():
            return ""
        return "It needs the internet: it is not on this computer yet."

    def check(self, base: BaseModel) -> None:
        """Raise HubError unless it is here, or can be fetched now and has room."""
        if self.is_here(base):
            return
        told = self._hub.told(base.place)
        self._check_size(base.place, told.bytes)
        self._hub.file(base.place, TOKENIZER)
        check_room(self._hub.cache, told.bytes, base.place)

    def counter(self, base: BaseModel) -> CountTokens:
        """Return a count by the tokenizer of a model; raise HubError."""
        tokenizer = _tokenizer(self._hub.file(base.place, TOKENIZER), base.place)

        def count(texts: list[str]) -> list[int]:
            found = tokenizer.encode_batch(texts, add_special_tokens=False)
            return [len(one.ids) for one in found]

        return count

    def has_chat_marks(self, base: BaseModel) -> bool:
        """Whether its tokenizer knows the marks of turns; raise HubError."""
        tokenizer = _tokenizer(self._hub.file(base.place, TOKENIZER), base.place)
        return all(tokenizer.token_to_id(mark) is not None for mark in _CHAT_MARKS)

    def _is_chat(self, name: str) -> bool:
        try:
            text = self._hub.file(name, TOKENIZER_CONFIG).read_text("utf-8")
            template = json.loads(text).get("chat_template")
        except (OSError, ValueError, AttributeError) as error:
            raise HubError(f"The tokenizer of {name} cannot be read.") from error
        return _CHAT_MARKS[0] in str(template or "")

    def _check_size(self, name: str, size: int) -> None:
        if size > self._most_bytes:
            raise JobError(
                f"{name} is {size / 1e9:.1f} GB large, and at most"
                f" {self._most_bytes / 1e9:.1f} GB may be fetched here: choose a"
                " smaller model.",
                param="model",
            )


@lru_cache(maxsize=4)
def _tokenizer(path: Path, name: str) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:
        raise HubError(f"The tokenizer of {name} cannot be read: {error}.") from error
