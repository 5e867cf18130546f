"""The pages of training, without scripts: forms from a text to a model."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.kit.browser import Browser, text_of
from tests.kit.training import HUB_TOKEN, ScriptedTraining
from webapp.llm.scripted import ScriptedBackend
from webapp.llm.training import TrainingClient

SCRIPT = "<script>alert(1)</script>"
MARK = re.compile(r'name="form" value="(\w+)"')


def take(browser: Browser) -> str:
    """Take the shipped set; return the address of its page."""
    answer = browser.post("/train/data/shipped", {"id": "shipped-recipes"})
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def form(browser: Browser, **more: str) -> dict[str, str]:
    page = browser.get("/train/new?data=1").text
    found = MARK.search(page)
    assert found
    given = {"data": "1", "form": found[1], "title": "Soup", "base": "smollm2"}
    return {**given, "method": "lora", "length": "minutes", "minutes": "3", **more}


def train(browser: Browser, trainer: ScriptedTraining, **more: str) -> str:
    """Train a model to its end; return the address of its run."""
    take(browser)
    answer = browser.post("/train/new", form(browser, **more))
    assert answer.status_code == 303, text_of(answer.text)
    trainer.finish(trainer.last)
    browser.get(answer.location)
    return str(answer.location)


def test_everybody_may_read_what_training_is(browser: Browser) -> None:
    page = text_of(browser.get("/train").text)
    assert "Train a model of your own" in page
    assert "You may train for 60 minutes a day" in page


def test_a_guest_trains_without_an_account(
    browser: Browser, trainer: ScriptedTraining
) -> None:
    run = train(browser, trainer)
    page = text_of(browser.get(run).text)
    assert "Your model is ready" in page
    assert "perplexity is now 22.0 , as if it chose between 22 words" in page
    assert "Predicted: 3 minutes. It took 2 minutes 50 s: 6 % less" in page


def test_the_page_of_data_shows_rows_and_report(player: Browser) -> None:
    page = text_of(player.get(take(player)).text)
    assert "It has 240 rows with the columns {title} {steps}" in page
    assert "192 rows" in page
    assert "Language mostly English, 12 % German" in page
    assert "This is enough to see a change" in page


def test_data_that_was_read_is_not_read_again_to_show_it(
    player: Browser, trainer: ScriptedTraining
) -> None:
    place = take(player)
    player.get(place)
    trainer.is_down = True
    page = text_of(player.get(place).text)
    assert "It has 240 rows" in page
    assert "does not answer" not in page


def test_a_template_that_does_not_fit_is_said_in_the_part(player: Browser) -> None:
    answer = player.swap(take(player), {"text": "{titel}"})
    assert answer.status_code == 400
    assert "There is no column {titel}" in text_of(answer.text)
    assert ">{titel}</textarea>" in answer.text


def test_presets_fill_the_templates(player: Browser) -> None:
    place = take(player)
    player.get(place)
    page = player.post(place, {"preset": "answer"}).text
    assert ">{title}</textarea>" in page
    assert ">{steps}</textarea>" in page
    assert "What is marked is learned" in page


def test_shuffling_shows_other_rows(player: Browser) -> None:
    place = take(player)
    pages = {player.post(place, {"shuffle": str(n)}).text for n in (1, 1, 2)}
    rows = {re.search(r'class="rendered".*?</ol>', p, re.S)[0] for p in pages}  # type: ignore[index]
    assert len(rows) == 2


@pytest.mark.parametrize("name", ["songs.txt", "songs.csv", "songs.jsonl"])
def test_what_is_uploaded_is_text_and_never_code(player: Browser, name: str) -> None:
    contents = {
        "songs.txt": f"{SCRIPT}\nla\n",
        "songs.csv": f"line,{SCRIPT}\nla,{SCRIPT}\n",
        "songs.jsonl": f'{{"{SCRIPT}": "{SCRIPT}"}}\n',
    }
    file = (io.BytesIO(contents[name].encode()), f"{SCRIPT}{name}")
    answer = player.post("/train/data", {"file": file})
    assert answer.status_code == 303, answer.text
    for place in (answer.location, "/train/data", "/train", "/train/new?data=1"):
        page = player.get(place)
        assert page.status_code == 200
        assert SCRIPT not in page.text
    assert "&lt;script&gt;" in player.get(answer.location).text


def test_a_paste_is_a_file_of_lines(player: Browser) -> None:
    answer = player.post("/train/data", {"pasted": "one\ntwo"})
    page = text_of(player.get(answer.location).text)
    assert "It has 2 rows" in page
    assert "too little to judge by" in page


def test_a_text_says_where_it_is_from_on_the_card_of_its_model(
    player: Browser, trainer: ScriptedTraining
) -> None:
    assert '<option value="CC BY 4.0">' in player.get("/train/data").text
    told = {"source": f"A book {SCRIPT}", "terms": "CC BY 4.0"}
    refused = player.post("/train/data", {**told, "pasted": "", "terms": "x" * 121})
    assert (refused.status_code, 'value="A book' in refused.text) == (400, True)
    place = player.post("/train/data", {**told, "pasted": "one\ntwo"}).location
    answer = player.post("/train/new", form(player))
    assert answer.status_code == 303, text_of(answer.text)
    name = trainer.finish(trainer.last)
    player.get(answer.location)
    for shown in (f"/train/models/{name}", f"{place}/card"):
        page = player.get(shown).text
        assert SCRIPT not in page
        assert "Text from A book <script>" in text_of(page)
        assert "Terms of use CC BY 4.0" in text_of(page)
    assert player.post(f"{place}/card", {"source": "", "terms": ""}).status_code == 303
    page = text_of(player.get(f"{place}/card").text)
    assert "Text from not told Terms of use not told" in page
    # What was told when it was trained stays on the card of the model.
    assert "Terms of use CC BY 4.0" in text_of(player.get(f"/train/models/{name}").text)


def test_data_is_shown_to_others_with_its_card_and_trained_on(
    player: Browser, trainer: ScriptedTraining, new_browser: Callable[[], Browser]
) -> None:
    place = player.post("/train/data", {"pasted": "one\ntwo"}).location
    card, use = f"{place}/card", f"{place}/use"
    visitor = new_browser()
    assert visitor.get(card).status_code == 404
    assert visitor.post(use).status_code == 404
    early = player.post(card, {"terms": "CC0", "visibility": "public"})
    assert early.status_code == 409
    player.get(place)
    assert player.post(card, {"visibility": "public"}).status_code == 303
    visitor = new_browser()
    page = visitor.get(card)
    assert "Data by Ada, for you to train on." in text_of(page.text)
    assert "Rows 2 rows" in text_of(page.text)
    assert "Who may see it and train on it" not in page.text
    assert card in visitor.get("/train/data").text
    assert "pasted.txt Everybody may use it" in text_of(player.get("/train/data").text)
    started = visitor.post(use)
    assert started.location == "/train/new?data=1"
    answer = visitor.post("/train/new", form(visitor))
    assert answer.status_code == 303, text_of(answer.text)
    assert visitor.get(place).location == card
    recipe = {"data": "1", "recipe": "data: {text: 'Song: {text}'}"}
    refused = visitor.post("/train/new/recipe", recipe)
    assert refused.status_code == 400
    assert "This data is somebody else's" in text_of(refused.text)
    for url, given in ((place, {"text": "x"}), (f"{place}/delete", {}), (card, {})):
        assert visitor.post(url, given).status_code == 404, url
    assert trainer.deleted == []


def test_nothing_and_no_text_are_refused_and_what_was_pasted_stays(
    player: Browser, trainer: ScriptedTraining
) -> None:
    assert "Choose a file, or paste" in player.post("/train/data", {}).text
    trainer.is_down = True
    answer = player.post("/train/data", {"pasted": "my only copy"})
    assert answer.status_code == 502
    assert "my only copy" in answer.text
    assert "does not answer just now" in answer.text


def test_an_upload_may_be_larger_than_other_forms_but_not_without_end(
    player: Browser, trainer: ScriptedTraining
) -> None:
    large = b"a line of text\n" * 30_000
    assert len(large) > player.services.settings.request_bytes
    file = (io.BytesIO(large), "large.txt")
    assert player.post("/train/data", {"file": file}).status_code == 303
    player.limit(upload_bytes=1000)
    file = (io.BytesIO(b"x" * 100_000), "larger.txt")
    assert player.post("/train/data", {"file": file}).status_code == 413
    assert player.post("/train/new", {"title": "x" * 300_000}).status_code == 413


def test_the_form_shows_costs_and_the_recipe(player: Browser) -> None:
    take(player)
    part = player.swap("/train/new/predict", form(player, learning_rate="0.05"))
    page = text_of(part.text)
    assert "Time 3 minutes" in page
    assert "2.44 million of 135 million numbers" in page
    assert "learning rate is high" in page
    assert "learning_rate: 0.05" in page
    assert "Skip to the content" not in page


def test_the_form_says_what_a_leaderboard_is_for(player: Browser) -> None:
    take(player)
    page = text_of(player.get("/train/new?data=1").text)
    assert "It helps to find a model to begin with. It judges nothing of yours" in page


def test_what_good_output_is_is_said_before_and_shown_beside_the_samples(
    player: Browser, trainer: ScriptedTraining
) -> None:
    take(player)
    said = {"task": "writing", "good": f"Soup number 7\nChop 7 leeks. {SCRIPT}"}
    run = player.post("/train/new", form(player, **said)).location
    assert "good" not in trainer.jobs[trainer.last]["recipe"]
    trainer.finish(trainer.last)
    page = player.get(run).text
    assert SCRIPT not in page
    shown = text_of(re.search(r'id="samples".*?<ol', page, re.S)[0])  # type: ignore[index]
    assert "Writing: it makes up a text of some length. Soup number 7" in shown
    again = player.get("/train/new?data=1&again=1").text
    assert 'name="task" value="writing" checked' in again
    assert "Chop 7 leeks." in again
    for wrong, says in (({"task": "singing"}, "reading, or writing"),
                        ({"good": "x" * 1001}, "at most 1,000")):  # fmt: skip
        answer = player.post("/train/new", form(player, **wrong))
        assert (answer.status_code, says in text_of(answer.text)) == (400, True)


def test_times_are_told_as_those_of_one_machine(player: Browser) -> None:
    take(player)
    page = text_of(player.get("/train/new?data=1").text)
    assert "On another computer it takes another time." in page


def test_a_fault_in_a_number_keeps_all_that_was_typed(player: Browser) -> None:
    take(player)
    answer = player.post("/train/new", form(player, rows="many", title="My soup"))
    assert answer.status_code == 400
    assert "must be a number, and “many” is not" in text_of(answer.text)
    assert 'value="My soup"' in answer.text


def test_a_recipe_fills_the_form(player: Browser) -> None:
    take(player)
    text = "name: stew\nlearning_rate: 3e-4\nlora: {rank: 8}\nupdates: 77\n"
    page = player.post("/train/new/recipe", {"data": "1", "recipe": text}).text
    assert 'value="stew"' in page
    assert 'value="0.0003"' in page
    assert (
        'name="updates" type="number" min="1" max="100000" step="1" value="77"' in page
    )
    answer = player.post("/train/new/recipe", {"data": "1", "recipe": "learn: 1"})
    assert answer.status_code == 400
    assert "means nothing here" in text_of(answer.text)
    assert "learn: 1</textarea>" in answer.text


def test_a_base_is_prompted_before_it_is_trained(
    player: Browser, backend: ScriptedBackend
) -> None:
    take(player)
    backend.enqueue(f" {SCRIPT}")
    given = form(player, try_prompt="Soup number")
    page = player.post("/train/new/try", given).text
    assert SCRIPT not in page
    assert "&lt;script&gt;alert(1)" in page
    part = player.swap("/train/new/try", {**given, "base": "fresh-small"})
    assert "still empty" in text_of(part.text)
    part = player.swap("/train/new/try", {**given, "base": "warden"})
    assert part.status_code == 404


def test_a_form_sent_twice_is_one_run(
    player: Browser, trainer: ScriptedTraining
) -> None:
    take(player)
    given = form(player)
    places = {player.post("/train/new", given).location for _ in range(2)}
    assert places == {"/train/runs/1"}
    assert len(trainer.jobs) == 1


def test_without_a_token_nothing_begins(
    player: Browser, trainer: ScriptedTraining
) -> None:
    take(player)
    given = form(player)
    assert player.client.post("/train/new", data=given).status_code == 400
    assert player.client.post("/train/data", data={"pasted": "x"}).status_code == 400
    assert trainer.jobs == {}


def test_a_run_is_told_live_and_survives_a_reload(
    player: Browser, trainer: ScriptedTraining
) -> None:
    take(player)
    run = player.post("/train/new", form(player)).location
    assert "number 1 in the queue, about 45 seconds to wait" in text_of(
        player.get(run).text
    )
    trainer.run(trainer.last)
    part = player.get(f"{run}/state", headers={"HX-Request": "true"})
    assert 'hx-trigger="every 2s"' in part.text
    assert "step 40, about 1 minute 53 s left" in text_of(part.text)
    assert '<progress max="180.0" value="56.6' in part.text
    assert "def learn(" in player.get(run).text
    curves: Any = player.get(f"{run}/curves").json
    assert curves["is_over"] is False
    assert len(curves["runs"][0]["train"]) == 40
    trainer.finish(trainer.last)
    assert "hx-trigger" not in player.get(f"{run}/state").text


def test_what_was_seen_is_asked_at_the_end_and_kept_for_the_owner(
    player: Browser, trainer: ScriptedTraining, new_browser: Callable[[], Browser]
) -> None:
    ask = "What happened to the perplexity, and to the texts?"
    take(player)
    run = player.post("/train/new", form(player)).location
    trainer.run(trainer.last)
    assert ask not in player.get(run).text
    early = player.post(f"{run}/note", {"note": "It fell."})
    assert early.status_code == 409
    assert "It fell." not in player.get(run).text
    trainer.finish(trainer.last)
    assert ask in player.get(f"{run}/state").text
    for wrong, says in (("x" * 1001, "at most 1,000"), ("a\x07", "U+0007")):
        refused = player.post(f"{run}/note", {"note": wrong})
        assert refused.status_code == 400
        assert says in text_of(refused.text)
        assert f">{wrong}</textarea>" in refused.text
    saved = player.post(f"{run}/note", {"note": f" It fell.\r\nThe texts {SCRIPT} "})
    assert saved.location == f"{run}#note"
    page = player.get(run).text
    assert ">It fell.\nThe texts &lt;script&gt;" in page
    assert SCRIPT not in page
    model = trainer.jobs[trainer.last]["fine_tuned_model"]
    card = f"/train/models/{model}"
    assert "It fell." in player.get(card).text
    player.post(f"{card}/visibility", {"visibility": "public", "example": ""})
    eve = new_browser().play("Eve")
    assert eve.get(card).status_code == 200
    assert "It fell." not in eve.get(card).text
    assert eve.post(f"{run}/note", {"note": "Mine"}).status_code == 404
    player.post(f"{run}/note", {"note": ""})
    assert "It fell." not in player.get(run).text + player.get(card).text


def test_pause_go_on_stop_and_keep(player: Browser, trainer: ScriptedTraining) -> None:
    take(player)
    run = player.post("/train/new", form(player)).location
    trainer.run(trainer.last)
    seen = []
    for action in ("pause", "resume"):
        assert player.post(f"{run}/{action}").status_code == 303
        seen.append(trainer.jobs[trainer.last]["status"])
    assert seen == ["paused", "queued"]
    player.post(f"{run}/pause")
    assert "queued cannot do that" in text_of(player.get(run).text)
    trainer.run(trainer.last)
    player.post(f"{run}/keep")
    assert "Your model is ready" in text_of(player.get(run).text)
    assert player.post(f"{run}/explode").status_code == 404


def test_a_failed_run_says_why(player: Browser, trainer: ScriptedTraining) -> None:
    take(player)
    run = player.post("/train/new", form(player)).location
    trainer.run(trainer.last)
    trainer.fail(trainer.last, f"The memory was not enough. {SCRIPT}")
    page = player.get(run).text
    assert "Why it failed: The memory was not enough." in text_of(page)
    assert SCRIPT not in page
    assert "Go on" in page


def test_when_the_trainer_is_away_every_page_says_so_and_is_there(
    player: Browser, trainer: ScriptedTraining
) -> None:
    take(player)
    run = player.post("/train/new", form(player)).location
    trainer.is_down = True
    for place in ("/train", "/train/data", "/train/data/1", "/train/new?data=1", run):
        page = player.get(place)
        assert page.status_code == 200, place
        assert "does not answer just now" in text_of(page.text), place


def test_a_site_without_local_models_says_so(player: Browser) -> None:
    player.app.extensions["wordkeep"] = _without_trainer(player)
    page = text_of(player.get("/train/data").text)
    assert "Training needs the local models" in page


def test_the_page_of_a_model_has_card_prompts_and_downloads(
    player: Browser, trainer: ScriptedTraining, backend: ScriptedBackend
) -> None:
    train(player, trainer)
    page = player.get("/train/models/soup").text
    text = text_of(page)
    assert "It was as if it chose between 35 words each time" in text
    assert "1.210 → 1.020" in text
    assert "2.44 million of 135 million" in text
    assert "Training took 2 minutes 50 s (predicted 3 minutes)" in text
    assert "Machine 2 cores of a test" in text
    assert "not on this machine any more" not in text
    backend.enqueue(" of the day", f" 7 {SCRIPT}")
    given = {"prompt": "Soup number", "beside": "1"}
    part = player.swap("/train/models/soup/prompt", given)
    assert "smollm2, before training Soup number of the day" in text_of(part.text)
    assert SCRIPT not in part.text
    answer = player.get("/train/models/soup/files/model.gguf?quality=f16")
    assert answer.data.startswith(b"model.gguf of ftjob-")
    assert "soup-model.gguf" in answer.headers["Content-Disposition"]
    assert player.get("/train/models/soup/files/nothing").status_code == 404


def test_the_time_for_a_token_stands_beside_that_of_the_base(
    player: Browser, trainer: ScriptedTraining, backend: ScriptedBackend
) -> None:
    train(player, trainer)
    assert "for each token" not in player.get("/train/models/soup").text
    backend.enqueue("one two three four five six", "one two three four five six")
    given = {"prompt": "Soup number", "beside": "1"}
    part = player.swap("/train/models/soup/prompt", given)
    for page in (part, player.get("/train/models/soup")):
        told = re.search(r'id="latency">.*?</p>', page.text, re.S)
        assert told
        assert re.search(
            r"Before training: \d+ ms for each token\. After: \d+ ms ?\. The median of "
            r"your last 1 reply from it and 1 from smollm2",
            text_of(f"<p {told[0]}"),
        )


def test_benchmarks_stand_beside_the_perplexity_of_a_model(
    player: Browser, trainer: ScriptedTraining
) -> None:
    train(player, trainer)
    assert "A benchmark asks" not in player.get("/train/models/soup").text
    trainer.benchmarks[trainer.last] = [
        {
            "task": "arc_easy",
            "questions": 100,
            "version": "1.0",
            "is_chat": False,
            "program": "lm-eval 0.4.13",
            "figures": {"acc": 0.41, "acc_stderr": 0.0494, "acc_norm": 0.4},
            "base": {"acc": 0.47, "acc_stderr": 0.0502},
        }
    ]
    page = text_of(player.get("/train/models/soup").text)
    told = "arc_easy acc 0.470 ± 0.050 → 0.410 ± 0.049 acc_norm 0.400 (100 questions)"
    assert told in page
    assert "can lose points there and write your texts better" in page
    assert page.index("Bits per byte") < page.index(told) < page.index("Tokens read")
    # Whoever may see the model sees it, and a trainer that is away hides no card.
    player.post("/train/models/soup/visibility", {"visibility": "public"})
    assert told in text_of(Browser(player.app).get("/train/models/soup").text)
    trainer.is_down = True
    page = text_of(player.get("/train/models/soup").text)
    assert "arc_easy" not in page
    assert "does not answer just now" in page
    assert "what benchmarks asked of it are missing here" in page
    assert "Bits per byte" in page


def test_an_empty_prompt_is_refused_on_the_page(
    player: Browser, trainer: ScriptedTraining
) -> None:
    train(player, trainer)
    answer = player.post("/train/models/soup/prompt", {"prompt": " "})
    assert answer.status_code == 400
    assert "The prompt is empty" in text_of(answer.text)


def test_what_belongs_to_others_is_not_there(
    player: Browser, trainer: ScriptedTraining, new_browser: Callable[[], Browser]
) -> None:
    run = train(player, trainer)
    other = new_browser().play("Eve")
    gets: tuple[str, ...] = (
        "/train/data/1",
        "/train/data/1/card",
        "/train/new?data=1",
        run,
        f"{run}/state",
        f"{run}/curves",
    )
    posts: tuple[tuple[str, dict[str, Any]], ...] = (
        ("/train/data/1", {}),
        ("/train/data/1/delete", {}),
        ("/train/data/1/card", {}),
        ("/train/data/1/use", {}),
        (f"{run}/cancel", {}),
        (f"{run}/delete", {}),
        ("/train/new", {"data": "1"}),
        ("/train/new/predict", {"data": "1"}),
        ("/train/new/recipe", {"data": "1", "recipe": "name: a"}),
        ("/train/new/try", {"data": "1", "try_prompt": "a"}),
        ("/train/models/soup/prompt", {"prompt": "a"}),
        ("/train/models/soup/visibility", {"visibility": "public"}),
        ("/train/models/soup/test", {}),
    )
    gets += ("/train/models/soup", "/train/models/soup/files/card.md")
    gets += ("/train/compare?runs=1",)
    assert {place: other.get(place).status_code for place in gets} == dict.fromkeys(
        gets, 404
    )
    for place, given in posts:
        assert other.post(place, given).status_code == 404, place
    assert player.get("/train/models/soup").status_code == 200


def test_a_published_model_is_for_everybody_to_try(
    player: Browser,
    trainer: ScriptedTraining,
    new_browser: Callable[[], Browser],
    backend: ScriptedBackend,
) -> None:
    train(player, trainer)
    given = {"visibility": "public", "example": "Soup number"}
    assert player.post("/train/models/soup/visibility", given).status_code == 303
    visitor = new_browser()
    page = visitor.get("/train/models/soup")
    assert page.status_code == 200
    assert "A model by Ada" in text_of(page.text)
    assert "Unlock the test part" not in page.text
    backend.enqueue(" 7")
    part = visitor.swap("/train/models/soup/prompt", {"prompt": "Soup number"})
    assert "Soup number 7" in text_of(part.text)
    assert "by Ada" in text_of(visitor.get("/train").text)


def test_a_name_with_tags_is_text(player: Browser, trainer: ScriptedTraining) -> None:
    run = train(player, trainer, title=SCRIPT)
    name = trainer.jobs[trainer.last]["fine_tuned_model"]
    for place in ("/train", run, f"/train/models/{name}", "/train/compare?runs=1"):
        page = player.get(place)
        assert page.status_code == 200
        assert SCRIPT not in page.text


def test_runs_are_compared_where_they_differ(
    player: Browser, trainer: ScriptedTraining
) -> None:
    train(player, trainer)
    player.post("/train/new", form(player, learning_rate="0.0005"))
    trainer.run(trainer.last)
    page = player.get("/train/compare?runs=1&runs=2").text
    text = text_of(page)
    assert "Learning rate (differs) 0.001 0.0005" in text
    assert "Seed 0 0" in text
    assert player.get("/train/compare?runs=1,99").status_code == 404
    assert player.get("/train/compare?runs=x").status_code == 200


def test_the_test_part_is_unlocked_once(
    player: Browser, trainer: ScriptedTraining
) -> None:
    train(player, trainer)
    player.post("/train/models/soup/test")
    page = text_of(player.get("/train/models/soup").text)
    assert "On the locked test part perplexity 23.1, before training 35.0" in page
    player.post("/train/models/soup/test")
    assert "unlocked already" in text_of(player.get("/train/models/soup").text)


def test_replies_to_the_test_part_are_for_the_owner_and_counted_for_others(
    player: Browser, trainer: ScriptedTraining, new_browser: Callable[[], Browser]
) -> None:
    trainer.test_replies = [
        {"prompt": "What is fried?", "target": " Onions.", "text": "Onions."},
        {"prompt": f"Why? {SCRIPT}", "target": "So.", "text": "So. And so on."},
        {"prompt": "What else?", "target": "Salt.", "text": ""},
    ]
    train(player, trainer)
    assert "up to 20 of them" in text_of(player.get("/train/models/soup").text)
    player.post("/train/models/soup/test")
    page = player.get("/train/models/soup").text
    told = text_of(page)
    assert "Exactly right there 1 of 3 replies" in told
    assert "Wanted: Onions. It wrote: Onions. exactly right" in told
    assert "Wanted: So. It wrote: So. And so on. not word for word" in told
    assert "It wrote: (Nothing at all.)" in told
    assert SCRIPT not in page
    player.post(
        "/train/models/soup/visibility", {"visibility": "public", "example": ""}
    )
    eve = text_of(new_browser().play("Eve").get("/train/models/soup").text)
    assert "Exactly right there 1 of 3 replies" in eve
    assert "Onions" not in eve


def test_deleting_says_goodbye_to_run_and_model(
    player: Browser, trainer: ScriptedTraining
) -> None:
    run = train(player, trainer)
    assert player.post(f"{run}/delete").status_code == 303
    assert player.get("/train/models/soup").status_code == 404
    assert trainer.deleted == ["soup"]


def _without_trainer(browser: Browser) -> Any:
    return dataclasses.replace(browser.services, training=TrainingClient())


def test_a_model_that_cannot_be_fetched_is_named_and_not_offered(
    player: Browser,
) -> None:
    take(player)
    page = player.get("/train/new?data=1").text
    assert "Pythia 14M" in page
    assert "It needs the internet: it is not on this computer yet." in page
    assert 'value="pythia-14m"' not in page


def test_a_model_that_cannot_be_prompted_here_says_so_and_leads_nowhere(
    player: Browser, trainer: ScriptedTraining
) -> None:
    take(player)
    run = player.post("/train/new", form(player)).location
    trainer.finish(trainer.last)
    job = trainer.jobs[trainer.last]
    job["fine_tuned_model"] = None
    job["not_served"] = f"It cannot be prompted here: its words are unknown. {SCRIPT}"
    page = player.get(run).text
    assert "It cannot be prompted here" in text_of(page)
    assert SCRIPT not in page
    assert "Why it failed" not in page
    assert "Your model is ready" not in page


@pytest.mark.parametrize("partial", [False, True])
def test_what_was_changed_a_moment_ago_counts_for_the_training(
    browser: Browser, partial: bool
) -> None:
    place = take(browser)
    headers = {"HX-Request": "true"} if partial else {}
    how = {"text": "{title}", "answer": "", "then": "train"}
    answer = browser.post(place, how, headers=headers)
    target = answer.headers["HX-Redirect"] if partial else answer.location
    assert target == "/train/new?data=1"
    assert ">{title}</textarea>" in browser.get(place).text
    wrong = browser.post(place, {**how, "text": "{nowhere}"}, headers=headers)
    assert wrong.status_code == 400, text_of(wrong.text)
    assert "{nowhere}" in text_of(wrong.text)


def test_a_model_of_the_hub_is_named_by_hand(
    player: Browser, trainer: ScriptedTraining
) -> None:
    take(player)
    given = form(player, base="hub", hub_base="https://huggingface.co/tiny/gpt2")
    page = player.post("/train/new", given)
    assert page.status_code == 303, page.text
    assert trainer.jobs[trainer.last]["model"] == "tiny/gpt2"
    again = player.get("/train/new?data=1&again=1").text
    assert 'value="hub" checked' in again
    assert 'value="tiny/gpt2"' in again
    part = player.swap("/train/new/try", {**given, "try_prompt": "Once"})
    assert "once a training has fetched it" in text_of(part.text)


def test_a_name_that_no_hub_has_is_told_and_stays(
    player: Browser, trainer: ScriptedTraining
) -> None:
    take(player)
    for typed in ("", "gpt2", "../etc/passwd", "a b/c", f"tiny/{'x' * 130}"):
        answer = player.post("/train/new", form(player, base="hub", hub_base=typed))
        assert answer.status_code == 400
        assert "as huggingface.co writes it" in text_of(answer.text)
        assert 'value="hub" checked' in answer.text
        assert f'name="hub_base" type="text" value="{typed}"' in answer.text
    assert trainer.jobs == {}


def test_a_recipe_of_a_hub_model_names_it_whole(player: Browser) -> None:
    take(player)
    text = "kind: lm\nbase: somebody/smollm2-tuned\n"
    page = player.post("/train/new/recipe", {"data": "1", "recipe": text}).text
    assert 'value="somebody/smollm2-tuned"' in page


def test_a_set_of_the_hub_is_fetched(player: Browser) -> None:
    given = {"name": "tiny/stories", "subset": "", "split": "", "rows": "30"}
    answer = player.post("/train/data/hub", given)
    assert answer.status_code == 303, answer.text
    page = text_of(player.get(answer.location).text)
    assert "tiny-stories-default-train.jsonl" in page
    assert "It has 30 rows" in page


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"name": ""}, "Type the name of a data set"),
        ({"rows": "many"}, "whole number from 1 to 10,000"),
        ({"rows": "10001"}, "whole number from 1 to 10,000"),
        ({}, "has to be fetched"),
    ],
)
def test_what_the_hub_does_not_give_is_told_and_what_was_typed_stays(
    player: Browser, trainer: ScriptedTraining, more: dict[str, str], words: str
) -> None:
    trainer.is_offline = True
    given = {"name": "tiny/stories", "split": "test", **more}
    answer = player.post("/train/data/hub", given)
    assert answer.status_code == 400
    assert words in text_of(answer.text)
    assert 'value="test"' in answer.text
    assert f'value="{given["name"]}"' in answer.text


def test_a_model_is_sent_to_the_hub_with_a_token_that_is_not_kept(
    player: Browser, new_browser: Callable[[], Browser], trainer: ScriptedTraining
) -> None:
    train(player, trainer)
    given = {"repository": " ada/soup ", "token": HUB_TOKEN, "who": "everybody"}
    answer = player.post("/train/models/soup/push", given)
    assert answer.status_code == 303, text_of(answer.text)
    assert "Sent. It is at https://hub.example/ada/soup." in player.get("/me").text
    sent = {"repository": "ada/soup", "token": HUB_TOKEN, "private": False}
    assert sent in [body for *_, body in trainer.asked]
    refused = player.post("/train/models/soup/push", given | {"token": "hf_other"})
    assert refused.status_code == 400
    assert "does not know this token" in refused.text
    assert 'value="ada/soup"' in refused.text
    assert "hf_other" not in refused.text
    for wrong in ({"token": ""}, {"repository": ""}, {"token": "a b"}):
        answer = player.post("/train/models/soup/push", given | wrong)
        assert answer.status_code == 400
        assert 'role="alert"' in answer.text
    other = new_browser().play("Bob")
    assert other.post("/train/models/soup/push", given).status_code == 404
    assert "Hugging Face hub</summary>" not in other.get("/train/models/soup").text
