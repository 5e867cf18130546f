"""Reads the content roots into one index, or into a list of all that is wrong."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from webapp.content.attacks import (
    AttackFile,
    Placed,
    check_attacks,
    conversations,
)
from webapp.content.data_sets import DataSet, PlacedSet
from webapp.content.files import ContentFile, find_files
from webapp.content.guardspecs import read_guards
from webapp.content.index import Index
from webapp.content.lessons.collecting import Collected, Collector, Memory
from webapp.content.lessons.reading import ReadLesson
from webapp.content.report import (
    MAX_REPORT_BYTES,
    REPORT_FILE,
    Report,
    ReportMistake,
    read_report,
)
from webapp.content.rules import (
    NamedModel,
    Names,
    Source,
    check_ladders,
    check_level,
    check_levels,
    check_words_in_texts,
    first_words,
    named_models,
)
from webapp.content.schema import ID_PATTERN, HelpTexts, Ladder, Level
from webapp.content.wordlist import WordList, read_words
from webapp.once import once
from webapp.reading.plain_words import explain
from webapp.reading.problems import Problem
from webapp.reading.tree import MAX_BYTES, Node, TreeProblem, read_bytes, read_tree
from webapp.settings import PROJECT

__all__ = ["Loaded", "Problem", "load", "load_level"]

log = logging.getLogger(__name__)

# What the site answers instead of a model.
HELP_FILE: Final = "help.yaml"

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The index if the game has no error, every problem on the way, lists and models.

    A lesson with an error is in the index as it last was, if it ever was.
    """

    index: Index | None
    problems: list[Problem]
    lists: tuple[WordList, ...] = ()
    models: tuple[NamedModel, ...] = ()
    memory: Memory = field(default_factory=Memory)


@dataclass(slots=True)
class _Tree:
    """What the files of all roots say, as far as they could be read."""

    ladders: list[tuple[Ladder, Source]] = field(default_factory=list)
    levels: list[tuple[Level, Source]] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    words: dict[str, WordList] = field(default_factory=dict)
    attacks: list[Placed] = field(default_factory=list)
    data_sets: dict[str, DataSet] = field(default_factory=dict)
    reports: dict[str, Report] = field(default_factory=dict)
    help_texts: HelpTexts | None = None
    lessons: list[tuple[PurePosixPath, ContentFile]] = field(default_factory=list)
    level_ids: set[str] = field(default_factory=set)
    folders: dict[str, Path] = field(default_factory=dict)
    ladder_folders: set[str] = field(default_factory=set)
    unclear_folders: set[str] = field(default_factory=set)
    models: list[NamedModel] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def load(roots: Sequence[Path], memory: Memory | None = None) -> Loaded:
    """Read and check all content; the index is None if the game has any error.

    `memory` is what the reading before this one left. Never raises: a failure that
    nobody expected is a problem as well.
    """
    memory = memory or Memory()
    try:
        return _load(roots, memory)
    except Exception as error:  # noqa: BLE001 -- border: the last good content stays
        root = roots[0] if roots else Path()
        return Loaded(None, [_failure(root, error)], memory=memory)


def _load(roots: Sequence[Path], memory: Memory) -> Loaded:
    tree = _Tree()
    for name, file in find_files(roots).items():
        if name.parts[0] == "lessons":
            tree.lessons.append((name, file))
            continue
        if file.fault:
            tree.problems.append(Problem(file.path, 1, file.fault, file.advice))
            continue
        try:
            _read_file(tree, name, file.path)
        except Exception as error:  # noqa: BLE001 -- border: the file is named
            tree.problems.append(_failure(file.path, error))
    collector = _read_lessons(tree, memory)
    tree.problems += _check_tree(tree, roots, collector.ids)
    is_broken = any(problem.is_error for problem in tree.problems)
    # Which gates there are is known only when all ladders can be read.
    collected = collector.collect(None if is_broken else _gates(tree))
    spoken = _passwords_in(collected.read, tree.words)
    problems = sorted({*tree.problems, *collected.problems, *spoken}, key=_order)
    lists = tuple(tree.words.values())
    models = (*tree.models, *collected.models)
    if is_broken:
        return Loaded(None, problems, lists, models, collected.memory)
    return Loaded(_index(tree, collected), problems, lists, models, collected.memory)


def _passwords_in(
    lessons: Iterable[ReadLesson], words: Mapping[str, WordList]
) -> Iterator[Problem]:
    """Yield each secret word in a lesson; a lesson may say one, but better does not."""
    first = first_words(words.values())
    sources = [
        lesson.source
        for lesson in lessons
        if lesson.source is not None and not first.isdisjoint(lesson.said)
    ]
    return check_words_in_texts(sources, words, severity="warning")


def _index(tree: _Tree, collected: Collected) -> Index:
    return Index(
        ladders={
            ladder.id: ladder
            for ladder, _ in sorted(tree.ladders, key=lambda read: read[0].place)
        },
        levels={level.id: level for level, _ in tree.levels},
        words={name: words.words for name, words in tree.words.items()},
        attacks=conversations(tree.attacks, "attack"),
        benign=conversations(tree.attacks, "benign"),
        data_sets=tree.data_sets,
        reports=tuple(tree.reports.values()),
        help_texts=tree.help_texts or _shipped_help(),
        course=collected.course,
    )


def _read_lessons(tree: _Tree, memory: Memory) -> Collector:
    collector = Collector(memory)
    for name, file in tree.lessons:
        try:
            collector.add(name, file)
        except Exception as error:  # noqa: BLE001 -- border: the file is named
            collector.problems.append(_failure(file.path, error))
    return collector


def _gates(tree: _Tree) -> frozenset[str]:
    return frozenset(
        f"{ladder.id}/{level_id}"
        for ladder, _ in tree.ladders
        for level_id in ladder.levels
    )


def _failure(path: Path, error: Exception) -> Problem:
    log.error("reading %s failed", path, exc_info=error)
    what = f"this could not be read ({type(error).__name__})"
    return Problem(path, 1, what, "make it simpler, or undo the last change")


def _order(problem: Problem) -> tuple[bool, str, int, str]:
    """Errors first: with them nothing else goes live."""
    return not problem.is_error, str(problem.path), problem.line, problem.message


def load_level(path: Path) -> tuple[Level | None, list[Problem]]:
    """Read one level on its own, without its ladder and word list."""
    tree = _Tree()
    try:
        data = _read_bytes(tree, path)
        if data is not None:
            _add_level(tree, path.parent.name, path, data)
    except Exception as error:  # noqa: BLE001 -- border: the file is named
        tree.problems.append(_failure(path, error))
    return (tree.levels[0][0] if tree.levels else None), tree.problems


def _read_file(tree: _Tree, name: PurePosixPath, path: Path) -> None:
    top = name.parts[0]
    if top == "game" and path.name == REPORT_FILE:
        _add_report(tree, path)
        return
    wanted = ".txt" if top == "words" else ".yaml"
    if path.suffix != wanted:
        advice = f"name it {path.stem}{wanted} or move it away"
        tree.problems.append(
            Problem(path, 1, "this file is not read", advice, "warning")
        )
        return
    data = _read_bytes(tree, path)
    if data is None:
        return
    if top == "words":
        tree.words[path.stem], problems = read_words(path, data)
        tree.problems += problems
        return
    if top == "attacks":
        _add_attacks(tree, path, data)
        return
    if top == "data":
        _add_data(tree, path, data)
        return
    if top == "texts":
        _add_texts(tree, path, data)
        return
    folder = name.parts[1]
    tree.folders.setdefault(folder, path.parent)
    if name.name == "ladder.yaml":
        _add_ladder(tree, folder, path, data)
    else:
        _add_level(tree, folder, path, data)


def _read_bytes(tree: _Tree, path: Path, most: int = MAX_BYTES) -> bytes | None:
    try:
        return read_bytes(path, most)
    except TreeProblem as error:
        tree.problems.append(error.at(path))
        return None


def _add_ladder(tree: _Tree, folder: str, path: Path, data: bytes) -> None:
    tree.ladder_folders.add(folder)
    node = _parse(tree, path, data)
    if node is None:
        return
    source = Source(path, folder, node)
    ladder = _validate(tree, source, Ladder, node.plain())
    if ladder is not None:
        tree.ladders.append((ladder, source))


def _add_level(tree: _Tree, folder: str, path: Path, data: bytes) -> None:
    node = _parse(tree, path, data)
    level_id = node.pairs["id"].value if node and "id" in node.pairs else None
    if not isinstance(level_id, str) or not re.match(ID_PATTERN, level_id):
        tree.unclear_folders.add(folder)
    else:
        tree.level_ids.add(level_id)
    if node is None:
        return
    source = Source(path, folder, node)
    guards = read_guards(path, node)
    raw = node.plain()
    for stage, specs in guards.stages.items():
        raw["guards"][stage] = specs
    level = _validate(tree, source, Level, raw)
    tree.problems += guards.problems
    if level is not None and not guards.problems:
        tree.problems += check_level(level, source)
        tree.models += named_models(level, source)
        tree.levels.append((level, source))


def _add_attacks(tree: _Tree, path: Path, data: bytes) -> None:
    node = _parse(tree, path, data)
    if node is None:
        return
    try:
        file = AttackFile.model_validate(node.plain())
    except ValidationError as error:
        tree.problems += explain(path, node, AttackFile, error)
    else:
        tree.attacks.append(Placed(path, node, file))


def _add_data(tree: _Tree, path: Path, data: bytes) -> None:
    node = _parse(tree, path, data)
    if node is None:
        return
    try:
        found = DataSet.model_validate(node.plain())
    except ValidationError as error:
        tree.problems += explain(path, node, DataSet, error)
        return
    wrong = list(PlacedSet(path, node, found).problems())
    tree.problems += wrong
    if not wrong:
        tree.data_sets[path.stem] = found


def _add_texts(tree: _Tree, path: Path, data: bytes) -> None:
    if path.name != HELP_FILE:
        advice = f"only {HELP_FILE} is read here"
        what = Problem(path, 1, "this file is not read", advice, "warning")
        tree.problems.append(what)
        return
    node = _parse(tree, path, data)
    if node is None:
        return
    try:
        tree.help_texts = HelpTexts.model_validate(node.plain())
    except ValidationError as error:
        tree.problems += explain(path, node, HelpTexts, error)


@once
def _shipped_help() -> HelpTexts:
    """Return the texts that hold where no root has any of its own."""
    path = PROJECT / "challenges" / "texts" / HELP_FILE
    return HelpTexts.model_validate(read_tree(read_bytes(path)).plain())


def _add_report(tree: _Tree, path: Path) -> None:
    data = _read_bytes(tree, path, MAX_REPORT_BYTES)
    if data is None:
        return
    try:
        report = read_report(data)
    except ReportMistake as mistake:
        advice = "make it again with ./wordkeep calibrate --json"
        # Players need no report: a broken one must not hold their levels back.
        tree.problems.append(
            Problem(path, mistake.line, mistake.message, advice, "warning")
        )
        return
    tree.reports[path.parent.name] = report


def _parse(tree: _Tree, path: Path, data: bytes) -> Node | None:
    try:
        node = read_tree(data)
    except TreeProblem as error:
        tree.problems.append(error.at(path))
        return None
    if node.value is not dict:
        tree.problems.append(
            Problem(path, node.line, "the file must be a mapping", "write key: value")
        )
        return None
    return node


def _validate(tree: _Tree, source: Source, model: type[M], raw: object) -> M | None:
    tree.sources.append(source)
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        tree.problems += explain(source.path, source.node, model, error)
        return None


def _check_tree(
    tree: _Tree, roots: Sequence[Path], lessons: frozenset[str]
) -> Iterator[Problem]:
    names = Names(
        lessons,
        frozenset(tree.level_ids),
        frozenset(tree.unclear_folders),
    )
    yield from check_ladders(tree.ladders, tree.levels, names)
    yield from check_levels(tree.levels, tree.words, names)
    yield from check_words_in_texts(tree.sources, tree.words)
    yield from check_attacks(tree.attacks)
    for folder, path in tree.folders.items():
        if folder not in tree.ladder_folders:
            yield Problem(
                path / "ladder.yaml",
                1,
                "this folder has levels but no ladder.yaml",
                "add one that lists their ids",
            )
    if not tree.folders:
        game = (roots[0] if roots else Path()) / "game"
        yield Problem(game, 1, "there is no ladder here", "add <ladder>/ladder.yaml")
