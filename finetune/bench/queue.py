"""`bench-queue`: how long a class waits in the engine's own queue, without the site.

What each student asks comes on the standard input, a student in a line:
the bodies of `/v1/chat/completions`, asked one after the other, as a list of JSON.
All students ask at the same time, each with the slots, the queue and the reading of
prompts that the sidecar has.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from finetune.serving.catalogue.catalogue import Catalogue
from finetune.serving.engine.desk import Desk
from finetune.serving.engine.generation import Finish, TextPiece
from finetune.serving.routes.chat import Chats
from finetune.serving.routes.schemas import ChatRequest, parse
from finetune.settings import Settings


@dataclass(frozen=True, slots=True)
class Waited:
    """One reply: seconds to its first text and to its end, and its tokens."""

    first_text: float
    total: float
    tokens: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare no options: everything is on the standard input."""


def main(chosen: argparse.Namespace, settings: Settings) -> int:
    """Ask everything, and print the times of each student as JSON."""
    students = [json.loads(line) for line in sys.stdin if line.strip()]
    desk = Desk(slots=settings.slots, waiting=settings.waiting)
    chats = Chats(Catalogue(settings), desk, default_tokens=settings.default_tokens)
    # The models are loaded, and what all share is read, as on a site that is up.
    for body in {bodies[0]["model"]: bodies[0] for bodies in students}.values():
        _ask(chats, body)
    waited = _at_once(chats, students)
    sys.stdout.write(json.dumps([[asdict(w) for w in one] for one in waited]) + "\n")
    return 0


def _at_once(
    chats: Chats, students: Sequence[Sequence[dict[str, Any]]]
) -> list[list[Waited]]:
    start = threading.Barrier(len(students))

    def ask(bodies: Sequence[dict[str, Any]]) -> list[Waited]:
        start.wait()
        return [_ask(chats, body) for body in bodies]

    with ThreadPoolExecutor(len(students)) as pool:
        return list(pool.map(ask, students))


def _ask(chats: Chats, body: dict[str, Any]) -> Waited:
    started = time.perf_counter()
    call = chats.open_chat(parse(ChatRequest, body), lambda: True)
    first, tokens = 0.0, 0
    try:
        for event in call.reply.events():
            if isinstance(event, TextPiece | Finish):
                first = first or time.perf_counter() - started
            if isinstance(event, Finish):
                tokens = event.completion_tokens
    finally:
        call.reply.close()
    return Waited(first, time.perf_counter() - started, tokens)
