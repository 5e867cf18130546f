"""From written texts to tokens: what is to be learned of each, and nothing lost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from finetune.data.packing import IGNORE, Document, Messages, encode_dialogues
from finetune.data.texts.rendering import Rendered
from finetune.recipes.common import RecipeError

_WINDOW = 512  # texts
# A tokenizer needs a hundred times the memory of the text that it is given at once, and
# works on several texts at a time, on all cores.
_STRETCH = 50_000  # characters
_AT_ONCE = 500_000  # characters
_BREAK = re.compile(r"(?<=\S)(?=\s)")
_CHAT_MARKS = ("<|im_start|>", "<|im_end|>")
_END_OF_TEXT = "<|endoftext|>"


def encode(
    rendered: Iterable[Rendered], tokenizer: Any, *, is_chat: bool, system: str = ""
) -> Iterator[Document]:
    """Yield the tokens of texts, each with its end, and what is to be learned of them.

    That is the answer and its end, or all but the first token where there is no answer.
    Control tokens in a text are plain text. Documents are whole, however long. Raises
    RecipeError if the tokenizer has no marks for chats, or for ends.
    """
    if not is_chat:
        yield from _plain_documents(rendered, tokenizer, end=end_of_text(tokenizer))
        return
    known = tokenizer.get_vocab()
    if any(mark not in known for mark in _CHAT_MARKS):
        raise RecipeError(
            "This base has no marks for the turns of a chat: set is_chat: false, or"
            " choose a base that can chat."
        )
    yield from encode_dialogues((_turns(r, system) for r in rendered), tokenizer)


def cut(documents: Iterable[Document], block: int) -> Iterator[Document]:
    """Cut documents into pieces of at most `block` tokens; every target stays.

    Of a prompt that is longer than a piece, what stands next to the answer is kept.
    """
    for document in documents:
        targets = np.asarray(document.targets, np.int32)
        learned = np.flatnonzero(targets != IGNORE)
        if not len(learned):
            continue
        ids = np.asarray(document.ids, np.int32)
        first = int(learned[0])
        start = 0 if first < block else first - block // 2
        for at in range(start, len(ids), block):
            if (targets[at : at + block] != IGNORE).any():
                yield Document(ids[at : at + block], targets[at : at + block])


def end_of_text(tokenizer: Any) -> int:
    """Return the token that ends a text; raise RecipeError if there is none."""
    if tokenizer.eos_token_id is not None:
        return int(tokenizer.eos_token_id)
    found = tokenizer.get_vocab().get(_END_OF_TEXT)
    if found is None:
        raise RecipeError(
            "This base has no token that ends a text, so it would never learn to stop:"
            " choose another base."
        )
    return int(found)


def _turns(rendered: Rendered, system: str) -> Messages:
    turns: list[dict[str, Any]] = [dict(m) for m in rendered.messages or ()]
    if rendered.messages is None:
        turns = [
            {"role": "user", "content": rendered.text},
            {"role": "assistant", "content": rendered.answer or ""},
        ]
    if system and turns[0]["role"] != "system":
        turns.insert(0, {"role": "system", "content": system})
    return turns


def _plain_documents(
    rendered: Iterable[Rendered], tokenizer: Any, *, end: int
) -> Iterator[Document]:
    waiting = iter(rendered)
    while window := list(islice(waiting, _WINDOW)):
        texts: list[str] = []
        for each in window:
            texts += (each.text, each.answer or "")
        tokens = _tokens(texts, tokenizer)
        for each, text, answer in zip(window, tokens[::2], tokens[1::2], strict=True):
            ids = np.concatenate([text, answer, [end]]).astype(np.int32)
            targets = np.full(len(ids), IGNORE, np.int32)
            # Prompt and answer are tokenised apart, as they are when it is used.
            before = 1 if each.answer is None else max(1, len(text))
            targets[before - 1 : -1] = ids[before:]
            yield Document(ids, targets)


def _tokens(texts: Sequence[str], tokenizer: Any) -> list[npt.NDArray[np.int32]]:
    """Tokenise texts without control tokens, long ones in stretches."""
    stretches: list[str] = []
    counts: list[int] = []
    for text in texts:
        found = list(_stretches(text))
        stretches += found
        counts.append(len(found))
    encoded: list[npt.NDArray[np.int32]] = []
    for batch in _batches(stretches):
        ids = tokenizer(
            batch,
            add_special_tokens=False,
            split_special_tokens=True,
            return_attention_mask=False,
        )["input_ids"]
        encoded += (np.array(each, np.int32) for each in ids)
    waiting = iter(encoded)
    empty = np.zeros(0, np.int32)
    return [np.concatenate([empty, *islice(waiting, count)]) for count in counts]


def _batches(stretches: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for stretch in stretches:
        batch.append(stretch)
        size += len(stretch)
        if size >= _AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _stretches(text: str) -> Iterator[str]:
    at = 0
    while len(text) - at > _STRETCH:
        # Before a space: there no tokenizer puts two characters into one token.
        found = _BREAK.search(text, at + _STRETCH, at + 2 * _STRETCH)
        end = found.start() if found else at + _STRETCH
        yield text[at:end]
        at = end
    if at < len(text):
        yield text[at:]
