"""Replies that a person corrects become data for the next run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from webapp.domain.services import Services
from webapp.domain.texts import require_text
from webapp.domain.train import data as datasets
from webapp.domain.train.choices import PROMPT_CHARS
from webapp.domain.train.compared import ComparisonView, RowView
from webapp.domain.train.learned import TRAIN
from webapp.domain.train.origins import SOURCE_CHARS, Origin
from webapp.domain.train.runs import RunView
from webapp.errors import InvalidInput, LabError
from webapp.llm.training_shapes import Rendered
from webapp.rows import TrainedModel

# Fewer different rows cannot be split into three parts.
FEWEST: Final = 3
MOST_CHARS: Final = PROMPT_CHARS
_CLOSE_UP: Final = tuple(",.;:!?)\n ")


def has_rows(services: Services, *, player_id: int, seen: ComparisonView) -> bool:
    """Tell whether what the model learned from may be taken along: by its owner."""
    with services.db.read() as session:
        owner = session.get_one(TrainedModel, seen.run.id).player_id
    return owner == player_id and seen.run.job_id is not None


def make(
    services: Services,
    *,
    player_id: int,
    seen: ComparisonView,
    corrected: Mapping[int, str],
    with_learned: bool,
) -> int:
    """Make a set of data of prompts and what should follow, by place; return its id.

    `with_learned` puts what the model learned from before them. Raises InvalidInput,
    Conflict if there is too much data already, and BackendError.
    """
    chosen = [row for row in seen.rows if row.place in corrected]
    answers = {row.place: _answer(row, corrected[row.place]) for row in chosen}
    if not chosen:
        raise InvalidInput("Mark at least one reply, and write what should be there.")
    rows = rows_of(seen.run, chosen, answers)
    if with_learned:
        learned = _learned(services, player_id, seen)
        new = {row["prompt"] for row in rows if "prompt" in row}
        # A prompt that is corrected is not learned with its old answer as well.
        rows = [*(row for row in learned if row.get("prompt") not in new), *rows]
    return bring(
        services,
        player_id=player_id,
        name="corrected",
        rows=rows,
        settings=settings_of(seen.run),
        origin=_origin(seen.run, with_learned=with_learned),
        more="Mark more replies, or take what the model learned from as well.",
    )


def bring(
    services: Services,
    *,
    player_id: int,
    name: str,
    rows: Sequence[Mapping[str, str]],
    settings: dict[str, Any],
    origin: Origin,
    more: str,
) -> int:
    """Store rows as data, with how they are read; return its id.

    Raises InvalidInput where they are too few, with `more`, the sentence that says how
    to get more; Conflict if there is too much data already, and BackendError.
    """
    if len({json.dumps(row) for row in rows}) < FEWEST:
        raise InvalidInput(
            f"A set of data has at least {FEWEST} different rows. {more}"
        )
    lines = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    return datasets.bring_made(
        services,
        player_id=player_id,
        name=name,
        lines=lines.encode(),
        settings=settings,
        origin=origin,
    )


def _answer(row: RowView, text: str) -> str:
    if not text.strip():
        raise InvalidInput(
            f"Row {row.place} is marked. Write what the model should have written."
        )
    if len(text) - text.count("\r\n") > MOST_CHARS:
        raise InvalidInput(
            f"The answer of row {row.place} has more than {MOST_CHARS:,} characters."
        )
    return require_text(text, what=f"answer of row {row.place}").strip()


def rows_of(
    run: RunView, chosen: Sequence[RowView], answers: Mapping[int, str]
) -> list[dict[str, str]]:
    """Return prompts with the answers that follow them, written as a run's data is."""
    if run.data_settings.get("answer"):
        return [{"prompt": r.prompt, "answer": answers[r.place]} for r in chosen]
    return [{"text": _joined(row, answers[row.place])} for row in chosen]


def _joined(row: RowView, answer: str) -> str:
    """Return a prompt with what follows it, with the blank that the model wrote."""
    if row.prompt.endswith(("\n", " ")) or answer.startswith(_CLOSE_UP):
        return row.prompt + answer
    reply = row.answers[-1].text or ""
    blank = reply[: len(reply) - len(reply.lstrip())]
    between = "\n" if "\n" in blank else " "
    return f"{row.prompt}{between}{answer}"


def settings_of(run: RunView) -> dict[str, Any]:
    """Return how the new rows are read, so that they look as the old ones did."""
    template = str(run.data_settings.get("answer") or "")
    if not template:
        return {"text": "{text}"}
    found = {"text": "{prompt}", "answer": f"{_lead(template)}{{answer}}"}
    kept = {name: run.data_settings.get(name) for name in ("is_chat", "system")}
    return found | {name: value for name, value in kept.items() if value}


def _lead(template: str) -> str:
    return template[: len(template) - len(template.lstrip())]


def _learned(
    services: Services, player_id: int, seen: ComparisonView
) -> list[dict[str, str]]:
    if not has_rows(services, player_id=player_id, seen=seen):
        raise InvalidInput("Only its owner can take what the model learned from.")
    try:
        found = services.training.rows(seen.run.job_id or "", part=TRAIN)
    except LabError:
        raise InvalidInput(
            "The trainer cannot give what this model learned from just now. Make a set"
            " of your corrections alone."
        ) from None
    return list(_as_rows(seen.run, found.data))


def _as_rows(run: RunView, found: tuple[Rendered, ...]) -> Iterator[dict[str, str]]:
    template = str(run.data_settings.get("answer") or "")
    for row in found:
        if bool(template) != (row.answer is not None):
            raise InvalidInput(
                "What it learned from are whole conversations, which cannot be taken"
                " along. Make a set of your corrections alone."
            )
        if row.answer is None:
            yield {"text": row.text}
        else:
            answer = row.answer.removeprefix(_lead(template))
            yield {"prompt": row.text, "answer": answer}


def _origin(run: RunView, *, with_learned: bool) -> Origin:
    source = f"Corrected replies of “{run.title}”"
    if not with_learned:
        return Origin(source)
    if run.origin.source:
        source += f", and what it learned from: {run.origin.source}"
    else:
        source += ", and what it learned from"
    return Origin(source[:SOURCE_CHARS], run.origin.terms)
