"""From a whole model in the format of transformers to one GGUF file, in several sizes.

llama.cpp knows a model by its numbers and the names of its tensors: what it wants to be
told of each kind is in export_kinds.py, and of a tokenizer in export_tokens.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
from gguf import (
    GGMLQuantizationType,
    GGUFReader,
    GGUFValueType,
    GGUFWriter,
    LlamaFileType,
    quants,
)
from numpy.typing import NDArray

from finetune.weights.export_kinds import ExportError, kind_of, layers, tensors
from finetune.weights.export_tokens import add_tokenizer
from finetune.weights.files import replacing
from finetune.weights.merge import CHATML, Array

Quality = Literal["f16", "q8_0", "q4_0"]
QUALITIES: Final[tuple[Quality, ...]] = get_args(Quality)
WEIGHTS, CONFIG, TOKENIZER = "model.safetensors", "config.json", "tokenizer.json"

_TYPES = {
    "f16": (GGMLQuantizationType.F16, LlamaFileType.MOSTLY_F16),
    "q8_0": (GGMLQuantizationType.Q8_0, LlamaFileType.MOSTLY_Q8_0),
    "q4_0": (GGMLQuantizationType.Q4_0, LlamaFileType.MOSTLY_Q4_0),
}
# Numbers that share a scale in the smaller sizes.
_SHARED = 32
_EMBEDDING = "token_embd.weight"
_PLACES = "position_embd.weight"


def write_gguf(
    folder: Path,
    path: Path,
    *,
    name: str,
    quality: Quality = "f16",
    tokenizer_of: Path | None = None,
    is_chat: bool = False,
) -> None:
    """Write the model in a folder to a GGUF file.

    `tokenizer_of` is a GGUF file with the same tokenizer, which is taken from there;
    else that of the folder must be one of bytes and merges. A chat model is prompted
    with ChatML. Raises ExportError for other kinds of models, OSError if a file cannot
    be read or written; then nothing half-made is left.
    """
    config = _read_json(folder / CONFIG)
    kind = kind_of(config)
    with replacing(path) as new:
        writer = GGUFWriter(new, kind.name)
        writer.add_name(name)
        writer.add_file_type(int(_TYPES[quality][1]))
        writer.add_block_count(layers(config))
        writer.add_vocab_size(int(config["vocab_size"]))
        kind.describe(writer, config)
        if tokenizer_of is None:
            add_tokenizer(writer, _read_json(folder / TOKENIZER), config)
        else:
            _copy_tokenizer(writer, tokenizer_of)
        if is_chat:
            writer.add_chat_template(CHATML)
        for tensor, weight in _sorted(folder / WEIGHTS, config):
            data, form = packed(tensor, weight, quality)
            writer.add_tensor(tensor, data, raw_dtype=form)
        _finish(writer)


def write_quality(gguf: Path, path: Path, quality: Quality) -> None:
    """Write a GGUF file again in another size.

    From a smaller to a larger size nothing comes back that was lost.
    """
    reader = GGUFReader(gguf)
    architecture = reader.get_field("general.architecture")
    if architecture is None:
        raise ExportError(f"{gguf} does not say what kind of model it is.")
    with replacing(path) as new:
        writer = GGUFWriter(new, str(architecture.contents()))
        for field in reader.fields.values():
            if field.name == "general.file_type":
                writer.add_file_type(int(_TYPES[quality][1]))
            elif not field.name.startswith(("GGUF.", "general.architecture")):
                _copy(writer, field)
        for tensor in reader.tensors:
            weight = quants.dequantize(tensor.data, tensor.tensor_type)
            data, kind = packed(tensor.name, weight, quality)
            writer.add_tensor(tensor.name, data, raw_dtype=kind)
        _finish(writer)


def packed(
    name: str, weight: Array, quality: Quality
) -> tuple[NDArray[Any], GGMLQuantizationType]:
    """Return a tensor as it is written, and its type.

    Norms and places stay in 32 bits. The smallest size keeps 8 bits for the table of
    tokens, the part that suffers most; what the smaller sizes cannot divide stays at 16
    bits.
    """
    if weight.ndim == 1 or name == _PLACES:
        return weight.astype(np.float32), GGMLQuantizationType.F32
    kind = _TYPES[quality][0]
    if quality == "q4_0" and name == _EMBEDDING:
        kind = GGMLQuantizationType.Q8_0
    if quality == "f16" or weight.shape[-1] % _SHARED:
        return weight.astype(np.float16), GGMLQuantizationType.F16
    return quants.quantize(weight.astype(np.float32), kind), kind


def _sorted(path: Path, config: dict[str, Any]) -> list[tuple[str, Array]]:
    return sorted(tensors(path, config), key=lambda one: one[0])


def _copy_tokenizer(writer: GGUFWriter, gguf: Path) -> None:
    for field in GGUFReader(gguf).fields.values():
        if field.name.startswith("tokenizer.ggml."):
            _copy(writer, field)


def _copy(writer: GGUFWriter, field: Any) -> None:
    kind = field.types[0]
    inner = field.types[-1] if kind == GGUFValueType.ARRAY else None
    writer.add_key_value(field.name, field.contents(), kind, sub_type=inner)


def _finish(writer: GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _read_json(path: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ExportError(f"{path} cannot be read: {error}.") from error
    return told
