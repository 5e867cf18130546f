"""Turns the guards of a level file into records that the guards' classes checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from webapp.content.schema import GuardSpec
from webapp.plugins.guard import Stage, guards
from webapp.reading.plain_words import did_you_mean, explain
from webapp.reading.problems import Problem
from webapp.reading.tree import Node


@dataclass(slots=True)
class ReadGuards:
    """The valid guards of each stage, and what is wrong with the others."""

    stages: dict[str, list[GuardSpec]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_guards(path: Path, level: Node) -> ReadGuards:
    """Check the guards of a level; whatever is not a list of guards is left alone."""
    read = ReadGuards()
    section = level.pairs.get("guards")
    if section is None or section.value is not dict:
        return read
    stage: Stage
    for stage in get_args(Stage):
        entries = section.pairs.get(stage)
        if entries is None or entries.value is not list:
            continue
        specs = [_read_guard(path, stage, node, read) for node in entries.items]
        read.stages[stage] = [spec for spec in specs if spec is not None]
    return read


def _read_guard(
    path: Path, stage: Stage, node: Node, read: ReadGuards
) -> GuardSpec | None:
    if isinstance(node.value, str):
        name, options = node.value, Node(node.line, dict)
    elif node.value is dict and len(node.pairs) == 1:
        name, options = next(iter(node.pairs.items()))
    else:
        read.problems.append(
            Problem(
                path,
                node.line,
                "this is not one guard",
                "write - name or - name: {option: value}",
            )
        )
        return None
    if options.value is None:  # `- contains:` with nothing after it
        options = Node(options.line, dict)
    problems = list(_check_guard(path, stage, name, options))
    read.problems += problems
    if problems:
        return None
    checked = guards.get(name).Options.model_validate_json(_json(options), strict=True)
    return GuardSpec(name=name, options=checked)


def _check_guard(
    path: Path, stage: Stage, name: str, options: Node
) -> Iterator[Problem]:
    if name not in guards.names():
        advice = did_you_mean(name, list(guards.names()))
        yield Problem(path, options.line, f'unknown guard "{name}"', advice)
        return
    guard = guards.get(name)
    if stage not in guard.stages:
        other = " and ".join(sorted(guard.stages))
        yield Problem(
            path,
            options.line,
            f'the guard "{name}" cannot look at the {stage}',
            f"it works on: {other}",
        )
        return
    try:
        guard.Options.model_validate_json(_json(options), strict=True)
    except ValidationError as error:
        for problem in explain(path, options, guard.Options, error):
            yield Problem(
                path,
                problem.line,
                f'guard "{name}": {problem.message}',
                problem.suggestion,
            )


def _json(options: Node) -> str:
    # Strict JSON mode: lists may fill tuples and sets, but "5" is not a number.
    return json.dumps(options.plain())
