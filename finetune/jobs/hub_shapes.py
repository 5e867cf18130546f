"""The shape of a model of the hub, by its config.json: no weights are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from finetune.jobs.errors import JobError
from finetune.jobs.shapes import Shape

Config = Mapping[str, Any]


def shape_of_config(config: Config, *, name: str) -> Shape:
    """Return the shape that a config.json tells.

    Raises JobError if the loop is not tested with models of that kind, or a size is
    missing or is no number.
    """
    kind = str(config.get("model_type", ""))
    if kind not in _KINDS:
        raise JobError(
            f"{name} is a model of the kind {kind[:40] or 'unknown'}, which cannot be"
            f" trained here: choose one of the kinds {', '.join(_KINDS)}.",
            param="model",
        )
    try:
        shape = _KINDS[kind](config)
        if min(shape[:6]) < 1 or (shape.width % shape.heads and not shape.head_size):
            raise ValueError("a size that cannot be")
    except (KeyError, TypeError, ValueError) as error:
        raise JobError(
            f"The config.json of {name} does not say how large the model is ({error}):"
            " choose another model.",
            param="model",
        ) from error
    return shape


def _llama(config: Config) -> Shape:
    heads = int(config["num_attention_heads"])
    return Shape(
        layers=int(config["num_hidden_layers"]),
        width=int(config["hidden_size"]),
        inner=int(config["intermediate_size"]),
        heads=heads,
        kv_heads=int(config.get("num_key_value_heads") or heads),
        vocabulary=int(config["vocab_size"]),
        table_count=_tables(config, default=False),
        head_size=int(config.get("head_dim") or 0),
        has_qkv_bias=config["model_type"] == "qwen2",
    )


def _gpt2(config: Config) -> Shape:
    width = _first(config, "n_embd", "hidden_size")
    return Shape(
        layers=_first(config, "n_layer", "num_hidden_layers"),
        width=width,
        inner=int(config.get("n_inner") or 4 * width),
        heads=_first(config, "n_head", "num_attention_heads"),
        kv_heads=_first(config, "n_head", "num_attention_heads"),
        vocabulary=int(config["vocab_size"]),
        table_count=_tables(config, default=True),
        places=_first(config, "n_positions", "n_ctx"),
        is_like_gpt=True,
    )


def _neox(config: Config) -> Shape:
    heads = int(config["num_attention_heads"])
    return Shape(
        layers=int(config["num_hidden_layers"]),
        width=int(config["hidden_size"]),
        inner=int(config["intermediate_size"]),
        heads=heads,
        kv_heads=heads,
        vocabulary=int(config["vocab_size"]),
        table_count=_tables(config, default=False),
        is_like_gpt=True,
    )


def _bloom(config: Config) -> Shape:
    # The first files of BLOOM have other names than transformers writes today.
    width = _first(config, "hidden_size", "n_embed")
    heads = _first(config, "n_head", "num_attention_heads")
    return Shape(
        layers=_first(config, "n_layer", "num_hidden_layers"),
        width=width,
        inner=4 * width,
        heads=heads,
        kv_heads=heads,
        vocabulary=int(config["vocab_size"]),
        table_count=_tables(config, default=True),
        is_like_gpt=True,
        extra_norms=2,
    )


def _tables(config: Config, *, default: bool) -> int:
    return 1 if config.get("tie_word_embeddings", default) else 2


def _first(config: Config, *names: str) -> int:
    for name in names:
        if config.get(name) is not None:
            return int(config[name])
    raise KeyError(names[0])


_KINDS: Final[Mapping[str, Callable[[Config], Shape]]] = {
    "llama": _llama,
    "qwen2": _llama,
    "mistral": _llama,
    "gpt2": _gpt2,
    "gpt_neox": _neox,
    "bloom": _bloom,
}
