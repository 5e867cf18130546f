"""What a model has learned from, as far as its owner may know it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from webapp.domain.services import Services
from webapp.domain.train.runs import RunView
from webapp.errors import LabError, NotFound
from webapp.rows import DataFile

log = logging.getLogger(__name__)

# Of a larger file, the beginning: what is copied is looked for in all of it.
MOST_BYTES: Final = 8_000_000
TRAIN, VALIDATION = "train", "validation"


@dataclass(frozen=True, slots=True)
class Learned:
    """Texts that a model learned from.

    `is_exact` is false where they are the whole file, with rows that were kept back;
    `note` says so, or why there are none.
    """

    texts: tuple[str, ...] = ()
    is_exact: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it is asked: how it begins, and how it should go on."""

    prompt: str
    target: str | None


# Of a text without an answer: so many words are the prompt, so many the target.
_PROMPT_WORDS, _TARGET_WORDS = 12, 40
_FEWEST_WORDS: Final = 3
_WORD: Final = re.compile(r"\S+")
UNKNOWN: Final = (
    "The trainer does not have the text of this model any more, so nobody can say what"
    " is learned by heart."
)
WHOLE_FILE: Final = (
    "Compared with the whole file, with the rows that were kept back for checking."
)


def learned(services: Services, run: RunView) -> Learned:
    """Return what one's own model learned from; with a note if that is not known."""
    if run.job_id is not None:
        try:
            found = services.training.rows(run.job_id, part=TRAIN)
            texts = tuple(row.text + (row.answer or "") for row in found.data)
            return Learned(texts, is_exact=True)
        except LabError as error:
            log.info("the rows of run %s did not come: %s", run.id, error.code)
    try:
        return Learned(tuple(_texts_of_file(services, run)), note=WHOLE_FILE)
    except LabError:
        return Learned(note=UNKNOWN)


def kept_back(services: Services, run: RunView, *, count: int) -> tuple[Row, ...]:
    """Return rows that one's own model has never learned from.

    Raises NotFound if the trainer does not have them, and BackendError.
    """
    if run.job_id is None:
        raise NotFound("The trainer does not have the rows of this model any more.")
    found = services.training.rows(run.job_id, part=VALIDATION, limit=count)
    # One long text is one row: places all over it are asked then.
    places = max(1, count // max(1, len(found.data)))
    rows = (
        row
        for each in found.data
        for row in _rows_of(each.text, each.answer, places=places)
    )
    return tuple(rows)[:count]


def _rows_of(text: str, answer: str | None, *, places: int) -> Iterator[Row]:
    if answer is not None:
        if text.strip():
            yield Row(text, answer.strip())
        return
    spans = [match.span() for match in _WORD.finditer(text)]
    places = min(places, max(1, len(spans) // (_PROMPT_WORDS + _TARGET_WORDS)))
    for n in range(places):
        begin = n * len(spans) // places
        some = spans[begin : begin + _PROMPT_WORDS + _TARGET_WORDS]
        asked = min(_PROMPT_WORDS, max(1, len(some) // 3))
        if len(some) < 2:
            continue
        # Cut from the text itself, so that its lines stay as they are.
        start, middle, end = some[0][0], some[asked - 1][1], some[-1][1]
        line_end = text.rfind("\n", start, middle)
        if len(text[start : max(start, line_end)].split()) >= _FEWEST_WORDS:
            # A whole line is a better beginning than one and a half.
            middle = line_end
        yield Row(text[start:middle], text[middle:end].strip())


def _texts_of_file(services: Services, run: RunView) -> Iterator[str]:
    if run.data_id is None:
        raise NotFound("The data of this model has been deleted.")
    with services.db.read() as session:
        row = session.get(DataFile, run.data_id)
        file_id = None if row is None else row.file_id
    if file_id is None:
        raise NotFound("The data of this model has been deleted.")
    text = services.training.content(file_id, most=MOST_BYTES).decode(
        "utf-8", "replace"
    )
    for line in text.splitlines():
        yield _without_json(line)


def _without_json(line: str) -> str:
    """Return the texts of a line of JSON, and any other line as it is."""
    if not line.lstrip().startswith(("{", "[")):
        return line
    try:
        return "\n".join(_strings(json.loads(line)))
    except (ValueError, RecursionError):
        return line


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
