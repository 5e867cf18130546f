"""Exact arithmetic with + - * / and brackets, and the numbers in a text."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from operator import add, mul, sub, truediv
from typing import Final

import regex

MOST_CHARS: Final = 200
_OPERATORS: Final[
    dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]]
] = {
    ast.Add: add,
    ast.Sub: sub,
    ast.Mult: mul,
    ast.Div: truediv,
}
_SIGNS: Final = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-"})
# 1,234.5 is one number and 1,2,3 are three; route66 and v2 have none.
_NUMBER: Final = regex.compile(
    r"(?<![\p{L}\p{N}_.])"
    r"(?:(?<![\p{N})\]]\s*)[-−])?"
    r"(?:\d{1,3}(?:,\d{3})+(?![\d])|\d+)(?:\.\d+)?"
    r"(?![\p{L}_]|\p{N})"
)


@dataclass(frozen=True, slots=True)
class SeenNumber:
    """A number in a text, and where it is."""

    value: Fraction
    start: int
    end: int


def calculate(expression: str) -> Fraction:
    """Return the exact value of an expression.

    Raises ValueError for what is not one, and ZeroDivisionError.
    """
    plain = expression.translate(_SIGNS).strip()
    if len(plain) > MOST_CHARS:
        raise ValueError(f"it has more than {MOST_CHARS} characters")
    try:
        tree = ast.parse(plain, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError("it is not a sum that can be worked out") from None
    return _value(tree.body, plain)


def numbers(text: str) -> list[SeenNumber]:
    """Return the numbers of a text, in their order."""
    return [
        SeenNumber(Fraction(match[0].replace(",", "").replace("−", "-")), *match.span())
        for match in _NUMBER.finditer(text)
    ]


def written(number: Fraction) -> str:
    """Return a number as it is said to people."""
    if number.denominator == 1:
        return f"{number.numerator:,}"
    return f"{float(number):,.10g}"


def _value(node: ast.expr, source: str) -> Fraction:
    match node:
        case ast.BinOp(left, operator, right) if type(operator) in _OPERATORS:
            first, second = _value(left, source), _value(right, source)
            return _OPERATORS[type(operator)](first, second)
        case ast.UnaryOp(ast.USub(), operand):
            return -_value(operand, source)
        case ast.UnaryOp(ast.UAdd(), operand):
            return _value(operand, source)
        case ast.Constant(int() | float()) if not isinstance(node.value, bool):
            # As it is written: 0.1 is a tenth, and not the nearest binary number.
            return Fraction(ast.get_source_segment(source, node) or "")
        case _:
            raise ValueError("only numbers, + - * / and brackets can be worked out")
