"""All content that can be written here, with its state and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, Literal

from webapp.domain.services import Services
from webapp.domain.writing import drafts
from webapp.domain.writing.files import (
    Kind,
    Texts,
    drafts_folder,
    kind_of,
    names_in,
    other_roots,
    parse_name,
    texts_of,
)
from webapp.errors import InvalidInput
from webapp.reading.problems import Problem

State = Literal["draft", "changed", "published", "shipped"]
KINDS: Final[Mapping[Kind, str]] = {
    "ladder": "Ladders",
    "level": "Levels",
    "track": "Tracks",
    "lesson": "Lessons",
    "words": "Lists of passwords",
    "attacks": "Attacks and harmless messages",
    "data": "Sets of data to train on",
    "texts": "Answers of the site itself",
}


@dataclass(frozen=True, slots=True)
class FileLine:
    """A file in the list. `fault` says why it cannot be opened here."""

    name: str
    kind: Kind
    state: State
    is_shipped: bool
    errors: int
    warnings: int
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A problem in a file, as the editor shows it."""

    line: int
    message: str
    suggestion: str
    is_error: bool


@dataclass(frozen=True, slots=True)
class ContentPage:
    """The installation's own files, and the shipped ones to start from, by kind."""

    own: tuple[FileLine, ...]
    shipped: Mapping[Kind, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong with a text in its file; `elsewhere` counts errors it makes."""

    lines: tuple[Line, ...]
    elsewhere: tuple[str, ...]


def content_page(services: Services) -> ContentPage:
    """Return all files by kind and name, as they would be with all drafts."""
    own_root = services.settings.content
    own = {*names_in((own_root,)), *names_in((drafts_folder(services),))}
    shipped = set(names_in(other_roots(services)))
    problems = drafts.loaded(services).problems if own else []
    lines = [_line(services, name, problems, shipped) for name in _sorted(own)]
    others = _sorted(shipped - own)
    return ContentPage(
        tuple(lines),
        {
            kind: tuple(str(name) for name in others if kind_of(name) == kind)
            for kind in KINDS
        },
    )


def check(services: Services, *, name: str, text: str) -> Checked:
    """Return what would be wrong with a text; no file is touched."""
    path = parse_name(name)
    before = drafts.texts(services)
    after = drafts.load_changed(services, {**before, path: text}).problems
    place = services.settings.content / path
    lines = tuple(
        Line(problem.line, problem.message, problem.suggestion, problem.is_error)
        for problem in after
        if problem.path == place
    )
    elsewhere = tuple(
        f"{_shown(services, problem)}: {problem.message}"
        for problem in after
        if problem.path != place and problem.is_error
    )
    return Checked(tuple(sorted(lines, key=lambda line: line.line)), elsewhere)


def state_of(texts: Texts) -> State:
    """Return what has become of a file."""
    if texts.draft is not None:
        return "draft" if texts.published is None else "changed"
    return "shipped" if texts.published is None else "published"


def _line(
    services: Services,
    name: PurePosixPath,
    problems: Iterable[Problem],
    shipped: set[PurePosixPath],
) -> FileLine:
    place = services.settings.content / name
    own = [problem.is_error for problem in problems if problem.path == place]
    fault = ""
    state: State = "published"
    try:
        state = state_of(texts_of(services, name))
    except InvalidInput as error:
        fault = error.message
    return FileLine(
        name=str(name),
        kind=kind_of(name),
        state=state,
        is_shipped=name in shipped,
        errors=sum(own),
        warnings=len(own) - sum(own),
        fault=fault,
    )


def _sorted(names: Iterable[PurePosixPath]) -> list[PurePosixPath]:
    order = list(KINDS)
    return sorted(names, key=lambda name: (order.index(kind_of(name)), str(name)))


def _shown(services: Services, problem: Problem) -> str:
    for root in (services.settings.content, *other_roots(services)):
        if problem.path.is_relative_to(root):
            return str(problem.path.relative_to(root))
    return problem.path.name
