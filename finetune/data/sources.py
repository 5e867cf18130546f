"""The rows that a language-model recipe asks for, split before anything else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from finetune.data.packing import IGNORE, Messages, PackedRows, encode_dialogues, pack
from finetune.data.warden.dialogues import write_dialogues
from finetune.data.warden.pieces import read_pieces
from finetune.recipes.common import RecipeError
from finetune.recipes.lm import DialogueFile, LmRecipe, WardenData

# Enough for a steady figure; each is judged many times in a run.
_HELDOUT_DIALOGUES = 600
_ROLES = ("system", "user", "assistant")


class DialogueRows(NamedTuple):
    """Packed rows to learn from and to judge by."""

    train: PackedRows
    heldout: PackedRows


def read_rows(recipe: LmRecipe, tokenizer: Any) -> DialogueRows:
    """Write or read the dialogues of a recipe and pack them.

    Raises RecipeError or PiecesError if the data cannot be used.
    """
    if isinstance(recipe.data, WardenData):
        train, heldout = _warden(recipe.data, tokenizer, recipe.seed)
    else:
        train, heldout = _from_file(recipe.data)
    return DialogueRows(*(_pack(part, recipe, tokenizer) for part in (train, heldout)))


def vocabulary(tokenizer: Any) -> list[str]:
    """Return the texts that the tokenizer knows as one token after a space."""
    return [token[1:] for token in tokenizer.get_vocab() if token.startswith("Ġ")]


def _warden(
    data: WardenData, tokenizer: Any, seed: int
) -> tuple[Iterable[Messages], Iterable[Messages]]:
    pieces = read_pieces(data.words, vocabulary(tokenizer))
    train = write_dialogues(pieces, data.dialogues, seed=seed)
    heldout = write_dialogues(pieces, _HELDOUT_DIALOGUES, seed=seed, is_heldout=True)
    return (d.messages() for d in train), (d.messages() for d in heldout)


def _from_file(data: DialogueFile) -> tuple[list[Messages], list[Messages]]:
    """Split a file by dialogue: the same text is never on both sides."""
    train: list[Messages] = []
    heldout: list[Messages] = []
    for messages in _read_dialogues(data.path):
        text = json.dumps(messages, ensure_ascii=False)
        draw = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) / 2**32
        (heldout if draw < data.heldout else train).append(messages)
    if not train or not heldout:
        raise RecipeError(
            f"{data.path} has too few dialogues to keep some for judging:"
            f" {len(train)} to learn from and {len(heldout)} held out."
        )
    return train, heldout


def _read_dialogues(path: Path) -> Iterable[Messages]:
    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"The dataset {path} cannot be read: {error}.") from error
    seen = set()
    for number, line in enumerate(lines, 1):
        if not line.strip() or line in seen:
            continue
        seen.add(line)
        yield _dialogue(line, f"{path}:{number}")


def _dialogue(line: str, where: str) -> Messages:
    try:
        messages = json.loads(line)["messages"]
        dialogue = [{"role": m["role"], "content": m["content"]} for m in messages]
    except (ValueError, KeyError, TypeError) as error:
        raise RecipeError(
            f'{where}: a row is {{"messages": [{{"role", "content"}}, …]}}.'
        ) from error
    for message in dialogue:
        if _is_torn(message["content"]):
            raise RecipeError(
                f"{where}: it holds half of a character, such as \\ud83d alone."
            )
        if message["role"] not in _ROLES or not isinstance(message["content"], str):
            raise RecipeError(
                f"{where}: a message has a role ({', '.join(_ROLES)}) and a text."
            )
    if all(message["role"] != "assistant" for message in dialogue):
        raise RecipeError(
            f"{where}: there is nothing to learn: no message is the assistant's."
        )
    return dialogue


def _is_torn(text: object) -> bool:
    return isinstance(text, str) and any("\ud800" <= c <= "\udfff" for c in text)


def _pack(
    dialogues: Iterable[Messages], recipe: LmRecipe, tokenizer: Any
) -> PackedRows:
    documents = encode_dialogues(dialogues, tokenizer)
    rows = pack(documents, recipe.block, filler=tokenizer.eos_token_id)
    if not bool((rows.targets != IGNORE).any()):
        raise RecipeError(
            f"No answer begins within the first {recipe.block} tokens of a dialogue:"
            " raise block, or shorten what stands before the answers."
        )
    return rows
