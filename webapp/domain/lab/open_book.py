"""Ask about one's documents: with them and without, and one question after another.

A question is searched for by meaning, what is nearest goes into the prompt, and a model
answers. Each way of asking is a *side*: two of them stand side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from webapp.db import find_row
from webapp.domain.generations import events, runs
from webapp.domain.generations.plain import PlainReply
from webapp.domain.lab import documents
from webapp.domain.lab.documents import PassageView
from webapp.domain.lab.nearness import packed, scores, unpacked
from webapp.domain.people.players import require_player
from webapp.domain.quotas import Limit
from webapp.domain.safety.answers import answer_to
from webapp.domain.services import Services
from webapp.domain.texts import require_text
from webapp.errors import Conflict, InvalidInput, NotFound
from webapp.llm import gateway as llm
from webapp.plugins.asking import Message
from webapp.rows import LAB, Generation, LabQuestion, Player
from webapp.settings import Settings

MODELS: Final = ("scribe", "smollm2", "warden")
MOST_PICKED: Final = 6
USUAL_PICKED: Final = 2
QUESTION_CHARS: Final = 400
MOST_KEPT: Final = 20
SAMPLING: Final = llm.Sampling(temperature=0.2, top_p=0.95, max_tokens=60)
# Names of sides, and what stands above their answers.
WITHOUT, WITH = "Without your documents", "With your documents"
ALONE, IN_CONTEXT = "The follow-up alone", "With what was said before"
BY_SITE: Final = "Wordkeep"


@dataclass(frozen=True, slots=True)
class Picked:
    """A passage that went into a prompt, as it was then."""

    number: int
    name: str
    place: int
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Side:
    """One way of asking, and what came of it. Nothing `searched`: no passages."""

    title: str
    searched: str
    picked: tuple[Picked, ...]
    messages: tuple[Message, ...]
    reply: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is kept."""

    id: int
    text: str
    model: str
    picked: int
    seed: int
    vector: bytes
    sides: tuple[Side, ...]
    follows: int | None
    created_at: datetime

    @property
    def can_be_followed(self) -> bool:
        """Whether a model has answered from the documents."""
        last = self.sides[-1]
        return bool(last.reply and last.picked)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked, of which model, with how many passages."""

    text: str
    model: str
    picked: int


def read_wanted(*, text: str, model: str, picked: str) -> Wanted:
    """Return what a form asks; raise InvalidInput."""
    plain = require_text(text, what="question").strip()
    if not plain:
        raise InvalidInput("The question is empty. Ask something.")
    if len(plain) > QUESTION_CHARS:
        raise InvalidInput(f"A question has at most {QUESTION_CHARS} characters here.")
    if model not in MODELS:
        raise InvalidInput("Choose a model of the list.")
    count = int(picked) if picked.isascii() and picked.isdigit() else 0
    if not 1 <= count <= MOST_PICKED:
        raise InvalidInput(f"The number of passages is from 1 to {MOST_PICKED}.")
    return Wanted(plain, model, count)


def ask(services: Services, *, player_id: int, wanted: Wanted) -> int:
    """Ask a model without the documents and with them; return the id of the question.

    What needs a person is answered by the site. Raises Conflict where there is no
    document, and QuotaExceeded or BackendError before anything is kept. What fails
    later is told in its side.
    """
    if (answered := _by_site(services, player_id, wanted)) is not None:
        return answered
    passages = _passages(services, player_id)
    vector = _vector(services, wanted.text)
    picked = _nearest(passages, vector, wanted.picked)
    sides = (
        Side(WITHOUT, "", (), (_user(wanted.text),)),
        Side(WITH, wanted.text, picked, (_assembled(picked, wanted.text),)),
    )
    return _keep(services, player_id, wanted, sides, vector=vector)


def follow_up(
    services: Services, *, player_id: int, question_id: int, text: str
) -> int:
    """Ask what follows from an earlier question: alone, and with what was said.

    Alone, only the follow-up is searched for and sent. Raises what `ask` raises, and
    NotFound for an earlier question that is gone.
    """
    before = find(services, player_id=player_id, question_id=question_id)
    wanted = read_wanted(text=text, model=before.model, picked=str(before.picked))
    if (answered := _by_site(services, player_id, wanted)) is not None:
        return answered
    if not before.can_be_followed:
        raise Conflict("There is no answer to follow up. Ask the question again.")
    passages = _passages(services, player_id)
    together = f"{before.text} {wanted.text}"
    vectors = [_vector(services, each) for each in (wanted.text, together)]
    alone, both = (_nearest(passages, each, wanted.picked) for each in vectors)
    said = Message(role="assistant", content=before.sides[-1].reply)
    sides = (
        Side(ALONE, wanted.text, alone, (_assembled(alone, wanted.text),)),
        Side(
            IN_CONTEXT,
            together,
            both,
            (_user(before.text), said, _assembled(both, wanted.text)),
        ),
    )
    return _keep(
        services, player_id, wanted, sides, vector=vectors[-1], follows=before.id
    )


def find(services: Services, *, player_id: int, question_id: int) -> Asked:
    """Return a question of a player; raise NotFound."""
    with services.db.read() as session:
        row = find_row(session, LabQuestion, question_id)
        if row is None or row.player_id != player_id:
            raise NotFound("You have no such question. It may have been deleted.")
        return _view(row)


def earlier(services: Services, *, player_id: int) -> tuple[Asked, ...]:
    """Return the questions of a player, the newest first."""
    query = (
        select(LabQuestion)
        .where(LabQuestion.player_id == player_id)
        .order_by(LabQuestion.id.desc())
    )
    with services.db.read() as session:
        return tuple(map(_view, session.scalars(query)))


def ranked(
    passages: Sequence[PassageView], vector: bytes
) -> list[tuple[float, PassageView]]:
    """Return the passages with their scores, the nearest first."""
    if not passages:
        return []
    found = scores(unpacked(each.vector for each in passages), vector)
    return sorted(
        zip(found, passages, strict=True), key=lambda pair: (-pair[0], pair[1].id)
    )


def _passages(services: Services, player_id: int) -> tuple[PassageView, ...]:
    passages = documents.passages_of(services, player_id=player_id)
    if not passages:
        raise Conflict("There is nothing to look in yet. Bring a document first.")
    return passages


def _vector(services: Services, text: str) -> bytes:
    return packed(services.gateway.embed([text])[0])


def _nearest(
    passages: Sequence[PassageView], vector: bytes, count: int
) -> tuple[Picked, ...]:
    return tuple(
        Picked(each.document.number, each.document.name, each.place, each.text, score)
        for score, each in ranked(passages, vector)[:count]
    )


def _assembled(picked: Sequence[Picked], question: str) -> Message:
    """Return the prompt: the passages, the nearest last, and the question below."""
    texts = [each.text for each in reversed(picked)]
    return _user("\n\n".join([*texts, question]))


def _user(text: str) -> Message:
    return Message(role="user", content=text)


def _by_site(services: Services, player_id: int, wanted: Wanted) -> int | None:
    """Answer whoever needs a person, and look for nothing; None: a model may."""
    if answer_to(wanted.text, services.content.current().help_texts) is None:
        return None
    side = Side(BY_SITE, "", (), (_user(wanted.text),))
    return _keep(services, player_id, wanted, (side,))


def _keep(
    services: Services,
    player_id: int,
    wanted: Wanted,
    sides: tuple[Side, ...],
    *,
    vector: bytes = b"",
    follows: int | None = None,
) -> int:
    """Ask side by side, and keep it all; return its id."""
    seed = services.seed()
    told = [_answered(services, player_id, wanted, side, seed=seed) for side in sides]
    with services.db.write() as session:
        require_player(session, player_id, lock=True)
        row = LabQuestion(
            player_id=player_id,
            follows=follows,
            text=wanted.text,
            settings={"model": wanted.model, "picked": wanted.picked, "seed": seed},
            vector=vector,
            sides=[asdict(side) for side in told],
            created_at=services.now(),
        )
        session.add(row)
        session.flush()
        _forget_old(session, player_id)
        return row.id


def _answered(
    services: Services, player_id: int, wanted: Wanted, side: Side, *, seed: int
) -> Side:
    """Return a side with its answer, or with what went wrong."""
    sampling = llm.Sampling(
        SAMPLING.temperature, SAMPLING.top_p, SAMPLING.max_tokens, seed
    )
    request = llm.ChatRequest(
        model=wanted.model,
        messages=side.messages,
        sampling=sampling,
        user=f"player-{player_id}",
        default_system=False,
    )
    job = PlainReply(services, request)

    def prepare(session: Session, player: Player) -> runs.Begun[Generation]:
        row = Generation(
            feature=LAB,
            prompt=list(side.messages),
            settings=runs.sampling_row(sampling),
            seed=seed,
        )
        return runs.Begun(row, job)

    run = runs.begin(
        services,
        player_id=player_id,
        what="runs in the lab",
        limits=_limits,
        model=wanted.model,
        typed=wanted.text,
        prepare=prepare,
        answer=answer_to(wanted.text, services.content.current().help_texts),
    )
    with closing(run):
        told = list(run)
    failures = [event for event in told if isinstance(event, events.ErrorEvent)]
    return Side(
        side.title,
        side.searched,
        side.picked,
        side.messages,
        reply=job.record.reply,
        error=failures[0].message if failures else "",
    )


def _limits(settings: Settings) -> tuple[Limit, ...]:
    return (
        Limit("player", "minute", settings.lab_runs_per_minute),
        Limit("player", "day", settings.lab_runs_per_day),
    )


def _forget_old(session: Session, player_id: int) -> None:
    old = session.scalars(
        select(LabQuestion.id)
        .where(LabQuestion.player_id == player_id)
        .order_by(LabQuestion.id.desc())
        .offset(MOST_KEPT)
    ).all()
    session.execute(delete(LabQuestion).where(LabQuestion.id.in_(old)))


def _view(row: LabQuestion) -> Asked:
    return Asked(
        id=row.id,
        text=row.text,
        model=row.settings["model"],
        picked=row.settings["picked"],
        seed=row.settings["seed"],
        vector=row.vector,
        sides=tuple(_side(each) for each in row.sides),
        follows=row.follows,
        created_at=row.created_at,
    )


def _side(row: dict[str, Any]) -> Side:
    picked = tuple(Picked(**each) for each in row["picked"])
    return Side(**{**row, "picked": picked, "messages": tuple(row["messages"])})
