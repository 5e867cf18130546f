"""Playing a draft against the real model, with a word that the author knows.

It is not an attempt: there is no visit, nothing is won, and no student sees it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy.orm import Session

from webapp.content.schema import Level
from webapp.content.wordlist import MAX_LETTERS
from webapp.domain.generations import events, runs
from webapp.domain.play import conversation, guard_names, room
from webapp.domain.play.turn import Judged, TurnRecord, run_turn, sampling
from webapp.domain.quotas import Limit
from webapp.domain.safety.answers import SiteAnswer, answer_to
from webapp.domain.services import Services
from webapp.domain.texts import clean_message
from webapp.domain.writing.previews import Draft, level_of
from webapp.errors import InvalidInput
from webapp.plugins.asking import Exchange
from webapp.rows import DRAFT, FINISHED, Generation, Player
from webapp.security import Secret
from webapp.text.words import fold, holds

MOST_TURNS: Final = 50
# In no shipped list: one from a list could be the password of somebody's visit.
USUAL_WORD: Final = "pelican"


@dataclass(frozen=True, slots=True)
class Passed:
    """What a guard said of a message or a reply."""

    guard: str
    stage: str
    allowed: bool
    reason: str
    score: float | None
    ms: int


@dataclass(frozen=True, slots=True)
class Tried:
    """A message to a draft, the way through its guards, and what came of it.

    `reply` is what the model wrote, also where a guard kept it from the player;
    `shown` is what a player would read. `error` says why there is none.
    """

    message: str
    reply: str
    shown: str
    passed: tuple[Passed, ...]
    is_blocked: bool
    gave_away: bool
    error: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """What can be tried: the level's title, its turns, and a word to begin with."""

    title: str
    turns: int
    word: str
    model: str


@dataclass(slots=True)
class _Try(runs.Job[Generation]):
    services: Services
    level: Level
    word: str
    history: tuple[Exchange, ...]
    message: str
    user: str
    seed: int
    record: TurnRecord = field(default_factory=TurnRecord)

    def play(self) -> Iterator[events.Event]:
        """Play one turn as players do."""
        happened = run_turn(
            self.level,
            secret=Secret(self.word),
            history=self.history,
            message=self.message,
            gateway=self.services.gateway,
            user=self.user,
            seed=self.seed,
            record=self.record,
        )
        for event in happened:
            if not isinstance(event, Judged):
                yield event


def setting(services: Services, draft: Draft) -> Setting:
    """Return what can be tried of a draft; raise Conflict if it is in no ladder."""
    level = level_of(services, draft)
    defender = level.defender
    return Setting(level.title, defender.turns, USUAL_WORD, defender.model)


def say(
    services: Services,
    *,
    player_id: int,
    draft: Draft,
    word: str,
    message: str,
    before: tuple[Exchange, ...] = (),
) -> Tried:
    """Send a message to a draft and wait for what comes of it.

    `before` is what was said in this conversation already. Raises InvalidInput,
    QuotaExceeded, and BackendTooLong if no message has room.
    """
    level = level_of(services, draft)
    text = clean_message(message, limit=room.most_chars(level, services.settings))
    room.check_message(level, services.gateway, text)
    said = (conversation.Said(one.message, one.reply, FINISHED) for one in before)
    job = _Try(
        services=services,
        level=level,
        word=_word(word),
        history=conversation.history(level.defender.turns, said)[-MOST_TURNS:],
        message=text,
        user=f"player-{player_id}",
        seed=services.seed(),
    )
    answer = answer_to(text, draft.index.help_texts)
    with closing(_begin(services, player_id, job, answer)) as run:
        told = list(run)
    failures = [event for event in told if isinstance(event, events.ErrorEvent)]
    tried = _tried(level, job)
    return replace(tried, error=failures[0].message) if failures else tried


def _begin(
    services: Services, player_id: int, job: _Try, answer: SiteAnswer | None
) -> runs.Run:
    def prepare(session: Session, player: Player) -> runs.Begun[Generation]:
        row = Generation(
            feature=DRAFT,
            # The whole prompt would hold the password.
            prompt=[{"role": "user", "content": job.message}],
            settings=runs.sampling_row(sampling(job.level, job.seed)),
            seed=job.seed,
        )
        return runs.Begun(row, job)

    return runs.begin(
        services,
        player_id=player_id,
        what="drafts",
        limits=lambda settings: (
            Limit("player", "minute", settings.attempts_per_minute),
            Limit("player", "day", settings.attempts_per_day),
        ),
        model=job.level.defender.model,
        typed=job.message,
        prepare=prepare,
        answer=answer,
    )


def _tried(level: Level, job: _Try) -> Tried:
    record = job.record
    rows = [judged.as_row() for judged in record.judged]
    named = guard_names.of_verdicts(level, rows)
    return Tried(
        message=job.message,
        reply=record.reply,
        shown=level.blocked_text if record.is_blocked else record.reply,
        passed=tuple(map(_passed, named, record.judged)),
        is_blocked=record.is_blocked,
        gave_away=not record.is_blocked and holds(fold(record.reply), fold(job.word)),
    )


def _passed(guard: guard_names.NamedGuard, judged: Judged) -> Passed:
    verdict = judged.verdict
    return Passed(
        guard=guard.name,
        stage=judged.stage,
        allowed=verdict.allowed,
        reason=verdict.reason,
        score=verdict.score,
        ms=judged.ms,
    )


def _word(typed: str) -> str:
    word = typed.strip()
    if not word or len(word) > MAX_LETTERS or not word.isprintable():
        raise InvalidInput(
            f"The password to try with needs 1 to {MAX_LETTERS} letters."
        )
    return word
