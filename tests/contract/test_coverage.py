"""docs/coverage.md names tests that are there."""

from __future__ import annotations

import re

from webapp.settings import PROJECT

COVERAGE = (PROJECT / "docs" / "coverage.md").read_text(encoding="utf-8")


def test_every_file_that_is_named_is_there() -> None:
    named = set(re.findall(r"\btests/[\w/]+(?:\.py)?", COVERAGE))
    assert len(named) > 20
    assert [path for path in sorted(named) if not (PROJECT / path).exists()] == []


def test_every_test_that_is_named_is_there() -> None:
    missing, count, path = [], 0, ""
    for file, name in re.findall(r"(tests/[\w/]+\.py)?(?:::(test_\w+))?", COVERAGE):
        path = file or path
        if name:
            count += 1
            text = (PROJECT / path).read_text(encoding="utf-8")
            if not re.search(rf"^def {name}\(", text, re.MULTILINE):
                missing.append(f"{path}::{name}")
    assert count > 50
    assert missing == []


def test_each_pitfall_has_a_row() -> None:
    rows = COVERAGE.partition("## Pitfalls of lessons")[2]
    numbers = [int(number) for number in re.findall(r"^\| (\d+) \|", rows, re.M)]
    assert numbers == list(range(1, 31))
