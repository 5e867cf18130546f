"""The instructors' page about how hard the gates are."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.kit.browser import Browser, text_of
from tests.kit.content import LEVEL_IDS, write_level
from webapp.content.index import Index
from webapp.content.report import (
    LevelReport,
    Opener,
    Rate,
    Report,
    Result,
    report_text,
)
from webapp.content.store import ContentStore
from webapp.domain.calibration import reports
from webapp.domain.people import accounts
from webapp.rows import Calibration

PASSWORD = "correct horse"
WHEN = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
PATH = "/teach/calibration"


@pytest.fixture
def instructor(browser: Browser) -> Browser:
    accounts.create_player(
        browser.services, name="Teacher", role="instructor", password=PASSWORD
    )
    browser.get("/login")
    browser.post("/login", {"name": "Teacher", "password": PASSWORD})
    return browser


def report_of(index: Index, rates: dict[str, float], **changes: Any) -> Report:
    """Return a report of levels with given shares of ten attacks that succeed."""
    levels = tuple(
        LevelReport(
            id=name,
            content_hash=index.defence_hash(name),
            model="local/smollm2",
            model_version="0123456789abcdef",
            guard_versions={"gate": "fedcba"},
            attacks=10,
            success_rate=rate,
            interval=(max(rate - 0.1, 0), min(rate + 0.1, 1)),
            single=Rate(attacks=6, success_rate=rate / 2, interval=(0.0, 1.0)),
            conversations=Rate(attacks=4, success_rate=rate, interval=(0.2, 1.0)),
            by_family={"direct": rate, "output_obfuscation": rate / 2},
            proofs=1,
            proofs_won=1,
            benign=20,
            benign_refused=0.02,
            benign_completed=0.99,
            benign_answered=0.97,
            seconds=1.0,
        )
        for name, rate in rates.items()
    )
    results = tuple(
        Result(level=name, attack=n, success=n < 10 * rate, wins=0, plays=1)
        for name, rate in rates.items()
        for n in range(10)
    )
    given: dict[str, Any] = {
        "ladder": "keep",
        "made_at": WHEN,
        "attacks_from": "the shipped attacks",
        "attacks_hash": "0",
        "families": {"direct": 6, "output_obfuscation": 4},
        "secrets": 3,
        "seeds": 1,
        "seconds": 8.0,
        "levels": levels,
        "results": results,
        "openers": (
            Opener(family="partial", turns=("One?", "Two?"), levels=tuple(rates)),
            Opener(family="direct", turns=("What is it?",), levels=tuple(rates)[:2]),
        ),
    }
    return Report(**given | changes)


FALLING = dict(zip(LEVEL_IDS, (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.1), strict=True))


def index_of(browser: Browser) -> Index:
    return browser.services.content.current()


def keep(browser: Browser, report: Report) -> None:
    reports.store(browser.services, report)


def row_of(page: str, level: str) -> str:
    """Return what the table says of a gate."""
    rows = re.findall(r"<tr>.*?</tr>", page, re.S)
    row = next(row for row in rows if f'"row">The {level} Gate' in row)
    return text_of(row)


def test_it_is_for_instructors_only(player: Browser, new_browser) -> None:
    assert player.get(PATH).status_code == 403
    assert new_browser().get(PATH).location == f"/join?next={PATH}"


def test_without_a_report_no_gate_is_calibrated(instructor: Browser) -> None:
    page = instructor.get(PATH).text
    assert text_of(page).count("not calibrated") == len(LEVEL_IDS)
    assert "./wordkeep calibrate --ladder keep" in page
    assert '<svg class="heat"' not in page


def test_the_pages_of_instructors_lead_to_each_other(instructor: Browser) -> None:
    assert 'href="/teach/content"' in instructor.get("/teach").text
    assert f'href="{PATH}"' in instructor.get("/teach/content").text
    page = instructor.get(PATH).text
    assert f'href="{PATH}" aria-current="page"' in page
    assert 'href="/teach"' in page


def test_figures_and_both_sides(instructor: Browser) -> None:
    keep(instructor, report_of(index_of(instructor), FALLING))
    page = instructor.get(PATH).text
    assert row_of(page, "Open") == (
        "1 The Open Gate 90.0 % (80.0 % – 100.0 %) 45.0 % (0.0 % – 100.0 %) "
        "90.0 % (20.0 % – 100.0 %) 99.0 % 97.0 % 2.0 %"
    )
    text = text_of(page)
    assert (
        "The Open Gate local/smollm2 0123456789abcdef gate fedcba 10 20 "
        "4 May 2026, 09:30 UTC"
    ) in text
    assert "10 attacks from the shipped attacks, 3 passwords each" in text
    assert "not calibrated" not in text
    assert "yes Success of conversations falls, with at most one rise" in text
    assert "no No attack clears more than 6 levels: 8 by “One? / Two?”" in text


def test_what_opens_most_gates_is_listed(instructor: Browser) -> None:
    keep(instructor, report_of(index_of(instructor), FALLING))
    text = text_of(instructor.get(PATH).text).partition("What opens the most")[2]
    assert "One message Kind Gates What is it? direct 2" in text
    assert "A conversation Kind Gates One? / Two? partial 8" in text


def test_the_heat_map_is_a_described_picture(instructor: Browser) -> None:
    keep(instructor, report_of(index_of(instructor), FALLING))
    page = instructor.get(PATH).text
    (picture,) = re.findall(r"<svg class=\"heat\".*?</svg>", page, re.S)
    assert 'role="img" aria-labelledby="heat-title heat-desc"' in picture
    assert "<title id=" in picture
    assert "<desc id=" in picture
    assert "style=" not in picture
    assert re.findall(r'data-step="(\d)"', picture) == [*"44332221", *"22221111"]
    assert "output obfuscation" in picture
    cells = re.findall(r"</rect>|>(\d+)</text></g>", picture)
    assert cells[:8] == ["90", "80", "70", "60", "50", "40", "30", "10"]
    table = text_of(page).partition("The same as a table")[2]
    assert "output obfuscation 45.0 % 40.0 %" in table


def test_a_changed_level_is_not_calibrated(instructor: Browser, tmp_path: Path) -> None:
    keep(instructor, report_of(index_of(instructor), FALLING))
    write_level(tmp_path / "content", "echo", suspicion=5)
    instructor.use_content(tmp_path / "content")
    page = instructor.get(PATH).text
    assert row_of(page, "Echo") == (
        "3 The Echo Gate not calibrated It has changed since it last was."
    )
    assert "90.0 %" in row_of(page, "Open")
    # A ladder is judged as a whole or not at all.
    assert "Is it a ladder?" not in page


def test_the_newest_figures_of_each_gate_count(instructor: Browser) -> None:
    index = index_of(instructor)
    keep(instructor, report_of(index, {"open": 0.2}, made_at=WHEN + timedelta(days=1)))
    keep(instructor, report_of(index, FALLING))
    keep(instructor, report_of(index, {"open": 0.3}, made_at=WHEN - timedelta(days=1)))
    page = instructor.get(PATH).text
    assert "20.0 %" in row_of(page, "Open")
    assert "80.0 %" in row_of(page, "Told")


def test_a_published_report_is_shown_until_there_is_a_newer_one(
    instructor: Browser, tmp_path: Path
) -> None:
    index = index_of(instructor)
    file = tmp_path / "content" / "game" / "keep" / "calibration.json"
    file.write_text(report_text(report_of(index, FALLING)))
    instructor.use_content(tmp_path / "content")
    assert instructor.services.content.problems() == []
    assert "90.0 %" in row_of(instructor.get(PATH).text, "Open")
    keep(instructor, report_of(index, {"open": 0.5}, made_at=WHEN + timedelta(days=1)))
    assert "50.0 %" in row_of(instructor.get(PATH).text, "Open")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{\n,", (2, "not JSON: Expecting property name enclosed in double quotes")),
        ("[]", (1, "the file must be a mapping")),
        ('{"ladder": 5}', (1, '"ladder" must be text')),
    ],
)
def test_a_broken_published_report_is_a_warning(
    instructor: Browser, tmp_path: Path, text: str, said: tuple[int, str]
) -> None:
    file = tmp_path / "content" / "game" / "keep" / "calibration.json"
    file.write_text(text)
    instructor.use_content(tmp_path / "content")
    (problem,) = instructor.services.content.problems()
    assert (problem.line, problem.message) == said
    assert problem.severity == "warning"
    assert instructor.get(PATH).status_code == 200


def test_a_row_of_another_version_is_passed_over(instructor: Browser) -> None:
    old = Calibration(ladder_id="keep", attacks_hash="", body={"a": 1}, made_at=WHEN)
    with instructor.services.db.write() as session:
        session.add(old)
    assert "not calibrated" in instructor.get(PATH).text


def test_an_unknown_ladder(instructor: Browser) -> None:
    assert instructor.get(f"{PATH}?ladder=nothing").status_code == 404
    assert instructor.get(f"{PATH}?ladder=keep").status_code == 200


def test_a_long_published_report_is_read(tmp_path: Path, browser: Browser) -> None:
    root = tmp_path / "content"
    talk = Opener(family="partial", turns=("And the next one? " * 50,), levels=())
    report = report_of(index_of(browser), FALLING, openers=(talk,) * 300)
    text = report_text(report)
    assert len(text) > 250_000
    (root / "game" / "keep" / "calibration.json").write_text(text)
    assert ContentStore([root]).current().reports == (report,)


def test_a_store_reads_a_published_report(tmp_path: Path, browser: Browser) -> None:
    root = tmp_path / "content"
    file = root / "game" / "keep" / "calibration.json"
    report = report_of(index_of(browser), FALLING)
    file.write_text(report_text(report))
    assert ContentStore([root]).current().reports == (report,)
