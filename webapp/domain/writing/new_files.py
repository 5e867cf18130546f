"""New levels and lessons to begin with: whole files that work, with comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from webapp.content.check import load_all
from webapp.content.files import ContentFile, find_files
from webapp.content.lessons.reading import FILE_NAME, TRACK_NAME
from webapp.content.lessons.schema import TrackInfo
from webapp.content.overlay import load_with
from webapp.content.schema import ID_PATTERN
from webapp.domain.writing import key_types
from webapp.domain.writing.reference import example_text
from webapp.errors import InvalidInput, NotFound
from webapp.files import write_once, write_whole
from webapp.reading.problems import Problem, format_problem
from webapp.reading.tree import TreeProblem, read_bytes, read_tree

# The ladder that one's own levels are in, if no other is named.
OWN: Final = "own"
LAST_PLACE: Final = 99
Texts = dict[PurePosixPath, str]


def new_level(
    roots: Sequence[Path], name: str, *, ladder: str = OWN, source: str | None = None
) -> Texts:
    """Return the files of a new level: itself, and its ladder with it in the list.

    `source` is a level to begin with, instead of the plain one. Raises InvalidInput if
    the name cannot be used or is taken, NotFound for a source that there is not.
    """
    for given in (name, ladder):
        if not re.match(ID_PATTERN, given):
            raise InvalidInput(
                f'"{given}" cannot be a name. Use small letters, digits and hyphens, '
                "and a letter first."
            )
    files = find_files(roots)
    place = PurePosixPath("game", ladder, f"{name}.yaml")
    if place in files or name in dict(_level_files(files)):
        raise InvalidInput(f'There is a level "{name}" already. Choose another name.')
    if source is None:
        text = _filled("new_level.yaml", NAME=name, TITLE=_title(name))
    else:
        text = _copied(files, source, name)
    texts = {place: text, **_ladder(files, ladder, name)}
    _require_fine(roots, texts)
    return texts


def new_lesson(roots: Sequence[Path], track: str, name: str) -> Texts:
    """Return the files of a new lesson: itself, and its track if that is new.

    Raises InvalidInput if a name cannot be used or is taken.
    """
    files = find_files(roots)
    inside = [path.name for path in files if path.parts[:2] == ("lessons", track)]
    found = [match for match in map(FILE_NAME.fullmatch, inside) if match]
    number = min(LAST_PLACE, max((int(match[1]) for match in found), default=0) + 1)
    place = PurePosixPath("lessons", track, f"{number:02}-{name}.md")
    if not TRACK_NAME.fullmatch(track) or not FILE_NAME.fullmatch(place.name):
        raise InvalidInput(
            f'"{track}/{name}" cannot be a lesson. Name it as track/name, with small '
            "letters, digits and hyphens."
        )
    if any(match[2] == name for match in found):
        raise InvalidInput(
            f'There is a lesson "{track}/{name}" already. Choose another name.'
        )
    texts = {place: _filled("new_lesson.md", TITLE=_title(name))}
    track_file = PurePosixPath("lessons", track, "track.yaml")
    if track_file not in files:
        texts[track_file] = _filled(
            "new_track.yaml", TITLE=_title(track), PLACE=str(_free_place(files))
        )
    _require_fine(roots, texts)
    return texts


def write_new(root: Path, texts: Texts) -> list[Path]:
    """Write the files of a new level or lesson; return their places.

    A file that is there is never replaced, but for a ladder that gets one line more.
    """
    written = []
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.name == "ladder.yaml":
            write_whole(path, text)
        elif path.exists():
            raise InvalidInput(f"{path} is there already. Nothing was written over it.")
        else:
            write_once(path, text)
        written.append(path)
    return written


def _filled(example: str, **values: str) -> str:
    text = example_text(example)
    for name, value in values.items():
        text = re.sub(rf"\b{name}\b", value, text)
    return text


def _title(name: str) -> str:
    return name.replace("-", " ").capitalize()


def _level_files(
    files: dict[PurePosixPath, ContentFile],
) -> Iterator[tuple[str, Path]]:
    """Yield the id and the file of each level that can be read."""
    for name, file in files.items():
        if name.parts[0] != "game" or name.suffix != ".yaml" or file.fault:
            continue
        try:
            node = read_tree(read_bytes(file.path))
        except TreeProblem:
            continue
        given = node.pairs.get("id")
        if given is not None and name.name != "ladder.yaml":
            yield str(given.value), file.path


def _copied(files: dict[PurePosixPath, ContentFile], source: str, name: str) -> str:
    known = dict(_level_files(files))
    if source not in known:
        raise NotFound(
            f'There is no level "{source}". There are: {", ".join(sorted(known))}.'
        )
    text = known[source].read_text(encoding="utf-8")
    # It opens at once, and editors find its schema by another path.
    text = text.replace(key_types.block(text, "after") or "\0", "")
    text = re.sub(r"^# yaml-language-server:.*\n", "", text)
    text = re.sub(r"^id:.*$", f"id: {name}", text, count=1, flags=re.M)
    title = key_types.block(text, "title")
    return text.replace(title or "\0", f"title: {_title(name)}\n", 1)


def _ladder(files: dict[PurePosixPath, ContentFile], ladder: str, level: str) -> Texts:
    place = PurePosixPath("game", ladder, "ladder.yaml")
    if place not in files:
        given = {"NAME": ladder, "TITLE": _title(ladder), "LEVEL": level}
        return {place: _filled("new_ladder.yaml", **given)}
    text = files[place].path.read_text(encoding="utf-8")
    listed = key_types.block(text if text.endswith("\n") else f"{text}\n", "levels")
    if listed.rstrip().endswith("]"):
        longer = f"{listed.rstrip()[:-1].rstrip(' ,')}, {level}]\n"
    else:
        indent = (re.findall(r"^([ \t]*)- ", listed, re.M) or ["  "])[-1]
        longer = f"{listed.rstrip()}\n{indent}- {level}\n"
    return {place: text.replace(listed.rstrip(), longer.rstrip(), 1)}


def _free_place(files: dict[PurePosixPath, ContentFile]) -> int:
    taken = set()
    for name, file in files.items():
        if name.parts[0] == "lessons" and name.name == "track.yaml" and not file.fault:
            try:
                plain = read_tree(read_bytes(file.path)).plain()
                taken.add(TrackInfo.model_validate(plain).place)
            except (TreeProblem, ValueError):
                continue
    free = (
        place for place in range(1, LAST_PLACE + 1) if place > max(taken, default=0)
    )
    return next(free, LAST_PLACE)


def _require_fine(roots: Sequence[Path], texts: Texts) -> None:
    """Raise InvalidInput if these bring a problem that there is not now."""
    before = {_what(problem) for problem in load_all(roots).problems}
    after = load_with(roots, dict(texts)).problems
    new = [problem for problem in after if _what(problem) not in before]
    if new:
        raise InvalidInput(f"Nothing was written: {format_problem(new[0])}")


def _what(problem: Problem) -> tuple[Path, str]:
    return problem.path, problem.message
