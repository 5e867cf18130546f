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

from finetune.weights.releases import Release, ReleaseError

Array = NDArray[np.float32]

ADAPTER = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
# What training writes (finetune/data/packing.py): ChatML, and nothing before the first
# message. A base's own template may put a system prompt there that was never learned.
CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n'"
    " + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
_TEMPLATE = "tokenizer.chat_template"
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
    """Write the base with the deltas added; changed tensors become Q8_0.

    It is prompted as it was trained: with `CHATML`.
    """
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
        delta = interleaved(delta, count)
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
        elif field.name == _TEMPLATE:
            value = CHATML
        writer.add_key_value(field.name, value, kind, sub_type=inner)


def _number(reader: GGUFReader, name: str) -> int:
    field = reader.get_field(name)
    if field is None:
        raise ReleaseError(f"The base has no {name}: only llama models can be merged.")
    return int(field.contents())


def interleaved(weights: Array, heads: int) -> Array:
    """Order the rows of q or k as llama.cpp rotates them: pairs, not halves."""
    rows, width = weights.shape
    halves = weights.reshape(heads, 2, rows // heads // 2, width)
    return halves.swapaxes(1, 2).reshape(rows, width)
