"""The common fields of a level as a form: it writes the same YAML that one types."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, get_args

from webapp.content.schema import Defender, Level
from webapp.domain.services import Services
from webapp.domain.writing.files import drafts_folder, names_in
from webapp.domain.writing.form_values import as_before, is_same, mapping_of, text_at
from webapp.domain.writing.yaml_edits import dump, put
from webapp.errors import InvalidInput
from webapp.plugins.guard import Stage, guards
from webapp.reading.json_schemas import label_of
from webapp.reading.tree import TreeProblem, read_tree

# One is always free, so that another can be added.
MORE: Final = 2
MOST_GUARDS: Final = 12
MOST_HINTS: Final = 8
_ORDER: Final = tuple(Level.model_fields)
_INSIDE: Final[dict[str, tuple[str, ...]]] = {
    "defender": tuple(Defender.model_fields),
    "guards": get_args(Stage),
}


@dataclass(frozen=True, slots=True)
class GuardRow:
    """A guard as the form has it: its name, and its options as one line of YAML."""

    name: str = ""
    options: str = ""


@dataclass(frozen=True, slots=True)
class HintRow:
    """A hint as the form has it."""

    cost: str = ""
    title: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class LevelFields:
    """What the form changes, as it is typed. An empty field takes its key out."""

    title: str
    story: str
    system: str
    model: str
    turns: str
    words: str
    points: str
    explain: str
    input: tuple[GuardRow, ...]
    output: tuple[GuardRow, ...]
    hints: tuple[HintRow, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to choose from, and what it is."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What the form offers."""

    models: tuple[str, ...]
    words: tuple[str, ...]
    input: tuple[Choice, ...]
    output: tuple[Choice, ...]


def read_fields(text: str) -> LevelFields:
    """Return the fields of a level; raise InvalidInput if the text is not YAML."""
    data = mapping_of(text)
    defender, secret = _mapping(data, "defender"), _mapping(data, "secret")
    stages = _mapping(data, "guards")
    return LevelFields(
        title=text_at(data, "title"),
        story=text_at(data, "story"),
        system=text_at(defender, "system"),
        model=text_at(defender, "model"),
        turns=text_at(defender, "turns"),
        words=text_at(secret, "words"),
        points=text_at(data, "points"),
        explain=text_at(data, "explain"),
        input=tuple(map(_guard_row, _list(stages, "input"))),
        output=tuple(map(_guard_row, _list(stages, "output"))),
        hints=tuple(
            HintRow(
                text_at(hint, "cost"), text_at(hint, "title"), text_at(hint, "text")
            )
            for hint in _list(data, "hints")
            if isinstance(hint, dict)
        ),
    )


def write_fields(text: str, fields: LevelFields) -> str:
    """Return the text of a level with what a form says; the rest stays as it is.

    Raises InvalidInput for options or numbers that cannot be read, and for a text
    that is not YAML.
    """
    before = read_fields(text)
    changes: list[tuple[tuple[str, ...], Any]] = [
        (("title",), fields.title),
        (("story",), as_before(fields.story, before.story)),
        (("defender", "model"), fields.model),
        (("defender", "system"), as_before(fields.system, before.system)),
        (("defender", "turns"), _number("turns", fields.turns)),
        (("secret", "words"), fields.words),
        (("points",), _number("points", fields.points)),
        (("explain",), as_before(fields.explain, before.explain)),
    ]
    stage: Stage
    for stage in get_args(Stage):
        rows: tuple[GuardRow, ...] = getattr(fields, stage)
        if _given(rows) != _given(getattr(before, stage)):
            found = [_guard(stage, row) for row in _given(rows)]
            changes.append((("guards", stage), found or None))
    if _given(fields.hints) != _given(before.hints):
        hints = [_hint(number, row) for number, row in _numbered(fields.hints)]
        changes.append((("hints",), hints or None))
    for path, value in changes:
        if not is_same(text, path, value):
            orders = (_ORDER, _INSIDE.get(path[0], ()))
            text = put(text, path, None if value == "" else value, orders)
    return text


def choices(services: Services) -> Choices:
    """Return the models, lists and guards that a level can have."""
    index = services.content.current()
    models = {info.name for info in services.gateway.models() if info.kind == "chat"}
    for ladder in index.ladders:
        models |= {level.defender.model for level in index.levels(ladder)}
    folders = (*services.settings.roots, drafts_folder(services))
    lists = {name.stem for name in names_in(folders) if name.parts[0] == "words"}
    return Choices(
        models=tuple(sorted(models)),
        words=tuple(sorted(lists)),
        input=tuple(_guard_choices("input")),
        output=tuple(_guard_choices("output")),
    )


def _guard_choices(stage: Stage) -> Iterable[Choice]:
    for name, guard in guards.items():
        if stage in guard.stages:
            yield Choice(name, label_of(guard))


def _mapping(data: dict[str, Any], key: str) -> dict[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def _list(data: dict[str, Any], key: str) -> list[Any]:
    found = data.get(key)
    return found if isinstance(found, list) else []


def _guard_row(entry: Any) -> GuardRow:
    if not isinstance(entry, dict):
        return GuardRow(str(entry))
    name = next(iter(entry), "")
    options = entry.get(name)
    return GuardRow(str(name), _one_line(options) if options else "")


def _one_line(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    return ", ".join(f"{key}: {_flow(part)}" for key, part in value.items())


def _flow(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, dict):
        return "{" + _one_line(value) + "}"
    written = dump([value])[0].removeprefix("  ").removeprefix("- ")
    is_plain = isinstance(value, str) and not set(value) & set(",[]{}\n\"'")
    return written if is_plain or not isinstance(value, str) else _quoted(value)


def _quoted(text: str) -> str:
    inside = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{inside}"'


def _guard(stage: Stage, row: GuardRow) -> Any:
    if not row.options.strip():
        return row.name
    try:
        options = read_tree(f"{{{row.options}}}".encode()).plain()
    except TreeProblem as problem:
        raise InvalidInput(
            f"The options of the {stage} guard {row.name} cannot be read: write them "
            "as name: value, with commas between them."
        ) from problem
    return {row.name: options}


def _hint(number: int, row: HintRow) -> dict[str, Any]:
    cost = _number(f"points of hint {number}", row.cost)
    return {"cost": 0 if cost is None else cost, "title": row.title, "text": row.text}


def _number(name: str, typed: str) -> int | None:
    if not typed.strip():
        return None
    if not typed.strip().isascii() or not typed.strip().isdigit() or len(typed) > 9:
        raise InvalidInput(f"The {name} must be a whole number, such as 20.")
    return int(typed)


def _given(rows: Iterable[Any]) -> list[Any]:
    """Return the rows in which anything is typed."""
    empty = {GuardRow(), HintRow()}
    return [
        row
        for row in rows
        if row not in empty and not (isinstance(row, GuardRow) and not row.name)
    ]


def _numbered(rows: Iterable[HintRow]) -> Iterable[tuple[int, HintRow]]:
    return enumerate(_given(rows), 1)
