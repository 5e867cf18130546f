"""Who is compared with whom, and what both are asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from webapp.domain.services import Services
from webapp.domain.texts import require_text
from webapp.domain.train import models, runs
from webapp.domain.train.choices import PROMPT_CHARS
from webapp.domain.train.learned import Row
from webapp.domain.train.runs import RunView
from webapp.errors import InvalidInput

MOST_ROWS: Final = 20
USUAL_ROWS: Final = 10
# Between a prompt and its target; what is pasted from a spreadsheet has a tab.
ARROW: Final = "=>"


@dataclass(frozen=True, slots=True)
class Side:
    """A model that is compared: its name, what it is called, how it is asked."""

    model: str
    title: str
    is_chat: bool = False
    system: str = ""

    def as_row(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return asdict(self)


def side_of(run: RunView) -> Side:
    """Return a trained model as a side."""
    return Side(
        model=run.name or "",
        title=run.title,
        is_chat=run.is_chat,
        system=str(run.data_settings.get("system", "")),
    )


def sides(
    services: Services, *, player_id: int | None, run: RunView
) -> tuple[Side, ...]:
    """Return what a model can be compared with: its base, itself, and others.

    The base comes first, where there is one. Others are one's own, and those that one
    may open.
    """
    own = side_of(run)
    found = [own]
    if run.choices.method != "fresh":
        base = Side(run.base, f"{run.base}, before training", own.is_chat, own.system)
        found.insert(0, base)
    if player_id is not None:
        mine, _ = runs.mine(services, player_id=player_id)
        found += [side_of(each) for each in mine if each.name and not each.is_guard]
    others = models.published(services, player_id=player_id)
    found += [
        _with_owner(side_of(each), owner) for each, owner in others if not each.is_guard
    ]
    return tuple({side.model: side for side in reversed(found)}.values())[::-1]


def side_from(row: Mapping[str, Any]) -> Side:
    """Return a side as it was kept."""
    return Side(**row)


def read_rows(text: str) -> tuple[Row, ...]:
    """Return the rows that somebody typed: one in a line, `prompt => target`.

    `\\n` in a line is a new line of the prompt or the target. Raises InvalidInput.
    """
    rows = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if not line.strip():
            continue
        separator = "\t" if "\t" in line else ARROW
        prompt, has_target, target = line.partition(separator)
        if not prompt.strip():
            raise InvalidInput(f"Line {number} has no prompt before “{ARROW}”.")
        if max(len(prompt), len(target)) > PROMPT_CHARS:
            raise InvalidInput(
                f"Line {number} is too long: a prompt or a target has at most"
                f" {PROMPT_CHARS:,} characters here."
            )
        rows.append(
            Row(
                _plain(prompt.strip() if has_target else prompt),
                _plain(target.strip()) if target.strip() else None,
            )
        )
    if not rows:
        raise InvalidInput("Write at least one prompt, each in a line of its own.")
    if len(rows) > MOST_ROWS:
        raise InvalidInput(
            f"These are {len(rows)} prompts, and {MOST_ROWS} at a time are the most."
        )
    return tuple(rows)


def _with_owner(side: Side, owner: str) -> Side:
    return replace(side, title=f"{side.title} by {owner}")


def _plain(text: str) -> str:
    return require_text(text.replace("\\n", "\n"), what="prompt or target")
