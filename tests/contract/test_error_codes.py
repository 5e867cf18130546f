"""Nobody decides by the words of an error: errors have classes and codes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from webapp.settings import PROJECT

ROOMS = ("views", "api", "web", "supervisor", "commands", "domain")
# Methods that look into a text.
LOOKS = {"startswith", "endswith", "find", "index", "count", "match", "search"}


def decisions(tree: ast.AST) -> Iterator[int]:
    """Yield the lines that compare or search what a caught error says."""
    for handler in ast.walk(tree):
        if not isinstance(handler, ast.ExceptHandler) or handler.name is None:
            continue
        for node in ast.walk(handler):
            match node:
                case ast.Compare(left, _, others):
                    asked = [left, *others]
                case ast.Call(ast.Attribute(owner, name), given) if name in LOOKS:
                    asked = [owner, *given]
                case _:
                    continue
            if any(_is_text_of(handler.name, one) for one in asked):
                yield node.lineno


def _is_text_of(name: str, node: ast.expr) -> bool:
    """Whether this is `error.message`, `error.args`, `str(error)` or made from one."""
    for part in ast.walk(node):
        match part:
            case ast.Attribute(ast.Name(found), "message" | "args" | "description"):
                is_text = found == name
            case ast.Call(ast.Name("str" | "repr"), [ast.Name(found)]):
                is_text = found == name
            case _:
                is_text = False
        if is_text:
            return True
    return False


def test_no_room_decides_by_the_words_of_an_error() -> None:
    found = [
        f"{path.relative_to(PROJECT)}:{line}"
        for room in ROOMS
        for path in sorted((PROJECT / "webapp" / room).rglob("*.py"))
        for line in decisions(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("condition", "is_found"),
    [
        ('"present" in error.message', True),
        ('error.message.lower() == "no"', True),
        ('str(error).startswith("no")', True),
        ('re.search("no", error.args[0])', True),
        ('error.code == "join_code"', False),
        ("error.status == 404", False),
        ("isinstance(error, KeyError)", False),
        ('event.message == "no"', False),
    ],
)
def test_such_a_decision_is_found(condition: str, is_found: bool) -> None:
    code = f"try:\n    act()\nexcept KeyError as error:\n    wrong = {condition}\n"
    assert [*decisions(ast.parse(code))] == [4] * is_found
