"""The rows that a language-model recipe asks for, split before anything else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from finetune.data.packing import IGNORE, Messages, PackedRows, encode_dialogues, pack
from finetune.data.rows import cut, encode, end_of_text
from finetune.data.scribe import dialogues as scribe
from finetune.data.texts.errors import DataError
from finetune.data.texts.reading import read_table
from finetune.data.texts.rendering import Rendered, render_rows
from finetune.data.texts.splitting import Split, split, take
from finetune.data.texts.suggesting import resolve
from finetune.data.warden.dialogues import write_dialogues
from finetune.data.warden.pieces import read_pieces, read_words
from finetune.recipes.common import RecipeError
from finetune.recipes.lm import DialogueFile, LmRecipe, ScribeData, TextRows, WardenData

# Enough for a steady figure; each is judged many times in a run.
_HELDOUT_DIALOGUES = 600
_ROLES = ("system", "user", "assistant")


class DialogueRows(NamedTuple):
    """Packed rows to learn from and to judge by."""

    train: PackedRows
    heldout: PackedRows


def read_rows(recipe: LmRecipe, tokenizer: Any) -> DialogueRows:
    """Write or read the dialogues or texts of a recipe and pack them.

    Raises RecipeError, DataError or PiecesError if the data cannot be used.
    """
    if isinstance(recipe.data, TextRows):
        data, parts = _texts(recipe.data, recipe.seed)
        return DialogueRows(
            *(
                _pack_texts(part, data, recipe, tokenizer)
                for part in (parts.train, parts.validation)
            )
        )
    if isinstance(recipe.data, WardenData):
        train, heldout = _warden(recipe.data, tokenizer, recipe.seed)
    elif isinstance(recipe.data, ScribeData):
        train, heldout = _scribe(recipe.data, recipe.seed)
    else:
        train, heldout = _from_file(recipe.data)
    return DialogueRows(*(_pack(part, recipe, tokenizer) for part in (train, heldout)))


def resolved(recipe: LmRecipe) -> LmRecipe:
    """Return a recipe whose settings of texts are those that are used with its file.

    Raises DataError if the file cannot be used.
    """
    if not isinstance(recipe.data, TextRows):
        return recipe
    data = recipe.data
    table = read_table(data.path, format=data.format, documents=data.documents)
    return recipe.model_copy(update={"data": resolve(table, data)})


def read_test_rows(recipe: LmRecipe, tokenizer: Any) -> PackedRows:
    """Return the part of a recipe's texts that is locked until one asks for it.

    Raises RecipeError if there is none, DataError if the data cannot be used.
    """
    if not isinstance(recipe.data, TextRows) or recipe.data.test == 0:
        raise RecipeError(
            f"The data of {recipe.name} has no test part: only rows of a file with a"
            " test share above 0 have one."
        )
    data, parts = _texts(recipe.data, recipe.seed)
    return _pack_texts(parts.test, data, recipe, tokenizer)


def locked_answers(recipe: LmRecipe, *, most: int, chars: int) -> list[Rendered]:
    """Return rows of the locked part that ask something and have an answer.

    They are the first `most` of at most `chars` characters. Raises as `read_test_rows`.
    """
    if not isinstance(recipe.data, TextRows):
        return []
    _, parts = _texts(recipe.data, recipe.seed)
    asking = (
        each
        for each in parts.test
        if each.answer is not None and each.text.strip() and len(each.whole()) <= chars
    )
    return list(islice(asking, most))


def training_texts(recipe: LmRecipe) -> Iterator[str]:
    """Yield what a recipe with rows of texts learns from, as it is written.

    The held-out parts are not among it. Raises RecipeError or DataError.
    """
    if not isinstance(recipe.data, TextRows):
        raise RecipeError(
            f"The data of {recipe.name} is dialogues: a model from nothing learns from"
            " rows of a file."
        )
    _, parts = _texts(recipe.data, recipe.seed)
    return (each.whole() for each in parts.train)


def is_chat(recipe: LmRecipe) -> bool:
    """Say whether a recipe learns the turns of chats, as its rows are written.

    Raises DataError if they cannot be read.
    """
    data = recipe.data
    if not isinstance(data, TextRows) or data.is_chat:
        return True
    table = read_table(data.path, format=data.format, documents=data.documents)
    return resolve(table, data).is_chat


def _texts(data: TextRows, seed: int) -> tuple[TextRows, Split]:
    """Read, write and split; return the settings as they are used, and the parts."""
    table = read_table(data.path, format=data.format, documents=data.documents)
    data = resolve(table, data)
    parts = split(
        render_rows(table, data), validation=data.validation, test=data.test, seed=seed
    )
    train = take(parts.train, data.most_rows, seed=seed)
    return data, Split(train, parts.validation, parts.test)


def _pack_texts(
    part: list[Rendered], data: TextRows, recipe: LmRecipe, tokenizer: Any
) -> PackedRows:
    documents = encode(part, tokenizer, is_chat=data.is_chat, system=data.system)
    rows = pack(
        cut(documents, recipe.block), recipe.block, filler=end_of_text(tokenizer)
    )
    if not len(rows):
        raise DataError(f"{data.path.name} has nothing to learn in one of its parts.")
    return rows


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


def _scribe(
    data: ScribeData, seed: int
) -> tuple[Iterable[Messages], Iterable[Messages]]:
    nouns = read_words(data.words)
    return (
        scribe.write_dialogues(nouns, data.dialogues, seed=seed),
        scribe.write_dialogues(nouns, _HELDOUT_DIALOGUES, seed=seed, is_heldout=True),
    )


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
