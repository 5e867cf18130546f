"""A lesson as a form: front matter, prose, and the common fields of each block.

It writes the same Markdown that one types. What is not in the form, such as slots that
are added, checks, proofs and comments, stays as it is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from webapp.content.lessons.markdown import Block, Stretch, divide
from webapp.content.lessons.schema import LessonInfo, Panel, Question
from webapp.domain.writing.files import told
from webapp.domain.writing.form_values import as_before, is_same, mapping_of, text_at
from webapp.domain.writing.yaml_edits import Path, put
from webapp.errors import InvalidInput
from webapp.reading.tree import TreeProblem

Kind = Literal["line", "area", "number", "lines"]

MOST_HINTS: Final = 3
_ORDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "front": tuple(LessonInfo.model_fields),
    "panel": tuple(Panel.model_fields),
    "question": tuple(Question.model_fields),
}
_FRONT: Final[tuple[tuple[str, str, Kind, str], ...]] = (
    ("title", "Title", "line", ""),
    ("idea", "The one idea", "line", "In one sentence."),
    ("minutes", "Minutes it takes", "number", ""),
    ("can_do", "You can now …", "line", "What one can do after it: teach a model …"),
)
_PANEL: Final[tuple[tuple[str, str, Kind, str], ...]] = (
    ("task", "What to do", "area", "One to three sentences."),
    ("model", "Model", "line", "Empty: scribe."),
    ("system", "System prompt", "area", "Empty: the model’s usual one."),
    ("text", "The text to go on with", "area", "{name} is a slot or a hidden value."),
    ("max_tokens", "Longest reply, in tokens", "number", "Empty: 60."),
    ("samples", "How many must pass", "line", "As in 3 of 5. Empty: 1 of 1."),
)
_QUESTION: Final[tuple[tuple[str, str, Kind, str], ...]] = (
    ("ask", "The question", "area", ""),
    ("choices", "What to choose from", "lines", "One on each line."),
    ("lines", "Lines in their right order", "lines", "One on each line."),
    ("answer", "The right choice", "line", ""),
    ("why", "Told after the answer", "area", ""),
)
# What a question of a kind has no use for.
_NOT_FOR: Final[Mapping[str, tuple[str, ...]]] = {
    "predict": ("lines",),
    "choose": ("lines",),
    "order": ("choices", "answer"),
    "reflect": ("choices", "lines", "answer"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """A value that the form changes; `path` leads to it in the YAML of its part."""

    id: str
    label: str
    value: str
    kind: Kind
    hint: str
    path: Path = ()


@dataclass(frozen=True, slots=True)
class FormPart:
    """The front matter, a piece of prose, or a block, and its fields."""

    title: str
    kind: Literal["front", "prose", "panel", "question"]
    stretch: Stretch
    fields: tuple[Field, ...]


def read_form(text: str) -> tuple[FormPart, ...]:
    """Return the parts of a lesson; raise InvalidInput if it cannot be divided."""
    try:
        divided = divide(text)
    except TreeProblem as problem:
        raise InvalidInput(
            f"{told(problem)} The form can be used once this is put right."
        ) from problem
    front = FormPart("The lesson", "front", divided.front, tuple(_front(divided.front)))
    parts = [_part(number, part) for number, part in enumerate(divided.parts, 1)]
    return (front, *parts)


def write_form(text: str, typed: Mapping[str, str]) -> str:
    """Return the text of a lesson with what a form says; the rest stays as it is.

    `typed` has values by the ids of the fields; one that is missing changes nothing.
    Raises InvalidInput for what cannot be read, and where the form would make or take
    away a block.
    """
    lines = text.split("\n")
    # From the end, so that the lines before a part keep their numbers.
    for part in reversed(read_form(text)):
        given = {one.id: typed[one.id] for one in part.fields if one.id in typed}
        before = part.stretch.text
        after = _written(part, given)
        if after == before:
            continue
        first = part.stretch.line - 1
        last = first + (len(before.split("\n")) if before else 0)
        lines[first:last] = after.split("\n") if after else []
    changed = "\n".join(lines)
    if _blocks(changed) != _blocks(text):
        raise InvalidInput(
            "Blocks are added and taken out in the text: write no line with ``` or "
            "--- into a field."
        )
    return changed


def with_typed(
    parts: Sequence[FormPart], typed: Mapping[str, str]
) -> tuple[FormPart, ...]:
    """Return the parts with what somebody typed, for a form that comes back."""
    return tuple(
        replace(
            part,
            fields=tuple(
                replace(one, value=typed.get(one.id, one.value)) for one in part.fields
            ),
        )
        for part in parts
    )


def _part(number: int, part: Stretch | Block) -> FormPart:
    if isinstance(part, Stretch):
        field = Field(f"{number}", "What it says", part.text, "area", "Markdown.")
        return FormPart("Text", "prose", part, (field,))
    words = " ".join(part.words)
    if part.kind == "panel":
        fields = tuple(_panel(f"{number}", part.body))
        return FormPart(f"Panel {words}".strip(), "panel", part.body, fields)
    kind = part.words[0] if part.words else ""
    fields = tuple(_question(f"{number}", part.body, kind))
    return FormPart(f"Question: {words}", "question", part.body, fields)


def _front(front: Stretch) -> Iterator[Field]:
    data = _data(front)
    yield from _plain("front", data, _FRONT)


def _panel(part: str, body: Stretch) -> Iterator[Field]:
    data = _data(body)
    rows = [row for row in _PANEL if row[0] != "text" or data.get("talk") == "complete"]
    yield from _plain(part, data, rows)
    for number, message in enumerate(_list(data, "messages")):
        for role in message if isinstance(message, dict) else ():
            yield _field(
                part,
                ("messages", number, role),
                f"Message {number + 1} of the prompt ({role})",
                text_at(message, role),
                "area",
            )
    for name, slot in _named(data, "slots"):
        for key, label, kind in (("label", "Name", "line"), ("start", "Start", "area")):
            yield _field(
                part,
                ("slots", name, key),
                f"Box {name}: {label.lower()}",
                text_at(slot, key),
                "area" if kind == "area" else "line",
            )
    for number, check in enumerate(_list(data, "checks")):
        if isinstance(check, dict):
            yield _field(
                part,
                ("checks", number, "say"),
                f"Said if check {number + 1} fails ({next(iter(check), '')})",
                text_at(check, "say"),
                "area",
            )
    hints = [hint for hint in _list(data, "hints") if isinstance(hint, dict)]
    for number in range(min(MOST_HINTS, len(hints) + 1)):
        hint = hints[number] if number < len(hints) else {}
        for key, kind in (("title", "line"), ("text", "area")):
            yield _field(
                part,
                ("hints", number, key),
                f"Hint {number + 1}: its {key}",
                text_at(hint, key),
                "area" if kind == "area" else "line",
            )


def _question(part: str, body: Stretch, kind: str) -> Iterator[Field]:
    unused = _NOT_FOR.get(kind, ())
    rows = [row for row in _QUESTION if row[0] not in unused]
    yield from _plain(part, _data(body), rows)


def _plain(
    part: str, data: dict[str, Any], rows: Sequence[tuple[str, str, Kind, str]]
) -> Iterator[Field]:
    for key, label, kind, hint in rows:
        value = text_at(data, key)
        if kind == "lines":
            value = "\n".join(map(str, _list(data, key)))
        yield _field(part, (key,), label, value, kind, hint)


def _field(
    part: str, path: Path, label: str, value: str, kind: Kind, hint: str = ""
) -> Field:
    return Field(f"{part}.{'.'.join(map(str, path))}", label, value, kind, hint, path)


def _written(part: FormPart, given: Mapping[str, str]) -> str:
    """Return the text of a part with what was typed in it."""
    text = part.stretch.text
    if part.kind == "prose":
        typed = given.get(part.fields[0].id, text).strip("\n")
        return text if typed.strip() == text.strip() else typed
    plain = [one for one in part.fields if one.path[0] != "hints"]
    for one in plain:
        if one.id in given:
            text = _put(part, text, one, given[one.id])
    return _with_hints(part, text, given)


def _put(part: FormPart, text: str, field: Field, typed: str) -> str:
    value = _value(field, typed)
    if typed.strip() == field.value.strip() or is_same(text, field.path, value):
        return text
    return put(text, field.path, value, (_ORDERS[part.kind],))


def _value(field: Field, typed: str) -> Any:
    if field.kind == "lines":
        return [line.strip() for line in typed.split("\n") if line.strip()] or None
    if field.kind == "number" and typed.strip():
        if not (typed.strip().isascii() and typed.strip().isdigit()) or len(typed) > 6:
            raise InvalidInput(f"{field.label}: write a whole number, such as 20.")
        return int(typed)
    if field.kind == "area" and field.path[0] != "text":
        return as_before(typed, field.value) or None
    if field.kind == "area":
        # The prompt itself: a space at its end counts.
        return typed or None
    return typed.strip() or None


def _with_hints(part: FormPart, text: str, given: Mapping[str, str]) -> str:
    fields = [one for one in part.fields if one.path[0] == "hints" and one.id in given]
    if not fields:
        return text
    old = _list(mapping_of(text), "hints")
    typed: dict[int, dict[str, str]] = {}
    for one in fields:
        number, key = int(one.path[1]), str(one.path[2])
        typed.setdefault(number, {})[key] = as_before(given[one.id], one.value)
    kept = {number: hint for number, hint in typed.items() if any(hint.values())}
    if list(kept) == list(range(len(old))):
        for one in fields:
            if one.path[1] in kept:
                text = _put(part, text, one, given[one.id])
        return text
    hints = [
        {**(old[number] if number < len(old) else {}), **hint}
        for number, hint in kept.items()
    ]
    return put(text, ("hints",), hints or None, (_ORDERS[part.kind],))


def _blocks(text: str) -> list[tuple[str, ...]]:
    try:
        parts = divide(text).parts
    except TreeProblem:
        return []
    return [(one.kind, *one.words) for one in parts if isinstance(one, Block)]


def _data(stretch: Stretch) -> dict[str, Any]:
    return mapping_of(stretch.text, stretch.line)


def _named(data: dict[str, Any], key: str) -> list[tuple[str, dict[str, Any]]]:
    found = data.get(key)
    pairs = found.items() if isinstance(found, dict) else ()
    return [(name, value) for name, value in pairs if isinstance(value, dict)]


def _list(data: dict[str, Any], key: str) -> list[Any]:
    found = data.get(key)
    return found if isinstance(found, list) else []
