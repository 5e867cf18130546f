"""From a base and a released adapter to one GGUF file that the engine can serve.

Done once, at the first start: llama.cpp never batches streams of different adapters, so
an adapter is the form to release and a merged file the form to serve.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from gguf import (
    GGMLQuantizationType,
    GGUFReader,
    GGUFValueType,
    GGUFWriter,
    LlamaFileType,
    ReaderTensor,
    quants,
)
from numpy.typing import NDArray
from safetensors import safe_open

from finetune.weights.files import made_once
from finetune.weights.places import find_file
from finetune.weights.releases import MANIFEST, Release, ReleaseError, read_release

Array = NDArray[np.float32]

ADAPTER = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
ADAPTERS = Path(__file__).parent.parent / "adapters"
# module of transformers → tensor of GGUF
_NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_LORA = re.compile(r"layers\.(\d+)\.(\w+\.\w+)\.lora_([AB])\.weight$")


def served_file(place: str, cache: Path) -> Path:
    """Return the GGUF file of any place; an adapter is merged on first use.

    Raises ModelMissing, ReleaseError or OSError.
    """
    folder = release_folder(place)
    return merged_model(folder, cache) if folder else find_file(place, cache=cache)


def release_folder(place: str) -> Path | None:
    """Return the folder of the release at a place, None if it is none."""
    if place.startswith("adapter:"):
        return ADAPTERS / place.removeprefix("adapter:")
    return Path(place) if (Path(place) / MANIFEST).is_file() else None


def merged_model(folder: Path, cache: Path) -> Path:
    """Return the merged GGUF of a release, made now if it is not in `cache` yet.

    Raises ReleaseError if the release or its base is not what it should be, OSError
    if the file cannot be written; then nothing half-made is left.
    """
    release = read_release(folder)
    path = cache / f"{release.name}-{release.version}.gguf"
    if path.is_file():
        return path
    base = find_file(release.base_place, cache=cache)
    release = read_release(folder, base=base)
    return made_once(path, lambda new: write_merged(base, read_deltas(release), new))


def read_deltas(release: Release) -> dict[str, Array]:
    """Return GGUF tensor name → what a LoRA adapter adds to it: (out, in), fp32."""
    config = json.loads(release.file(CONFIG).read_text("utf-8"))
    scale = config["lora_alpha"] / config["r"]
    halves: dict[tuple[str, str], Array] = {}
    with safe_open(release.file(ADAPTER), framework="pt") as file:
        for key in file.keys():  # noqa: SIM118 -- it is not a mapping
            match = _LORA.search(key)
            if match is None or match[2] not in _NAMES:
                raise ReleaseError(f"{release.folder}: unknown tensor {key}.")
            name = f"blk.{match[1]}.{_NAMES[match[2]]}.weight"
            halves[name, match[3]] = file.get_tensor(key).float().numpy()
    names = {name for name, _ in halves}
    return {n: scale * (halves[n, "B"] @ halves[n, "A"]) for n in sorted(names)}


def write_merged(base: Path, deltas: Mapping[str, Array], path: Path) -> None:
    """Write the base with the deltas added; changed tensors become Q8_0."""
    reader = GGUFReader(base)
    heads = {
        "attn_q": _number(reader, "llama.attention.head_count"),
        "attn_k": _number(reader, "llama.attention.head_count_kv"),
    }
    writer = GGUFWriter(path, "llama")
    _copy_settings(reader, writer)
    # One thread for each core: a first start waits for this.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        merged = pool.map(lambda one: _merged(one, deltas, heads), reader.tensors)
        for tensor, (data, kind) in zip(reader.tensors, merged, strict=True):
            writer.add_tensor(tensor.name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _merged(
    tensor: ReaderTensor, deltas: Mapping[str, Array], heads: Mapping[str, int]
) -> tuple[NDArray[Any], GGMLQuantizationType]:
    """Return what a tensor of the base becomes, and its type."""
    delta = deltas.get(tensor.name)
    if delta is None:
        return tensor.data, tensor.tensor_type
    count = heads.get(tensor.name.split(".")[2])
    if count is not None:
        delta = _interleave(delta, count)
    whole = quants.dequantize(tensor.data, tensor.tensor_type) + delta
    kind = GGMLQuantizationType.Q8_0
    return quants.quantize(whole, kind), kind


def _copy_settings(reader: GGUFReader, writer: GGUFWriter) -> None:
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name == "general.architecture":
            continue
        kind = field.types[0]
        inner = field.types[-1] if kind == GGUFValueType.ARRAY else None
        value: Any = field.contents()
        if field.name == "general.file_type":
            value = int(LlamaFileType.MOSTLY_Q8_0)
        writer.add_key_value(field.name, value, kind, sub_type=inner)


def _number(reader: GGUFReader, name: str) -> int:
    field = reader.get_field(name)
    if field is None:
        raise ReleaseError(f"The base has no {name}: only llama models can be merged.")
    return int(field.contents())


def _interleave(weights: Array, heads: int) -> Array:
    """Order the rows of q or k as llama.cpp rotates them: pairs, not halves."""
    rows, width = weights.shape
    halves = weights.reshape(heads, 2, rows // heads // 2, width)
    return halves.swapaxes(1, 2).reshape(rows, width)
