"""Publishing drafts, so that players see them, and taking that back.

A text is published only if the content is no worse for it: no problem in the file
itself, and no new one in any other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from webapp.content.lessons.reading import lesson_id
from webapp.db import insert_missing
from webapp.domain.people import roster
from webapp.domain.people.roster import Actor
from webapp.domain.services import Services
from webapp.domain.writing import drafts, saving, versions
from webapp.domain.writing.files import (
    Kind,
    Texts,
    draft_path,
    kind_of,
    own_path,
    parse_name,
    texts_of,
)
from webapp.domain.writing.versions import DELETED, PUBLISHED, SAVED
from webapp.errors import Conflict, InvalidInput, NotFound
from webapp.files import write_whole
from webapp.reading.problems import Problem
from webapp.reading.tree import TreeProblem, read_tree
from webapp.rows import Audience

# What a class can be let into; everything else is for all.
_AUDIENCES: dict[Kind, str] = {
    "ladder": "ladder",
    "level": "level",
    "track": "track",
    "lesson": "lesson",
}


class NotReady(Conflict):
    """The content would have errors with it, so nothing was changed."""

    code = "not_ready"

    def __init__(self, message: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(message)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Published:
    """What was published: the names of the files."""

    names: tuple[str, ...]


def companions(services: Services, name: PurePosixPath) -> tuple[str, ...]:
    """Return the other drafts in the folder of a ladder or track."""
    if len(name.parts) < 3:
        return ()
    return tuple(
        str(other)
        for other in drafts.texts(services)
        if other.parent == name.parent and other != name
    )


def publish(
    services: Services,
    *,
    actor: Actor,
    name: str,
    seen: str,
    is_whole_folder: bool = False,
    class_id: int | None = None,
) -> Published:
    """Let players see the draft of a file, or all drafts of its folder.

    With `class_id` only that class sees what is new in them. Raises NotReady if that
    made an error, ChangedMeanwhile if somebody else was quicker.
    """
    path = parse_name(name)
    names = [path]
    if is_whole_folder:
        names += [PurePosixPath(one) for one in companions(services, path)]
    _require_class(services, actor, class_id)
    found = {one: texts_of(services, one) for one in names}
    first = found[path]
    saving.require_seen(services, path, first, seen, yours=first.newest or "")
    if all(texts.draft is None for texts in found.values()) and not first.is_own:
        raise NotFound("There is nothing to publish: this file has no draft.")
    _require_ready(services, {one: texts.newest for one, texts in found.items()})
    with saving.alone(services):
        for one, texts in found.items():
            _require_same(services, one, texts)
        with services.db.write() as session:
            for one, texts in found.items():
                _publish_one(session, services, one, texts, actor.name)
                thing = _thing(services, one)
                if thing is not None:
                    _set_audience(session, services, actor, thing, class_id)
    return Published(tuple(map(str, names)))


def unpublish(services: Services, *, actor: Actor, name: str, seen: str) -> None:
    """Take a file away from players; its text is the draft, if there is none yet."""
    path, before = _published(services, name, seen)
    _require_ready(services, {path: None})
    with saving.alone(services), services.db.write() as session:
        _require_same(services, path, before)
        versions.keep_found(session, services, name=path, texts=before)
        versions.keep(
            session,
            services,
            name=path,
            what=SAVED,
            text=before.newest,
            author=actor.name,
        )
        if before.draft is None:
            place = draft_path(services, path)
            saving.make_folder(place.parent)
            write_whole(place, before.published or "")
        saving.remove(own_path(services, path))


def remove(services: Services, *, actor: Actor, name: str, seen: str) -> None:
    """Delete a file with its draft; all its versions stay."""
    path = parse_name(name)
    before = texts_of(services, path)
    if not before.is_own:
        raise NotFound("There is no such file to delete.")
    saving.require_seen(services, path, before, seen, yours=before.newest or "")
    if before.published is not None:
        _require_ready(services, {path: None})
    with saving.alone(services), services.db.write() as session:
        _require_same(services, path, before)
        versions.keep_found(session, services, name=path, texts=before)
        versions.keep(
            session, services, name=path, what=DELETED, text=None, author=actor.name
        )
        saving.remove_draft(services, path)
        saving.remove(own_path(services, path))


def audience(services: Services, name: PurePosixPath) -> tuple[int, ...]:
    """Return the classes that alone see what a file says; none: everybody does."""
    thing = _thing(services, name)
    if thing is None:
        return ()
    with services.db.read() as session:
        query = select(Audience.class_id).where(
            Audience.kind == thing[0], Audience.thing == thing[1]
        )
        return tuple(session.scalars(query.order_by(Audience.class_id)))


def has_audience(kind: Kind) -> bool:
    """Tell whether a file of this kind can be for one class alone."""
    return kind in _AUDIENCES


def _published(services: Services, name: str, seen: str) -> tuple[PurePosixPath, Texts]:
    path = parse_name(name)
    before = texts_of(services, path)
    if before.published is None:
        raise NotFound("This file is not published.")
    saving.require_seen(services, path, before, seen, yours=before.newest or "")
    return path, before


def _require_same(services: Services, path: PurePosixPath, before: Texts) -> None:
    now = texts_of(services, path)
    saving.require_seen(services, path, now, before.seen, yours=before.newest or "")


def _require_ready(
    services: Services, changes: dict[PurePosixPath, str | None]
) -> None:
    """Raise NotReady if the content had new errors with the changes."""
    before = services.content.problems()
    after = drafts.load_changed(services, changes)
    own = {services.settings.content / name for name in changes}
    old = {(problem.path, problem.message) for problem in _errors(before)}
    new = tuple(
        problem
        for problem in _errors(after.problems)
        if problem.path in own or (problem.path, problem.message) not in old
    )
    if not new:
        return
    count = "one error" if len(new) == 1 else f"{len(new)} errors"
    raise NotReady(
        f"Nothing was changed: the content would have {count}. Players see what they "
        "saw before.",
        new,
    )


def _errors(problems: Iterable[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.is_error]


def _publish_one(
    session: Session,
    services: Services,
    path: PurePosixPath,
    texts: Texts,
    author: str,
) -> None:
    versions.keep_found(session, services, name=path, texts=texts)
    if texts.draft is None:
        return
    versions.keep(
        session,
        services,
        name=path,
        what=PUBLISHED,
        text=texts.draft,
        author=author,
    )
    place = own_path(services, path)
    saving.make_folder(place.parent)
    write_whole(place, texts.draft)
    saving.remove_draft(services, path)


def _require_class(services: Services, actor: Actor, class_id: int | None) -> None:
    if class_id is not None and class_id not in roster.taught(services, actor=actor):
        raise InvalidInput(
            "You teach no such class. Choose one of yours, or everybody."
        )


def _set_audience(
    session: Session,
    services: Services,
    actor: Actor,
    thing: tuple[str, str],
    class_id: int | None,
) -> None:
    """Let one class in, or everybody; what colleagues chose for theirs stays."""
    kind, name = thing
    rows = delete(Audience).where(Audience.kind == kind, Audience.thing == name)
    if class_id is None:
        session.execute(rows)
        return
    taught = roster.taught(services, actor=actor)
    session.execute(rows.where(Audience.class_id.in_(taught)))
    insert_missing(session, Audience, kind=kind, thing=name, class_id=class_id)


def _thing(services: Services, path: PurePosixPath) -> tuple[str, str] | None:
    """Return the kind and id under which classes are let into what a file says."""
    kind = _AUDIENCES.get(kind_of(path))
    if kind is None:
        return None
    if kind == "track":
        return kind, path.parts[1]
    if kind == "lesson":
        named = lesson_id(Path(path))
        return None if named is None else (kind, named[0])
    found = id_in(texts_of(services, path).newest or "")
    return None if found is None else (kind, found)


def id_in(text: str) -> str | None:
    """Return the id that a ladder or a level gives itself; None if it has none."""
    try:
        found = read_tree(text.encode()).pairs.get("id")
    except TreeProblem:
        return None
    return found.value if found is not None and isinstance(found.value, str) else None
