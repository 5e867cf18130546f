"""Reads the harmless part of YAML into a tree that knows its line numbers.

Built on PyYAML's event stream, not on ruamel or on composed nodes: events carry the
line of every key and value, and a bomb, alias or over-deep file is refused on the
way, before anything is built from it. Plain words follow YAML 1.2, so `no` and
`12:30` stay text.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from webapp.reading.problems import Problem

MAX_BYTES: Final = 200_000
MAX_DEPTH: Final = 50

# With what YAML takes for the end of a line and no editor does.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
_INT = re.compile(r"[-+]?[0-9]{1,400}")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class TreeProblem(Exception):
    """The file cannot be read, or its text is not YAML that we accept."""

    def __init__(self, line: int, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.message = message
        self.suggestion = suggestion

    def at(self, path: Path) -> Problem:
        """Return it as a problem of a file."""
        return Problem(path, self.line, self.message, self.suggestion)


class EmptyTree(TreeProblem):
    """There is nothing in the file but comments."""


@dataclass(slots=True)
class Node:
    """A value and the line it starts on (for a pair of a mapping: its key's line)."""

    line: int
    value: Any = None
    items: list[Node] = field(default_factory=list)
    pairs: dict[str, Node] = field(default_factory=dict)
    # Line on which the text of a literal block (`|`) begins; 0 for other values.
    block_line: int = 0

    def plain(self) -> Any:
        """Return ordinary Python values without the line numbers."""
        if self.value is dict:
            return {key: node.plain() for key, node in self.pairs.items()}
        if self.value is list:
            return [node.plain() for node in self.items]
        return self.value

    def find(self, loc: tuple[int | str, ...]) -> Node:
        """Return the node at a path, or the nearest one above it that exists."""
        node = self
        for step in loc:
            below = node._child(step)
            if below is None:
                break
            node = below
        return node

    def has(self, step: int | str) -> bool:
        """Return whether there is a value at one step below."""
        return self._child(step) is not None

    def _child(self, step: int | str) -> Node | None:
        if isinstance(step, int):
            return self.items[step] if 0 <= step < len(self.items) else None
        return self.pairs.get(step)


def as_node(value: Any, line: int, depth: int = 1) -> Node:
    """Return a value that was read from JSON as a tree whose parts all have one line.

    What is nested deeper than MAX_DEPTH stays as it is.
    """
    if depth <= MAX_DEPTH and isinstance(value, dict):
        below = {
            str(key): as_node(part, line, depth + 1) for key, part in value.items()
        }
        return Node(line, dict, pairs=below)
    if depth <= MAX_DEPTH and isinstance(value, list):
        items = [as_node(part, line, depth + 1) for part in value]
        return Node(line, list, items=items)
    return Node(line, value)


def read_bytes(path: Path, most: int = MAX_BYTES) -> bytes:
    """Return what is in a file; raise TreeProblem if it cannot be read.

    Of a file with more than `most` bytes, one more than that is returned.
    """
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
        raise TreeProblem(1, reason, "check the file") from error


def decode(data: bytes) -> str:
    """Return the text of a content file; raise TreeProblem if it is not text."""
    if len(data) > MAX_BYTES:
        raise TreeProblem(
            1,
            f"the file has more than {MAX_BYTES:,} bytes",
            "a content file may not be larger; split it",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise TreeProblem(
            line, "this is not UTF-8 text", "save the file as UTF-8"
        ) from error
    control = _CONTROL.search(text)
    if control:
        line = text.count("\n", 0, control.start()) + 1
        raise TreeProblem(
            line,
            f"the control character U+{ord(control[0]):04X} is not allowed",
            "delete it; is this a text file?",
        )
    return text


def read_tree(data: bytes) -> Node:
    """Parse one YAML document; raise TreeProblem with the line of the first error."""
    text = decode(data)
    try:
        events = _content(yaml.parse(text, Loader=yaml.CSafeLoader))
        tree = _build(events, 1)
        # The rest must be read too: a second document or an error may follow.
        deque(events, maxlen=0)
        return tree
    except yaml.MarkedYAMLError as error:
        raise _explain(error, text) from error
    except yaml.YAMLError as error:
        raise TreeProblem(1, "this is not readable as YAML", str(error)) from error


def _content(events: Iterator[yaml.Event]) -> Iterator[yaml.Event]:
    """Yield the events of the one document; refuse aliases, tags and a second one."""
    documents = 0
    for event in events:
        line = _line(event)
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise TreeProblem(
                    line, "a second document starts here", "use one file for each"
                )
        if isinstance(event, yaml.AliasEvent):
            raise TreeProblem(
                line, f"alias *{event.anchor} is not allowed", "write the value again"
            )
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            raise TreeProblem(
                line, f"anchor &{event.anchor} is not allowed", "write the value again"
            )
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise TreeProblem(line, f"tag {tag} is not allowed", "delete the tag")
        if isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent):
            yield event
    if documents == 0:
        raise EmptyTree(1, "the file is empty", "see the other files for the keys")


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _build(events: Iterator[yaml.Event], depth: int) -> Node:
    return _node(next(events), events, depth)


def _node(event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
    line = _line(event)
    if depth > MAX_DEPTH:
        raise TreeProblem(
            line, f"this is nested more than {MAX_DEPTH} levels deep", "make it flatter"
        )
    if isinstance(event, yaml.ScalarEvent):
        block = line + 1 if event.style == "|" else 0
        return Node(line, _scalar(event), block_line=block)
    node = Node(line, list if isinstance(event, yaml.SequenceStartEvent) else dict)
    for inner in events:
        if isinstance(inner, yaml.CollectionEndEvent):
            break
        if node.value is list:
            node.items.append(_node(inner, events, depth + 1))
        else:
            _add_pair(node, inner, events, depth)
    return node


def _add_pair(
    node: Node, key: yaml.Event, events: Iterator[yaml.Event], depth: int
) -> None:
    line = _line(key)
    if not isinstance(key, yaml.ScalarEvent):
        raise TreeProblem(
            line,
            "a list or mapping cannot be a key",
            "put text that starts with { or [ in quotes",
        )
    if key.value in node.pairs:
        first = node.pairs[key.value].line
        raise TreeProblem(
            line, f'"{key.value}" appears twice', f"the first is on line {first}"
        )
    below = _build(events, depth + 1)
    below.line = line
    node.pairs[key.value] = below


def _scalar(event: yaml.ScalarEvent) -> Any:
    text: str = event.value
    if not event.implicit[0]:  # it was in quotes or in a block: always text
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and len(text) < 40:
        return float(text)
    return text


def _explain(error: yaml.MarkedYAMLError, text: str) -> TreeProblem:
    mark = error.problem_mark or error.context_mark
    number = mark.line + 1 if mark else 1
    began = _open_quote(text, number)
    if began is not None:
        return TreeProblem(
            began,
            "a quotation mark opens here and is not closed on its line",
            "close it, or write '' for ' inside '…' and \\\" for \" inside \"…\"",
        )
    if error.problem in _OPEN and error.context_mark is not None:
        # The end of the file is where it was noticed; this is where it began.
        number = error.context_mark.line + 1
    lines = text.split("\n")
    line = lines[number - 1] if number <= len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return TreeProblem(number, "a tab indents this line", "use spaces to indent")
    advice = _ADVICE.get(error.problem or "", "look at this line and the one above")
    return TreeProblem(number, f"not readable as YAML: {error.problem}", advice)


def _open_quote(text: str, line: int) -> int | None:
    """Return the line of a quotation mark that ends only on `line`, or nowhere."""
    last: yaml.Token | None = None
    try:
        for token in yaml.scan(text, Loader=yaml.CSafeLoader):
            if token.start_mark.line + 1 > line:
                break
            if isinstance(token, yaml.ScalarToken) and token.style in {"'", '"'}:
                last = token
    except yaml.MarkedYAMLError as error:
        if error.context == "while scanning a quoted scalar" and error.context_mark:
            return int(error.context_mark.line) + 1
    if last is None or not last.start_mark.line + 1 < line == last.end_mark.line + 1:
        return None
    return int(last.start_mark.line) + 1


_OPEN = {
    "did not find expected ',' or ']'",
    "did not find expected ',' or '}'",
}
_ADVICE = {
    "mapping values are not allowed in this context": (
        "put text that contains ': ' in quotes"
    ),
    "found character that cannot start any token": (
        "put text that starts with @, ` or % in quotes"
    ),
    "found unexpected end of stream": "a quotation mark or bracket is not closed",
}
