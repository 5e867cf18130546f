"""Pages on which two models are compared, as a browser without scripts sees them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from tests.kit.browser import Browser, text_of
from tests.kit.judging import (
    LEARNED,
    Judge,
    Speakers,
    TrainingWithRows,
    add_model,
    with_speakers,
)
from webapp.domain.train import comparing
from webapp.domain.train.choices import GUARD
from webapp.rows import PUBLIC, ComparedRow, TrainedModel
from webapp.views.train.tables import csv_of, marked

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def speakers() -> Speakers:
    found = Speakers()
    found.says["smollm2"].append("The sea is wide. " * 4)
    found.says["soup"].append("Boil it in salted water.")
    return found


@pytest.fixture
def trainer() -> TrainingWithRows:
    return TrainingWithRows()


@pytest.fixture
def app(app: Flask, speakers: Speakers, trainer: TrainingWithRows) -> Flask:
    services = with_speakers(app.extensions["wordkeep"], speakers, "soup")
    settings = services.settings.but(model_prompts_per_minute=1000)
    app.extensions["wordkeep"] = replace(
        services, training=trainer.client(), settings=settings
    )
    return app


@pytest.fixture
def ada(player: Browser) -> Browser:
    add_model(player.services, player.player_id(), "soup", title="Soup bot")
    return player


def begin(browser: Browser, **given: str) -> str:
    fields = {"first": "smollm2", "second": "soup", "source": "kept", "seed": "5"}
    answer = browser.post("/train/models/soup/compare", fields | given)
    assert answer.status_code == 303, text_of(answer.text)
    return str(answer.location)


def finish(browser: Browser, path: str) -> str:
    """Press the button until nothing is left to ask."""
    for _ in range(8):
        page = browser.get(path)
        if "All in all" in page.text:
            return str(page.text)
        assert browser.post(path).status_code == 303
    raise AssertionError("it never ends")


def test_from_the_model_to_the_figures_without_a_script(ada: Browser) -> None:
    assert "/train/models/soup/compare" in ada.get("/train/models/soup").text
    form = ada.get("/train/models/soup/compare").text
    chosen = re.findall(r'<option value="([^"]+)" selected', form)
    assert chosen == ["smollm2", "soup"]
    page = text_of(finish(ada, begin(ada)))
    assert "smollm2, before training and Soup bot: the same 2 prompts" in page
    assert "Exactly right 0 of 2 1 of 2" in page
    assert "Repetitive: 2 before, 0 after" in page
    assert "It is not fair" not in page
    assert "Compared before" in ada.get("/train/models/soup/compare").text


def test_a_press_of_the_button_asks_until_the_page_would_take_too_long(
    ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.views.train.compared.PATIENCE_SECONDS", 0)
    path = begin(ada)
    ada.post(path)
    page = text_of(ada.get(path).text)
    assert "1 of 2 answered." in page
    assert "How do I cook rice?" in page
    assert "How do I bake bread?" not in page


def test_a_part_of_the_page_asks_one_row_and_goes_on_by_itself(ada: Browser) -> None:
    path = begin(ada)
    part = ada.swap(path).text
    assert "<html" not in part
    assert 'hx-trigger="submit, load"' in part
    assert "1 of 2 answered" in text_of(part)
    ada.swap(path)
    last = ada.swap(path).text
    assert "All in all" in last
    assert "hx-trigger" not in last


def test_a_limit_is_told_and_it_waits(ada: Browser) -> None:
    path = begin(ada)
    ada.limit(model_prompts_per_minute=2)
    assert ada.swap(path).status_code == 200
    part = ada.swap(path).text
    assert re.search(r'hx-trigger="submit, load delay:\d+s"', part)
    assert "You have used all 2 prompts of this minute." in text_of(part)


def test_rows_that_it_learned_from_are_marked_and_left_out(ada: Browser) -> None:
    rice = "How do I cook rice? => Boil it in salted water."
    rows = f"{rice}\nHow do I fry onions? => {LEARNED}"
    page = text_of(finish(ada, begin(ada, source="own", rows=rows)))
    assert "1 prompt is in the text that it learned from." in page
    assert "It is not fair to judge on what it has learned from" in page
    assert "Exactly right 0 of 1 1 of 1" in page


def test_what_was_copied_is_marked(ada: Browser, speakers: Speakers) -> None:
    speakers.says["soup"].clear()
    speakers.says["soup"].append(f"Well: {LEARNED}")
    page = finish(ada, begin(ada, source="own", rows="What is for dinner?"))
    (mark,) = re.findall(r'<mark class="by-heart">(.*?)</mark>', page)
    assert mark == LEARNED.removesuffix(".")


def test_prompts_replies_and_notes_are_text_and_not_markup(
    ada: Browser, speakers: Speakers
) -> None:
    speakers.says["soup"].clear()
    speakers.says["soup"].append(f"Say {SCRIPT}")
    path = begin(ada, source="own", rows=f"{SCRIPT} => {SCRIPT}")
    page = finish(ada, path)
    ada.post(f"{path}/sheet", {"note-1": SCRIPT, "first-1": "bad"})
    for text in (page, ada.get(path).text, ada.get(f"{path}/sheet").text):
        assert SCRIPT not in text
        assert "&lt;script&gt;" in text


def test_what_is_wrong_with_the_form_is_said_and_what_was_typed_stays(
    ada: Browser,
) -> None:
    fields = {"first": "smollm2", "second": "soup", "source": "own"}
    for given, says in (
        ({"rows": ""}, "Write at least one prompt"),
        ({"rows": "Hello there", "first": "soup"}, "Choose two different models"),
        ({"rows": "Hello there", "second": "warden"}, "Choose two models"),
        ({"rows": "Hello there", "tokens": "9999"}, "number of tokens must be"),
        ({"rows": "Hello there", "tokens": "many"}, "number of tokens must be"),
        ({"source": "kept", "count": "21"}, "whole number up to 20"),
        ({"source": "kept", "count": "٣"}, "whole number up to 20"),
    ):
        answer = ada.post("/train/models/soup/compare", fields | given)
        assert (answer.status_code, says in text_of(answer.text)) == (400, True), given
        assert given.get("rows", "") in answer.text


def test_a_trainer_without_the_rows_asks_for_prompts_of_ones_own(
    ada: Browser, trainer: TrainingWithRows
) -> None:
    trainer.rows = {}
    fields = {"first": "smollm2", "second": "soup", "source": "kept"}
    answer = ada.post("/train/models/soup/compare", fields)
    assert answer.status_code == 400
    assert "Write or paste some of your own below." in text_of(answer.text)


def test_the_same_form_sent_twice_is_one_comparison(ada: Browser) -> None:
    assert begin(ada) == begin(ada)


def test_others_neither_see_nor_touch_it(
    ada: Browser, new_browser: Callable[[], Browser]
) -> None:
    path = begin(ada)
    eve = new_browser().play("Eve")
    for url in (
        path,
        f"{path}/sheet",
        f"{path}/table.csv",
        "/train/models/soup/compare",
    ):
        assert eve.get(url).status_code == 404
    for end in ("", "/sheet", "/again", "/judge/stop", "/delete"):
        assert eve.post(f"{path}{end}").status_code == 404, end
    assert ada.client.post(f"{path}/delete").status_code == 400
    assert ada.get(path).status_code == 200


def test_a_visitor_of_a_public_model_compares_as_a_guest_with_own_prompts_only(
    new_browser: Callable[[], Browser],
) -> None:
    owner = new_browser().play("Owner")
    add_model(owner.services, owner.player_id(), "soup", visibility=PUBLIC)
    guest = new_browser()
    form = guest.get("/train/models/soup/compare").text
    assert 'value="kept"' not in form
    fields = {"first": "smollm2", "second": "soup", "source": "kept"}
    refused = guest.post("/train/models/soup/compare", fields)
    assert "Only its owner" in text_of(refused.text)
    path = begin(guest, source="own", rows="Hello there")
    assert "Every prompt" in finish(guest, path)


def test_grades_are_saved_and_shown_again(ada: Browser) -> None:
    path = begin(ada)
    finish(ada, path)
    form = {"first-1": "bad", "second-1": "good", "note-1": "better", "note-2": ""}
    assert ada.post(f"{path}/sheet", form).status_code == 303
    sheet = ada.get(f"{path}/sheet").text
    checked = re.findall(r'name="(\S+)" value="(\S+)" checked', sheet)
    assert checked == [("first-1", "bad"), ("second-1", "good")]
    assert 'value="better"' in sheet
    page = text_of(ada.get(path).text)
    assert "Graded by you 0 good, 0 okay, 1 bad 1 good, 0 okay, 0 bad" in page
    wrong = ada.post(f"{path}/sheet", {"first-1": "great"})
    assert (wrong.status_code, "A grade is one of" in wrong.text) == (400, True)
    long = ada.post(f"{path}/sheet", {"first-1": "good", "note-1": "x" * 501})
    assert long.status_code == 400
    # What was typed is still there.
    assert "x" * 501 in long.text


def test_the_sheet_says_what_was_wanted_before_the_training(ada: Browser) -> None:
    path = begin(ada)
    assert "said before the training" not in ada.get(f"{path}/sheet").text
    with ada.services.db.write() as session:
        row = session.scalars(select(TrainedModel)).one()
        said = {"method": "lora", "task": "reading", "good": f"Boil it. {SCRIPT}"}
        row.settings = {**row.settings, "choices": said}
    sheet = ada.get(f"{path}/sheet").text
    assert SCRIPT not in sheet
    assert "said before the training Reading: it takes something" in text_of(sheet)
    assert "Boil it. <script>" in text_of(sheet)


def test_headings_of_the_template_are_counted_before_and_after(
    ada: Browser, speakers: Speakers
) -> None:
    path = begin(ada)
    assert "Do they look like" not in finish(ada, path)
    with ada.services.db.write() as session:
        row = session.scalars(select(TrainedModel)).one()
        row.settings = {**row.settings, "data": {"text": f"Dish: {{a}}{SCRIPT}"}}
    speakers.says["soup"][0] = "Dish: rice"
    path = begin(ada, source="own", rows="Once\nTwice", seed="6")
    page = finish(ada, path)
    assert SCRIPT not in page
    text = text_of(page)
    assert "Heading smollm2, before training Soup bot Dish: 0 of 2 2 of 2" in text
    assert "All that were missing in the prompt 0 of 2 0 of 2" in text


def test_corrected_replies_become_the_next_data(
    ada: Browser, trainer: TrainingWithRows, new_browser: Callable[[], Browser]
) -> None:
    path = begin(ada)
    finish(ada, path)
    correct = f"{path}/correct"
    assert correct in ada.get(path).text
    page = ada.get(correct).text
    assert ">Boil it in salted water.</textarea>" in page
    assert 'name="learned" value="1" checked' in page
    typed = {"mark-1": "1", "answer-1": f"My own {SCRIPT}", "answer-2": "Left out"}
    few = ada.post(correct, typed)
    assert few.status_code == 400
    assert "at least 3 different rows" in text_of(few.text)
    assert SCRIPT not in few.text
    assert "My own &lt;script&gt;" in few.text
    assert 'name="learned" value="1" checked' not in few.text
    assert 'name="mark-1" value="1" checked' in few.text
    eve = new_browser().play("Eve")
    assert eve.get(correct).status_code == 404
    assert eve.post(correct, typed).status_code == 404
    trainer.rows["train"] = tuple(
        {"text": f"Text {n}", "answer": None} for n in range(2)
    )
    made = ada.post(correct, {**typed, "learned": "1"})
    assert made.status_code == 303, text_of(made.text)
    assert "It has 3 rows with the column {text}" in text_of(
        ada.get(made.location).text
    )
    assert f"{made.location}/card" in ada.get(made.location).text
    texts = [row["text"] for row in list(trainer.files.values())[-1][1]]
    assert texts == ["Text 0", "Text 1", f"How do I cook rice? My own {SCRIPT}"]


def test_the_better_replies_become_the_next_data(
    ada: Browser,
    trainer: TrainingWithRows,
    new_browser: Callable[[], Browser],
) -> None:
    path = begin(ada)
    assert "Learn from the better replies" not in finish(ada, path)
    grades = {"first-1": "bad", "second-1": "good", "first-2": "okay"}
    ada.post(f"{path}/sheet", grades | {"second-2": "good"})
    page = ada.get(path).text
    assert "In 2 of 2 prompts one reply is better than the other" in text_of(page)
    assert "nothing is learned from what lost" in text_of(page)
    few = ada.post(f"{path}/better")
    assert few.status_code == 400
    assert "at least 3 different rows. Compare and judge more" in text_of(few.text)
    assert new_browser().play("Eve").post(f"{path}/better").status_code == 404
    with ada.services.db.write() as session:
        session.add(
            ComparedRow(
                comparison_id=int(path.rsplit("/", 1)[1]),
                place=3,
                prompt="Why?",
                replies=[
                    {"text": text, "error": "", "is_site": False}
                    for text in ("Because.", "No.")
                ],
                grades={"first": "good", "second": "bad"},
            )
        )
    made = ada.post(f"{path}/better")
    assert made.status_code == 303, text_of(made.text)
    assert "It has 3 rows with the column {text}" in text_of(
        ada.get(made.location).text
    )
    texts = [row["text"] for row in list(trainer.files.values())[-1][1]]
    assert texts[1:] == [
        "How do I bake bread? Boil it in salted water.",
        "Why? Because.",
    ]


def test_without_a_judge_the_page_says_what_to_set_up(ada: Browser) -> None:
    path = begin(ada)
    page = finish(ada, path)
    assert "No model judges here: an instructor can name one" in text_of(page)
    assert 'name="rubric"' not in page
    answer = ada.post(f"{path}/judge", {"rubric": "The shorter one."})
    assert answer.status_code == 409
    assert "No model judges here: your instructor" in text_of(answer.text)


def test_a_judge_is_asked_from_the_page_by_a_rubric_of_ones_own(
    ada: Browser, app: Flask, speakers: Speakers
) -> None:
    judge = Judge(["salted"])
    app.extensions["wordkeep"] = with_speakers(
        app.extensions["wordkeep"], speakers, "soup", judge=judge
    )
    path = begin(ada)
    page = finish(ada, path)
    assert "The better reply answers the request, is right" in text_of(page)
    for wrong, says in ((" ", "The rubric is empty"), ("x" * 1001, "at most 1,000")):
        answer = ada.post(f"{path}/judge", {"rubric": wrong})
        assert (answer.status_code, says in text_of(answer.text)) == (400, True)
    assert ada.post(f"{path}/judge", {"rubric": SCRIPT}).status_code == 303
    going = ada.get(path).text
    assert "0 of 2 judged." in text_of(going)
    assert 'hx-trigger="submit, load"' in going
    assert SCRIPT not in going
    assert ada.swap(path).status_code == 200
    assert ada.post(path).status_code == 303
    page = ada.get(path).text
    assert "Better, says the judge 0 of 2 2 of 2" in text_of(page)
    assert "The judge: Soup bot is better" in text_of(page)
    assert (
        "hosted/arbiter compared the replies to 2 prompts: 2 decided, 0 ties"
        in text_of(page)
    )
    assert "hx-trigger" not in page
    rows = list(csv.DictReader(io.StringIO(ada.get(f"{path}/table.csv").text)))
    assert [row["judge"] for row in rows] == ["soup", "soup"]
    assert len(judge.history) == 4


def test_a_judge_is_stopped_from_the_page_and_asked_again(
    ada: Browser, app: Flask, speakers: Speakers
) -> None:
    judge = Judge(["salted"])
    app.extensions["wordkeep"] = with_speakers(
        app.extensions["wordkeep"], speakers, "soup", judge=judge
    )
    path = begin(ada)
    assert "Stop the judge" not in finish(ada, path)
    ada.post(f"{path}/judge", {"rubric": "The saltier one."})
    part = ada.swap(path).text
    # It stays in its place while the part around it is replaced: a press is not lost.
    assert f'action="{path}/judge/stop" hx-preserve' in part
    assert ada.post(f"{path}/judge/stop").location == f"{path}#judge"
    page = ada.get(path).text
    told = text_of(page)
    assert "You stopped the judge: 1 of 2 prompts was not judged." in told
    assert "compared the replies to 2 prompts: 1 decided, 0 ties, 1 not" in told
    assert "not judged. You stopped the judge before this one." in told
    assert "hx-trigger" not in page
    assert "Stop the judge" not in page
    ada.post(f"{path}/judge", {"rubric": "The saltier one."})
    ada.post(path)
    told = text_of(ada.get(path).text)
    assert "You stopped" not in told
    assert "2 decided" in told
    assert len(judge.history) == 4


def test_a_guard_is_compared_with_nothing(ada: Browser) -> None:
    add_model(ada.services, ada.player_id(), "my-guard", base=GUARD)
    assert ada.get("/train/models/my-guard/compare").status_code == 409
    rows = {"source": "own", "rows": "Hello", "first": "smollm2", "second": "soup"}
    assert ada.post("/train/models/my-guard/compare", rows).status_code == 409
    assert 'value="my-guard"' not in ada.get("/train/models/soup/compare").text


def test_the_table_for_a_spreadsheet(ada: Browser, speakers: Speakers) -> None:
    speakers.says["smollm2"].clear()
    speakers.says["smollm2"].append('=HYPERLINK("http://evil")')
    path = begin(ada)
    finish(ada, path)
    answer = ada.get(f"{path}/table.csv")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    head, first, second = csv.reader(io.StringIO(answer.text))
    assert head[:5] == ["row", "prompt", "target", "learned from", "smollm2: reply"]
    assert len(head) == len(first) == len(second) == 16
    assert first[4] == '\'=HYPERLINK("http://evil")'
    assert first[9:12] == ["Boil it in salted water.", "yes", "1.000"]
    assert second[10] == "no"


def test_an_order_with_the_worst_first(ada: Browser, speakers: Speakers) -> None:
    speakers.says["soup"].clear()
    speakers.says["soup"].extend(["Boil it in salted water.", "Zzq teh zzq. " * 8])
    path = begin(ada)
    finish(ada, path)
    rows = re.compile(r'id="row-(\d+)"')
    assert rows.findall(ada.get(path).text) == ["1", "2"]
    assert rows.findall(ada.get(f"{path}?order=worst").text) == ["2", "1"]


def test_a_model_that_failed_can_be_asked_again(
    ada: Browser, speakers: Speakers
) -> None:
    path = begin(ada)
    seen_id = int(path.rsplit("/", 1)[1])
    speakers.says.clear()
    page = finish(ada, path)
    assert "Ask those again" in page
    speakers.says["smollm2"].append("Hello.")
    speakers.says["soup"].append("Hello.")
    assert ada.post(f"{path}/again").status_code == 303
    assert "Ask those again" not in finish(ada, path)
    seen = comparing.find(
        ada.services, player_id=ada.player_id(), comparison_id=seen_id
    )
    assert [a.text for row in seen.rows for a in row.answers] == ["Hello."] * 4
    assert csv_of(seen).count("Hello.") == 4


def test_a_deleted_one_is_gone(ada: Browser) -> None:
    path = begin(ada)
    answer = ada.post(f"{path}/delete")
    assert answer.location == "/train/models/soup/compare"
    assert ada.get(path).status_code == 404


def test_a_span_is_marked_where_it_is() -> None:
    assert marked("one two three", "two") == ("one ", "two", " three")
    assert marked("one two", "four") == ("one two", "", "")
    assert marked("one two", "") == ("one two", "", "")
