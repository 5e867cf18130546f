"""One model in several sizes, as it was measured; and the ten lines that ask it."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from webapp.domain.lab import matrix_asking, matrix_models
from webapp.domain.lab.matrix_asking import Heard, Wish
from webapp.domain.services import Services
from webapp.domain.texts import require_text
from webapp.errors import InvalidInput, NotFound
from webapp.settings import PROJECT

log = logging.getLogger(__name__)

MOST_TOKENS: Final = 200
PROMPT_CHARS: Final = 2_000
_SHIPPED: Final = PROJECT / "finetune" / "bench" / "serving.json"


class Size(BaseModel):
    """One size of a model. `ms_per_token` is None where speed was not measured."""

    model_config = ConfigDict(frozen=True)

    name: str
    program: str
    bits: float
    bytes: int
    ms_per_token: float | None
    perplexity: float


class Measured(BaseModel):
    """What was measured, when, and on what machine."""

    model_config = ConfigDict(frozen=True)

    measured_at: datetime
    machine: str
    model: str
    threads: int
    tokens: int
    rounds: int
    text: str
    sizes: tuple[Size, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures for the page; `is_here` says whether they are of this installation."""

    measured: Measured
    is_here: bool


def figures(services: Services) -> Figures | None:
    """Return what was measured here, or what the program came with; None: neither."""
    for path in (services.settings.instance / "serving.json", _SHIPPED):
        measured = _read(path)
        if measured is not None:
            return Figures(measured, is_here=path != _SHIPPED)
    return None


def gen(services: Services, *, player_id: int, model: str, wish: Wish) -> Heard:
    """Ask a model once, as `gen` of the page does.

    Raises InvalidInput, NotFound for a model that is not there for this player,
    QuotaExceeded, or Conflict.
    """
    if not wish.prompt.strip():
        raise InvalidInput("The prompt is empty. Write something to the model.")
    if len(wish.prompt) > PROMPT_CHARS:
        raise InvalidInput(f"A prompt has at most {PROMPT_CHARS:,} characters here.")
    require_text(wish.prompt, what="prompt")
    known = matrix_models.offered(services, player_id=player_id)
    for each in known:
        if model in {each.name, each.name.partition("/")[2]}:
            return matrix_asking.ask(
                services,
                player_id=player_id,
                model=each,
                wish=wish,
                is_single=True,
            )
    raise NotFound("There is no such model here, or it is not shown to you.")


def _read(path: Path) -> Measured | None:
    try:
        return Measured.model_validate(json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log.warning("%s cannot be read: %s", path.name, type(error).__name__)
        return None
