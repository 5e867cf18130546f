"""Sets of data as content: what is read, and what is wrong with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.kit.content import SHIPPED, write_content
from webapp.content.check import load_all
from webapp.domain.writing.reference import example_text

GOOD = example_text("data.yaml")


def problems(root: Path, text: str) -> list[str]:
    (root / "data").mkdir(exist_ok=True)
    (root / "data" / "zoo.yaml").write_text(text, encoding="utf-8")
    found = load_all([root]).problems
    return [
        f"{one.line}: {one.message}; {one.suggestion}"
        for one in found
        if one.path.name == "zoo.yaml"
    ]


def test_a_set_is_read_and_its_rows_are_lines_of_json(tmp_path: Path) -> None:
    root = write_content(tmp_path / "content")
    assert problems(root, GOOD) == []
    index = load_all([root]).index
    assert index is not None
    found = index.data_sets["zoo"]
    assert found.columns == ("animal", "likes")
    rows = [json.loads(line) for line in found.lines.splitlines()]
    assert rows[0] == {"animal": "penguin", "likes": "dancing in winter"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{animal}\\n", "{anmal}\\n", '4: there is no column "anmal"; did you mean'),
        ("{animal: owl, likes", "{animal: owl, loves", "7: this row has other columns"),
        (
            'text: "Animal: {animal}\\nWhat it likes: {likes}"',
            "text: Animal",
            "4: the text names no column",
        ),
        ("Animal: {", "Animal: {{", "4: there is a single }"),
        ("title: Animals of our zoo\n", "", '"title" is missing'),
        ("{animal: mole", "{animal: [mole]", '"rows'),
        ("rows:", "answer: nothing\nrows:", "5: the answer names no column"),
    ],
)
def test_a_broken_set_is_explained(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    assert old in GOOD
    found = problems(write_content(tmp_path / "content"), GOOD.replace(old, new))
    assert any(told.partition(": ")[2] in one for one in found), found
    assert found[0].startswith(told.partition(": ")[0] + ":") or told.startswith('"')


def test_shipped_sets_are_read() -> None:
    index = load_all([SHIPPED]).index
    assert index is not None
    assert index.data_sets.keys() == {
        path.stem for path in (SHIPPED / "data").glob("*.yaml")
    }
