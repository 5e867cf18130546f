"""The reference of content: complete, and every example is fine for the loader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from webapp import checks as check_files
from webapp import guards as guard_files
from webapp.content import jsonschema
from webapp.content.lessons import jsonschema as lesson_schemas
from webapp.content.lessons.reading import read_lesson
from webapp.content.lessons.schema import TrackInfo
from webapp.content.loader import load_level
from webapp.content.overlay import load_with
from webapp.domain.writing import key_types
from webapp.domain.writing.reference import PluginPart, example_text, reference
from webapp.plugins.check import checks
from webapp.plugins.guard import guards
from webapp.plugins.registry import load_plugins
from webapp.reading.tree import read_tree
from webapp.settings import PROJECT

load_plugins(guard_files)
load_plugins(check_files)
FILES = {
    "game/kitchen/cook.yaml": "level.yaml",
    "game/kitchen/ladder.yaml": "ladder.yaml",
    "lessons/example/track.yaml": "track.yaml",
    "lessons/example/01-zo.md": "lesson.md",
    "texts/help.yaml": "help.yaml",
}
LEVEL = """\
id: my-gate
title: My Gate
story: A gate.
defender:
  system: The password is {{ secret }}.
secret: {words: castle}
points: 1
proof: {solved_by: [Ask.]}
explain: It works.
"""
PANEL = """\
---
title: One
idea: One.
minutes: 5
can_do: do it
---
Text.

```panel one
task: Write.
messages: [{user: "{ask}"}]
slots: {ask: {}}
show: [probabilities]
temperature: 0.5
samples: 2 of 2
CHECKS
proof:
  solved_by: [{ask: Hello there.}]
```
"""


def test_the_examples_are_fine_beside_the_shipped_content(tmp_path: Path) -> None:
    texts: dict[PurePosixPath, str | None] = {
        PurePosixPath(place): example_text(name) for place, name in FILES.items()
    }
    loaded = load_with((PROJECT / "challenges", tmp_path), texts)
    assert [p for p in loaded.problems if p.path.is_relative_to(tmp_path)] == []
    assert loaded.index is not None
    assert loaded.index.level("cook").title == "The Cook"
    assert len(loaded.index.lesson("example/zo").panels) == 3


def test_the_examples_show_every_key() -> None:
    text = example_text("lesson.md")
    front = read_tree(text.split("---\n")[1].encode())
    blocks = [
        read_tree(part.partition("\n")[2].partition("```")[0].encode())
        for part in text.split("```")
        if part.startswith(("panel", "question"))
    ]
    found = lesson_schemas.definitions()
    lesson = {
        name: found[name]
        for name in found
        if name not in {"Check", "Needed"} and not name.startswith("check-")
    }
    level = jsonschema.level_schema()
    records = {k: v for k, v in level["$defs"].items() if not k.startswith("guard-")}
    flat = jsonschema.ladder_schema(), jsonschema.help_schema()
    written = {
        *_keys(front.plain()),
        *(key for block in blocks for key in _keys(block.plain())),
        *_keys(read_tree(example_text("level.yaml").encode()).plain()),
        *_keys(read_tree(example_text("ladder.yaml").encode()).plain()),
        *_keys(read_tree(example_text("track.yaml").encode()).plain()),
        *_keys(read_tree(example_text("help.yaml").encode()).plain()),
    }
    wanted = {
        key
        for schema in (*lesson.values(), level, *records.values(), *flat)
        for key in schema.get("properties", {})
    }
    assert wanted | set(TrackInfo.model_fields) <= written


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield str(key)
            yield from _keys(below)
    elif isinstance(value, list):
        for below in value:
            yield from _keys(below)


@pytest.mark.parametrize("part", reference().guards, ids=lambda one: one.name)
def test_the_example_of_each_guard_works(part: PluginPart, tmp_path: Path) -> None:
    path = tmp_path / "my-gate.yaml"
    path.write_text(LEVEL + part.example)
    level, problems = load_level(path)
    assert problems == []
    assert level is not None
    assert [one.name for one in level.guards.input + level.guards.output] == [part.name]


@pytest.mark.parametrize(
    "part", reference().checks + reference().groups, ids=lambda one: one.name
)
def test_the_example_of_each_check_works(part: PluginPart, tmp_path: Path) -> None:
    front, _, panel = PANEL.replace("CHECKS\n", part.example).partition("```")
    text = f"{front}```{panel}\n```{panel.replace('panel one', 'panel two')}"
    read = read_lesson(tmp_path / "basics" / "01-one.md", text.encode())
    assert [problem.message for problem in read.problems] == []
    assert read.lesson is not None
    assert read.lesson.panels[0].checks[0].name == part.name


def test_every_plugin_and_option_is_there() -> None:
    made = reference()
    assert [one.name for one in made.guards] == list(guards.names())
    assert [one.name for one in made.checks] == list(checks.names())
    for part in made.guards:
        options = guards.get(part.name).Options.model_fields
        assert [key.name for key in part.keys] == list(options)
    for part in made.checks:
        fields = checks.get(part.name).Options.model_fields.items()
        names = [field.alias or name for name, field in fields]
        assert [key.name for key in part.keys] == names
    assert all(key.meaning for part in made.guards + made.checks for key in part.keys)


def test_keys_are_told_in_plain_words() -> None:
    (level, *_) = reference().files[0].sections
    keys = {key.name: key for key in level.keys}
    assert keys["suspicion"].type == "a whole number (1 to 100)"
    assert keys["title"].type == "text (up to 120 characters)"
    assert (keys["title"].is_needed, keys["title"].default) == (True, "")
    assert keys["show_guards"].type == "none or stage or full"
    assert (keys["show_guards"].is_needed, keys["show_guards"].default) == (
        False,
        "stage",
    )
    assert keys["hints"].type == "a list of up to 8: keys, explained below"
    contains = next(one for one in reference().guards if one.name == "contains")
    (match,) = contains.keys
    assert (
        match.type == "exact or normalised or reversed or spelled, or a list of these"
    )
    assert match.default == "exact"


def test_each_record_has_an_example_with_its_key() -> None:
    for file in reference().files:
        for section in file.sections[1:]:
            assert section.example, section.id
    titles = [section.title for section in reference().files[0].sections]
    assert titles[1:3] == ["defender", "defender.examples"]


def test_a_block_is_cut_out_of_a_text() -> None:
    text = "a: 1\nb:\n  - c\n\n  - d\ne: 2\n"
    assert key_types.block(text, "b") == "b:\n  - c\n\n  - d\n"
    assert key_types.block(text, "z") == ""
