"""What the tools bench begins with: functions, and a first question for each.

Each list of tools is what the browser reads in the code: a test compares them, so that
the bench also works before Python is there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from webapp.domain.lab.tools import Tool, read_tools


@dataclass(frozen=True, slots=True)
class Starter:
    """Functions to begin with, the tools that they are, and questions to try."""

    name: str
    title: str
    text: str
    code: str
    tools: tuple[Mapping[str, Any], ...]
    questions: tuple[str, ...]

    @property
    def tools_text(self) -> str:
        """The tools as the page shows them."""
        return json.dumps(self.tools, indent=2, ensure_ascii=False)


_TIMES = '''\
def times(a: float, b: float) -> float:
    """Multiply two numbers.

    a: the first number
    b: the second number

    What is 6 times 7? -> times(6, 7)
    There are 4 boxes with 25 pens each. How many pens is that? -> times(4, 25)
    A bus has 50 seats. How many seats do 3 buses have? -> times(50, 3)
    """
    return a * b
'''
_LETTERS = '''\
def count_letter(word: str, letter: str) -> int:
    """Count how often a letter is in a word.

    How many e are in cheese? -> count_letter("cheese", "e")
    How often is p in apple? -> count_letter("apple", "p")
    How often is n in banana? -> count_letter("banana", "n")
    """
    return word.lower().count(letter.lower())
'''
_ROOMS = '''\
LIGHTS = {"kitchen": "off", "hall": "on", "stairs": "off"}
Room = Literal["kitchen", "hall", "stairs"]


def switch_light(room: Room, state: Literal["on", "off"]) -> str:
    """Switch the light of a room on or off.

    Make it bright in the kitchen. -> switch_light("kitchen", "on")
    Turn the hall light off. -> switch_light("hall", "off")
    Nobody is on the stairs now. -> switch_light("stairs", "off")
    """
    LIGHTS[room] = state
    return f"the light in the {room} is {state}"
'''


def _parameters(
    properties: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
    }


_TIMES_TOOL: Final[Mapping[str, Any]] = {
    "name": "times",
    "description": "Multiply two numbers.",
    "parameters": _parameters(
        {
            "a": {"type": "number", "description": "the first number"},
            "b": {"type": "number", "description": "the second number"},
        }
    ),
    "examples": [
        {"question": "What is 6 times 7?", "arguments": {"a": 6, "b": 7}},
        {
            "question": "There are 4 boxes with 25 pens each. How many pens is that?",
            "arguments": {"a": 4, "b": 25},
        },
        {
            "question": "A bus has 50 seats. How many seats do 3 buses have?",
            "arguments": {"a": 50, "b": 3},
        },
    ],
}
_LETTERS_TOOL: Final[Mapping[str, Any]] = {
    "name": "count_letter",
    "description": "Count how often a letter is in a word.",
    "parameters": _parameters(
        {"word": {"type": "string"}, "letter": {"type": "string"}}
    ),
    "examples": [
        {
            "question": "How many e are in cheese?",
            "arguments": {"word": "cheese", "letter": "e"},
        },
        {
            "question": "How often is p in apple?",
            "arguments": {"word": "apple", "letter": "p"},
        },
        {
            "question": "How often is n in banana?",
            "arguments": {"word": "banana", "letter": "n"},
        },
    ],
}
_ROOMS_TOOL: Final[Mapping[str, Any]] = {
    "name": "switch_light",
    "description": "Switch the light of a room on or off.",
    "parameters": _parameters(
        {
            "room": {"type": "string", "enum": ["kitchen", "hall", "stairs"]},
            "state": {"type": "string", "enum": ["on", "off"]},
        }
    ),
    "examples": [
        {
            "question": "Make it bright in the kitchen.",
            "arguments": {"room": "kitchen", "state": "on"},
        },
        {
            "question": "Turn the hall light off.",
            "arguments": {"room": "hall", "state": "off"},
        },
        {
            "question": "Nobody is on the stairs now.",
            "arguments": {"room": "stairs", "state": "off"},
        },
    ],
}

STARTERS: Final = (
    Starter(
        "times",
        "A calculator",
        "A small model cannot multiply. A function can.",
        _TIMES,
        (_TIMES_TOOL,),
        ("What is 12 times 31?", "What is 23 times 9?", "Who painted the Mona Lisa?"),
    ),
    Starter(
        "two",
        "Two tools",
        "A model sees pieces of words and not letters. Which tool will it take?",
        f"{_TIMES}\n\n{_LETTERS}",
        (_TIMES_TOOL, _LETTERS_TOOL),
        (
            "How many s are in mississippi?",
            "What is 23 times 9?",
            "Are you happy today?",
        ),
    ),
    Starter(
        "lights",
        "Lights in a house",
        "This tool does something. So think before you say yes.",
        f"from typing import Literal\n\n{_ROOMS}",
        (_ROOMS_TOOL,),
        (
            "It is too dark on the stairs.",
            "Turn the kitchen light off, please.",
            "What is your favourite colour?",
        ),
    ),
)


def is_shipped(tools: tuple[Tool, ...]) -> bool:
    """Tell whether nobody has typed anything into these tools."""
    return any(read_tools(one.tools_text) == tools for one in STARTERS)


def starter(name: str) -> Starter:
    """Return a starter by its name; the first one for any other name."""
    return next((one for one in STARTERS if one.name == name), STARTERS[0])
