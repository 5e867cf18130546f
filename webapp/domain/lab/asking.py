"""Ask a model in the playground: one request, one reply, one row."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from webapp.db import find_row
from webapp.domain.generations import events, following, runs
from webapp.domain.generations.following import keep_going
from webapp.domain.generations.plain import PlainReply
from webapp.domain.lab.bench import Request
from webapp.domain.lab.models import models_for, require_model
from webapp.domain.quotas import Limit
from webapp.domain.safety.answers import answer_to
from webapp.domain.services import Services
from webapp.errors import NotFound
from webapp.llm import gateway as llm
from webapp.rows import HELPED, LAB, REFUSED, Generation, Player
from webapp.settings import Settings

__all__ = ["Reply", "Started", "ask", "chat_request", "find", "keep_going", "stop"]


@dataclass(frozen=True, slots=True)
class Started(events.Start):
    """It is recorded, and this is the seed that it goes by."""

    name: ClassVar[str] = "start"
    seed: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a request, as it is kept. `model` names endpoint and model."""

    id: int
    status: str
    model: str
    text: str
    error: str | None
    seed: int
    settings: dict[str, Any]
    prompt_tokens: int | None
    reply_tokens: int | None
    first_token_ms: int | None
    ms: int | None

    @property
    def is_site(self) -> bool:
        """Whether the site has answered in the model's place."""
        return self.status in {HELPED, REFUSED}

    @property
    def is_cut(self) -> bool:
        """Whether the limit of tokens ended it."""
        most = self.settings.get("max_tokens", 0)
        return not self.is_site and (self.reply_tokens or 0) >= most

    @property
    def tokens_per_second(self) -> float | None:
        """How quickly it was written, after the first token."""
        if not self.reply_tokens or self.reply_tokens < 2 or self.ms is None:
            return None
        writing = self.ms - (self.first_token_ms or 0)
        return 1000 * (self.reply_tokens - 1) / writing if writing > 0 else None


class _Asking(PlainReply):
    """One reply on its way, whose seed is told."""

    def start(self, generation_id: int) -> events.Start:
        """Tell the seed, so that others can be asked with the same."""
        return Started(generation_id, self.request.sampling.seed or 0)


def ask(
    services: Services, *, player_id: int, request: Request, typed: str
) -> runs.Run:
    """Record a request and return its events; `typed` is what a person wrote in it.

    Raises InvalidInput for a model that the player may not ask, and QuotaExceeded.
    """
    known = models_for(services, player_id=player_id)
    model = require_model(known, request.model).name
    answer = answer_to(typed, services.content.current().help_texts)
    sent = chat_request(request, model=model, user=f"player-{player_id}")
    job = _Asking(services, sent)
    how = asdict(request.sampling)
    seed = how.pop("seed")

    def prepare(session: Session, player: Player) -> runs.Begun[Generation]:
        row = Generation(
            feature=LAB,
            prompt=sent.text if sent.text is not None else list(sent.messages),
            settings={
                **how,
                "stop": list(request.sampling.stop),
                "start_reply": request.start_reply,
                "default_system": request.default_system,
                "raw_tokens": request.raw_tokens,
            },
            seed=seed,
        )
        return runs.Begun(row, job)

    return runs.begin(
        services,
        player_id=player_id,
        what="runs in the lab",
        limits=_limits,
        model=model,
        typed=typed,
        prepare=prepare,
        answer=answer,
    )


def chat_request(request: Request, *, model: str, user: str = "") -> llm.ChatRequest:
    """Return a request as the gateway takes it; every sampler is named in it."""
    return llm.ChatRequest(
        model=model,
        messages=request.messages,
        sampling=request.sampling,
        user=user,
        raw_tokens=request.raw_tokens,
        start_reply=request.start_reply,
        default_system=request.default_system,
        text=request.text,
    )


def find(services: Services, *, player_id: int, run_id: int) -> Reply:
    """Return one's own reply; raise NotFound."""
    with services.db.read() as session:
        row = find_row(session, Generation, run_id)
        if row is None or row.player_id != player_id or row.feature != LAB:
            raise NotFound("You have no such reply. It may have been deleted.")
        return Reply(
            id=row.id,
            status=row.status,
            model=row.model,
            text=row.reply or "",
            error=row.error,
            seed=row.seed,
            settings=row.settings,
            prompt_tokens=row.prompt_tokens,
            reply_tokens=row.reply_tokens,
            first_token_ms=row.first_token_ms,
            ms=row.ms,
        )


def stop(services: Services, *, player_id: int, run_id: int) -> None:
    """Stop a reply, unless it is over; raise NotFound, or Conflict if it cannot be."""
    following.stop(services, find(services, player_id=player_id, run_id=run_id))


def _limits(settings: Settings) -> tuple[Limit, ...]:
    return (
        Limit("player", "minute", settings.lab_runs_per_minute),
        Limit("player", "day", settings.lab_runs_per_day),
    )
