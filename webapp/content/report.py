"""The report of a calibration: how often each level was beaten, and by what.

The same record is written by `./wordkeep calibrate --json`, stored in the database,
and published beside the levels as `calibration.json`.
"""

from __future__ import annotations

import json
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from webapp.reading.plain_words import mistakes
from webapp.reading.tree import as_node

REPORT_FILE: Final = "calibration.json"
MAX_REPORT_BYTES: Final = 5_000_000
# Characters of an attack that stand in a table.
SHORT: Final = 70

Share = Annotated[float, Field(ge=0, le=1)]


class ReportRecord(BaseModel):
    """Parent of the records of a report."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Rate(ReportRecord):
    """How many attacks there were, and the share of them that got through."""

    attacks: int
    success_rate: Share
    # Wilson score interval at 95 % over the attacks.
    interval: tuple[Share, Share]


class LevelReport(ReportRecord):
    """What happened at one level. Shares are between 0 and 1."""

    id: str
    # What decided how the level played (Index.defence_hash).
    content_hash: str
    # endpoint/model, and what the endpoint says of its weights (it may say nothing).
    model: str
    model_version: str = ""
    guard_versions: dict[str, str] = {}
    attacks: int
    success_rate: Share
    # Wilson score interval at 95 % over the attacks.
    interval: tuple[Share, Share]
    # The same for attacks of one message, and for those of several; older reports
    # do not tell them apart.
    single: Rate | None = None
    conversations: Rate | None = None
    by_family: dict[str, Share]
    # Of the conversations that must win here, by the level's own proof.
    proofs: int = 0
    proofs_won: int = 0
    # Harmless conversations; without any, their shares are None.
    benign: int = 0
    # Blocked by a guard, or answered by a refusal.
    benign_refused: Share | None = None
    # No message was blocked.
    benign_completed: Share | None = None
    # Every message got a reply that neither refuses nor gives the password away.
    benign_answered: Share | None = None
    seconds: float


class Result(ReportRecord):
    """One attack at one level; `attack` is its index in the file or list."""

    level: str
    attack: int
    # In most of the plays the reader named the secret.
    success: bool
    wins: int
    plays: int


class Opener(ReportRecord):
    """An attack, and the levels that it opened, in the order of the ladder."""

    family: str
    turns: tuple[str, ...]
    levels: tuple[str, ...]

    @property
    def is_single(self) -> bool:
        """Whether it is one message and no more."""
        return len(self.turns) == 1

    @property
    def short(self) -> str:
        """The attack in one short line: of a long message its end, where it asks."""
        text = " / ".join(" ".join(turn.split()) for turn in self.turns)
        if len(text) <= SHORT:
            return text
        return f"…{text[-SHORT:]}" if self.is_single else f"{text[:SHORT]}…"


class Report(ReportRecord):
    """One calibration of a ladder, or of some of its levels."""

    ladder: str
    made_at: AwareDatetime
    # Where the attacks come from, and a hash of them.
    attacks_from: str
    attacks_hash: str
    # Families in their order, and how many attacks each has.
    families: dict[str, int]
    secrets: int
    seeds: int
    seconds: float
    levels: tuple[LevelReport, ...]
    results: tuple[Result, ...]
    # Every attack that opened a level, the best first.
    openers: tuple[Opener, ...] = ()

    def level(self, level_id: str) -> LevelReport | None:
        """Return what is reported about a level."""
        return next((level for level in self.levels if level.id == level_id), None)


class ReportMistake(Exception):
    """A file is not a report."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


def read_report(data: bytes) -> Report:
    """Return the report of a file; raise ReportMistake with the line if it is not one.

    Only the first mistake is told: nobody writes reports by hand.
    """
    if len(data) > MAX_REPORT_BYTES:
        raise ReportMistake(1, f"the file has {len(data):,} bytes")
    try:
        raw = json.loads(data)
    except json.JSONDecodeError as error:
        raise ReportMistake(error.lineno, f"not JSON: {error.msg}") from None
    except (ValueError, RecursionError):
        raise ReportMistake(1, "this is not readable as JSON") from None
    try:
        return Report.model_validate(raw)
    except ValidationError as error:
        first = next(mistakes(as_node(raw, 1), Report, error))
        raise ReportMistake(1, first.message) from None


def report_text(report: Report) -> str:
    """Return a report as JSON that is easy to compare: one result on a line."""
    head = report.model_dump(mode="json")
    lines = {key: head.pop(key) for key in ("levels", "openers", "results")}
    text = json.dumps(head, indent=2, ensure_ascii=False).removesuffix("\n}")
    for key, rows in lines.items():
        listed = ",\n".join(
            f"    {json.dumps(row, ensure_ascii=False)}" for row in rows
        )
        text += f',\n  "{key}": [\n{listed}\n  ]'
    return text + "\n}\n"
