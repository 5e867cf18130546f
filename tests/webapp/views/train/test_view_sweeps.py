"""The pages of a sweep, without scripts: one press, three curves, one verdict."""

from __future__ import annotations

import re
from typing import Any

from tests.kit.browser import Browser, text_of
from tests.kit.training import ScriptedTraining

MARK = re.compile(r'name="form" value="(\w+)"')


def form(browser: Browser, **more: str) -> dict[str, str]:
    browser.post("/train/data/shipped", {"id": "shipped-recipes"})
    found = MARK.search(browser.get("/train/new?data=1").text)
    assert found
    given = {"data": "1", "form": found[1], "title": "Soup", "base": "smollm2"}
    given |= {"method": "lora", "length": "minutes", "minutes": "3"}
    return {**given, "sweep_what": "learning_rate", "sweep_guess": "2", **more}


def press(browser: Browser, **more: str) -> str:
    answer = browser.post("/train/new/sweep", form(browser, **more))
    assert answer.status_code == 303, text_of(answer.text)
    return str(answer.location)


def test_one_press_leads_to_three_curves(
    player: Browser, trainer: ScriptedTraining
) -> None:
    given = form(player)
    places = {player.post("/train/new/sweep", given).location for _ in range(2)}
    assert places == {"/train/sweeps/1"}
    assert len(trainer.jobs) == 3
    trainer.run(next(iter(trainer.jobs)))
    page = player.get("/train/sweeps/1").text
    text = text_of(page)
    assert "Soup: which value is best?" in text
    assert "You said: the largest will win" in text
    assert "0.00033 Training about 1 minute 53 s left" in text
    assert 'hx-trigger="every 3s"' in page
    curves: Any = player.get("/train/sweeps/1/curves").json
    assert [len(run["heldout"]) for run in curves["runs"]] == [5, 0, 0]
    assert curves["is_over"] is False
    assert "One of three" in text_of(player.get("/train/runs/2").text)


def test_the_end_shows_the_best_the_guess_and_what_was_seen(
    player: Browser, trainer: ScriptedTraining
) -> None:
    place = press(player)
    for job_id, number in zip(trainer.jobs, (25.0, 22.0, 40.0), strict=True):
        trainer.finish(job_id)
        trainer.jobs[job_id]["figures"]["heldout_perplexity"] = number
        assert "Best" not in text_of(player.get(place).text) or number == 40.0
    page = player.get(f"{place}/state").text
    text = text_of(page)
    assert "Three times the rate was worse: it jumped across the dip" in text
    assert "You said the largest would win. It was the one in the middle." in text
    assert "0.001 Done 22.00 Best" in text
    assert text.count("Best") == 1
    assert "hx-trigger" not in page
    curves: Any = player.get(f"{place}/curves").json
    assert curves["is_over"] is True


def test_a_prediction_comes_first_and_all_that_was_typed_stays(
    player: Browser, trainer: ScriptedTraining
) -> None:
    given = form(player, sweep_what="length", title="My soup")
    del given["sweep_guess"]
    answer = player.post("/train/new/sweep", given)
    assert answer.status_code == 400
    assert "Say first which of the three will win" in text_of(answer.text)
    assert '<details id="sweep" open>' in answer.text
    assert 'name="sweep_what" value="length" checked' in answer.text
    assert 'value="My soup"' in answer.text
    assert trainer.jobs == {}


def test_a_full_queue_is_said_and_nothing_begins(
    player: Browser, trainer: ScriptedTraining
) -> None:
    trainer.most_jobs = 2
    answer = player.post("/train/new/sweep", form(player))
    assert answer.status_code == 429
    assert "no room for three more runs of yours, so none has begun" in text_of(
        answer.text
    )
    assert "Soup ·" not in text_of(player.get("/train").text)


def test_a_stranger_sees_nothing_of_it(player: Browser) -> None:
    place = press(player)
    other = Browser(player.app).play()
    for part in ("", "/state", "/curves"):
        assert other.get(f"{place}{part}").status_code == 404


def test_without_a_token_nothing_begins(
    player: Browser, trainer: ScriptedTraining
) -> None:
    given = form(player)
    assert player.client.post("/train/new/sweep", data=given).status_code == 400
    assert trainer.jobs == {}
