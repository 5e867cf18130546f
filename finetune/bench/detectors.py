"""Detectors that run in this process: ours, two baselines, the bare sentence model."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from tokenizers import Tokenizer

from finetune.data.guards.rows import Row
from finetune.guards.detector import tokenise, windows
from finetune.guards.judge import Case, Judge
from finetune.guards.minilm import load_minilm, load_tokenizer, pad
from finetune.serving.engine.embedder import Embedder
from finetune.weights.halves import is_bf16_faster

Vectors = NDArray[np.float32]
Clock = Callable[[], float]

BATCH = 32
_MOST_BATCHES = 20
_WARM_UP = 3
# What sentence-transformers reads of a text with this model.
_MOST_TOKENS = 256


class Scorer(Protocol):
    """Texts → scores; flagged are those at or above the threshold."""

    threshold: float

    def scores(self, texts: Sequence[str]) -> list[float]:
        """Return one score for each text."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What a detector said about each row, and the median time for one message.

    `ms_1` is for one message at a time, `ms_32` for each of a batch of 32.
    """

    scores: list[float]
    flagged: list[bool]
    ms_1: float
    ms_32: float


def read(
    detector: Scorer, texts: Sequence[str], clock: Clock = time.perf_counter
) -> Readings:
    """Let a detector judge every text, once alone and once in batches."""
    detector.scores(texts[:_WARM_UP])
    scores, alone = [], []
    for text in texts:
        started = clock()
        scores += detector.scores([text])
        alone.append(clock() - started)
    together = []
    for batch in batches(texts):
        started = clock()
        detector.scores(batch)
        together.append((clock() - started) / len(batch))
    return Readings(
        scores,
        [score >= detector.threshold for score in scores],
        1000 * statistics.median(alone),
        1000 * statistics.median(together),
    )


def long_messages(
    tokenizer: Tokenizer, texts: Sequence[str], *, tokens: int, most: int
) -> list[str]:
    """Return messages of `tokens` tokens, cut from the texts one after the other."""
    text = " ".join(texts)
    ends = tokenizer.encode(text, add_special_tokens=False).offsets
    starts = range(0, len(ends) - tokens + 1, tokens)
    return [text[ends[n][0] : ends[n + tokens - 1][1]] for n in starts[:most]]


def slow_times(
    detectors: Sequence[Scorer],
    texts: Sequence[str],
    clock: Clock = time.perf_counter,
) -> list[float]:
    """Return what 19 of 20 single messages are quicker than, in ms, of each detector.

    The detectors take turns, so that what else the machine does slows all of them.
    """
    taken: list[list[float]] = [[] for _ in detectors]
    for text in texts:
        for detector, times in zip(detectors, taken, strict=True):
            started = clock()
            detector.scores([text])
            times.append(clock() - started)
    return [1000 * float(np.quantile(times, 0.95)) for times in taken]


def batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the batches that are timed: full ones, if there are any."""
    for start in range(0, min(len(texts), BATCH * _MOST_BATCHES), BATCH):
        batch = texts[start : start + BATCH]
        if len(batch) == BATCH or start == 0:
            yield batch


class JudgeDetector:
    """A released guard, asked as the site asks it: one message after the other."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.threshold = judge.threshold

    def scores(self, texts: Sequence[str]) -> list[float]:
        """Return the guard's scores."""
        return [self._judge.judge(Case(text)).score for text in texts]


class BareMiniLM:
    """The sentence model alone, in plain torch: text → unit vector.

    Its time is what the times of detectors are compared with. It is quicker than the
    same model in sentence-transformers, so the comparison is the stricter one.
    """

    threshold = 0.5

    def __init__(self, folder: Path) -> None:
        self._model = load_minilm(folder)
        self.tokenizer = load_tokenizer(folder)

    @torch.inference_mode()
    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, (texts, width); a long text is cut."""
        ids = tokenise(self.tokenizer, texts)
        rows = [windows(row[: _MOST_TOKENS - 2], _MOST_TOKENS)[0] for row in ids]
        vectors: Vectors = F.normalize(self._model(pad(rows)), dim=-1).numpy()
        return vectors

    def scores(self, texts: Sequence[str]) -> list[float]:
        """Embed; the scores mean nothing."""
        return [0.0] * len(self.vectors(texts))


class UsualMiniLM:
    """The same model in sentence-transformers, only to be timed."""

    threshold = 0.5

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def scores(self, texts: Sequence[str]) -> list[float]:
        """Embed; the scores mean nothing."""
        return [0.0] * len(self._embedder.embed(texts))


class MiniLMRegression:
    """Logistic regression on the vectors of the frozen sentence model."""

    threshold = 0.5

    def __init__(self, bare: BareMiniLM, rows: Sequence[Row]) -> None:
        self._bare = bare
        self._regression = LogisticRegression(C=10, max_iter=1000)
        self._regression.fit(_embedded(bare, rows), [row.label for row in rows])

    def scores(self, texts: Sequence[str]) -> list[float]:
        """Return probabilities."""
        return _attacks(self._regression.predict_proba(self._bare.vectors(texts)))


class TfidfRegression:
    """Logistic regression on the weights of words and pairs of words."""

    threshold = 0.5

    def __init__(self, rows: Sequence[Row]) -> None:
        self._regression = make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
            LogisticRegression(C=10, max_iter=1000),
        )
        self._regression.fit([row.text for row in rows], [row.label for row in rows])

    def scores(self, texts: Sequence[str]) -> list[float]:
        """Return probabilities."""
        return _attacks(self._regression.predict_proba(texts))


def _attacks(probabilities: Any) -> list[float]:
    return [float(attack) for _, attack in probabilities]


def _embedded(bare: BareMiniLM, rows: Sequence[Row]) -> Vectors:
    """Return the vectors of rows; similar lengths together, for less padding."""
    order = sorted(range(len(rows)), key=lambda number: len(rows[number].text))
    by_row = [np.empty(0, np.float32)] * len(rows)
    # There are tens of thousands; in half the precision their cosine stays above 0.999.
    is_bf16 = is_bf16_faster(torch.device("cpu"))
    for start in range(0, len(order), BATCH):
        numbers = order[start : start + BATCH]
        with torch.autocast("cpu", torch.bfloat16, enabled=is_bf16):
            vectors = bare.vectors([rows[number].text for number in numbers])
        for number, vector in zip(numbers, vectors, strict=True):
            by_row[number] = vector
    return np.stack(by_row)
