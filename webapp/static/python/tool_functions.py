"""Reads functions as tools, and runs one. It works in the browser, beside their code.

Only Python itself is needed here: the page hands this file to the Python that runs in
the browser, and the site never runs it.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import json
import re
import traceback
import types
import typing
from collections.abc import Callable
from typing import Any

NAMES = {str: "string", int: "integer", float: "number", bool: "boolean"}
MOST_CHARS = 500
WHERE = "<your code>"


def describe(source: str) -> str:
    """Return the functions of a source as a JSON list of tools.

    A function whose name begins with _ is none. Raises ValueError with a sentence.
    """
    try:
        functions = _functions(source)
    except Exception as error:  # noqa: BLE001 -- border: their code
        raise ValueError(_sentence(error)) from None
    if not functions:
        raise ValueError("There is no function here. Write one with def.")
    tools = [_tool(function) for function in functions]
    return json.dumps(tools, indent=2, ensure_ascii=False)


def call(source: str, name: str, arguments: str) -> str:
    """Run one function of a source; return JSON with its result, or with its error."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            found = {one.__name__: one for one in _functions(source)}
            if name not in found:
                raise NameError(f"there is no function {name}")
            result = found[name](**json.loads(arguments))
    except Exception as error:  # noqa: BLE001 -- border: their code
        told = {"error": _sentence(error), "printed": said.getvalue()[:MOST_CHARS]}
    else:
        told = {"result": _text(result), "printed": said.getvalue()[:MOST_CHARS]}
    return json.dumps(told, ensure_ascii=False)


def _functions(source: str) -> list[Callable[..., Any]]:
    names: dict[str, Any] = {"__name__": "tools"}
    exec(compile(source, WHERE, "exec"), names)  # noqa: S102 -- in the browser
    return [
        value
        for name, value in names.items()
        if isinstance(value, types.FunctionType)
        and value.__module__ == "tools"
        and not name.startswith("_")
    ]


def _tool(function: Callable[..., Any]) -> dict[str, Any]:
    kinds = typing.get_type_hints(function)
    about = inspect.getdoc(function) or ""
    signature = inspect.signature(function)
    properties = {}
    required = []
    for name, parameter in signature.parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise ValueError(f"{function.__name__} takes *{name}. Name each parameter.")
        properties[name] = _schema(kinds.get(name, str))
        told = re.search(rf"^\s*{name}: *(.+)$", about, re.MULTILINE)
        if told:
            properties[name]["description"] = told[1].strip()
        if parameter.default is parameter.empty:
            required.append(name)
    return {
        "name": function.__name__,
        "description": " ".join(about.split("\n\n")[0].split()),
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": required,
        },
        "examples": _examples(function.__name__, signature, about),
    }


def _schema(kind: Any) -> dict[str, Any]:
    if kind in NAMES:
        return {"type": NAMES[kind]}
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return {"type": NAMES.get(type(parts[0]), "string"), "enum": list(parts)}
    if kind is list or origin is list:
        return {"type": "array", "items": _schema(parts[0] if parts else str)}
    left = [part for part in parts if part is not type(None)]
    if origin in (typing.Union, types.UnionType) and len(left) == 1:
        return _schema(left[0])
    raise ValueError(
        f"The type {getattr(kind, '__name__', kind)} is not known here. Take str, int, "
        "float, bool, a list of them, or Literal."
    )


def _examples(
    name: str, signature: inspect.Signature, about: str
) -> list[dict[str, Any]]:
    """Return what stands in lines like `What is 2 times 3? -> times(2, 3)`."""
    examples = []
    for line in about.splitlines():
        question, arrow, code = line.partition("->")
        if not arrow or not code.strip().startswith(f"{name}("):
            continue
        called = ast.parse(code.strip(), mode="eval").body
        if not isinstance(called, ast.Call):
            continue
        values = [ast.literal_eval(one) for one in called.args]
        named = {
            one.arg: ast.literal_eval(one.value) for one in called.keywords if one.arg
        }
        arguments = signature.bind(*values, **named).arguments
        examples.append({"question": question.strip(), "arguments": dict(arguments)})
    return examples


def _text(result: Any) -> str:
    if isinstance(result, str):
        return result[:MOST_CHARS]
    try:
        return json.dumps(result, ensure_ascii=False)[:MOST_CHARS]
    except (TypeError, ValueError):
        return repr(result)[:MOST_CHARS]


def _sentence(error: Exception) -> str:
    """Return what went wrong on one line, and in which line of the source."""
    words = f"{type(error).__name__}: {error}".rstrip(": ")
    if isinstance(error, SyntaxError):
        return f"Line {error.lineno}: {error.msg}."
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == WHERE
    ]
    return f"Line {lines[-1]}: {words}" if lines else words
