"""Beginning from a file that is shipped: changing it here, or making another of it."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final

from webapp.content.lessons.reading import FILE_NAME, TRACK_NAME
from webapp.content.schema import ID_PATTERN
from webapp.domain.services import Services
from webapp.domain.writing import saving
from webapp.domain.writing.files import (
    Kind,
    drafts_folder,
    kind_of,
    names_in,
    parse_name,
    texts_of,
)
from webapp.domain.writing.yaml_edits import dump, put
from webapp.errors import Conflict, InvalidInput, NotFound
from webapp.reading.tree import TreeProblem, read_tree

# What may be copied under another name; of the others there is one in each place.
COPIED: Final[tuple[Kind, ...]] = ("level", "lesson", "words", "attacks", "data")
# It names the schema by where the shipped file lies.
_SCHEMA_LINE: Final = re.compile(r"\A# yaml-language-server:[^\n]*\n")
_ID: Final = re.compile(ID_PATTERN)
LAST_PLACE: Final = 99


def change_here(services: Services, *, author: str, source: str) -> str:
    """Make a draft of a file that is shipped; return its name.

    Once it is published, it takes the place of the shipped one for everybody.
    """
    path = parse_name(source)
    texts = texts_of(services, path)
    if texts.is_own:
        return source
    if texts.shipped is None:
        raise NotFound("There is no such file to start from.")
    saving.save(
        services, author=author, name=source, text=texts.shipped, seen=texts.seen
    )
    return source


def copy(
    services: Services, *, author: str, source: str, folder: str, name: str
) -> str:
    """Make a draft of one's own out of another file; return its name.

    A level is put into a ladder, and a lesson into a track: `folder` is a new one, or
    one that there is. Raises Conflict if the name is taken.
    """
    path = parse_name(source)
    kind = kind_of(path)
    text = texts_of(services, path).newest
    if text is None:
        raise NotFound("There is no such file to start from.")
    if kind not in COPIED:
        raise InvalidInput("There is one file of this kind only: change it here.")
    folder, name = folder.strip(), name.strip()
    _require_id(name, "name")
    target = _target(services, kind, path, folder, name)
    if texts_of(services, target).newest is not None:
        raise Conflict(f"There is already a file {target}. Choose another name.")
    if kind == "level":
        _require_new_level(services, name)
        text = _as_level(text, name)
        ladder = _ladder_text(services, folder, name)
        _save(services, author, PurePosixPath("game", folder, "ladder.yaml"), ladder)
    elif kind == "lesson":
        _begin_track(services, author, folder)
    _save(services, author, target, _SCHEMA_LINE.sub("", text))
    return str(target)


def _target(
    services: Services, kind: Kind, path: PurePosixPath, folder: str, name: str
) -> PurePosixPath:
    if kind == "level":
        _require_id(folder, "name of the ladder")
        return PurePosixPath("game", folder, f"{name}.yaml")
    if kind == "lesson":
        if not TRACK_NAME.fullmatch(folder):
            raise InvalidInput(
                "The name of the track needs 1 to 30 small letters, digits and "
                "hyphens, and a letter first."
            )
        place = _next_place(services, folder)
        return PurePosixPath("lessons", folder, f"{place:02}-{name}.md")
    return path.with_name(f"{name}{path.suffix}")


def _require_id(name: str, what: str) -> None:
    if not _ID.fullmatch(name) or name == "ladder":
        raise InvalidInput(
            f"The {what} needs 1 to 40 small letters, digits and hyphens, and a letter "
            "first, as in my-gate."
        )


def _require_new_level(services: Services, level_id: str) -> None:
    index = services.content.current()
    known = {name for ladder in index.ladders.values() for name in ladder.levels}
    if level_id in known:
        raise Conflict(f"There is already a level {level_id}. Choose another name.")


def _as_level(text: str, level_id: str) -> str:
    """Return the text of a level under another id, open from the start."""
    try:
        return put(put(text, ("id",), level_id), ("after",), None)
    except TreeProblem as problem:
        raise InvalidInput(
            "The file to start from has errors. Put it right first."
        ) from problem


def _ladder_text(services: Services, folder: str, level_id: str) -> str:
    """Return the ladder of a folder with one level more."""
    path = PurePosixPath("game", folder, "ladder.yaml")
    text = texts_of(services, path).newest
    if text is None:
        title = folder.replace("-", " ").capitalize()
        fields = {
            "id": folder,
            "title": title,
            "story": "Say here in a sentence or two where this is.",
            "levels": [level_id],
        }
        return "\n".join(dump(fields)) + "\n"
    try:
        listed = read_tree(text.encode()).plain().get("levels")
        levels = listed if isinstance(listed, list) else []
        return put(text, ("levels",), [*levels, level_id])
    except (TreeProblem, AttributeError) as problem:
        raise InvalidInput(
            f"The file {path} has errors. Put it right first, then add levels to it."
        ) from problem


def _begin_track(services: Services, author: str, folder: str) -> None:
    path = PurePosixPath("lessons", folder, "track.yaml")
    if texts_of(services, path).newest is not None:
        return
    places = [track.info.place for track in services.content.current().tracks]
    fields = {
        "title": folder.replace("-", " ").capitalize(),
        "story": "Say here in a sentence or two what one can do after these lessons.",
        "place": min(LAST_PLACE, max(places, default=0) + 1),
    }
    _save(services, author, path, "\n".join(dump(fields)) + "\n")


def _next_place(services: Services, track: str) -> int:
    roots = (*services.settings.roots, drafts_folder(services))
    places = [
        int(found[1])
        for name in names_in(roots)
        if name.parts[:2] == ("lessons", track)
        and (found := FILE_NAME.fullmatch(name.name))
    ]
    place = max(places, default=0) + 1
    if place > LAST_PLACE:
        raise Conflict("This track has no room for another lesson. Choose another one.")
    return place


def _save(services: Services, author: str, path: PurePosixPath, text: str) -> None:
    texts = texts_of(services, path)
    saving.save(services, author=author, name=str(path), text=text, seen=texts.seen)


def folders(services: Services, top: str) -> tuple[str, ...]:
    """Return the ladders (game) or tracks (lessons) that there are, drafts as well."""
    roots = (*services.settings.roots, drafts_folder(services))
    names = {name.parts[1] for name in names_in(roots) if name.parts[0] == top}
    return tuple(sorted(names))
