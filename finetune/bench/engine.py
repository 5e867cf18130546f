"""`bench-engine`: the speed of the engine alone, without queue and HTTP.

It asks for the same replies as a player of the site would, with the settings of the
sidecar, so that the two figures can be put beside each other.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from finetune.serving.engine.copies import Engine
from finetune.serving.engine.prompts import ChatPrompts, ChatTurn
from finetune.serving.routes.chat import engine_request
from finetune.serving.routes.schemas import ChatMessage, ChatRequest
from finetune.settings import Settings
from finetune.weights.served import served_file


@dataclass(frozen=True, slots=True)
class EngineSpeed:
    """Tokens of all streams, the time they took, and the median first token."""

    streams: int
    requests: int
    tokens: int
    seconds: float
    tokens_per_second: float
    first_token_ms: float


@dataclass(frozen=True, slots=True)
class _Run:
    tokens: int
    first_token_seconds: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("--streams", type=int, default=8, help="replies at once")
    parser.add_argument("--requests", type=int, default=1, help="replies per stream")
    parser.add_argument("--tokens", type=int, default=96, help="longest reply")
    parser.add_argument("--system", default="You are a storyteller.")
    parser.add_argument("--message", default="Tell me a long story about a lighthouse.")
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(chosen: argparse.Namespace, settings: Settings) -> int:
    """Measure and print; return the exit status."""
    name, place = next(iter(settings.chat_places().items()))
    engine = Engine(
        name,
        served_file(place, settings.instance / "models"),
        slots=max(settings.slots, chosen.streams),
        context=settings.context,
        copies=settings.engine_copies,
        threads=settings.engine_threads,
    )
    speed = _measure(engine, _request(engine, chosen), chosen.streams, chosen.requests)
    if chosen.json:
        sys.stdout.write(json.dumps(asdict(speed)) + "\n")
    else:
        sys.stdout.write(
            f"{speed.streams} streams: {speed.tokens_per_second:.1f} tokens/s,"
            f" first token after {speed.first_token_ms:.0f} ms\n"
        )
    return 0


def _request(engine: Engine, chosen: argparse.Namespace) -> dict[str, Any]:
    turns = [ChatTurn("system", chosen.system), ChatTurn("user", chosen.message)]
    body = ChatRequest(
        model=engine.name,
        messages=[ChatMessage(role="user", content=chosen.message)],
        temperature=0.7,
        top_p=0.95,
    )
    return engine_request(body, ChatPrompts(engine).chat(turns).ids, chosen.tokens)


def _measure(
    engine: Engine, request: dict[str, Any], streams: int, requests: int
) -> EngineSpeed:
    _run(engine, request | {"max_tokens": 4})  # the first request is always slower
    started = time.perf_counter()
    with ThreadPoolExecutor(streams) as pool:
        many = pool.map(
            lambda _: [_run(engine, request) for _ in range(requests)], range(streams)
        )
        runs = [run for one in many for run in one]
    seconds = time.perf_counter() - started
    tokens = sum(run.tokens for run in runs)
    return EngineSpeed(
        streams=streams,
        requests=requests,
        tokens=tokens,
        seconds=seconds,
        tokens_per_second=tokens / seconds,
        first_token_ms=1000 * statistics.median(r.first_token_seconds for r in runs),
    )


def _run(engine: Engine, request: dict[str, Any]) -> _Run:
    started = time.perf_counter()
    first: float | None = None
    last = ""

    def note(chunk: str) -> bool:
        nonlocal first, last
        if first is None and '"prompt_progress"' not in chunk:
            first = time.perf_counter() - started
        last = chunk
        return False

    engine.complete(request, note)
    usage = json.loads(last)["usage"]
    return _Run(usage["completion_tokens"], first or 0.0)
