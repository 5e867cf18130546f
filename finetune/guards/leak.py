"""The leak guard: does a reply, or the visit so far, give the secret away?

Decoders come first: they are exact. What they cannot see, the meaning and single
pieces, is judged by a small head on the evidence of the sentence model.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from finetune.guards.decoders import DECODERS
from finetune.guards.detector import (
    ADAPTER,
    in_8_bits,
    load_encoder,
    spans,
    tokenise,
    windows,
)
from finetune.guards.evidence import NAMES, Vectors, covered, evidence, passages
from finetune.guards.judge import (
    MOST_TOKENS,
    Case,
    EarlierTurn,
    Judgement,
    TextTooLong,
    WeighedPiece,
)
from finetune.guards.minilm import MiniLM, load_tokenizer, pad
from finetune.guards.occlusion import pieces_of, weigh
from finetune.guards.text import with_gaps, words
from finetune.weights.releases import read_release

HEAD = "head.safetensors"
GUARD = "guard.json"
_WINDOW = 128
# As long as a short clause: in more, a hint would be lost among other words.
_PIECE = 16
_WIDTH = 32
# Common words that a secret is compared with: how many, the first, and the step.
_REFERENCE, _FIRST, _STEP = 1000, 2500, 9
# The pieces of a visit give the word away if they make up this share of it.
_COVERED = 0.6
_BATCH = 64
# Texts whose vectors are kept, of 1.5 kB each.
_KEPT = 4096
# A reading takes longer than the gate's, and replies are short.
_MOST_PIECES = 24


class Head(nn.Module):
    """Evidence → one logit. The numbers are first brought to the same scale."""

    mean: Tensor
    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(len(NAMES)))
        self.register_buffer("spread", torch.ones(len(NAMES)))
        self.layers = nn.Sequential(
            nn.Linear(len(NAMES), _WIDTH),
            nn.GELU(),
            nn.Linear(_WIDTH, _WIDTH),
            nn.GELU(),
            nn.Linear(_WIDTH, 1),
        )

    def forward(self, evidence_rows: Tensor) -> Tensor:
        """Return logits (replies,) of evidence (replies, numbers)."""
        return self.layers((evidence_rows - self.mean) / self.spread)[:, 0]  # type: ignore[no-any-return]


class Meanings:
    """The sentence model as the leak guard uses it: texts → unit vectors."""

    def __init__(self, base: Path, adapter: Path) -> None:
        self._model: MiniLM = load_encoder(base, adapter)
        in_8_bits(self._model)
        self._tokenizer: Tokenizer = load_tokenizer(base)
        # A visit is judged after each of its replies, and most of it was read before.
        self.vector = lru_cache(maxsize=_KEPT)(self._vector)
        vocabulary = (base / "vocab.txt").read_text("utf-8").splitlines()
        self.common = common_words(vocabulary)

    @torch.inference_mode()
    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector for each text, of its first window."""
        rows = [windows(ids, _WINDOW)[0] for ids in tokenise(self._tokenizer, texts)]
        batches = [
            F.normalize(self._model(pad(rows[start : start + _BATCH])), dim=-1)
            for start in range(0, len(rows), _BATCH)
        ]
        return np.asarray(torch.cat(batches).numpy(), dtype=np.float32)

    def cut(self, text: str) -> list[str]:
        """Return a sentence that is longer than a window in pieces that overlap."""
        text = with_gaps(text)
        tokens = self._tokenizer.encode(text, add_special_tokens=False)
        if len(spans(len(tokens.ids), _WINDOW)) == 1:
            return [text]
        places = [tokens.offsets[span] for span in spans(len(tokens.ids), _PIECE)]
        return [text[place[0][0] : place[-1][1]] for place in places]

    def count(self, text: str) -> int:
        """Return how many tokens a text has."""
        return len(tokenise(self._tokenizer, [text])[0])

    def _vector(self, text: str) -> Vectors:
        """Read a text by itself: in 8 bits a batch shares its scale."""
        return np.asarray(self.embed([text])[0])


def common_words(vocabulary: Sequence[str]) -> list[str]:
    """Pick words that are neither very common nor rare from the model's list."""
    plain = [w for w in vocabulary if w.isascii() and w.isalpha() and 4 <= len(w) <= 9]
    return plain[_FIRST::_STEP][:_REFERENCE]


class Leak:
    """The released leak guard, ready to judge."""

    def __init__(self, base: Path, release: Path) -> None:
        """`base` is the folder of the sentence model; raises ReleaseError."""
        released = read_release(release, base=base / "model.safetensors")
        settings = released.settings(GUARD, ("threshold", "temperature"))
        weights = load_file(released.file(HEAD))
        self.version = released.version
        self.threshold: float = settings["threshold"]
        self._temperature: float = settings["temperature"]
        self._reference = weights.pop("reference").float().numpy()
        self._head = Head()
        self._head.load_state_dict(weights)
        self._head.eval()
        self._meanings = Meanings(base, released.file(ADAPTER))

    def judge(self, case: Case) -> Judgement:
        """Look for the secret in every disguise, in pieces, and for its meaning."""
        bare = "".join(words(case.secret or ""))
        if not bare:
            nothing = dict.fromkeys((*DECODERS, "pieces", "meaning"), 0.0)
            return Judgement(nothing, self.threshold, self.version)
        scores = self._scores(case.text, case.earlier, bare)
        highlights: tuple[WeighedPiece, ...] = ()
        if case.highlights:
            highlights = weigh(
                pieces_of(case.text, _MOST_PIECES),
                lambda texts: [
                    max(self._scores(text, case.earlier, bare).values())
                    for text in texts
                ],
            )
        return Judgement(scores, self.threshold, self.version, highlights)

    def _scores(
        self, text: str, earlier: tuple[EarlierTurn, ...], bare: str
    ) -> dict[str, float]:
        replies = [*(exchange.reply for exchange in earlier), text]
        texts = list(dict.fromkeys([text, "\n".join(replies)]))
        if (tokens := self._meanings.count(texts[-1])) > MOST_TOKENS:
            raise TextTooLong(tokens)
        scores = {
            name: float(
                any(decode(text, bare) for decode in decoders for text in texts)
            )
            for name, decoders in DECODERS.items()
        }
        scores["pieces"] = float(covered(replies, bare) >= _COVERED)
        # An exact finding needs no second opinion.
        known = max(scores.values())
        scores["meaning"] = 0.0 if known else max(self._meaning(t, bare) for t in texts)
        return scores

    @torch.inference_mode()
    def _meaning(self, text: str, secret: str) -> float:
        """Return the score of the passage that says most about the secret."""
        numbers = [
            evidence(
                passage[0],
                np.stack([self._meanings.vector(part) for part in passage]),
                secret,
                self._meanings.vector(secret),
                self._reference,
            )
            for passage in passages(text, self._meanings.cut)
        ]
        logits = self._head(torch.tensor(numbers, dtype=torch.float32))
        return float(torch.sigmoid(logits.max() / self._temperature))
