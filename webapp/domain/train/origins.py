"""Where a text is from, and under what terms it may be used: what somebody told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from webapp.domain.texts import require_text
from webapp.errors import InvalidInput

SOURCE_CHARS: Final = 300
TERMS_CHARS: Final = 120
# What most texts for a lesson come under; anything else may be typed.
USUAL_TERMS: Final = (
    "I wrote it myself",
    "Public domain: anybody may use it",
    "CC BY 4.0",
    "CC BY-SA 4.0",
    "Whoever wrote it allowed it for our class",
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Source and terms of a set of data; empty where nobody told."""

    source: str = ""
    terms: str = ""

    def as_row(self) -> dict[str, Any]:
        """Return it as it is kept with a run."""
        return asdict(self)

    def metadata(self) -> dict[str, str]:
        """Return what a job tells of it, for the card that goes with its model."""
        told = {"data_source": self.source, "data_terms": self.terms}
        return {name: text for name, text in told.items() if text}


NOT_TOLD: Final = Origin()


def read(fields: Mapping[str, str]) -> Origin:
    """Return what a form tells; raise InvalidInput for what is too long or no text."""
    return Origin(
        source=_line(fields.get("source", ""), "source", SOURCE_CHARS),
        terms=_line(fields.get("terms", ""), "terms", TERMS_CHARS),
    )


def from_row(row: Mapping[str, Any]) -> Origin:
    """Return it as it was kept with a run; runs of earlier releases have none."""
    return Origin(source=row.get("source", ""), terms=row.get("terms", ""))


def of_hub(told: Mapping[str, Any]) -> Origin:
    """Return what is known of a set that was fetched from the Hugging Face hub."""
    part = [str(told[name]) for name in ("subset", "split") if told.get(name)]
    if told.get("rows"):
        part.append(f"{told['rows']} rows")
    tail = f" ({', '.join(part)})" if part else ""
    source = f"huggingface.co/datasets/{told.get('name')}{tail}"
    licence = str(told.get("licence") or "")
    return Origin(source=source[:SOURCE_CHARS], terms=licence[:TERMS_CHARS])


def _line(text: str, what: str, most: int) -> str:
    line = " ".join(require_text(text, what=f"{what} of the data").split())
    if len(line) > most:
        raise InvalidInput(f"The {what} of the data has at most {most} characters.")
    return line
