"""Ask one detector. Runs in a process of its own, outside this project.

`python -I peer_child.py NAME` reads `{"text"}` a line, and writes a line for each:
`{"score", "flagged", "ms"}`, and at last `{"batch_ms"}`, the median time for one
message of a batch of 32. It imports nothing of this project, and for the gate of
another checkout what that one has.
"""

from __future__ import annotations

import importlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

_BATCH = 32
_MOST_BATCHES = 20
_WARM_UP = 3


class Said(NamedTuple):
    """What a detector says about one text: its score, and whether it would block."""

    score: float
    flagged: bool


Ask = Callable[[Sequence[str]], list[Said]]


def _jailguard() -> Ask:
    module: Any = importlib.import_module("jailguard")

    def ask(texts: Sequence[str]) -> list[Said]:
        answers = module.detect_batch(list(texts))
        return [Said(one.score, one.is_injection) for one in answers]

    return ask


def _metatronnanoguard() -> Ask:
    guard: Any = importlib.import_module("nanoguard").NanoGuard(device="cpu")

    def ask(texts: Sequence[str]) -> list[Said]:
        answers = guard.scan_batch(list(texts))
        return [Said(one.injection_score, one.is_injection) for one in answers]

    return ask


def _prompt_injection_detector() -> Ask:
    scanner: Any = importlib.import_module("prompt_injection_detector").Scanner()

    def ask(texts: Sequence[str]) -> list[Said]:
        answers = [scanner.scan(text) for text in texts]
        return [Said(one.risk_score, one.decision != "allow") for one in answers]

    return ask


def _prompt_guardrail() -> Ask:
    detect: Any = importlib.import_module("guardify").detect

    def ask(texts: Sequence[str]) -> list[Said]:
        answers = []
        for text in texts:
            said = detect(text)
            # Its score is how sure it is of its label.
            flagged = said["label"] == "injection"
            answers.append(
                Said(said["score"] if flagged else 1 - said["score"], flagged)
            )
        return answers

    return ask


def _ai_injection_guard() -> Ask:
    scanner: Any = importlib.import_module("prompt_shield").PromptScanner()

    def ask(texts: Sequence[str]) -> list[Said]:
        answers = [scanner.scan(text) for text in texts]
        # Its default is to block from MEDIUM on.
        return [
            Said(one.risk_score, one.severity not in ("SAFE", "LOW")) for one in answers
        ]

    return ask


def _aicordon() -> Ask:
    picket: Any = importlib.import_module("aicordon.picket").load()

    def ask(texts: Sequence[str]) -> list[Said]:
        answers = [picket.check(text) for text in texts]
        return [Said(len(one.findings), one.flagged) for one in answers]

    return ask


def _gate() -> Ask:
    # Where this runs, these are another checkout's; elsewhere there are none.
    from finetune.guards.judge import Case  # noqa: PLC0415
    from finetune.guards.released import load_judge  # noqa: PLC0415

    gate = load_judge("gate")

    def ask(texts: Sequence[str]) -> list[Said]:
        scores = [gate.judge(Case(text)).score for text in texts]
        return [Said(score, score >= gate.threshold) for score in scores]

    return ask


PEERS: dict[str, Callable[[], Ask]] = {
    "jailguard": _jailguard,
    "metatronnanoguard": _metatronnanoguard,
    "prompt-injection-detector": _prompt_injection_detector,
    "prompt-guardrail": _prompt_guardrail,
    "ai-injection-guard": _ai_injection_guard,
    "aicordon": _aicordon,
}


def main(name: str) -> int:
    """Answer the rows of standard input."""
    # A detector may print; only answers go where answers are read.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    texts = [json.loads(line)["text"] for line in sys.stdin]
    ask = _gate() if name == "gate" else PEERS[name]()
    ask(texts[:_WARM_UP])
    for text in texts:
        started = time.perf_counter()
        (said,) = ask([text])
        ms = 1000 * (time.perf_counter() - started)
        answer = {"score": float(said.score), "flagged": bool(said.flagged), "ms": ms}
        answers.write(json.dumps(answer) + "\n")
    answers.write(json.dumps({"batch_ms": _batch_ms(ask, texts)}) + "\n")
    answers.close()
    return 0


def _batch_ms(ask: Ask, texts: Sequence[str]) -> float:
    times = []
    for start in range(0, min(len(texts), _BATCH * _MOST_BATCHES), _BATCH):
        batch = texts[start : start + _BATCH]
        if len(batch) == _BATCH or start == 0:
            started = time.perf_counter()
            ask(batch)
            times.append(1000 * (time.perf_counter() - started) / len(batch))
    return statistics.median(times)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
