"""One reply for a bench of the lab that asks many: recorded, counted, waited for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from sqlalchemy.orm import Session

from webapp.domain.generations import events, runs
from webapp.domain.generations.plain import PlainReply
from webapp.domain.lab.matrix_models import Asked
from webapp.domain.quotas import Limit
from webapp.domain.safety.answers import answer_to
from webapp.domain.services import Services
from webapp.llm import gateway as llm
from webapp.plugins.asking import Message
from webapp.rows import LAB, Generation, Player
from webapp.settings import Settings


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a model, and how its tokens are chosen."""

    prompt: str
    temperature: float
    tokens: int
    seed: int


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of it. `error` says why nothing did; `is_site`: the site answered."""

    text: str
    ms: int = 0
    tokens: int = 0
    finish: str = "stop"
    error: str = ""
    is_site: bool = False
    is_stopped: bool = False


def ask(
    services: Services,
    *,
    player_id: int,
    model: Asked,
    wish: Wish,
    wants_stop: Callable[[], bool] = lambda: False,
    is_single: bool = False,
) -> Heard:
    """Ask a model and wait for its whole reply, or for a stop.

    It counts for the day. For the minute counts what `is_single` alone: a bench that
    asks many asks them one after the other, and would only stand still.
    Raises QuotaExceeded and Conflict before anything is recorded; what fails later is
    in `error`.
    """
    answer = answer_to(wish.prompt, services.content.current().help_texts)
    request = _request(model, wish, user=f"player-{player_id}")
    job = PlainReply(services, request)

    def prepare(session: Session, player: Player) -> runs.Begun[Generation]:
        row = Generation(
            feature=LAB,
            prompt=request.text if request.text is not None else list(request.messages),
            settings=runs.sampling_row(request.sampling),
            seed=wish.seed,
        )
        return runs.Begun(row, job)

    def limits(settings: Settings) -> tuple[Limit, ...]:
        of_day = Limit("player", "day", settings.lab_runs_per_day)
        of_minute = Limit("player", "minute", settings.lab_runs_per_minute)
        return (of_day, of_minute) if is_single else (of_day,)

    run = runs.begin(
        services,
        player_id=player_id,
        what="runs in the lab",
        limits=limits,
        model=model.name,
        typed=wish.prompt,
        prepare=prepare,
        answer=answer,
    )
    error, is_stopped = "", False
    with closing(run):
        for event in run:
            if isinstance(event, events.ErrorEvent):
                error = event.message
            if wants_stop():
                is_stopped = True
                break
    done = job.record.completion
    return Heard(
        text=job.record.reply,
        ms=done.ms if done else 0,
        tokens=(done.completion_tokens or 0) if done else 0,
        finish=done.finish_reason if done else "stop",
        error=error,
        is_site=answer is not None,
        is_stopped=is_stopped and done is None and answer is None,
    )


def _request(model: Asked, wish: Wish, *, user: str) -> llm.ChatRequest:
    sampling = llm.Sampling(
        temperature=wish.temperature, top_p=1.0, max_tokens=wish.tokens, seed=wish.seed
    )
    if not model.is_chat:
        return llm.ChatRequest(
            model=model.name, sampling=sampling, user=user, text=wish.prompt
        )
    turns: list[Message] = [{"role": "user", "content": wish.prompt}]
    if model.system:
        turns.insert(0, {"role": "system", "content": model.system})
    return llm.ChatRequest(
        model=model.name,
        messages=tuple(turns),
        sampling=sampling,
        user=user,
        default_system=False,
    )
