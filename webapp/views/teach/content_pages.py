"""What the pages of content share: who writes, and what a page of a file shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import PurePosixPath
from typing import Final, ParamSpec, TypeVar

from flask import render_template, request
from flask.typing import ResponseReturnValue

from webapp.domain.people import classes, roster
from webapp.domain.people.classes import ClassInfo
from webapp.domain.people.roster import Actor
from webapp.domain.writing import files, listing, previews, publishing, starting
from webapp.domain.writing.files import Kind, Texts
from webapp.domain.writing.listing import Checked, State
from webapp.domain.writing.saving import Both
from webapp.errors import LabError, NotFound
from webapp.web import context
from webapp.web.context import instructor, instructor_required, services
from webapp.web.seals import Unsealed

P = ParamSpec("P")
R = TypeVar("R")

STATES: Final[dict[State, str]] = {
    "draft": "draft",
    "changed": "published, with a newer draft",
    "published": "published",
    "shipped": "shipped",
}
# Lines around a problem that are shown without scripts.
_AROUND: Final = 2
_MOST_SHOWN: Final = 200
SIGNED_OUT: Final = (
    "You have been signed out, so nothing was saved. Sign in in another tab, come back "
    "to this one, and send it again."
)


class SignedOut(Unsealed):
    """The author has been signed out; the form comes back with all that was typed."""

    status = 401
    code = "not_signed_in"


@dataclass(frozen=True, slots=True)
class NumberedLine:
    """A line of a text, as it is shown beside what is wrong with it."""

    number: int
    text: str
    is_wrong: bool


@dataclass(frozen=True, slots=True)
class FilePage:
    """A file in the editor: its text, its state, what is wrong, and what can be done.

    `both` are the two texts when somebody else was quicker; `message` is what could not
    be done, `not_ready` the errors that forbid it.
    """

    name: str
    kind: Kind
    state: State
    state_words: str
    text: str
    texts: Texts
    seen: str
    checked: Checked
    numbered: tuple[NumberedLine, ...]
    companions: tuple[str, ...]
    classes: tuple[ClassInfo, ...]
    audience: tuple[str, ...]
    has_audience: bool
    has_form: bool
    is_shown: bool
    may_copy: bool
    schema: str
    is_saved: bool
    both: Both | None = None
    message: str = ""
    not_ready: tuple[str, ...] = ()


def author_required(view: Callable[P, R]) -> Callable[P, R]:
    """Let only instructors in, and keep what was typed if one has been signed out."""
    for_staff = instructor_required(view)

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if request.method == "POST" and context.player() is None:
            raise SignedOut(SIGNED_OUT)
        return for_staff(*args, **kwargs)

    return guarded


def actor() -> Actor:
    """Return who writes."""
    return roster.actor_of(instructor())


def author() -> str:
    """Return the name under which a version is kept."""
    return instructor().name[:40]


def file_page(
    name: str,
    *,
    text: str | None = None,
    both: Both | None = None,
    message: str = "",
    not_ready: tuple[str, ...] = (),
) -> FilePage:
    """Return the page of a file, with what was typed if that is not saved."""
    path = files.parse_name(name)
    texts = files.texts_of(services(), path)
    shown = texts.newest if text is None else text
    if shown is None:
        raise NotFound(
            "There is no such file. It may have been deleted; its versions are kept."
        )
    kind = files.kind_of(path)
    checked = listing.check(services(), name=name, text=shown)
    state = listing.state_of(texts)
    taught = roster.taught(services(), actor=actor())
    known = classes.classes(services())
    allowed = publishing.audience(services(), path)
    return FilePage(
        name=name,
        kind=kind,
        state=state,
        state_words=STATES[state],
        text=shown,
        texts=texts,
        seen=both.seen if both else texts.seen,
        checked=checked,
        numbered=_numbered(shown, checked),
        companions=publishing.companions(services(), path),
        classes=tuple(one for one in known if one.id in taught),
        audience=tuple(one.name for one in known if one.id in allowed),
        has_audience=publishing.has_audience(kind),
        has_form=kind in {"level", "lesson"} and texts.is_own,
        is_shown=previews.is_shown(name),
        may_copy=kind in starting.COPIED,
        schema=schema_of(path),
        is_saved=text is None,
        both=both,
        message=message,
        not_ready=not_ready,
    )


def in_editor(name: str, error: LabError) -> ResponseReturnValue:
    """Return the editor, which says why something could not be done with a file."""
    page = file_page(name, message=error.message)
    return render_template("teach/content/edit.html", page=page), error.status


def schema_of(path: PurePosixPath) -> str:
    """Return the name of the JSON Schema of a file; empty where there is none."""
    schemas: dict[Kind, str] = {
        "ladder": "ladder",
        "level": "level",
        "track": "track",
        "lesson": "lesson",
        "attacks": "attacks",
        "data": "data",
        "texts": "help",
    }
    return schemas.get(files.kind_of(path), "")


def _numbered(text: str, checked: Checked) -> tuple[NumberedLine, ...]:
    wrong = {line.line for line in checked.lines}
    lines = text.split("\n")
    near = {
        number
        for line in wrong
        for number in range(line - _AROUND, line + _AROUND + 1)
        if 1 <= number <= len(lines)
    }
    return tuple(
        NumberedLine(number, lines[number - 1], number in wrong)
        for number in sorted(near)[:_MOST_SHOWN]
    )
