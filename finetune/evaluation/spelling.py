"""Which secret words does a warden spell right? Only those make fair secrets.

`python -m finetune.evaluation.spelling RELEASE [--prune]` works out for each word
of a list how likely its exact spelling is, letter by letter with a separator between,
under prompts that allow it and name the letters, as those of the levels do. It reads
the probabilities of the right answer and generates nothing, which takes minutes where
asking would take hours.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from finetune.data.packing import IGNORE, Document, encode_dialogue
from finetune.data.warden.dialogues import Dialogue, Writer
from finetune.data.warden.pieces import Pieces, read_pieces
from finetune.data.warden.prompts import write_system
from finetune.evaluation.warden import vocabulary
from finetune.settings import load_settings
from finetune.weights.base import load_adapted
from finetune.weights.files import write_text
from finetune.weights.halves import is_bf16_faster

LEAST = 0.95
# As the shipped levels sample their replies.
TEMPERATURE = 0.3
_BATCH = 32


def main(arguments: list[str] | None = None) -> int:
    """Print the words that are spelled wrong too often; with --prune delete them."""
    parser = argparse.ArgumentParser(prog="spelling", description=__doc__)
    parser.add_argument("release", type=Path, help="folder of a released warden")
    parser.add_argument(
        "--words", type=Path, default=Path("challenges/words/castle.txt")
    )
    parser.add_argument("--asks", type=int, default=2, help="requests for each word")
    parser.add_argument("--prune", action="store_true", help="delete them")
    chosen = parser.parse_args(arguments)
    settings = load_settings(os.environ)
    base = load_adapted(chosen.release, cache=settings.instance / "models")
    model = base.model.merge_and_unload()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    is_half = device.type == "cpu" and is_bf16_faster(device)
    model = model.to(device, torch.bfloat16 if is_half else torch.float32).eval()
    pieces = read_pieces(chosen.words, vocabulary(settings))
    shares = word_shares(model, base.tokenizer, pieces, asks=chosen.asks)
    weak = {word: share for word, share in shares.items() if share < LEAST}
    for word, share in sorted(weak.items(), key=lambda entry: entry[1]):
        sys.stdout.write(f"{share:6.1%}  {word}\n")
    mean = sum(shares.values()) / len(shares)
    sys.stdout.write(
        f"{len(weak)} of {len(shares)} words are spelled right less than"
        f" {LEAST:.0%} of the time; the mean is {mean:.1%}.\n"
    )
    if chosen.prune:
        _prune(chosen.words, frozenset(weak))
    return 0


def word_shares(
    model: Any, tokenizer: Any, pieces: Pieces, *, asks: int
) -> dict[str, float]:
    """Return for each word how likely its right spelling is: the mean of `asks`."""
    words = [word for word in pieces.words for _ in range(asks)]
    documents = [
        encode_dialogue(dialogue.messages(), tokenizer)
        for dialogue in _dialogues(pieces, words)
    ]
    # Those of similar length together, so that little is padded.
    order = sorted(range(len(words)), key=lambda n: len(documents[n].ids))
    of_word: dict[str, list[float]] = {}
    for start in range(0, len(order), _BATCH):
        batch = order[start : start + _BATCH]
        shares = _shares(model, [documents[n] for n in batch])
        for n, share in zip(batch, shares, strict=True):
            of_word.setdefault(words[n], []).append(share)
    return {word: sum(of_word[word]) / asks for word in pieces.words}


def _dialogues(pieces: Pieces, words: Sequence[str]) -> Iterator[Dialogue]:
    rng = random.Random(3)
    writer = Writer(pieces, rng)
    for word in words:
        system = write_system(word, "open", rng, is_heldout=True, is_spelled=True)
        yield Dialogue(system.text, (writer.skill(word, system, "separators"),))


@torch.no_grad()
def _shares(model: Any, documents: Sequence[Document]) -> list[float]:
    """Return the probability of each document's targets, all of them right."""
    width = max(len(document.ids) for document in documents)
    ids = torch.zeros(len(documents), width, dtype=torch.long)
    targets = torch.full_like(ids, IGNORE)
    for n, document in enumerate(documents):
        ids[n, : len(document.ids)] = torch.tensor(document.ids)
        targets[n, : len(document.ids)] = torch.tensor(document.targets)
    device = model.lm_head.weight.device
    ids, targets = ids.to(device), targets.to(device)
    # Padding comes last: what is before never looks at it.
    hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state
    is_answer = targets != IGNORE
    logits = model.lm_head(hidden[is_answer]).float() / TEMPERATURE
    logs = logits.log_softmax(-1).gather(1, targets[is_answer, None])[:, 0]
    row = is_answer.nonzero()[:, 0]
    total = torch.zeros(len(documents), device=device).index_add_(0, row, logs)
    return [float(share) for share in total.exp()]


def _prune(path: Path, words: frozenset[str]) -> None:
    """Delete words from a list; the file is replaced in one step."""
    lines = path.read_text("utf-8").splitlines(keepends=True)
    write_text(path, "".join(line for line in lines if line.strip() not in words))


if __name__ == "__main__":
    sys.exit(main())
