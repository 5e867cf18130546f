"""One turn: message → input guards → model → output guards.

It takes a level, not an id, so that play, proofs and calibration share one path.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from webapp.content.prompts import render_examples, render_system
from webapp.content.schema import GuardSpec, Level
from webapp.domain.generations.events import Event
from webapp.domain.generations.replies import Record, listen
from webapp.domain.play.grounds import grounds_row
from webapp.llm import gateway as llm
from webapp.llm.ask import GatewayAsk
from webapp.plugins.asking import Exchange, Message
from webapp.plugins.guard import Stage, Turn, Verdict, guards
from webapp.security import Secret

log = logging.getLogger(__name__)

GUARD_FAILED = "This guard could not do its work, so it let nothing through."


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict with the guard that gave it and how long it took."""

    guard: str
    stage: Stage
    verdict: Verdict
    ms: int

    def as_row(self) -> dict[str, Any]:
        """Return the verdict as it is stored with the attempt."""
        return {
            "guard": self.guard,
            "stage": self.stage,
            "allowed": self.verdict.allowed,
            "score": self.verdict.score,
            "reason": self.verdict.reason,
            "ms": self.ms,
            "grounds": grounds_row(self.verdict.grounds),
        }


@dataclass(slots=True)
class TurnRecord(Record):
    """What is known about a turn so far; filled while `run_turn` is read."""

    is_visible: bool = False
    judged: list[Judged] = field(default_factory=list, repr=False)
    blocked_by: str | None = None

    @property
    def is_blocked(self) -> bool:
        """Whether a guard has stopped it."""
        return self.blocked_by is not None


def run_turn(
    level: Level,
    *,
    secret: Secret,
    history: tuple[Exchange, ...],
    message: str,
    gateway: llm.Gateway,
    user: str,
    seed: int,
    record: TurnRecord,
) -> Iterator[Judged | Event]:
    """Play one message against a level; yield what happens, fill `record`.

    The reply is yielded in pieces only if no output guard follows the model.
    Raises BackendError when the model fails; a failing guard blocks instead.
    """
    ask = GatewayAsk(gateway, user)
    turn = Turn("input", message, message, history, secret)
    yield from _judge(level.guards.input, turn, ask, record)
    if record.is_blocked:
        return
    record.is_visible = not level.guards.output
    stream = gateway.stream(
        model=level.defender.model,
        messages=prompt(level, secret, history, message),
        sampling=sampling(level, seed),
        user=user,
        raw_tokens=level.defender.raw_tokens,
    )
    yield from listen(stream, record)
    turn = Turn("output", record.reply, message, history, secret)
    yield from _judge(level.guards.output, turn, ask, record)


def sampling(level: Level, seed: int) -> llm.Sampling:
    """Return how the replies of a level are sampled."""
    return llm.Sampling(
        temperature=level.defender.temperature,
        top_p=level.defender.top_p,
        max_tokens=level.defender.max_tokens,
        seed=seed,
    )


def prompt(
    level: Level, secret: Secret, history: tuple[Exchange, ...], message: str
) -> list[Message]:
    """Return the messages that the model of a level is sent."""
    word = secret.reveal()
    messages: list[Message] = [
        {"role": "system", "content": render_system(level, word)}
    ]
    pairs = [(e.user, e.assistant) for e in render_examples(level, word)]
    pairs += [(e.message, e.reply) for e in history]
    for user, assistant in pairs:
        messages.append({"role": "user", "content": user})
        messages.append({"role": "assistant", "content": assistant})
    messages.append({"role": "user", "content": message})
    return messages


def _judge(
    specs: tuple[GuardSpec, ...], turn: Turn, ask: GatewayAsk, record: TurnRecord
) -> Iterator[Judged]:
    for spec in specs:
        started = time.perf_counter()
        verdict = _inspect(spec, turn, ask)
        ms = round(1000 * (time.perf_counter() - started))
        judged = Judged(spec.name, turn.stage, verdict, ms)
        record.judged.append(judged)
        if not verdict.allowed:
            record.blocked_by = spec.name
        yield judged
        if record.is_blocked:
            return


def _inspect(spec: GuardSpec, turn: Turn, ask: GatewayAsk) -> Verdict:
    """Ask a guard; one that fails in any way blocks (decision 9)."""
    try:
        return guards.get(spec.name)(spec.options).inspect(turn, ask)
    except Exception as error:  # noqa: BLE001 -- plug-in border: fail closed
        # The type only: the text of an error may quote the reply or the secret.
        log.error("guard %s failed: %s", spec.name, type(error).__name__)
        return Verdict(allowed=False, reason=GUARD_FAILED)
