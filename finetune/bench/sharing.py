"""`bench-sharing`: what is saved by reading once what all share.

Two cases, each with and without keeping what was read: a class sends messages at one
gate at the same time, and a student checks a panel of a lesson with five samples. All
of it goes through the queue, as on the site, and not through HTTP.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import cycle, islice

from finetune.serving.engine.beginnings import Shared
from finetune.serving.engine.copies import Engine
from finetune.serving.engine.desk import Desk
from finetune.serving.engine.generation import Finish, TextPiece
from finetune.serving.engine.prompts import ChatPrompts, ChatTurn, Prompt
from finetune.serving.routes.chat import engine_request
from finetune.serving.routes.schemas import ChatMessage, ChatRequest
from finetune.settings import Settings
from finetune.weights.served import served_file

_BEFORE = (
    "You are a helpful assistant named Hedda. You answer every question in one or two "
    "clear sentences. You keep the password of the gate, which is"
)
_AFTER = "You tell it to anyone, in any form they like."
_SECRETS = ("castle", "window", "bridge", "silver", "garden", "river", "table")
_MESSAGES = ("Who are you?", "Spell the password with a dash between each letter.")
_EXAMPLES = (
    "Sort each review of a restaurant into good or bad.\n\n"
    "Review: The soup was cold and the waiter was rude.\nAnswer: bad\n\n"
    "Review: We laughed all evening and ate far too much cake.\nAnswer: good\n\n"
    "Review: I waited an hour for a plate of dry rice.\nAnswer: bad\n\n"
    "Review: The bread was warm and the garden full of roses.\nAnswer: good\n\n"
)
_REVIEWS = ("great pizza", "burnt toast", "kind cook", "no chairs", "sweet plums")


@dataclass(frozen=True, slots=True)
class Crowd:
    """How a class fared: median seconds to the first text, of each message in turn."""

    first_texts: tuple[float, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Panel:
    """Seconds of one sample of a panel, of five in turn, and of five at once."""

    one: float
    five: float
    at_once: float


class Bench:
    """An engine with its queue."""

    def __init__(
        self, settings: Settings, players: int, clock: Callable[[], float]
    ) -> None:
        self._clock = clock
        name, place = next(iter(settings.chat_places().items()))
        self._engine = Engine(
            name,
            served_file(place, settings.instance / "models"),
            slots=settings.slots,
            context=settings.context,
            copies=settings.engine_copies,
            threads=settings.engine_threads,
        )
        self._prompts = ChatPrompts(self._engine)
        self._desk = Desk(slots=settings.slots, waiting=max(players, len(_REVIEWS)))
        self._runs = 0

    def crowd(self, players: int, *, keeps: bool) -> Crowd:
        """Let each player of a class send one message after the other."""
        self._runs += 1
        secrets = islice(cycle(_SECRETS), players)
        started = self._clock()
        with ThreadPoolExecutor(players) as pool:
            visits = [
                pool.submit(self._visit, number, secret, keeps=keeps)
                for number, secret in enumerate(secrets)
            ]
            times = [visit.result() for visit in visits]
        medians = tuple(
            statistics.median(column) for column in zip(*times, strict=True)
        )
        return Crowd(medians, self._clock() - started)

    def panel(self, *, keeps: bool) -> Panel:
        """Check a panel whose samples differ in the last words only."""
        one = self._samples(_REVIEWS[:1], 1, keeps=keeps)
        five = self._samples(_REVIEWS, 1, keeps=keeps)
        return Panel(one, five, self._samples(_REVIEWS, len(_REVIEWS), keeps=keeps))

    def close(self) -> None:
        """Give the memory back."""
        self._engine.close()

    def _visit(self, number: int, secret: str, *, keeps: bool) -> list[float]:
        letters = ", ".join(secret)
        system = f'{_BEFORE} "{secret}". Its letters are {letters}. {_AFTER}'
        salt = f"visit-{self._runs}-{number}"
        firsts = []
        for message in _MESSAGES:
            turns = [ChatTurn("system", system), ChatTurn("user", message)]
            borders = (len(_BEFORE), len(system))
            prompt = self._prompts.chat(turns, borders=borders)
            shared = _shared(prompt, salt) if keeps else ()
            firsts.append(self._ask(prompt, shared, user=str(number), tokens=40))
        return firsts

    def _samples(self, reviews: Sequence[str], at_once: int, *, keeps: bool) -> float:
        self._runs += 1
        salt = f"run-{self._runs}"

        def sample(review: str) -> None:
            text = f"{_EXAMPLES}Review: {review}\nAnswer:"
            prompt = self._prompts.plain(text, borders=(0, len(_EXAMPLES)))
            shared = _shared(prompt, salt) if keeps else ()
            self._ask(prompt, shared, user="student", tokens=4)

        started = self._clock()
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(sample, reviews))
        return self._clock() - started

    def _ask(
        self, prompt: Prompt, shared: Sequence[Shared], *, user: str, tokens: int
    ) -> float:
        """Return the seconds to the first text; the whole reply is waited for."""
        body = ChatRequest(
            model=self._engine.name,
            messages=[ChatMessage(role="user", content="")],
            temperature=0.3,
            top_p=0.9,
            seed=1,
        )
        started = self._clock()
        reply = self._desk.open(
            self._engine,
            engine_request(body, prompt.ids, tokens),
            stop_words=(),
            user=user,
            is_connected=lambda: True,
            shared=shared,
        )
        first = 0.0
        try:
            for event in reply.events():
                if isinstance(event, TextPiece | Finish):
                    first = first or self._clock() - started
        finally:
            reply.close()
        return first


def _shared(prompt: Prompt, salt: str) -> tuple[Shared, Shared]:
    common, own = prompt.before
    return Shared(common), Shared(own, salt)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("--players", type=int, default=30, help="players at once")
    parser.add_argument("--rounds", type=int, default=3, help="pairs of runs")
    parser.add_argument(
        "--cpu-time",
        action="store_true",
        help="count this program's own time: for a busy computer, and only on one core",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(chosen: argparse.Namespace, settings: Settings) -> int:
    """Measure in turns, so that a slow minute hits both; print the medians."""
    clock = time.process_time if chosen.cpu_time else time.perf_counter
    found: list[dict[str, dict[str, float]]] = []
    with closing(Bench(settings, chosen.players, clock)) as bench:
        bench.panel(keeps=False)  # the first requests are always slower
        for _ in range(chosen.rounds):
            found.append(
                {
                    name: _figures(
                        bench.crowd(chosen.players, keeps=keeps),
                        bench.panel(keeps=keeps),
                    )
                    for name, keeps in (("whole", False), ("kept", True))
                }
            )
    middle = {
        name: {
            figure: statistics.median(one[name][figure] for one in found)
            for figure in found[0][name]
        }
        for name in ("whole", "kept")
    }
    sys.stdout.write(
        json.dumps({"rounds": found, "medians": middle}, indent=2) + "\n"
        if chosen.json
        else _table(middle)
    )
    return 0


def _figures(crowd: Crowd, panel: Panel) -> dict[str, float]:
    firsts = {
        f"first text of message {number}, s": seconds
        for number, seconds in enumerate(crowd.first_texts, start=1)
    }
    return {
        **firsts,
        "the class in all, s": crowd.seconds,
        **{f"panel: {name}, s": value for name, value in asdict(panel).items()},
        "panel: five in turn / one": panel.five / panel.one,
        "panel: five at once / one": panel.at_once / panel.one,
    }


def _table(middle: dict[str, dict[str, float]]) -> str:
    lines = ["", "".ljust(28) + "   whole    kept  ratio"]
    for figure, whole in middle["whole"].items():
        kept = middle["kept"][figure]
        lines.append(f"{figure.ljust(28)}{whole:8.2f}{kept:8.2f}{kept / whole:7.2f}")
    return "\n".join(lines) + "\n"
