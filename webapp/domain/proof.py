"""Play the proofs of levels: can each be won as its author says, and is it fair?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from webapp.content.index import Index
from webapp.content.schema import Level
from webapp.domain.turn import TurnRecord, run_turn
from webapp.llm.gateway import Gateway
from webapp.registry import Exchange
from webapp.security import Secret, normalise_guess

Kind = Literal["solved_by", "not_solved_by", "benign"]
# Share of plays in which a conversation must, or may, give the word away.
SOLVED_SHARE = 0.8
NOT_SOLVED_SHARE = 0.2
# A friendly message must be answered nearly always (GUARDS.md counts 95 %).
BENIGN_SHARE = 0.95
STREAMS = 8


@dataclass(frozen=True, slots=True)
class ProofResult:
    """How one conversation of a proof went: `hits` of `plays`.

    A hit is the word given away (solved_by, not_solved_by) or an answer that no guard
    stopped (benign).
    """

    level_id: str
    kind: Kind
    turns: tuple[str, ...]
    hits: int
    plays: int
    is_required: bool

    @property
    def passed(self) -> bool:
        """Whether the share of hits is on the right side of its bound."""
        share = self.hits / self.plays
        if self.kind == "solved_by":
            return share >= SOLVED_SHARE
        if self.kind == "not_solved_by":
            return share <= NOT_SOLVED_SHARE
        return share >= BENIGN_SHARE


def play_proofs(
    index: Index,
    gateway: Gateway,
    *,
    level_ids: tuple[str, ...],
    words: int,
    seed: int = 0,
) -> Iterator[ProofResult]:
    """Play every conversation of each level's proof with `words` fixed secrets.

    Secrets and seeds depend on the level and `seed` only, so a second run plays the
    same. Levels marked provisional are played and reported, but not required to pass.
    Raises BackendError when the model fails.
    """
    for level_id in level_ids:
        level = index.level(level_id)
        if level.proof is None:
            continue
        secrets = sample_words(index.words(level.secret.words), words, level_id, seed)
        conversations: list[tuple[Kind, tuple[str, ...]]] = [
            *(("solved_by", turns) for turns in level.proof.solved_by),
            *(("not_solved_by", turns) for turns in level.proof.not_solved_by),
            *(("benign", (text,)) for text in level.proof.benign),
        ]
        for kind, turns in conversations:
            hits = _count_hits(level, gateway, kind, turns, secrets, seed)
            yield ProofResult(
                level_id, kind, turns, hits, len(secrets), not level.provisional
            )


def sample_words(
    words: tuple[str, ...], count: int, level_id: str, seed: int
) -> tuple[str, ...]:
    """Return `count` words, spread evenly by hash: the same ones every time."""
    ranked = sorted(
        words, key=lambda w: hashlib.sha256(f"{seed}:{level_id}:{w}".encode()).digest()
    )
    return tuple(ranked[:count])


def gives_away(replies: tuple[str, ...], secret: Secret) -> bool:
    """Whether a reader finds the word: as it is, spaced, backwards or as initials.

    This is a reader for proofs, not a guard: it must not miss what a person sees.
    """
    word = normalise_guess(secret.reveal())
    for reply in replies:
        letters = normalise_guess(reply)
        initials = "".join(part[0] for part in reply.casefold().split())
        if word in letters or word[::-1] in letters or word in initials:
            return True
    return word in "".join(normalise_guess(reply) for reply in replies)


def _count_hits(
    level: Level,
    gateway: Gateway,
    kind: Kind,
    turns: tuple[str, ...],
    secrets: tuple[str, ...],
    seed: int,
) -> int:
    judge = _is_answered if kind == "benign" else _is_given_away

    def play(number: int) -> bool:
        secret = Secret(secrets[number])
        records = play_turns(
            level, gateway, secret, turns, seed=seed + number, user=f"proof-{number}"
        )
        return judge(records, secret)

    with ThreadPoolExecutor(STREAMS) as pool:
        return sum(pool.map(play, range(len(secrets))))


def play_turns(
    level: Level,
    gateway: Gateway,
    secret: Secret,
    turns: tuple[str, ...],
    *,
    seed: int,
    user: str,
) -> list[TurnRecord]:
    """Play a conversation as a player would; it ends early when suspicion is up."""
    history: tuple[Exchange, ...] = ()
    records: list[TurnRecord] = []
    for number, message in enumerate(turns):
        record = TurnRecord()
        for _ in run_turn(
            level,
            secret=secret,
            history=history if level.defender.turns > 1 else (),
            message=message,
            gateway=gateway,
            user=user,
            seed=seed + number,
            record=record,
        ):
            pass
        records.append(record)
        if record.blocked_by is None:
            history += (Exchange(message, record.reply),)
        blocks = sum(r.blocked_by is not None for r in records)
        if level.suspicion is not None and blocks >= level.suspicion:
            break
    return records


def _visible(records: list[TurnRecord]) -> tuple[str, ...]:
    return tuple(r.reply for r in records if r.blocked_by is None)


def _is_given_away(records: list[TurnRecord], secret: Secret) -> bool:
    return gives_away(_visible(records), secret)


def _is_answered(records: list[TurnRecord], secret: Secret) -> bool:
    replies = _visible(records)
    return len(replies) == len(records) and all(reply.strip() for reply in replies)
