"""A slot in which one caller looks at one token after another."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol

from finetune.serving.engine.fair_queue import FairQueue
from finetune.serving.engine.loopback import EngineError

# What is added to the logit of a token that must come: far more than any logit.
_FORCE = 1e6
# How soon a caller who has left the line is noticed.
_WAIT_SECONDS = 0.25

# A token as the engine lists it: id, token, bytes, logprob and top_logprobs.
Step = dict[str, Any]


class Copy(Protocol):
    """A llama.cpp server, as far as steps need it."""

    server: Any

    def read(
        self,
        slot: int,
        ids: list[int],
        on_chunk: Callable[[str], bool],
        *,
        carries_on: bool,
    ) -> bool:
        """Read tokens into a slot; return whether all were read."""


class Steps:
    """A slot that one caller holds while it looks at one token after another."""

    def __init__(self, copy: Copy, slot: int, reading: FairQueue) -> None:
        self._copy = copy
        self._slot = slot
        self._reading = reading
        self._holds_ours = False

    def read(self, ids: list[int], is_wanted: Callable[[], bool]) -> bool:
        """Read a prompt when it is its turn; return whether it was read to its end."""
        ticket = self._reading.enter("")
        try:
            while not ticket.wait(_WAIT_SECONDS):
                if not is_wanted():
                    return False
            self._holds_ours = self._copy.read(
                self._slot, ids, lambda _: not is_wanted(), carries_on=self._holds_ours
            )
        finally:
            ticket.leave()
        return self._holds_ours

    def look(self, ids: list[int], *, forced: int, listed: int) -> Step | None:
        """Return the chances of what follows a prompt that was read.

        They are those of one token, whatever its chance was, and of the likeliest
        ones, before any sampling. None if the token is only a part of a character: of
        such the engine tells nothing.
        """
        request = {
            "prompt": ids,
            "id_slot": self._slot,
            "max_tokens": 1,
            "temperature": 0,
            "samplers": ["temperature"],
            "logit_bias": [[forced, _FORCE]],
            "n_probs": listed,
            "stream": False,
            "cache_prompt": self._holds_ours,
        }
        answers: list[str] = []
        self._copy.server.handle_completions(json.dumps(request), answers.append)
        answer = json.loads(answers[0]) if answers else {}
        if "choices" not in answer:
            raise EngineError("the engine refused to look at a token")
        self._holds_ours = True
        logprobs = answer["choices"][0]["logprobs"]
        return logprobs["content"][0] if logprobs else None
