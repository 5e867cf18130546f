"""The published calibration is of the shipped levels, and shows a ladder."""

from __future__ import annotations

import pytest

import webapp.guards
from finetune.weights.releases import read_release
from webapp.content.index import Index
from webapp.content.loader import load
from webapp.content.report import REPORT_FILE, Report
from webapp.domain.calibration.ladder_rules import requirements
from webapp.domain.calibration.playing import attacks_hash
from webapp.plugins.registry import load_plugins
from webapp.settings import PROJECT

load_plugins(webapp.guards)
GAME = PROJECT / "challenges" / "game"
FILE = GAME / "keep" / REPORT_FILE
LADDERS = ["keep", "annex"]

pytestmark = pytest.mark.skipif(
    not FILE.exists(), reason="the shipped ladder is not calibrated yet"
)


def report_of(index: Index, ladder: str) -> Report:
    return next(report for report in index.reports if report.ladder == ladder)


def test_each_ladder_has_its_report() -> None:
    index = load((PROJECT / "challenges",)).index
    assert index is not None
    assert list(index.ladders) == LADDERS
    assert {report.ladder for report in index.reports} == set(LADDERS)


@pytest.mark.parametrize("ladder", LADDERS)
def test_it_is_of_the_levels_that_are_shipped(ladder: str) -> None:
    index = load((PROJECT / "challenges",)).index
    assert index is not None
    report = report_of(index, ladder)
    assert {level.id: level.content_hash for level in report.levels} == {
        level.id: index.defence_hash(level.id) for level in index.levels(ladder)
    }
    assert {level.benign for level in report.levels} == {len(index.benign)}


def test_the_keep_was_played_by_the_attacks_that_are_shipped() -> None:
    index = load((PROJECT / "challenges",)).index
    assert index is not None
    report = report_of(index, "keep")
    assert report.attacks_hash == attacks_hash(index.attacks)
    assert len(report.results) == len(report.levels) * len(index.attacks)


@pytest.mark.parametrize("ladder", LADDERS)
def test_it_is_of_the_weights_that_are_shipped(ladder: str) -> None:
    index = load((PROJECT / "challenges",)).index
    assert index is not None
    report = report_of(index, ladder)
    for level in report.levels:
        assert level.model_version == _version("warden")
        for name, version in level.guard_versions.items():
            assert version == _version(name)


def _version(name: str) -> str:
    return read_release(PROJECT / "finetune" / "adapters" / name).version


def test_it_meets_what_a_ladder_must_show_but_for_pieces_of_the_word() -> None:
    index = load((PROJECT / "challenges",)).index
    assert index is not None
    report = report_of(index, "keep")
    missed = [p.text for p in requirements(report.levels, report) if not p.is_met]
    assert missed == ["No single message clears more than 3 levels"]
    # Half of the word is told by whoever may tell, and neither the listener nor the
    # censor takes it for the whole.
    singles = [one for one in report.openers if one.is_single and len(one.levels) > 3]
    assert len(singles) <= 4
    assert {len(one.levels) for one in singles} == {4}
