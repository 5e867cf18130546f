"""Lesson plans fit the gates and lessons that there are, and tell no password."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.kit.content import SHIPPED
from webapp.content import plans
from webapp.content.loader import load
from webapp.content.plans import Plan
from webapp.errors import NotFound

ROOTS = (SHIPPED,)


def write(root: Path, name: str, text: str) -> None:
    path = root / "plans" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def shipped() -> dict[str, Plan]:
    return {plan.name: plan for plan in plans.plans(ROOTS)}


def test_there_are_three_the_shortest_first() -> None:
    assert list(shipped()) == ["45", "90", "180"]


def test_every_link_leads_somewhere_and_no_talk_is_missing() -> None:
    loaded = load(ROOTS)
    assert loaded.index is not None
    for plan in shipped().values():
        assert len(plan.links) > 5
        for kind, thing in plan.links:
            if kind == "gate":
                loaded.index.level(thing)
            else:
                loaded.index.lesson(thing)
        assert "[](" not in plan.linked(lambda kind, thing: thing)
    talked = {path.stem for path in (SHIPPED / "plans" / "talk").glob("*.md")}
    assert talked == set(loaded.index.ladders["keep"].levels)
    assert "### After [](gate:hardened)" in shipped()["180"].markdown


@pytest.mark.parametrize("name", ["45", "90", "180"])
def test_a_timetable_is_without_gaps_and_as_long_as_it_says(name: str) -> None:
    rows = re.findall(r"^\| (\d+)–(\d+) \|", shipped()[name].markdown, re.MULTILINE)
    times = [(int(start), int(end)) for start, end in rows]
    assert times[0][0] == 0
    assert times[-1][1] == int(name)
    ends = [end for _, end in times]
    assert [start for start, _ in times[1:]] == ends[:-1]


def test_no_password_is_in_a_plan() -> None:
    loaded = load(ROOTS)
    assert loaded.index is not None
    passwords = {word.casefold() for word in loaded.index.words("castle")}
    for plan in shipped().values():
        said = set(re.findall(r"[^\W\d_]+", plan.markdown.casefold()))
        assert said & passwords == set()


def test_a_plan_of_ones_own_takes_the_place_of_a_shipped_one(tmp_path: Path) -> None:
    write(tmp_path, "45.md", "---\ntitle: Ours\nsummary: Short.\n---\n[](talk:told)\n")
    write(tmp_path, "talk/told.md", "Our talk about [](gate:told)\n")
    write(tmp_path, "Not A Name.md", "---\ntitle: x\nsummary: y\n---\n")
    found = plans.plans((SHIPPED, tmp_path))
    assert found[0].title == "Ours"
    assert len(found) == 3
    assert found[0].linked(lambda kind, thing: f"<{kind} {thing}>").strip() == (
        "Our talk about <gate told>"
    )


@pytest.mark.parametrize("name", ["46", "../words/castle", "talk/told", "", "A"])
def test_what_is_no_plan_is_not_found(name: str) -> None:
    with pytest.raises(NotFound):
        plans.read_plan(ROOTS, name)
