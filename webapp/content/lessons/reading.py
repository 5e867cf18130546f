"""Reads one lesson: Markdown into records, and every problem with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from webapp.content.lessons.markdown import Block, Stretch, divide
from webapp.content.lessons.prose import faults_of_prose
from webapp.content.lessons.rules import (
    Placed,
    check_lesson,
    check_panel,
    check_question,
)
from webapp.content.lessons.schema import (
    CheckSpec,
    Lesson,
    LessonInfo,
    Panel,
    Part,
    Prose,
    Question,
    example_values,
)
from webapp.content.lessons.specs import ReadChecks, each
from webapp.content.rules import NamedModel, Source
from webapp.reading.plain_words import did_you_mean, explain
from webapp.reading.problems import Problem
from webapp.reading.tree import Node, TreeProblem, decode, read_tree
from webapp.text.words import words

FILE_NAME: Final = re.compile(r"(\d{2})-([a-z][a-z0-9-]{0,39})\.md")
TRACK_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,29}")
QUESTIONS: Final = ("predict", "choose", "order", "reflect")

_SAMPLES: Final = re.compile(r"(\d{1,2}) of (\d{1,2})")

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class ReadLesson:
    """A file as it was read: the lesson if nothing is wrong, and what is said of it.

    `source` holds every text of the file with its line; None if it could not be read.
    """

    id: str
    place: int
    lesson: Lesson | None
    problems: tuple[Problem, ...]
    models: tuple[NamedModel, ...] = ()
    source: Source | None = None
    # Every word of the file, to look for passwords without walking through it.
    said: frozenset[str] = frozenset()


def lesson_id(path: Path) -> tuple[str, int] | None:
    """Return the id and the place of a lesson by its path; None if it is misnamed."""
    found = FILE_NAME.fullmatch(path.name)
    if found is None or not TRACK_NAME.fullmatch(path.parent.name):
        return None
    return f"{path.parent.name}/{found[2]}", int(found[1])


def read_lesson(path: Path, data: bytes) -> ReadLesson:
    """Return a lesson and its problems; the path must be that of a lesson."""
    named = lesson_id(path)
    if named is None:
        advice = "name the folder as in basics, and the file as in 03-show-dont-tell.md"
        what = "this is not the name of a lesson"
        return ReadLesson("", 0, None, (Problem(path, 1, what, advice),))
    reader = _Reader(path, *named)
    try:
        reader.read(data)
    except TreeProblem as error:
        reader.problems.append(error.at(path))
    return reader.result()


@dataclass(slots=True)
class _Reader:
    path: Path
    id: str
    place: int
    info: LessonInfo | None = None
    front: Node = field(default_factory=lambda: Node(1, dict))
    parts: list[Part] = field(default_factory=list)
    placed: list[Placed] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    models: list[NamedModel] = field(default_factory=list)
    questions: int = 0
    said: frozenset[str] = frozenset()

    def read(self, data: bytes) -> None:
        """Read the whole file; raise TreeProblem where it cannot be divided."""
        text = decode(data)
        self.said = frozenset(words(text))
        divided = divide(text)
        front = self._tree(divided.front, 1)
        if front is not None:
            self.front = front
            self.nodes.append(front)
            self.info = self._validate(front, LessonInfo, front.plain())
        for part in divided.parts:
            if isinstance(part, Stretch):
                self._prose(part)
            elif part.kind == "panel":
                self._panel(part)
            else:
                self._question(part)

    def result(self) -> ReadLesson:
        """Return what was read; problems inside the lesson are looked for here."""
        lesson = None
        if self.info is not None:
            lesson = Lesson(id=self.id, info=self.info, parts=tuple(self.parts))
            source = Source(self.path, "", self.front)
            self.problems += check_lesson(lesson, source, self.placed)
        if any(problem.is_error for problem in self.problems):
            lesson = None
        return ReadLesson(
            id=self.id,
            place=self.place,
            lesson=lesson,
            problems=tuple(self.problems),
            models=tuple(self.models),
            source=Source(
                self.path,
                self.id.partition("/")[0],
                # The front matter's keys are found by name, all texts by walking.
                Node(1, dict, items=self.nodes, pairs=self.front.pairs),
            ),
            said=self.said,
        )

    def _prose(self, prose: Stretch) -> None:
        for line, message, advice in faults_of_prose(prose):
            self.problems.append(Problem(self.path, line, message, advice))
        self.nodes.append(Node(prose.line, prose.text, block_line=prose.line))
        self.parts.append(Prose(markdown=prose.text))

    def _panel(self, block: Block) -> None:
        node = self._tree(block.body, block.line)
        if node is None or not self._has_name(block, node):
            return
        self.nodes.append(node)
        checks = ReadChecks(
            self.path,
            slots=frozenset(_pairs(node, "slots")),
            talk=_talk(node),
        )
        raw = _panel_values(node, block.words[0], checks)
        panel = self._validate(node, Panel, raw)
        self.problems += checks.problems
        if panel is None or checks.problems:
            return
        placed = Placed(
            panel.name, Source(self.path, self.id, node), block.line, checks
        )
        self.problems += check_panel(panel, placed)
        self.models += _named_models(panel, placed)
        self.placed.append(placed)
        self.parts.append(panel)

    def _has_name(self, block: Block, node: Node) -> bool:
        if len(block.words) == 1 and "name" not in node.pairs:
            return True
        what = f"this {block.kind} has no name behind the word {block.kind}"
        if len(block.words) > 1:
            what = f"this {block.kind} has more than one name"
        elif block.words:
            what = f"the name of a {block.kind} is not written inside"
        advice = f"write ```{block.kind} and a short name, as in ```{block.kind} tell"
        self.problems.append(Problem(self.path, block.line, what, advice))
        return False

    def _question(self, block: Block) -> None:
        self.questions += 1
        kind, name, *more = (*block.words, "", "")[: max(2, len(block.words))]
        if kind not in QUESTIONS:
            what = f'unknown kind of question "{kind}"' if kind else "what kind is it?"
            advice = did_you_mean(kind, QUESTIONS)
            self.problems.append(Problem(self.path, block.line, what, advice))
            return
        if more:
            what, advice = "this question has more than one name", "keep one"
            self.problems.append(Problem(self.path, block.line, what, advice))
        node = self._tree(block.body, block.line)
        if node is None:
            return
        self.nodes.append(node)
        raw = {**node.plain(), "kind": kind, "name": name or f"q{self.questions}"}
        question = self._validate(node, Question, raw)
        if question is None:
            return
        placed = Placed(question.name, Source(self.path, self.id, node), block.line)
        self.problems += check_question(question, placed)
        self.placed.append(placed)
        self.parts.append(question)

    def _tree(self, body: Stretch, line: int) -> Node | None:
        """Parse YAML that stands somewhere in the file, with the file's lines."""
        try:
            # Empty lines before it make every line that is told the file's own.
            node = read_tree(("\n" * (body.line - 1) + body.text).encode())
        except TreeProblem as error:
            error.line = max(error.line, line)
            self.problems.append(error.at(self.path))
            return None
        if node.value is not dict:
            what, advice = "this block must be a mapping", "write key: value"
            self.problems.append(Problem(self.path, node.line, what, advice))
            return None
        return node

    def _validate(self, node: Node, model: type[M], raw: object) -> M | None:
        try:
            return model.model_validate(raw)
        except ValidationError as error:
            self.problems += explain(self.path, node, model, error)
            return None


def _pairs(node: Node, key: str) -> dict[str, Node]:
    below = node.pairs.get(key)
    return below.pairs if below is not None else {}


def _talk(node: Node) -> Any:
    talk = node.pairs.get("talk")
    # Another value is told by the schema.
    return talk.value if talk is not None else "chat"


def _panel_values(node: Node, name: str, checks: ReadChecks) -> dict[str, Any]:
    """Return what the schema expects for what authors may write shorter."""
    raw: dict[str, Any] = node.plain()
    raw["name"] = name
    if "samples" in raw:
        raw["samples"] = _samples(raw["samples"])
    if "vary" in raw:
        raw["vary"] = example_values(raw["vary"])
        checks.problems += _unclear_values(checks.path, node.pairs["vary"])
    if "checks" in node.pairs:
        raw["checks"] = _specs(checks, node.pairs["checks"])
    items = {
        name: slot.pairs["items"].plain()
        for name, slot in _pairs(node, "slots").items()
        if "items" in slot.pairs
    }
    mistakes = node.pairs.get("mistakes")
    for number, mistake in enumerate(mistakes.items if mistakes else ()):
        if "when" in mistake.pairs:
            raw["mistakes"][number]["when"] = _specs(checks, mistake.pairs["when"])
        _shorten(raw["mistakes"][number], "example", items)
    _shorten(raw, "solution", items)
    for key in ("solved_by", "not_solved_by"):
        entries = raw["proof"].get(key) if isinstance(raw.get("proof"), dict) else None
        if isinstance(entries, list):
            raw["proof"][key] = [_values(entry, items) for entry in entries]
    return raw


def _samples(value: Any) -> Any:
    found = _SAMPLES.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return value
    return {"least": int(found[1]), "of": int(found[2])}


def _unclear_values(path: Path, vary: Node) -> Iterator[Problem]:
    """Yield values of which nobody knows how they would be written in a prompt."""
    for name, row in vary.pairs.items():
        for node in row.items or [row]:
            if row.value == [] or not _is_word(node.value):
                what = f'"vary.{name}" must be text'
                yield Problem(path, node.line, what, "put it in quotes")


def _is_word(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _specs(checks: ReadChecks, node: Node) -> tuple[CheckSpec, ...]:
    told = len(checks.problems)
    specs = checks.read(node)
    if len(checks.problems) > told and not specs:
        # The panel is not used: this keeps it from being called empty as well.
        return (CheckSpec(name="unread"),)
    return specs


def _shorten(raw: Any, key: str, items: Mapping[str, Any]) -> None:
    if isinstance(raw, dict) and key in raw:
        raw[key] = _values(raw[key], items)


def _values(value: Any, items: Mapping[str, Any]) -> Any:
    """Return what is typed, by slot."""
    if not isinstance(value, dict):
        return value
    return {
        slot: _order(typed, items[slot]) if slot in items else _typed(typed)
        for slot, typed in value.items()
    }


def _typed(value: Any) -> Any:
    return str(value) if _is_word(value) else value


def _order(value: Any, items: Any) -> Any:
    """Return an order of locked lines as pages send it: their numbers, from one."""
    if not isinstance(value, list) or not isinstance(items, list):
        return _typed(value)
    numbers = [items.index(one) + 1 if one in items else one for one in value]
    return " ".join(map(str, numbers))


def _named_models(panel: Panel, placed: Placed) -> Iterator[NamedModel]:
    source = placed.source
    if panel.talk != "none":
        node = source.node.pairs.get("model")
        line = node.line if node is not None else placed.line
        yield NamedModel(source.path, line, panel.model)
    specs = [*panel.checks, *(w for m in panel.mistakes for w in m.when)]
    for spec in each(tuple(specs)):
        name = getattr(spec.options, "model", None)
        if isinstance(name, str):
            yield NamedModel(source.path, placed.line_of(spec), name)
