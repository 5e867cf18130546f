"""What llama.cpp wants to know of each kind of model, and how it turns its weights.

The names of tensors come from gguf's own tables. What those do not say is here: which
matrices lie the other way round, and in what order heads are written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from gguf import MODEL_ARCH, GGUFWriter, get_tensor_name_map
from safetensors import safe_open

from finetune.errors import FinetuneError
from finetune.weights.merge import Array, interleaved

Config = Mapping[str, Any]
_BLOOM_CONTEXT = 2048  # its positions have no end; it has read rows of that length
_ACTIVATIONS = {
    "silu": ("llama", "qwen2", "mistral"),
    "gelu_new": ("gpt2",),
    "gelu": ("gpt_neox",),
}


class ExportError(FinetuneError):
    """A model cannot be written as GGUF; the message is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of model: its name in llama.cpp, its sizes, and how a weight is turned.

    `prefix` is left out of names; those that end with one of `left_out` are no weights.
    """

    name: str
    architecture: MODEL_ARCH
    describe: Callable[[GGUFWriter, Config], None]
    turn: Callable[[str, Array, Config], Array]
    prefix: str = ""
    left_out: tuple[str, ...] = ()


def kind_of(config: Config) -> Kind:
    """Return the kind of a model; raise ExportError if llama.cpp has another form."""
    told = str(config.get("model_type"))
    if told not in KINDS:
        raise ExportError(
            f"A model of the kind {told} cannot be written as GGUF here: only"
            f" {', '.join(KINDS)} can."
        )
    act = config.get("hidden_act") or config.get("activation_function")
    if act is not None and told not in _ACTIVATIONS.get(act, ()):
        raise ExportError(f"A {told} with {act} inside cannot be written as GGUF.")
    for unusual in (
        "scale_attn_by_inverse_layer_idx",
        "apply_residual_connection_post_layernorm",
    ):
        if config.get(unusual):
            raise ExportError(f"A {told} with {unusual} cannot be written as GGUF.")
    return KINDS[told]


def tensors(path: Path, config: Config) -> Iterator[tuple[str, Array]]:
    """Yield GGUF name and weights in 32 bits, in the order that llama.cpp turns them.

    Raises ExportError for a weight that has no place there.
    """
    kind = kind_of(config)
    names = get_tensor_name_map(kind.architecture, layers(config))
    with safe_open(path, framework="np") as file:
        for key in sorted(file.keys()):
            if key.endswith(kind.left_out):
                continue
            found = names.get_name(
                key.removeprefix(kind.prefix), try_suffixes=(".weight", ".bias")
            )
            if found is None:
                raise ExportError(f"{path}: there is no place in GGUF for {key}.")
            weight = file.get_tensor(key).astype(np.float32)
            yield found, kind.turn(key, weight, config)


def layers(config: Config) -> int:
    """Return the number of blocks."""
    return int(config.get("num_hidden_layers") or config["n_layer"])


def _describe_llama(writer: GGUFWriter, config: Config) -> None:
    heads, width = int(config["num_attention_heads"]), int(config["hidden_size"])
    size = int(config.get("head_dim") or width // heads)
    writer.add_context_length(int(config["max_position_embeddings"]))
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(int(config["intermediate_size"]))
    writer.add_head_count(heads)
    writer.add_head_count_kv(int(config["num_key_value_heads"]))
    writer.add_key_length(size)
    writer.add_value_length(size)
    writer.add_rope_dimension_count(size)
    writer.add_rope_freq_base(float(_rope(config, "rope_theta", 10_000.0)))
    writer.add_layer_norm_rms_eps(float(config["rms_norm_eps"]))


def _describe_gpt2(writer: GGUFWriter, config: Config) -> None:
    width = int(config["n_embd"])
    writer.add_context_length(int(config["n_positions"]))
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(int(config.get("n_inner") or 4 * width))
    writer.add_head_count(int(config["n_head"]))
    writer.add_layer_norm_eps(float(config["layer_norm_epsilon"]))


def _describe_neox(writer: GGUFWriter, config: Config) -> None:
    heads, width = int(config["num_attention_heads"]), int(config["hidden_size"])
    turned = _rope(config, "partial_rotary_factor", config.get("rotary_pct", 0.25))
    base = _rope(config, "rope_theta", config.get("rotary_emb_base", 10_000.0))
    writer.add_context_length(int(config["max_position_embeddings"]))
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(int(config["intermediate_size"]))
    writer.add_head_count(heads)
    writer.add_rope_dimension_count(int(turned * (width // heads)))
    writer.add_rope_freq_base(float(base))
    writer.add_parallel_residual(bool(config.get("use_parallel_residual", True)))
    writer.add_layer_norm_eps(float(config["layer_norm_eps"]))


def _describe_bloom(writer: GGUFWriter, config: Config) -> None:
    width, heads = int(config["hidden_size"]), int(config["n_head"])
    writer.add_context_length(int(config.get("seq_length") or _BLOOM_CONTEXT))
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(4 * width)
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_layer_norm_eps(float(config["layer_norm_epsilon"]))


def _rope(config: Config, name: str, default: Any) -> Any:
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if rope.get("rope_type", "default") != "default":
        raise ExportError(
            f"Its positions are scaled ({rope['rope_type']}): this cannot be written"
            " as GGUF yet."
        )
    return rope.get(name) or config.get(name) or default


def _turn_llama(key: str, weight: Array, config: Config) -> Array:
    """Its positions turn neighbouring numbers; in transformers those are halves."""
    for part, heads in (
        ("q_proj", "num_attention_heads"),
        ("k_proj", "num_key_value_heads"),
    ):
        if key.endswith(f"{part}.weight"):
            return interleaved(weight, int(config[heads]))
        if key.endswith(f"{part}.bias"):
            raise ExportError(f"There is no place in GGUF for {key} of such a model.")
    return weight


def _turn_gpt2(key: str, weight: Array, _: Config) -> Array:
    """Its matrices are written as (in, out)."""
    is_matrix = key.endswith((".c_attn.weight", ".c_proj.weight", ".c_fc.weight"))
    return np.ascontiguousarray(weight.T) if is_matrix else weight


def _turn_fused(key: str, weight: Array, config: Config) -> Array:
    """Put first what all heads ask; in transformers each head's parts lie together."""
    if ".query_key_value." not in key:
        return weight
    heads = int(config.get("num_attention_heads") or config["n_head"])
    parted = weight.reshape(heads, 3, -1, *weight.shape[1:])
    return np.ascontiguousarray(parted.swapaxes(0, 1).reshape(weight.shape))


def _as_it_is(_: str, weight: Array, __: Config) -> Array:
    return weight


_LLAMA = Kind("llama", MODEL_ARCH.LLAMA, _describe_llama, _turn_llama)
KINDS: Final[Mapping[str, Kind]] = {
    "llama": _LLAMA,
    "mistral": _LLAMA,
    "qwen2": Kind("qwen2", MODEL_ARCH.QWEN2, _describe_llama, _as_it_is),
    "gpt2": Kind(
        "gpt2",
        MODEL_ARCH.GPT2,
        _describe_gpt2,
        _turn_gpt2,
        left_out=(".attn.bias", ".attn.masked_bias"),
    ),
    "gpt_neox": Kind("gptneox", MODEL_ARCH.GPTNEOX, _describe_neox, _turn_fused),
    "bloom": Kind(
        "bloom", MODEL_ARCH.BLOOM, _describe_bloom, _turn_fused, prefix="transformer."
    ),
}
