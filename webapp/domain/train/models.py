"""Trained models: who may open one, its card, and what its owner may do with it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.domain.people import classes
from webapp.domain.people.players import shown_name
from webapp.domain.services import Services
from webapp.domain.texts import require_text
from webapp.domain.train import showing
from webapp.domain.train.choices import PROMPT_CHARS
from webapp.domain.train.runs import OVER, RunView, require_run, view
from webapp.domain.train.showing import may_see
from webapp.errors import Conflict, InvalidInput, LabError, NotFound
from webapp.llm.endpoints import LOCAL
from webapp.llm.training import Download
from webapp.rows import Player, TrainedModel

log = logging.getLogger(__name__)

SHOWN: Final = 60
# What can be downloaded, and how it is called on the page.
FILES: Final[Mapping[str, str]] = {
    "model.gguf": "The whole model as GGUF, for llama.cpp and Ollama",
    "adapter_model.safetensors": "The adapter alone, for PEFT",
    "model.safetensors": "All weights, for transformers",
    "card.md": "The card, to read",
    "recipe.yaml": "The recipe, to train it again",
}
GUARD_FILES: Final[Mapping[str, str]] = {
    "adapter.safetensors": "The networks that it learned, as safetensors",
    "guard.json": "How it decides",
    "card.md": "The card, to read",
}
QUALITIES: Final = ("q8_0", "f16", "q4_0")


@dataclass(frozen=True, slots=True)
class ModelPage:
    """A model as somebody sees it. `has_class` is whether its owner has a class."""

    run: RunView
    owner: str
    is_own: bool
    has_class: bool
    is_served: bool


def page(services: Services, *, player_id: int | None, name: str) -> ModelPage:
    """Return a model that somebody may open; raise NotFound for all others."""
    with services.db.read() as session:
        row, owner = _openable(session, player_id, name)
        has_class = classes.own_class(session, owner) is not None
        run = view(row)
    return ModelPage(
        run=run,
        owner=shown_name(owner),
        is_own=owner.id == player_id,
        has_class=has_class,
        is_served=_is_served(services, name),
    )


def openable(services: Services, *, player_id: int | None, name: str) -> RunView:
    """Return a model or guard that somebody may use; raise NotFound."""
    with services.db.read() as session:
        row, _ = _openable(session, player_id, name)
        return view(row)


def promptable(services: Services, *, player_id: int | None, name: str) -> RunView:
    """Return a model that somebody may prompt; raise NotFound, Conflict for a guard."""
    run = openable(services, player_id=player_id, name=name)
    if run.is_guard:
        raise Conflict("This is a guard: it judges messages and writes none.")
    return run


def published(
    services: Services, *, player_id: int | None
) -> tuple[tuple[RunView, str], ...]:
    """Return what others show to everybody or to one's class, newest first."""
    with services.db.read() as session:
        may = showing.shown_to(session, player_id, TrainedModel.visibility)
        rows = session.execute(
            select(TrainedModel, Player)
            .join(Player, Player.id == TrainedModel.player_id)
            .where(may, TrainedModel.name.is_not(None))
            .order_by(TrainedModel.id.desc())
            .limit(SHOWN)
        )
        return tuple((view(row), shown_name(owner)) for row, owner in rows)


def set_visibility(
    services: Services, *, player_id: int, name: str, visibility: str
) -> None:
    """Show a model to nobody else, to one's class, or to everybody."""
    with services.db.write() as session:
        row = _own(session, player_id, name)
        showing.check(session, player_id, visibility)
        row.visibility = visibility


def set_prompt(services: Services, *, player_id: int, name: str, prompt: str) -> None:
    """Keep a prompt that the model's page begins with."""
    if len(prompt) > PROMPT_CHARS:
        raise InvalidInput(f"A prompt has at most {PROMPT_CHARS:,} characters here.")
    text = require_text(prompt, what="prompt")
    with services.db.write() as session:
        _own(session, player_id, name).prompt = text


def unlock_test(services: Services, *, player_id: int, name: str) -> None:
    """Judge a model on the locked part of its data; raise Conflict the second time."""
    with services.db.read() as session:
        row = _own(session, player_id, name)
        job_id, figures = row.job_id, dict(row.figures or {})
    if job_id is None or "test_perplexity" in figures or figures.get("test_asked"):
        raise Conflict("The test part has been unlocked already: it is judged once.")
    services.training.act(job_id, "test")
    job = services.training.job(job_id)
    with services.db.write() as session:
        row = _own(session, player_id, name)
        row.figures = figures | (job.figures or {}) | {"test_asked": True}


def push(
    services: Services,
    *,
    player_id: int,
    name: str,
    repository: str,
    token: str,
    is_private: bool,
) -> str:
    """Send one's own model to the Hugging Face hub; return its address there.

    The token is passed on and kept nowhere. Raises NotFound for a model of somebody
    else, and InvalidInput.
    """
    repository, token = repository.strip(), token.strip()
    with services.db.read() as session:
        job_id = _own(session, player_id, name).job_id
    if job_id is None:
        raise NotFound("There is no such file of this model.")
    if not repository or not token:
        raise InvalidInput("Type the name of a repository, owner/name, and a token.")
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise InvalidInput("This is no token: one has letters, digits and signs only.")
    return services.training.push(
        job_id, repository=repository, token=token, is_private=is_private
    )


def refresh(services: Services, *, player_id: int | None, name: str) -> None:
    """Look whether the figures of the test part have come; do nothing otherwise."""
    with services.db.read() as session:
        row, _ = _openable(session, player_id, name)
        job_id, figures = row.job_id, dict(row.figures or {})
    if job_id is None or not figures.get("test_asked") or "test_perplexity" in figures:
        return
    try:
        job = services.training.job(job_id)
    except LabError:
        return
    has_come = "test_perplexity" in (job.figures or {})
    if has_come or not job.test:
        # Without figures it did not work, and may be asked for again.
        with services.db.write() as session:
            row, _ = _openable(session, player_id, name)
            row.figures = figures | (job.figures or {}) | {"test_asked": has_come}


def delete(services: Services, *, player_id: int, run_id: int) -> None:
    """Delete a run that is over, and its model, for good."""
    with services.db.read() as session:
        row = require_run(session, player_id, run_id)
        name, status = row.name, row.status
    if status not in OVER:
        raise Conflict("This run is not over. Stop it first.")
    if name is not None:
        services.training.delete_model(name)
    with services.db.write() as session:
        session.delete(require_run(session, player_id, run_id))


def download(
    services: Services, *, player_id: int | None, name: str, file: str, quality: str
) -> Download | str:
    """Open a file of a model; its recipe comes as a text. Raise NotFound."""
    run = openable(services, player_id=player_id, name=name)
    if file not in (GUARD_FILES if run.is_guard else FILES) or run.job_id is None:
        raise NotFound("There is no such file of this model.")
    if file == "recipe.yaml":
        return services.training.recipe(run.job_id)
    chosen = quality if file == "model.gguf" and quality in QUALITIES else ""
    return services.training.download(run.job_id, file, quality=chosen)


def _openable(
    session: Session, player_id: int | None, name: str
) -> tuple[TrainedModel, Player]:
    found = session.execute(
        select(TrainedModel, Player)
        .join(Player, Player.id == TrainedModel.player_id)
        .where(TrainedModel.name == name)
    ).first()
    if found is not None:
        row, owner = found
        if may_see(session, player_id, owner=owner, visibility=row.visibility):
            return row, owner
    # The same words for what is not there and for what is not theirs to see.
    raise NotFound("There is no such model, or it is not shown to you.")


def _own(session: Session, player_id: int, name: str) -> TrainedModel:
    row, owner = _openable(session, player_id, name)
    if owner.id != player_id:
        raise NotFound("This is somebody else's model.")
    return row


def _is_served(services: Services, name: str) -> bool:
    """Tell whether the local models still have it; if they do not say, it may be."""
    if services.gateway.unlisted():
        return True
    return any(info.name == f"{LOCAL}/{name}" for info in services.gateway.models())
