"""How quickly models write, before and after training, by the replies that one got."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Final

from sqlalchemy import select

from webapp.domain.services import Services
from webapp.domain.train.runs import RunView
from webapp.llm.endpoints import LOCAL
from webapp.rows import FINISHED, TRAIN, Generation

# So many of one's replies are looked through, the newest, and so many of each count.
_LOOKED_AT, _COUNTED = 200, 20
# Of fewer tokens the time of one says nothing.
_FEWEST_TOKENS: Final = 5


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds for each token after the first, the median of some replies."""

    ms: float
    replies: int


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """A model and its base; None where there is no base, or no reply yet."""

    before: Latency | None
    after: Latency | None


def of_run(services: Services, *, player_id: int | None, run: RunView) -> BeforeAfter:
    """Return how quickly a model and its base answered somebody on these pages.

    The first token is left out, because before it a model is loaded, waited for, and
    reads the prompt.
    """
    if player_id is None:
        return BeforeAfter(None, None)
    query = (
        select(
            Generation.model,
            Generation.ms,
            Generation.first_token_ms,
            Generation.reply_tokens,
        )
        .where(
            Generation.player_id == player_id,
            Generation.feature == TRAIN,
            Generation.status == FINISHED,
        )
        .order_by(Generation.id.desc())
        .limit(_LOOKED_AT)
    )
    found: dict[str, list[float]] = {}
    with services.db.read() as session:
        for model, ms, first, tokens in session.execute(query):
            if ms is None or first is None or not tokens or tokens < _FEWEST_TOKENS:
                continue
            # What is stored may say after the name that the model is a scripted one.
            name = model.partition(" ")[0]
            found.setdefault(name, []).append((ms - first) / (tokens - 1))
    is_fresh = run.choices.method == "fresh"
    return BeforeAfter(
        before=None if is_fresh else _latency(found.get(f"{LOCAL}/{run.base}", [])),
        after=_latency(found.get(f"{LOCAL}/{run.name}", [])),
    )


def _latency(newest_first: list[float]) -> Latency | None:
    counted = newest_first[:_COUNTED]
    return Latency(median(counted), len(counted)) if counted else None
