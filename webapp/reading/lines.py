"""Read a small YAML file and remember on which line each value stands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 200_000
Loc = tuple[int | str, ...]


class YamlMistake(Exception):
    """The file is not plain YAML; `line` says where."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


@dataclass(frozen=True, slots=True)
class LinedYaml:
    """The values of a file, and the line of each."""

    data: Any
    lines: dict[Loc, int]

    def line(self, loc: Loc) -> int:
        """Return the line of a value, or of the nearest one around it."""
        while loc and loc not in self.lines:
            loc = loc[:-1]
        return self.lines.get(loc, 1)


class _Loader(yaml.SafeLoader):
    """Plain values only: an alias can blow up a file, so there are none."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(
                problem="aliases are not allowed", problem_mark=event.start_mark
            )
        return super().compose_node(parent, index)


def read_lined(path: Path) -> LinedYaml:
    """Return the values and lines of a file; raise YamlMistake if it is not plain."""
    lines: dict[Loc, int] = {}
    loader: _Loader | None = None
    try:
        raw = path.read_bytes()
        if len(raw) > MAX_BYTES:
            raise YamlMistake(1, f"the file is larger than {MAX_BYTES} bytes")
        loader = _Loader(raw.decode("utf-8"))
        root = loader.get_single_node()
        if root is None:
            return LinedYaml(None, lines)
        _walk(root, (), lines)
        return LinedYaml(loader.construct_document(root), lines)
    except UnicodeDecodeError:
        raise YamlMistake(1, "the file is not UTF-8 text") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlMistake(
            mark.line + 1 if mark else 1, error.problem or "not valid YAML"
        ) from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise YamlMistake(1, "the file is not valid YAML") from None
    except OSError as error:
        raise YamlMistake(1, f"the file cannot be read: {error.strerror}") from None
    finally:
        if loader is not None:
            loader.dispose()


def _walk(node: yaml.Node, loc: Loc, lines: dict[Loc, int]) -> None:
    lines.setdefault(loc, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _walk(item, (*loc, number), lines)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*loc, str(key.value))
            if inner in lines:
                raise YamlMistake(
                    key.start_mark.line + 1, f'"{key.value}" stands twice here'
                )
            lines[inner] = key.start_mark.line + 1
            _walk(value, inner, lines)
