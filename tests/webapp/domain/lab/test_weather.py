"""The pretend service: it fails by turns, the same for the same seed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from webapp.domain.lab.weather import Past, Report, ask
from webapp.errors import InvalidInput

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def calls(seed: int, number: int, *, patient: bool = True) -> list[Report]:
    past, now, reports = Past(), NOW, []
    for _ in range(number):
        report = ask(city="Rome", seed=seed, past=past, now=now)
        reports.append(report)
        past = report.past
        now += timedelta(seconds=report.retry_after or 0) if patient else timedelta()
    return reports


def test_each_round_has_its_failures_and_one_answer() -> None:
    for seed in range(20):
        statuses = [report.status for report in calls(seed, 8)]
        assert sorted(statuses[:4]) == [200, 429, 429, 503]
        assert sorted(statuses[4:]) == [200, 429, 429, 503]


def test_the_same_seed_fails_alike_and_another_one_differently() -> None:
    assert calls(3, 8) == calls(3, 8)
    assert len({tuple(r.status for r in calls(seed, 8)) for seed in range(20)}) > 5


def test_who_does_not_wait_is_told_so_again() -> None:
    seed = next(n for n in range(50) if calls(n, 1)[0].status == 429)
    first, second = calls(seed, 2, patient=False)
    assert first.retry_after in {1, 2, 3}
    assert (second.status, second.retry_after) == (429, first.retry_after)
    assert second.past == first.past
    waited = calls(seed, 2)[1]
    assert waited.past.calls == 2


def test_only_who_is_busy_says_how_long() -> None:
    for report in calls(1, 16):
        assert (report.retry_after is not None) == (report.status == 429)
        assert ("degrees" in report.body) == (report.status == 200)


def test_the_weather_of_a_city_is_made_up_and_stays() -> None:
    found = [r.body for seed in range(5) for r in calls(seed, 4) if r.status == 200]
    assert found == [found[0]] * 5
    assert found[0]["city"] == "Rome"
    assert found[0]["note"] == "made up"


@pytest.mark.parametrize("city", ["", "  ", "x" * 41])
def test_a_city_is_needed(city: str) -> None:
    with pytest.raises(InvalidInput, match="Name a city"):
        ask(city=city, seed=0, past=Past(), now=NOW)
