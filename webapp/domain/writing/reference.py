"""The reference of content files, made from the code that reads them.

Every key with its type, its default and its meaning comes from the schemas, every guard
and check from its class. The examples are whole files, which a test gives the loader.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import yaml

from webapp.content import jsonschema
from webapp.content.lessons import jsonschema as lesson_schemas
from webapp.content.lessons.schema import TrackInfo
from webapp.domain.writing import key_types
from webapp.once import once
from webapp.plugins.check import Check, checks
from webapp.plugins.guard import Guard, guards
from webapp.reading.json_schemas import label_of, schema_of

EXAMPLES: Final = Path(__file__).with_name("examples")


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a file: what may be written, what holds without it, what it means."""

    name: str
    type: str
    default: str
    is_needed: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class Section:
    """A record: the keys that belong together, and where they are written."""

    id: str
    title: str
    meaning: str
    keys: tuple[Key, ...]
    example: str = ""


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file: where it lies, its records, and an example of a whole one."""

    id: str
    title: str
    path: str
    sections: tuple[Section, ...]
    example: str


@dataclass(frozen=True, slots=True)
class PluginPart:
    """A guard or check: what it does, where it may be used, its options, an example.

    `short` names the option that `- name: value` fills.
    """

    name: str
    label: str
    more: str
    places: tuple[str, ...]
    short: str
    keys: tuple[Key, ...]
    example: str
    is_alone: bool = True


@dataclass(frozen=True, slots=True)
class Reference:
    """All of it."""

    files: tuple[FileKind, ...]
    guards: tuple[PluginPart, ...]
    checks: tuple[PluginPart, ...]
    groups: tuple[PluginPart, ...]


@once
def reference() -> Reference:
    """Return the reference; it cannot change while the program runs."""
    return Reference(
        files=tuple(_files()),
        guards=tuple(_guard(name, guard) for name, guard in guards.items()),
        checks=tuple(_check(name, check) for name, check in checks.items()),
        groups=tuple(_groups()),
    )


def example_text(name: str) -> str:
    """Return an example file."""
    return (EXAMPLES / name).read_text(encoding="utf-8")


def _files() -> Iterator[FileKind]:
    level = jsonschema.level_schema()
    records = {k: v for k, v in level["$defs"].items() if not k.startswith("guard-")}
    text = example_text("level.yaml")
    yield FileKind(
        "level",
        "A level",
        "game/LADDER/NAME.yaml",
        (
            _section("level", "The whole level", level),
            *_below("level", records, level, (text,)),
        ),
        text,
    )
    yield _flat("ladder", "A ladder", "game/LADDER/ladder.yaml")
    yield _lesson()
    yield _flat("track", "A track", "lessons/TRACK/track.yaml", schema_of(TrackInfo))
    yield _flat("data", "A set of data to train on", "data/NAME.yaml")
    yield _flat("help", "Answers of the site", "texts/help.yaml")


def _flat(
    name: str, title: str, path: str, schema: dict[str, Any] | None = None
) -> FileKind:
    """Return a kind of file that is one record."""
    made = {
        "data": jsonschema.data_schema,
        "ladder": jsonschema.ladder_schema,
        "help": jsonschema.help_schema,
    }
    found = schema or made[name]()
    section = _section(name, f"The whole {name} file", found)
    return FileKind(name, title, path, (section,), example_text(f"{name}.yaml"))


def _lesson() -> FileKind:
    found = lesson_schemas.definitions()
    text = example_text("lesson.md")
    panels = [part.partition("```")[0] for part in text.split("```panel ")[1:]]
    bodies = tuple(part.partition("\n")[2] for part in panels)
    question = text.partition("```question choose\n")[2].partition("```")[0]
    front = text.partition("---\n")[2].partition("---\n")[0]
    records = {
        name: schema
        for name, schema in found.items()
        if name not in {"Check", "LessonInfo", "Question", "Panel", "Common"}
        and not name.startswith("check-")
    }
    common = (
        "Every check knows these, beside its own options. `not-` in front of its name "
        "turns it round."
    )
    return FileKind(
        "lesson",
        "A lesson",
        "lessons/TRACK/NN-NAME.md",
        (
            _section("lesson-info", "At the top", found["LessonInfo"], front),
            _section("panel", "A panel", found["Panel"], f"```panel {panels[0]}```"),
            *_below("lesson", records, found["Panel"], bodies),
            _section(
                "check",
                "A check",
                {**found["Common"], "description": common},
                key_types.block(bodies[0], "checks"),
            ),
            _section(
                "question",
                "A question",
                found["Question"],
                f"```question choose\n{question}```",
            ),
        ),
        text,
    )


def _below(
    kind: str,
    records: Mapping[str, Any],
    top: Mapping[str, Any],
    texts: tuple[str, ...],
) -> list[Section]:
    """Return the records inside a file, each with the key that it is written under.

    They come in the order of those keys. The example is the first one of the texts.
    """
    order = list(top["properties"])
    found: list[tuple[int, int, Section]] = []
    for name, schema in records.items():
        path = key_types.path_to(name, top, records)
        if not path or not schema.get("properties"):
            continue
        blocks = (key_types.block(text, path[0]) for text in texts)
        example = next((block for block in blocks if block), "")
        section = _section(f"{kind}-{name.lower()}", ".".join(path), schema, example)
        if name == "Guards":
            # Their kinds and options have a part of their own.
            guarded = (
                replace(k, type="a list of up to 12 guards") for k in section.keys
            )
            section = replace(section, keys=tuple(guarded))
        found.append((order.index(path[0]), len(path), section))
    return [section for _, _, section in sorted(found, key=lambda one: one[:2])]


def _section(id: str, title: str, schema: dict[str, Any], example: str = "") -> Section:
    meaning = " ".join(str(schema.get("description", "")).split())
    return Section(id, title, meaning, tuple(_keys(schema)), example)


def _keys(schema: Mapping[str, Any]) -> Iterator[Key]:
    needed = set(schema.get("required", ()))
    for name, value in schema.get("properties", {}).items():
        yield Key(
            name=name,
            type=key_types.type_words(value),
            default="" if name in needed else key_types.default_words(value),
            is_needed=name in needed,
            meaning=str(value.get("description", "")),
        )


def _guard(name: str, guard: type[Guard]) -> PluginPart:
    example = next(
        (e for e in guard.EXAMPLES if e.options and not e.allowed), guard.EXAMPLES[0]
    )
    options = _flow({name: example.options} if example.options else name)
    return PluginPart(
        name=name,
        label=label_of(guard),
        more=_more(guard),
        places=tuple(sorted(guard.stages)),
        short="",
        keys=tuple(_keys(schema_of(guard.Options))),
        example=f"guards:\n  {example.stage}:\n    - {options}\n",
    )


def _check(name: str, check: type[Check]) -> PluginPart:
    example = next(
        (e for e in check.EXAMPLES if e.options and e.status == "passed"),
        check.EXAMPLES[0],
    )
    given = example.options
    # What has keys of its own would be taken for options.
    is_short = set(given) == {check.SHORT}
    if is_short and not isinstance(given[check.SHORT], dict):
        written = _flow({name: given[check.SHORT]})
    else:
        written = _flow({name: given} if given else name)
    more = "" if check.decides else "\n  - icontains: yes"
    return PluginPart(
        name=name,
        label=label_of(check),
        more=_more(check),
        places=check.aspects,
        short=check.SHORT,
        keys=tuple(_keys(schema_of(check.Options))),
        example=f"checks:\n  - {written}{more}\n",
        is_alone=check.decides,
    )


def _groups() -> Iterator[PluginPart]:
    parts = "[icontains: lamp, icontains: tree]"
    for name, label in lesson_schemas.GROUP_LABELS.items():
        written = f"{{n: 1, of: {parts}}}" if name == "at-least" else parts
        example = f"checks:\n  - {name}: {written}\n"
        yield PluginPart(name, label, "", (), "", (), example)


def _more(plugin: type) -> str:
    """Return what a plug-in says of itself below its first line."""
    text = inspect.cleandoc(plugin.__doc__ or "").partition("\n")[2]
    return text.strip()


def _flow(value: Any) -> str:
    """Return a value as YAML on one line, as authors write it."""
    text: str = yaml.safe_dump(
        value, default_flow_style=True, width=10_000, allow_unicode=True
    )
    text = text.removesuffix("\n").removesuffix("\n...")
    is_pair = isinstance(value, dict)
    return text.removeprefix("{").removesuffix("}") if is_pair else text
