"""Pages of lessons where there are more lessons."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.kit.world import counted_queries
from webapp.bench import lessons
from webapp.bench.lessons import COURSE, site_with

LESSON = "/learn/basics/next-word"


def test_more_lessons_ask_the_database_no_more(tmp_path: Path) -> None:
    counted = {}
    for count in (48, 112):
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
        assert counted[48, path] == counted[112, path] < 20


@pytest.mark.parametrize(("slow", "code"), [(1.0, 0), (1.29, 0), (1.4, 1)])
def test_it_fails_where_a_page_of_a_lesson_takes_longer(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    slow: float,
    code: int,
) -> None:
    def measured(*args: object, **more: object) -> dict[str, dict[int, float]]:
        return {COURSE: {48: 1.0, 480: 9.0}, LESSON: {48: 10.0, 480: 10 * slow}}

    monkeypatch.setattr(lessons, "measure", measured)
    assert lessons.main(["--json"]) == code
    assert json.loads(capsys.readouterr().out)["worst"] == pytest.approx(slow)
    assert lessons.main([]) == code
    assert f"{slow:.2f}" in capsys.readouterr().out
