"""Data to train on: chosen, uploaded or pasted; how it is read, and what is in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import IO, Any, Final

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.db import find_row
from webapp.domain.people.names import clean_line
from webapp.domain.people.players import require_player, require_room
from webapp.domain.services import Services
from webapp.domain.texts import require_text
from webapp.domain.train import origins
from webapp.domain.train.origins import NOT_TOLD, Origin
from webapp.errors import BackendTimeout, InvalidInput, LabError, NotFound
from webapp.llm.training_shapes import Report, Shipped, StoredFile
from webapp.rows import DataFile

NAME_CHARS: Final = 80
TEMPLATE_CHARS: Final = 4_000
KEPT: Final = "sets of data"
MOST_FILES: Final = 50
SHIPPED: Final = "shipped-"
# Before the name of a set that is written as content.
OWN: Final = "content-"
FORMATS: Final = ("auto", "txt", "csv", "json", "jsonl")
DOCUMENTS: Final = ("lines", "paragraphs", "whole")
# What is told of sets that are here already.
MADE_HERE: Final = "Made by code for Wordkeep"
OF_SITE: Final = "A set of data of this site"
# The model whose tokens are counted before one has been chosen.
COUNTED_BY: Final = "smollm2"
HUB_ROWS, MOST_HUB_ROWS = 1_000, 10_000
TAKES_LONG: Final = (
    "Reading this data takes longer than a page can wait. Bring a smaller part of it, "
    "or try again when less is going on."
)


@dataclass(frozen=True, slots=True)
class DataView:
    """Data of a player. `report` is None until the sidecar has read it."""

    id: int
    owner_id: int
    file_id: str
    name: str
    settings: Mapping[str, Any]
    report: Report | None
    origin: Origin
    visibility: str
    created_at: datetime

    @property
    def is_shipped(self) -> bool:
        """Whether it comes with the program."""
        return self.file_id.startswith(SHIPPED)


def shipped(services: Services) -> tuple[Shipped, ...]:
    """Return the sets that are here: of the content, and of the program."""
    return (*_of_content(services), *services.training.shipped())


def _of_content(services: Services) -> tuple[Shipped, ...]:
    return tuple(
        Shipped(
            id=f"{OWN}{name}",
            title=found.title,
            about=found.about,
            licence=found.licence or "",
            columns=found.columns,
            text=found.text,
            answer=found.answer,
            is_chat=found.is_chat,
            rows=len(found.rows),
        )
        for name, found in services.content.current().data_sets.items()
    )


def mine(services: Services, *, player_id: int) -> tuple[DataView, ...]:
    """Return a player's data, newest first."""
    query = select(DataFile).where(DataFile.player_id == player_id)
    with services.db.read() as session:
        rows = session.scalars(query.order_by(DataFile.id.desc())).all()
    return tuple(map(view, rows))


def find(services: Services, *, player_id: int, data_id: int) -> DataView:
    """Return one's own data; raise NotFound."""
    with services.db.read() as session:
        return view(require_data(session, player_id, data_id))


def choose(services: Services, *, player_id: int, file_id: str) -> int:
    """Make a set one's own; return its id, the same one as long as it says the same.

    One of the content is stored as a file of the player's, so it stays as it was taken.
    """
    found = {one.id: one for one in shipped(services)}
    if file_id not in found:
        raise NotFound("There is no such set of data. Choose one of the list.")
    one = found[file_id]
    settings = {"text": one.text, "answer": one.answer, "is_chat": one.is_chat}
    if file_id.startswith(OWN):
        return _take(services, player_id, one, settings)
    origin = Origin(MADE_HERE, one.licence)
    with services.db.write() as session:
        require_player(session, player_id, lock=True)
        known = session.scalar(
            select(DataFile.id).where(
                DataFile.player_id == player_id, DataFile.file_id == file_id
            )
        )
        if known is not None:
            return known
        return _add(session, services, player_id, file_id, one.title, settings, origin)


def _take(
    services: Services, player_id: int, one: Shipped, settings: dict[str, Any]
) -> int:
    set_name = one.id.removeprefix(OWN)
    return bring_made(
        services,
        player_id=player_id,
        name=set_name,
        lines=services.content.current().data_sets[set_name].lines.encode(),
        settings=settings,
        origin=Origin(OF_SITE, one.licence),
    )


def bring_made(
    services: Services,
    *,
    player_id: int,
    name: str,
    lines: bytes,
    settings: dict[str, Any],
    origin: Origin,
) -> int:
    """Store rows that were made here, as JSON lines, and how they are read.

    Returns their id: the same one as long as rows and settings are the same. Raises as
    `bring` does.
    """
    told = json.dumps(settings).encode()
    mark = hashlib.sha256(lines + told).hexdigest()[:6]
    name = f"{name}-{mark}.jsonl"
    with services.db.read() as session:
        known = session.scalar(
            select(DataFile.id).where(
                DataFile.player_id == player_id, DataFile.name == name
            )
        )
    if known is not None:
        return known
    data_id = bring(
        services, player_id=player_id, name=name, content=lines, origin=origin
    )
    with services.db.write() as session:
        row = require_data(session, player_id, data_id)
        row.settings = {k: v for k, v in settings.items() if v}
    return data_id


def bring(
    services: Services,
    *,
    player_id: int,
    name: str,
    content: IO[bytes] | bytes,
    origin: Origin = NOT_TOLD,
) -> int:
    """Store what somebody uploads or pastes, and what is told of it; return its id.

    Raise InvalidInput if it is empty, too large or of no use, and Conflict if there is
    too much already.
    """
    shown = _clean_name(name)
    return _store(
        services,
        player_id,
        lambda: (services.training.upload(shown, content), shown, origin),
    )


def fetch(services: Services, *, player_id: int, wanted: Mapping[str, Any]) -> int:
    """Store the first rows of a data set of the Hugging Face hub; return its id.

    `wanted` has its `name`, and may have `subset`, `split` and how many `rows`. Raise
    InvalidInput if there is no such set or this installation is offline, and Conflict
    if there is too much already.
    """
    name = str(wanted.get("name", ""))
    if not name:
        raise InvalidInput(
            "Type the name of a data set as the Hugging Face hub writes it: owner/name."
        )
    asked = {
        "name": name,
        "subset": str(wanted.get("subset") or ""),
        "split": str(wanted.get("split") or ""),
        "rows": _hub_rows(wanted.get("rows")),
    }

    def bring() -> tuple[StoredFile, str, Origin]:
        stored = services.training.fetch_file(asked)
        origin = origins.of_hub(stored.origin or {"name": name})
        return stored, _clean_name(stored.filename), origin

    return _store(services, player_id, bring)


def look(
    services: Services,
    *,
    player_id: int,
    data_id: int,
    model: str,
    settings: Mapping[str, Any],
    seed: int,
) -> DataView:
    """Read the data in a certain way, and keep that way if it works.

    Raise InvalidInput for a template that does not fit, and BackendError.
    """
    checked = check_settings(settings)
    found = find(services, player_id=player_id, data_id=data_id)
    try:
        report = services.training.report(
            found.file_id, model=model, data=checked, seed=seed
        )
    except BackendTimeout:
        raise BackendTimeout(TAKES_LONG) from None
    if not checked.get("text") and report.text:
        checked["text"] = report.text
    with services.db.write() as session:
        row = require_data(session, player_id, data_id)
        row.settings = checked
        row.report = report.model_dump(mode="json")
        session.flush()
        return view(row)


def tell_origin(
    services: Services, *, player_id: int, data_id: int, origin: Origin
) -> None:
    """Keep where one's own data is from; models that are there keep what was told."""
    with services.db.write() as session:
        row = require_data(session, player_id, data_id)
        row.source, row.terms = origin.source, origin.terms


def delete(services: Services, *, player_id: int, data_id: int) -> None:
    """Delete data; what was trained on it stays.

    Raise Conflict while a run learns from it, and BackendError; then it is still there.
    """
    found = find(services, player_id=player_id, data_id=data_id)
    if not found.is_shipped:
        services.training.delete_file(found.file_id)
    with services.db.write() as session:
        session.delete(require_data(session, player_id, data_id))


def require_data(session: Session, player_id: int, data_id: int) -> DataFile:
    """Return the row of a player's data; raise NotFound, also for somebody else's."""
    row = find_row(session, DataFile, data_id)
    if row is None or row.player_id != player_id:
        raise NotFound("You have no such data. It may have been deleted.")
    return row


def check_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return how data is to be read; raise InvalidInput. What is not said stays out."""
    checked: dict[str, Any] = {}
    for name, value in given.items():
        match name:
            case "format" | "documents":
                allowed = FORMATS if name == "format" else DOCUMENTS
                if value not in allowed:
                    raise InvalidInput(f"The {name} is one of {', '.join(allowed)}.")
                checked[name] = value
            case "text" | "answer" | "system":
                checked[name] = _template(name, value)
            case "is_chat":
                checked[name] = bool(value)
            case "validation" | "test":
                checked[name] = _share(name, value)
            case "most_rows":
                if value is not None:
                    checked[name] = _count(value)
            case _:
                raise InvalidInput(f"The data of a recipe has no “{str(name)[:40]}”.")
    if not checked.get("text"):
        checked.pop("text", None)
    if not checked.get("answer"):
        checked.pop("answer", None)
        checked.pop("is_chat", None)
    return checked


def view(row: DataFile) -> DataView:
    """Return data as pages show it."""
    try:
        report = None if row.report is None else Report.model_validate(row.report)
    except ValidationError:
        report = None
    return DataView(
        id=row.id,
        owner_id=row.player_id,
        file_id=row.file_id,
        name=row.name,
        settings=row.settings,
        report=report,
        origin=Origin(row.source, row.terms),
        visibility=row.visibility,
        created_at=row.created_at,
    )


def require_report(found: DataView) -> Report:
    """Return what was read in data; raise NotFound if nobody has read it yet."""
    if found.report is None:
        raise NotFound("This data has not been read yet.")
    return found.report


def _store(
    services: Services,
    player_id: int,
    bring: Callable[[], tuple[StoredFile, str, Origin]],
) -> int:
    """Keep a file that the sidecar stores, under the name it has then.

    Where it cannot be kept here, it is kept nowhere.
    """
    with services.db.read() as session:
        require_player(session, player_id)
        require_room(session, DataFile, player_id, most=MOST_FILES, what=KEPT)
    stored, shown, origin = bring()
    try:
        with services.db.write() as session:
            require_player(session, player_id, lock=True)
            require_room(session, DataFile, player_id, most=MOST_FILES, what=KEPT)
            return _add(session, services, player_id, stored.id, shown, {}, origin)
    except LabError:
        services.training.delete_file(stored.id)
        raise


def _hub_rows(given: object) -> int:
    try:
        count = int(given) if given else HUB_ROWS  # type: ignore[call-overload]
    except (TypeError, ValueError):
        count = 0
    if not 1 <= count <= MOST_HUB_ROWS:
        raise InvalidInput(
            f"The number of rows is a whole number from 1 to {MOST_HUB_ROWS:,}."
        )
    return int(count)


def _add(
    session: Session,
    services: Services,
    player_id: int,
    file_id: str,
    name: str,
    settings: dict[str, Any],
    origin: Origin,
) -> int:
    row = DataFile(
        player_id=player_id,
        file_id=file_id,
        name=name,
        settings={k: v for k, v in settings.items() if v},
        report=None,
        source=origin.source,
        terms=origin.terms,
        created_at=services.now(),
    )
    session.add(row)
    session.flush()
    return row.id


def _clean_name(name: str) -> str:
    """Return the name of a file as it is shown: of a path, its end."""
    last = PurePath(name.replace("\\", "/")).name[: 4 * NAME_CHARS].strip()
    readable = "".join(c for c in last if c.isprintable())
    if len(readable) > NAME_CHARS:
        readable = readable[-NAME_CHARS:]
    return clean_line(
        readable or "data.txt", what="file name", fewest=1, most=NAME_CHARS
    )


def _template(name: str, value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > TEMPLATE_CHARS:
        raise InvalidInput(
            f"The {name} of a row is a text of at most {TEMPLATE_CHARS:,} characters."
        )
    return require_text(value, what=f"template of the {name}")


def _share(name: str, value: object) -> float:
    try:
        share = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        share = -1.0
    if not 0 <= share <= 0.5:
        raise InvalidInput(f"The {name} part is a share from 0 to 0.5, such as 0.1.")
    return share


def _count(value: object) -> int:
    try:
        count = int(value)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        count = 0
    if not 1 <= count <= 10_000_000:
        raise InvalidInput("The most rows to learn from are a whole number from 1.")
    return int(count)
