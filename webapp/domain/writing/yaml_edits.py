"""Changing a value in a YAML file and leaving all else as it was written.

Only the lines of the value are written again: comments, order and spelling of
everything around it stay. The result is read back, so that what it says is known to be
what was meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

from webapp.errors import InvalidInput
from webapp.reading.tree import TreeProblem, read_tree

_WIDTH: Final = 88
_LONG_LINE: Final = 76


# Keys of mappings, and places in lists.
Path = tuple[str | int, ...]


def put(
    text: str,
    path: Path,
    value: Any,
    orders: Sequence[Sequence[str]] = (),
) -> str:
    """Return a text with a value at a path; None takes the key out.

    A path ends with a key, and what is at a place in a list must be there. `orders` are
    those of the keys of each mapping on the way, where a new one has to be put between
    others. Raises TreeProblem for a text that is not YAML, and InvalidInput where a
    value cannot be written into this file.
    """
    before = read_tree(text.encode()).plain()
    wanted = _with(before, path, value)
    if wanted == before:
        return text
    mappings = _mappings(text, path)
    while len(mappings) > 1 and at_path(wanted, path[: mappings[-1][0]]) is None:
        # What was the last value in it goes with it.
        mappings.pop()
    step = len(mappings) - 1
    order = orders[step] if step < len(orders) else ()
    depth, mapping = mappings[-1]
    inner = at_path(wanted, path[: depth + 1])
    changed = _rewrite(text, mapping, str(path[depth]), inner, order)
    if _plain(changed) != wanted:
        named = ".".join(map(str, path))
        raise InvalidInput(
            f'"{named}" cannot be changed by this form. Change it in the text.'
        )
    return changed


def _plain(text: str) -> Any:
    """Return what a changed text says; nothing if it is not YAML any more."""
    try:
        return read_tree(text.encode()).plain()
    except TreeProblem:
        return None


def dump(value: Any, indent: int = 0) -> list[str]:
    """Return a value as lines of YAML, as people write them here."""
    written = yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=_WIDTH - indent,
        default_flow_style=False,
    )
    return [f"{' ' * indent}{line}" if line else "" for line in written.splitlines()]


class _Dumper(yaml.SafeDumper):
    """Writes lists inside their key, and texts of several lines as they are."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _write_text(dumper: _Dumper, text: str) -> yaml.Node:
    style = None
    if "\n" in text:
        style = "|"
    elif len(text) > _LONG_LINE:
        style = ">"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _write_text)


def _with(data: Any, path: Path, value: Any) -> Any:
    """Return data with a value at a path; mappings on the way are made."""
    key, *rest = path
    if isinstance(key, int):
        inside = list(data)
        inside[key] = _with(inside[key], tuple(rest), value)
        return inside
    base: Mapping[str, Any] = data if isinstance(data, dict) else {}
    if rest:
        inner = _with(base.get(key), tuple(rest), value)
        value = inner or (None if value is None else inner)
    if value is None:
        return {name: kept for name, kept in base.items() if name != key}
    return {**base, key: value}


def at_path(data: Any, path: Path) -> Any:
    """Return the value at a path; None where there is none."""
    for key in path:
        if isinstance(key, int):
            data = data[key] if isinstance(data, list) and key < len(data) else None
        else:
            data = data.get(key) if isinstance(data, dict) else None
    return data


def _mappings(text: str, path: Path) -> list[tuple[int, yaml.MappingNode]]:
    """Return the mappings on the way whose keys have lines of their own.

    Each comes with how many steps of the path lead to it.
    """
    node = yaml.compose(text, Loader=yaml.CSafeLoader)
    if not isinstance(node, yaml.MappingNode) or node.flow_style:
        raise InvalidInput(
            "This form needs a file with one key on each line. Change it in the text."
        )
    found = [(0, node)]
    at: yaml.Node | None = node
    for depth, key in enumerate(path[:-1], 1):
        at = _below(at, key)
        if not isinstance(at, yaml.CollectionNode) or at.flow_style:
            break
        if isinstance(at, yaml.MappingNode):
            found.append((depth, at))
    return found


def _below(node: yaml.Node | None, key: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int):
        return node.value[key] if key < len(node.value) else None
    if isinstance(node, yaml.MappingNode):
        return next((v for k, v in node.value if k.value == key), None)
    return None


def _rewrite(
    text: str,
    mapping: yaml.MappingNode,
    key: str,
    value: Any,
    order: Sequence[str],
) -> str:
    lines = text.split("\n")
    keys = [k.value for k, _ in mapping.value]
    indent = mapping.start_mark.column
    fresh = dump({key: value}, indent) if value is not None else []
    if key in keys:
        at = keys.index(key)
        first, last = _lines_of(lines, mapping, at)
        if fresh:
            # The first key in a list stands behind its dash.
            fresh[0] = lines[first][:indent] + fresh[0][indent:]
    else:
        first = last = _place(lines, mapping, keys, key, order)
    return "\n".join([*lines[:first], *fresh, *lines[last:]])


def _lines_of(lines: list[str], mapping: yaml.MappingNode, at: int) -> tuple[int, int]:
    """Return the first line of a pair, and the one after its last."""
    key, value = mapping.value[at]
    first: int = key.start_mark.line
    last = _end(value)
    column: int = key.start_mark.column
    is_block_text = isinstance(value, yaml.ScalarNode) and value.style in {"|", ">"}
    while last > first + 1 and _is_around(lines[last - 1], column, is_block_text):
        last -= 1
    return first, last


def _end(node: yaml.Node) -> int:
    """Return the line after the last one of a value."""
    # Where a block says that it ends, whatever comes next begins.
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        inner = node.value[-1]
        node = inner[1] if isinstance(node, yaml.MappingNode) else inner
    line: int = node.end_mark.line
    return line + (1 if node.end_mark.column else 0)


def _is_around(line: str, column: int, is_block_text: bool) -> bool:
    """Say whether a line after a value belongs to what is around it."""
    bare = line.strip()
    if not bare:
        return True
    indent = len(line) - len(line.lstrip())
    return bare.startswith("#") and (indent <= column or not is_block_text)


def _place(
    lines: list[str],
    mapping: yaml.MappingNode,
    keys: list[str],
    key: str,
    order: Sequence[str],
) -> int:
    """Return the line before which a new key is written."""
    earlier = order[: order.index(key)] if key in order else ()
    ahead = [number for number, name in enumerate(keys) if name in earlier]
    return _lines_of(lines, mapping, max(ahead) if ahead else len(keys) - 1)[1]
