"""What was played to prove panels: `proven.json` beside the tracks.

`./wordkeep check --play` writes it. A row holds for one version of a panel (its hash)
on one version of a model.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from webapp.reading.plain_words import mistakes
from webapp.reading.tree import as_node

PROVEN_FILE: Final = "proven.json"
MAX_PROVEN_BYTES: Final = 5_000_000

Share = Annotated[float, Field(ge=0, le=1)]
Verdict = Literal["proven", "too easy", "broken"]


class ProvenRow(BaseModel):
    """How often the entries of a panel's proof passed, each in `plays` samples.

    `solved_by`, `not_solved_by` and `mistakes` have a rate for each entry, in order;
    `mutants` has one for each way to cheat, by its name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    # track/lesson#panel, for people who read the file; the hash decides.
    panel: str
    panel_hash: str
    model: str
    model_version: str
    verdict: Verdict
    plays: int = Field(ge=1)
    solved_by: tuple[Share, ...]
    not_solved_by: tuple[Share, ...] = ()
    mistakes: tuple[Share, ...] = ()
    mutants: dict[str, Share] = {}
    made_at: AwareDatetime


ProvenKey = tuple[str, str]
Proven = Mapping[ProvenKey, ProvenRow]


class _ProvenFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: tuple[ProvenRow, ...]


class ProvenMistake(Exception):
    """A file is not one of proofs."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


def by_key(rows: Iterable[ProvenRow]) -> dict[ProvenKey, ProvenRow]:
    """Return rows by panel hash and model version; of two for one, the newer."""
    found: dict[ProvenKey, ProvenRow] = {}
    for row in sorted(rows, key=lambda row: row.made_at):
        found[row.panel_hash, row.model_version] = row
    return found


def read_proven(data: bytes) -> tuple[ProvenRow, ...]:
    """Return the rows of a file; raise ProvenMistake with the line if it has none."""
    if len(data) > MAX_PROVEN_BYTES:
        raise ProvenMistake(1, f"the file has {len(data):,} bytes")
    try:
        raw = json.loads(data)
    except json.JSONDecodeError as error:
        raise ProvenMistake(error.lineno, f"not JSON: {error.msg}") from None
    except (ValueError, RecursionError):
        raise ProvenMistake(1, "this is not readable as JSON") from None
    try:
        return _ProvenFile.model_validate(raw).rows
    except ValidationError as error:
        first = next(mistakes(as_node(raw, 1), _ProvenFile, error))
        raise ProvenMistake(1, first.message) from None


def proven_text(rows: Iterable[ProvenRow]) -> str:
    """Return rows as JSON that is easy to compare: one on a line, in a fixed order."""
    ordered = sorted(rows, key=lambda row: (row.panel, row.model, row.model_version))
    lines = ",\n".join(
        f"    {json.dumps(row.model_dump(mode='json'), ensure_ascii=False)}"
        for row in ordered
    )
    return f'{{\n  "rows": [\n{lines}\n  ]\n}}\n' if ordered else '{"rows": []}\n'
