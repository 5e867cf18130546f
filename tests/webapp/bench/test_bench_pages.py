"""Pages where there are more lessons, and more attempts."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.kit.world import counted_queries
from webapp.bench import classes, lessons
from webapp.bench.lessons import COURSE, shipped, site_with

LESSON = "/learn/basics/next-word"


def test_more_lessons_ask_the_database_no_more(tmp_path: Path) -> None:
    counted = {}
    fewest, most = len(shipped()), 64 + len(shipped())
    for count in (fewest, most):
        with site_with(tmp_path / str(count), count) as site:
            services = site.app.extensions["wordkeep"]
            assert [p for p in services.content.problems() if p.is_error] == []
            for path in (COURSE, LESSON):
                site.browser.get(path)
                with counted_queries(services.db) as statements:
                    assert site.browser.get(path).status_code == 200
                counted[count, path] = len(statements)
            shown = site.browser.get(COURSE).get_data(as_text=True)
            assert f" of {count} lessons done" in shown
    for path in (COURSE, LESSON):
        assert counted[fewest, path] == counted[most, path] < 36


def test_more_attempts_ask_the_database_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classes, "PLAYERS", 20)
    counted = {}
    for count in (30, 600):
        with classes.site_with(tmp_path / str(count), count) as site:
            for name, address in classes.PAGES.items():
                path = address.format(class_id=site.class_id)
                site.browser.get(path)
                with counted_queries(site.services.db) as statements:
                    page = site.browser.get(path)
                assert page.status_code == 200
                assert "player 1" in page.get_data(as_text=True)
                counted[count, name] = len(statements)
    for name in classes.PAGES:
        assert counted[30, name] == counted[600, name] < 40


def test_no_page_of_a_class_walks_through_all_attempts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classes, "PLAYERS", 20)
    plans: list[str] = []
    with classes.site_with(tmp_path / "site", 60) as site:
        for address in classes.PAGES.values():
            with counted_queries(site.services.db) as statements:
                site.browser.get(address.format(class_id=site.class_id))
            with site.services.db.engine.connect() as connection:
                for one in statements:
                    if one.startswith("SELECT"):
                        asked = f"EXPLAIN QUERY PLAN {one}"
                        nothing = (None,) * one.count("?")
                        rows = connection.exec_driver_sql(asked, nothing)
                        plans += [row[3] for row in rows]
    assert any(plan.startswith("SEARCH generations USING INDEX") for plan in plans)
    # Indexes of the few rows that are running, flagged or rude are walked through.
    walks = [
        plan
        for plan in plans
        if re.match("SCAN (generations|attempts)", plan)
        and not re.search("ix_generations_(running|flagged|rude)$", plan)
    ]
    assert walks == []


def test_a_class_is_asked_in_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classes, "PLAYERS", 5)
    times = classes.measure(tmp_path, (5, 10), repeats=1)
    assert times.keys() == classes.PAGES.keys()
    assert all(ms.keys() == {5, 10} and min(ms.values()) > 0 for ms in times.values())


@pytest.mark.parametrize("kind", ["lessons", "attempts"])
@pytest.mark.parametrize(("slow", "code"), [(1.0, 0), (1.29, 0), (1.4, 1)])
def test_it_fails_where_a_page_takes_longer(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    slow: float,
    code: int,
) -> None:
    times = {"lessons": 10.0, "attempts": 10.0, kind: 10 * slow}

    def measured(*args: object, **more: object) -> dict[str, dict[int, float]]:
        return {COURSE: {48: 1.0, 480: 9.0}, LESSON: {48: 10.0, 480: times["lessons"]}}

    def of_class(*args: object, **more: object) -> dict[str, dict[int, float]]:
        return {"the page of a class": {1_000: 10.0, 100_000: times["attempts"]}}

    monkeypatch.setattr(lessons, "measure", measured)
    monkeypatch.setattr(classes, "measure", of_class)
    assert lessons.main(["--json"]) == code
    assert json.loads(capsys.readouterr().out)["worst"] == pytest.approx(slow)
    assert lessons.main([]) == code
    assert f"{slow:.2f}" in capsys.readouterr().out
