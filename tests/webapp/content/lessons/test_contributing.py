"""CONTRIBUTING.md adds a lesson and a check. Here both are really read."""

from __future__ import annotations

import re

import pytest

from tests.webapp.content.lessons.samples import LessonTree
from webapp.content.loader import load
from webapp.plugins import check as plugin
from webapp.plugins.check import Check
from webapp.plugins.registry import Registry
from webapp.settings import PROJECT


def section(title: str) -> str:
    text = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return text.split(f"## {title}\n")[1].split("\n## ")[0]


def block(title: str, fence: str, language: str) -> str:
    pattern = rf"^{fence}{language}\n(.*?)^{fence}$"
    (found,) = re.findall(pattern, section(title), re.MULTILINE | re.DOTALL)
    return str(found)


def test_the_lesson_is_right(tree: LessonTree) -> None:
    name = re.search(r"lessons/basics/(\S+\.md)`", section("Add a lesson"))
    assert name is not None
    path = tree.basics / name[1]
    path.write_text(block("Add a lesson", "````", "markdown"))
    loaded = load((tree.root,))
    assert loaded.problems == []
    assert loaded.index is not None
    assert len(loaded.index.lesson("basics/zo").panels) == 2


def test_the_check_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    registry: Registry[type[Check]] = Registry("check")
    monkeypatch.setattr(plugin, "checks", registry)
    code = block("Add a check in one file", "```", "python")
    module = {"__name__": "webapp.checks.asks"}
    exec(compile(code, "asks.py", "exec"), module)  # noqa: S102 -- our own text
    check = registry.get("asks")
    assert len(check.EXAMPLES) == 3
    for example in check.EXAMPLES:
        options = check.Options.model_validate(example.options)
        outcome = check(options).judge(example.subject, ask=None)  # type: ignore[arg-type]
        assert outcome.status == example.status
