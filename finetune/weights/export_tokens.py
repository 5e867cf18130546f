"""A tokenizer.json, as llama.cpp wants to be told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gguf import GGUFWriter, TokenType

from finetune.weights.export_kinds import ExportError

_BYTES_KIND: Final = "gpt2"
_PLAIN: Final = "gpt-2"
# llama.cpp knows ways to cut a text by name; each begins with a rule of its own.
_CUTS: Final = {
    " ?[^(\\s|[": "bloom",
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|":
        "llama-bpe",
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|": "qwen2",
}  # fmt: skip
# llama.cpp takes no empty list of merges; these parts never come out of a text.
_NO_MERGE: Final = "<| |>"


def add_tokenizer(
    writer: GGUFWriter, told: Mapping[str, Any], config: Mapping[str, Any]
) -> None:
    """Write a tokenizer of bytes and merges; `told` is its tokenizer.json.

    Raises ExportError if it is of another kind, or cuts texts in an unknown way.
    """
    model = told["model"]
    cut = way_to_cut(told.get("pre_tokenizer") or {})
    if model.get("type") != "BPE" or not cut:
        raise ExportError(
            "Its tokenizer is not one of bytes and merges that the engine knows: only"
            " such can be written."
        )
    added = {one["content"]: one for one in told["added_tokens"]}
    numbers: dict[str, int] = dict(model["vocab"])
    numbers |= {text: one["id"] for text, one in added.items()}
    tokens = sorted(numbers, key=lambda text: numbers[text])
    size = int(config["vocab_size"])
    is_whole = [numbers[text] for text in tokens] == list(range(len(tokens)))
    if not is_whole or len(tokens) > size:
        raise ExportError("Its tokenizer and its weights count tokens differently.")
    kinds = [_kind(added.get(text)) for text in tokens]
    # Some tables have more rows than there are tokens, to be of a round size.
    unused = range(len(tokens), size)
    writer.add_tokenizer_model(_BYTES_KIND)
    writer.add_tokenizer_pre(cut)
    writer.add_token_list([*tokens, *(f"[PAD{number}]" for number in unused)])
    writer.add_token_types([*kinds, *(int(TokenType.UNUSED) for _ in unused)])
    writer.add_token_merges(_merges(model["merges"]))
    writer.add_eos_token_id(_end(config))
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(False)


def way_to_cut(pieces: Mapping[str, Any]) -> str:
    """Return llama.cpp's name for how a text is cut before merging, or ""."""
    steps = pieces.get("pretokenizers", [pieces])
    last = steps[-1] if steps else {}
    if last.get("type") != "ByteLevel" or last.get("add_prefix_space"):
        return ""
    match steps[:-1]:
        case []:
            return _PLAIN if last.get("use_regex", True) else ""
        case [{"type": "Digits", "individual_digits": True}]:
            return "smollm" if last.get("use_regex", True) else ""
        case [{"type": "Split", "pattern": {"Regex": str(rule)}, "invert": False}]:
            names = [name for begin, name in _CUTS.items() if rule.startswith(begin)]
            return names[0] if names and not last.get("use_regex", True) else ""
    return ""


def _kind(added: Mapping[str, Any] | None) -> int:
    if added is None:
        return int(TokenType.NORMAL)
    return int(TokenType.CONTROL if added["special"] else TokenType.USER_DEFINED)


def _merges(merges: Sequence[str | Sequence[str]]) -> list[str]:
    pairs = [one if isinstance(one, str) else " ".join(one) for one in merges]
    return pairs or [_NO_MERGE]


def _end(config: Mapping[str, Any]) -> int:
    told = config.get("eos_token_id")
    ends = told if isinstance(told, list) else [told]
    if not ends or ends[0] is None:
        raise ExportError("Its config does not say which token ends a text.")
    return int(ends[0])
