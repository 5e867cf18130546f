"""Prompt a model: one that was trained, or one before it is. Each reply is a row."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy.orm import Session

from webapp.domain.generations import events, runs
from webapp.domain.generations.plain import PlainReply
from webapp.domain.quotas import Limit
from webapp.domain.safety.answers import answer_to
from webapp.domain.services import Services
from webapp.domain.texts import require_text
from webapp.domain.train.choices import PROMPT_CHARS
from webapp.errors import InvalidInput, LabError
from webapp.llm import gateway as llm
from webapp.llm.endpoints import LOCAL
from webapp.plugins.asking import Message
from webapp.rows import TRAIN, Generation, Player

MOST_TOKENS: Final = 200
USUAL_TOKENS: Final = 60
# How long a person takes to read a word: a model that is quicker is quick enough.
READING_MS: Final = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a model."""

    prompt: str
    tokens: int = USUAL_TOKENS
    temperature: float = 0.8
    seed: int | None = None
    is_chat: bool = False
    system: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What a model wrote, and how quickly; or why it did not."""

    model: str
    prompt: str
    text: str
    seed: int
    ms: int
    tokens: int
    error: str = ""
    is_site: bool = False

    @property
    def ms_per_token(self) -> int:
        """Milliseconds for each token; 0 where nothing was written."""
        return round(self.ms / self.tokens) if self.tokens else 0


def read_wanted(
    *, prompt: str, tokens: str, temperature: str, seed: str, is_chat: bool, system: str
) -> Wanted:
    """Return what a form asks for; raise InvalidInput."""
    if len(prompt) - prompt.count("\r\n") > PROMPT_CHARS:
        raise InvalidInput(f"A prompt has at most {PROMPT_CHARS:,} characters here.")
    text = require_text(prompt, what="prompt")
    if not text.strip():
        raise InvalidInput("The prompt is empty. Write how the text begins.")
    return Wanted(
        prompt=text,
        tokens=int(_within("number of tokens", tokens, USUAL_TOKENS, 1, MOST_TOKENS)),
        temperature=_within("temperature", temperature, 0.8, 0, 2),
        seed=int(_within("seed", seed, 0, 0, 2**31 - 1)) if seed.strip() else None,
        is_chat=is_chat,
        system=system,
    )


def ask(services: Services, *, player_id: int, model: str, wanted: Wanted) -> Said:
    """Ask a model, and wait for its whole reply.

    Raises QuotaExceeded before anything is recorded; what fails later is in `error`.
    """
    seed = services.seed() if wanted.seed is None else wanted.seed
    # A trained model is always one of this machine, whatever else has its name.
    request = _request(f"{LOCAL}/{model}", wanted, seed, player_id)
    said = _say(services, player_id=player_id, request=request, typed=wanted.prompt)
    return replace(said, model=model)


def consult(
    services: Services,
    *,
    player_id: int,
    model: str,
    messages: tuple[Message, ...],
    typed: str,
    tokens: int,
) -> Said:
    """Ask a model of any endpoint for its likeliest reply to a chat, as `ask` does.

    `typed` is the part of the messages that the player wrote for it.
    """
    sampling = llm.Sampling(temperature=0.0, top_p=1.0, max_tokens=tokens, seed=0)
    request = llm.ChatRequest(model, messages, sampling, f"player-{player_id}")
    return _say(services, player_id=player_id, request=request, typed=typed)


def _say(
    services: Services,
    *,
    player_id: int,
    request: llm.ChatRequest,
    typed: str,
) -> Said:
    answer = answer_to(typed, services.content.current().help_texts)
    seed = request.sampling.seed or 0
    job = PlainReply(services, request)

    def prepare(session: Session, player: Player) -> runs.Begun[Generation]:
        row = Generation(
            feature=TRAIN,
            prompt=request.text if request.text is not None else list(request.messages),
            settings=runs.sampling_row(request.sampling),
            seed=seed,
        )
        return runs.Begun(row, job)

    run = runs.begin(
        services,
        player_id=player_id,
        what="prompts",
        limits=lambda settings: (
            Limit("player", "minute", settings.model_prompts_per_minute),
            Limit("player", "day", settings.model_prompts_per_day),
        ),
        model=request.model,
        typed=typed,
        prepare=prepare,
        answer=answer,
    )
    with closing(run):
        told = list(run)
    failures = [event for event in told if isinstance(event, events.ErrorEvent)]
    done = job.record.completion
    return Said(
        model=request.model,
        prompt=typed,
        text=job.record.reply,
        seed=seed,
        ms=done.ms if done else 0,
        tokens=(done.completion_tokens or 0) if done else 0,
        error=failures[0].message if failures else "",
        is_site=answer is not None,
    )


def side_by_side(
    services: Services, *, player_id: int, models: tuple[str, ...], wanted: Wanted
) -> tuple[Said, ...]:
    """Ask several models the same with the same seed, one after the other.

    One that cannot be asked says why in its place.
    """
    seed = services.seed() if wanted.seed is None else wanted.seed
    same = Wanted(
        wanted.prompt,
        wanted.tokens,
        wanted.temperature,
        seed,
        wanted.is_chat,
        wanted.system,
    )
    said = []
    for model in models:
        try:
            said.append(ask(services, player_id=player_id, model=model, wanted=same))
        except LabError as error:
            said.append(Said(model, same.prompt, "", seed, 0, 0, error=error.message))
    return tuple(said)


def _request(model: str, wanted: Wanted, seed: int, player_id: int) -> llm.ChatRequest:
    sampling = llm.Sampling(
        temperature=wanted.temperature, max_tokens=wanted.tokens, seed=seed
    )
    user = f"player-{player_id}"
    if not wanted.is_chat:
        return llm.ChatRequest(
            model=model,
            messages=(),
            sampling=sampling,
            user=user,
            text=wanted.prompt,
        )
    turns = [{"role": "system", "content": wanted.system}] if wanted.system else []
    turns.append({"role": "user", "content": wanted.prompt})
    return llm.ChatRequest(
        model=model,
        messages=tuple(turns),  # type: ignore[arg-type]
        sampling=sampling,
        user=user,
        default_system=False,
    )


def _within(name: str, text: str, usual: float, least: float, most: float) -> float:
    if not text.strip():
        return usual
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        number = -1.0
    if not least <= number <= most:
        raise InvalidInput(
            f"The {name} must be a number from {least:g} to {most:,.0f}."
        )
    return number
