"""Puts the lessons of all roots together; a broken one keeps its last good version.

Unlike a level, a lesson stands by itself: nobody's turn depends on it. So an error in
one neither holds the others back nor the game.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Final

from pydantic import ValidationError

from webapp.content.files import ContentFile
from webapp.content.lessons.course import Course, Track
from webapp.content.lessons.proven import (
    MAX_PROVEN_BYTES,
    PROVEN_FILE,
    ProvenMistake,
    ProvenRow,
    by_key,
    read_proven,
)
from webapp.content.lessons.reading import (
    TRACK_NAME,
    ReadLesson,
    lesson_id,
    read_lesson,
)
from webapp.content.lessons.schema import Lesson, TrackInfo
from webapp.content.rules import NamedModel, Source, needed_by
from webapp.reading.plain_words import did_you_mean, explain
from webapp.reading.problems import Problem
from webapp.reading.tree import TreeProblem, read_bytes, read_tree

TRACK_FILE: Final = "track.yaml"


@dataclass(frozen=True, slots=True)
class Memory:
    """What one reading leaves to the next: how each file was read, and what is live.

    A file that did not change is not read again.
    """

    read: Mapping[ContentFile, ReadLesson] = field(default_factory=dict)
    lessons: Mapping[str, tuple[int, Lesson]] = field(default_factory=dict)
    tracks: Mapping[str, TrackInfo] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Collected:
    """The course, every problem of it, the models it names, and what to remember.

    `read` are its lessons as they were read, also those that are not in the course.
    """

    course: Course
    problems: tuple[Problem, ...]
    models: tuple[NamedModel, ...]
    read: tuple[ReadLesson, ...]
    memory: Memory


@dataclass(slots=True)
class Collector:
    """Takes the files under `lessons/` one by one, and then makes a course of them."""

    memory: Memory
    read: dict[ContentFile, ReadLesson] = field(default_factory=dict)
    by_id: dict[str, tuple[Path, ReadLesson]] = field(default_factory=dict)
    infos: dict[str, tuple[TrackInfo, Source]] = field(default_factory=dict)
    folders: dict[str, Path] = field(default_factory=dict)
    broken_tracks: set[str] = field(default_factory=set)
    rows: list[ProvenRow] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def ids(self) -> frozenset[str]:
        """The lessons that have a file, however broken, and those they were before."""
        old = (
            name
            for _, read in self.by_id.values()
            if read.lesson is not None
            for name in read.lesson.info.was
        )
        return frozenset((*self.by_id, *old))

    def add(self, name: PurePosixPath, file: ContentFile) -> None:
        """Read a file, unless it is as it was."""
        if file.fault:
            self.problems.append(Problem(file.path, 1, file.fault, file.advice))
            found = lesson_id(file.path)
            if found is not None:
                blank = ReadLesson(*found, None, ())
                self._place(file, blank)
        elif name.name == PROVEN_FILE or PROVEN_FILE in name.parts:
            self._add_proven(file.path)
        elif name.name == TRACK_FILE:
            self._add_track(name.parts[1], file.path)
        elif file.path.suffix == ".md":
            self._add_lesson(name.parts[1], file)
        else:
            advice = f"name it 01-{file.path.stem}.md or move it away"
            self._warn(file.path, "this file is not read", advice)

    def _add_lesson(self, folder: str, file: ContentFile) -> None:
        self.folders.setdefault(folder, file.path.parent)
        read = self.memory.read.get(file) or read_file(file.path)
        self.read[file] = read
        self.problems += read.problems
        if read.id:
            self._place(file, read)

    def _place(self, file: ContentFile, read: ReadLesson) -> None:
        other = self.by_id.get(read.id)
        # A later root replaces a lesson, even under another number.
        if other is not None and other[0].parent == file.path.parent:
            what = f'two files are the lesson "{read.id}"'
            advice = f"rename one; the other is {other[0].name}"
            self.problems.append(Problem(file.path, 1, what, advice))
            return
        self.by_id[read.id] = (file.path, read)

    def _add_track(self, folder: str, path: Path) -> None:
        self.folders.setdefault(folder, path.parent)
        try:
            node = read_tree(read_bytes(path))
            info = TrackInfo.model_validate(node.plain())
        except TreeProblem as error:
            self.problems.append(error.at(path))
        except ValidationError as error:
            self.problems += explain(path, node, TrackInfo, error)
        else:
            self.infos[folder] = (info, Source(path, folder, node))
            return
        self.broken_tracks.add(folder)

    def _add_proven(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                self.rows += read_proven(file.read(MAX_PROVEN_BYTES + 1))
        except OSError as error:
            self._warn(path, f"cannot be read: {error.strerror}", "check the file")
        except ProvenMistake as mistake:
            advice = "make it again with ./wordkeep check --play"
            # Students need no proof: a broken file must not hold lessons back.
            self._warn(path, mistake.message, advice, mistake.line)

    def _warn(self, path: Path, message: str, advice: str, line: int = 1) -> None:
        self.problems.append(Problem(path, line, message, advice, "warning"))

    def collect(self, gates: frozenset[str] | None) -> Collected:
        """Return the course; `gates` are all that exist, or None if that is unclear."""
        self.problems += _check_between(self.by_id, self.ids, gates)
        self.problems += self._check_tracks()
        tracks = self._known_tracks()
        lessons = self._live()
        course = Course(
            tracks=tuple(_tracks(tracks, lessons)),
            proven=MappingProxyType(by_key(self.rows)),
        )
        read = [read for _, read in self.by_id.values()]
        return Collected(
            course=course,
            problems=tuple(self.problems),
            models=tuple(model for one in read for model in one.models),
            read=tuple(read),
            memory=Memory(dict(self.read), lessons, tracks),
        )

    def _live(self) -> dict[str, tuple[int, Lesson]]:
        """Return the lessons without an error, and last good ones of the others."""
        wrong = {problem.path for problem in self.problems if problem.is_error}
        live: dict[str, tuple[int, Lesson]] = {}
        for name, (path, read) in self.by_id.items():
            if read.lesson is not None and path not in wrong:
                live[name] = (read.place, read.lesson)
            elif name in self.memory.lessons:
                live[name] = self.memory.lessons[name]
        return live

    def _known_tracks(self) -> dict[str, TrackInfo]:
        known = {name: info for name, (info, _) in self.infos.items()}
        for name in self.broken_tracks:
            if name in self.memory.tracks:
                known[name] = self.memory.tracks[name]
        return known

    def _check_tracks(self) -> Iterator[Problem]:
        for folder, path in self.folders.items():
            if not TRACK_NAME.fullmatch(folder):
                what = f'"{folder}" is not the name of a track'
                advice = "use small letters, digits and hyphens, and a letter first"
                yield Problem(path, 1, what, advice)
            elif folder not in self.infos and folder not in self.broken_tracks:
                what = "this folder has lessons but no track.yaml"
                advice = "add one with title, story and place"
                yield Problem(path / TRACK_FILE, 1, what, advice)
        first: dict[int, str] = {}
        for folder, (info, source) in sorted(self.infos.items()):
            if info.place in first:
                what = f'the track "{first[info.place]}" has the same place'
                problem = source.problem(("place",), what, "give each its own number")
                yield replace(problem, severity="warning")
            first.setdefault(info.place, folder)


def read_file(path: Path) -> ReadLesson:
    """Return a lesson of a file by itself, which need not be readable."""
    try:
        data = read_bytes(path)
    except TreeProblem as error:
        named = lesson_id(path) or ("", 0)
        return ReadLesson(*named, None, (error.at(path),))
    return read_lesson(path, data)


def _tracks(
    infos: Mapping[str, TrackInfo], lessons: Mapping[str, tuple[int, Lesson]]
) -> Iterator[Track]:
    inside: dict[str, list[tuple[int, str]]] = {}
    for name, (place, lesson) in lessons.items():
        inside.setdefault(lesson.track, []).append((place, name))
    for name, info in sorted(infos.items(), key=lambda item: (item[1].place, item[0])):
        if name in inside:
            ordered = sorted(inside[name])
            yield Track(name, info, tuple(lessons[one][1] for _, one in ordered))


def _check_between(
    by_id: Mapping[str, tuple[Path, ReadLesson]],
    ids: frozenset[str],
    gates: frozenset[str] | None,
) -> Iterator[Problem]:
    """Yield what is wrong between lessons, and between lessons and gates."""
    placed = [
        (read.lesson, read.source)
        for _, read in by_id.values()
        if read.lesson is not None and read.source is not None
    ]
    yield from _check_named(placed, ids, gates)
    yield from _check_old_ids(placed, frozenset(by_id))
    after = {lesson.id: lesson.info.after for lesson, _ in placed}
    for lesson, source in placed:
        if lesson.id in needed_by(lesson.id, after):
            what = "this lesson comes after itself"
            advice = "delete an id from after, here or in the lessons that it names"
            yield source.problem(("after",), what, advice)


def _check_named(
    placed: Iterable[tuple[Lesson, Source]],
    ids: frozenset[str],
    gates: frozenset[str] | None,
) -> Iterator[Problem]:
    for lesson, source in placed:
        for number, name in enumerate(lesson.info.after):
            if name not in ids:
                what, advice = f'there is no lesson "{name}"', did_you_mean(name, ids)
                yield source.problem(("after", number), what, advice)
        for number, name in enumerate(lesson.info.gates if gates is not None else ()):
            if name not in (gates or ()):
                advice = did_you_mean(name, gates or ())
                what = f'there is no gate "{name}"'
                yield source.problem(("gates", number), what, advice)


def _check_old_ids(
    placed: Sequence[tuple[Lesson, Source]], ids: frozenset[str]
) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for lesson, source in placed:
        for number, old in enumerate(lesson.info.was):
            loc = ("was", number)
            if old in ids and old != lesson.id:
                what = f'"{old}" is the id of another lesson'
                yield source.problem(loc, what, "delete it here, or rename the other")
            elif first.setdefault(old, lesson.id) != lesson.id:
                what = f'"{first[old]}" was "{old}" as well'
                yield source.problem(loc, what, "keep it in one of them")
