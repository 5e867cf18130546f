"""What the browser's Python makes of functions, tried with the Python of the tests."""

from __future__ import annotations

import importlib.util
import json
from types import ModuleType
from typing import Any

import pytest

from webapp.domain.lab.tool_starters import STARTERS, Starter
from webapp.domain.lab.tools import read_tools
from webapp.settings import PROJECT


def _load() -> ModuleType:
    path = PROJECT / "webapp" / "static" / "python" / "tool_functions.py"
    spec = importlib.util.spec_from_file_location("tool_functions", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


functions = _load()
ALL_KINDS = '''\
from typing import Literal, Optional

def _hidden(): pass

def paint(colour: Literal["red", "blue"], coats: int = 1,
          height: Optional[float] = None, rooms: list[str] = [],
          is_wet: bool = False, note=""):
    """Paint a wall
    of a house.

    colour: which one
    Make it blue. -> paint("blue", coats=2)
    Not one. -> other(1)
    """
'''


@pytest.mark.parametrize("one", STARTERS, ids=lambda one: one.name)
def test_the_tools_of_a_starter_are_what_python_reads(one: Starter) -> None:
    assert json.loads(functions.describe(one.code)) == json.loads(one.tools_text)


def test_signature_and_text_become_a_tool() -> None:
    described = functions.describe(ALL_KINDS)
    (tool,) = json.loads(described)
    assert tool["description"] == "Paint a wall of a house."
    assert tool["parameters"] == {
        "type": "object",
        "properties": {
            "colour": {
                "type": "string",
                "enum": ["red", "blue"],
                "description": "which one",
            },
            "coats": {"type": "integer"},
            "height": {"type": "number"},
            "rooms": {"type": "array", "items": {"type": "string"}},
            "is_wet": {"type": "boolean"},
            "note": {"type": "string"},
        },
        "required": ["colour"],
    }
    assert tool["examples"] == [
        {"question": "Make it blue.", "arguments": {"colour": "blue", "coats": 2}}
    ]
    assert read_tools(described)[0].name == "paint"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("x = 1", "no function"),
        ("def f(:", "Line 1: "),
        ("x = 1\ny = 1 / 0", "Line 2: ZeroDivisionError"),
        ("def f(*words): pass", "Name each parameter"),
        ("def f(x: dict): pass", "The type dict is not known"),
    ],
)
def test_what_cannot_be_a_tool_is_told(code: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        functions.describe(code)


@pytest.mark.parametrize(
    ("code", "arguments", "told"),
    [
        ("def f(a): return a * 2", {"a": 4}, {"result": "8", "printed": ""}),
        ("def f(): return 'ő'", {}, {"result": "ő", "printed": ""}),
        ("def f(): return {'a': [1]}", {}, {"result": '{"a": [1]}', "printed": ""}),
        ("def f(): return {1, }", {}, {"result": "{1}", "printed": ""}),
        ("def f(): print('hi')", {}, {"result": "null", "printed": "hi\n"}),
        (
            "def f():\n  return 1 / 0",
            {},
            {"error": "Line 2: ZeroDivisionError: division by zero", "printed": ""},
        ),
        ("def g(): pass", {}, {"error": "NameError: there is no function f"}),
    ],
)
def test_a_function_is_run(
    code: str, arguments: dict[str, Any], told: dict[str, str]
) -> None:
    answer = json.loads(functions.call(code, "f", json.dumps(arguments)))
    assert answer == {"printed": ""} | told
