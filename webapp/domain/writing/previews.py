"""A draft as students would see it, before they do; nothing of it is recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from webapp.content.index import Index
from webapp.content.lessons.reading import lesson_id
from webapp.content.schema import Level
from webapp.content.snapshot import Snapshot
from webapp.domain.learn import lesson as lessons
from webapp.domain.learn.lesson import LessonPage
from webapp.domain.play import keep, visits
from webapp.domain.play.keep import LevelPage
from webapp.domain.services import Services
from webapp.domain.writing import drafts
from webapp.domain.writing.files import kind_of, parse_name, texts_of
from webapp.domain.writing.publishing import id_in
from webapp.errors import Conflict, NotFound

NOT_LISTED = (
    "No ladder has this level yet, so there is no page of it. Write its id into the "
    "list of the file ladder.yaml beside it, and save that."
)
BROKEN = (
    "This cannot be shown yet: the draft has errors. They are listed below the text "
    "in the editor."
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A file with the content as it would be with its draft."""

    name: str
    path: PurePosixPath
    index: Index


def open_draft(services: Services, name: str) -> Draft:
    """Return the content with a draft in it; raise Conflict if it has errors."""
    path = parse_name(name)
    if texts_of(services, path).newest is None:
        raise NotFound("There is no such file.")
    loaded = drafts.loaded(services, path)
    if loaded.index is None:
        # It may need another draft, such as a list of passwords.
        loaded = drafts.loaded(services)
    place = services.settings.content / path
    own = any(problem.path == place and problem.is_error for problem in loaded.problems)
    if loaded.index is None or own:
        raise Conflict(BROKEN)
    return Draft(name, path, loaded.index)


def level_of(services: Services, draft: Draft) -> Level:
    """Return the level of a draft; raise NotFound if no ladder has it."""
    found = id_in(texts_of(services, draft.path).newest or "")
    try:
        level = draft.index.level(found or "")
        draft.index.ladder_of(level.id)
    except NotFound as error:
        raise Conflict(NOT_LISTED) from error
    return level


def gate_page(services: Services, *, player_id: int, draft: Draft) -> LevelPage:
    """Return the page of a gate as somebody sees it who has never been there."""
    level = level_of(services, draft)
    drawn = replace(services, content=Snapshot(draft.index))
    page = keep.level_page(drawn, player_id=player_id, level_id=level.id)
    return replace(
        page,
        visit=visits.NO_VISIT,
        conversation=(),
        solved=None,
        notice=None,
        turns_left=None if level.defender.turns == 1 else level.defender.turns,
        suspicion_left=level.suspicion,
        guesses_left=services.settings.wrong_guesses,
        hints=tuple(replace(hint, text=None) for hint in page.hints),
    )


def lesson_page(services: Services, *, draft: Draft) -> LessonPage:
    """Return the page of a lesson as a guest sees it."""
    named = lesson_id(Path(draft.path))
    if named is None:
        raise NotFound("This is not the name of a lesson.")
    drawn = replace(services, content=Snapshot(draft.index))
    return lessons.lesson_page(drawn, None, named[0])


def trial_things(services: Services, draft: Draft) -> tuple[str, ...]:
    """Return what can be tried of a file: a level, or the panels of a lesson."""
    if kind_of(draft.path) == "level":
        return (level_of(services, draft).id,)
    named = lesson_id(Path(draft.path))
    if named is None:
        raise NotFound("This is not the name of a lesson.")
    lesson = draft.index.lesson(named[0])
    return tuple(f"{lesson.id}#{panel.name}" for panel in lesson.panels)


def is_shown(name: str) -> bool:
    """Tell whether a file has a page that students see."""
    return kind_of(parse_name(name)) in {"level", "lesson"}
