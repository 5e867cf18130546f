"""One turn: message → input guards → model → output guards.

It takes a level, not an id, so that play, proofs and calibration share one path.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from webapp.content.prompts import common_characters, render_examples, render_system
from webapp.content.schema import GuardSpec, Level
from webapp.domain.generations.events import Event
from webapp.domain.generations.replies import Record, listen
from webapp.domain.play import room
from webapp.domain.play.grounds import grounds_row
from webapp.errors import LabError
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
    salt: str = "",
) -> Iterator[Judged | Event]:
    """Play one message against a level; yield what happens, fill `record`.

    The reply is yielded in pieces only if no output guard follows the model. Where
    guards are hidden, a message that one has stopped goes all the way nevertheless:
    otherwise the time would tell where it was stopped. Guards see all of `history`, the
    model as much of it as has room. With the `salt` of a visit, the model reads the
    system prompt once in that visit. Raises InvalidInput for a message that has none,
    and BackendError when the model fails; a failing guard blocks instead.
    """
    is_hidden = level.show_guards == "none"
    # Before any guard and any password: what has no room is not played at all.
    heard = room.remembered(level, gateway, history, message)
    ask = GatewayAsk(gateway, user)
    turn = Turn("input", message, message, history, secret)
    yield from _judge(level.guards.input, turn, ask, record, to_the_end=is_hidden)
    if record.is_blocked and not is_hidden:
        return
    record.is_visible = not (level.guards.output or record.is_blocked)
    messages = prompt(level, secret, heard, message)
    system = messages[0]["content"]
    request = llm.ChatRequest(
        model=level.defender.model,
        messages=tuple(messages),
        sampling=sampling(level, seed),
        user=user,
        raw_tokens=level.defender.raw_tokens,
        # A salt is one visit's own: the same secret may be right in another visit, and
        # that must not show in how soon the reply begins.
        public=len(system) if salt else 0,
        common=common_characters(level, system),
        cache_salt=salt,
    )
    yield from listen(gateway.reply(request), record)
    turn = Turn("output", record.reply, message, history, secret)
    yield from _judge(level.guards.output, turn, ask, record, to_the_end=is_hidden)


def read_beginning(gateway: llm.Gateway, level: Level) -> None:
    """Let the model of a level read what all its visitors share, and say one token.

    The first message after a start is then answered as soon as the second. A model that
    cannot be asked is only logged: the first message will say what is wrong.
    """
    # No password is near: what comes before it is the same with any word.
    messages = prompt(level, Secret("word"), (), "Hello")
    request = llm.ChatRequest(
        model=level.defender.model,
        messages=tuple(messages),
        sampling=replace(sampling(level, 0), max_tokens=1),
        raw_tokens=level.defender.raw_tokens,
        common=common_characters(level, messages[0]["content"]),
    )
    try:
        deque(gateway.reply(request), maxlen=0)
    except LabError as error:
        log.warning("The beginning of %s was not read: %s", level.id, error.message)


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
    system, examples = render_system(level, word), render_examples(level, word)
    return room.messages(system, examples, history, room.heard(level, message))


def _judge(
    specs: tuple[GuardSpec, ...],
    turn: Turn,
    ask: GatewayAsk,
    record: TurnRecord,
    *,
    to_the_end: bool,
) -> Iterator[Judged]:
    """Ask guards one by one, up to the first that blocks; or all, and it counts."""
    for spec in specs:
        started = time.perf_counter()
        verdict = _inspect(spec, turn, ask)
        ms = round(1000 * (time.perf_counter() - started))
        judged = Judged(spec.name, turn.stage, verdict, ms)
        record.judged.append(judged)
        if not verdict.allowed:
            record.blocked_by = record.blocked_by or spec.name
        yield judged
        if record.is_blocked and not to_the_end:
            return


def _inspect(spec: GuardSpec, turn: Turn, ask: GatewayAsk) -> Verdict:
    """Ask a guard; one that fails in any way blocks (decision 9)."""
    try:
        return guards.get(spec.name)(spec.options).inspect(turn, ask)
    except Exception as error:  # noqa: BLE001 -- plug-in border: fail closed
        # The type only: the text of an error may quote the reply or the secret.
        log.error("guard %s failed: %s", spec.name, type(error).__name__)
        return Verdict(allowed=False, reason=GUARD_FAILED)
