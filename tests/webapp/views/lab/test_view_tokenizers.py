"""The bench of tokenizers, without scripts, on the real tokenizers."""

from __future__ import annotations

import dataclasses
import io
import re
from typing import Any

import pytest
from flask import Flask
from tokenizers import Tokenizer

from tests.kit.browser import Browser, text_of
from tests.kit.tokenizers import tokenizer_client
from webapp.domain.lab.tokenizers import Option, join, options, read_ids
from webapp.domain.services import Services
from webapp.errors import InvalidInput
from webapp.llm.tokenizers import Listed, TokenizerClient
from webapp.rows import PRIVATE, PUBLIC, TrainedModel

BENCH = "/lab/tokenizers"
CORPUS = "the cat and the hat and the mat\n" * 30
NUMBER = re.compile(r'data-piece="(\d+)"')
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def app(app: Flask) -> Flask:
    app.extensions["wordkeep"] = dataclasses.replace(
        app.extensions["wordkeep"], tokenizers=tokenizer_client()
    )
    return app


def row_ids(page: str, number: int) -> list[int]:
    """Return the numbers in one row of pieces."""
    row = page.split("data-row>")[number].split("</p>")[0]
    return [int(found) for found in NUMBER.findall(row)]


def send(browser: Browser, path: str = BENCH, **fields: Any) -> tuple[int, str]:
    """Send a form as the page does; return the status and the part of the page."""
    answer = browser.swap(path, fields)
    return answer.status_code, answer.text


def learn(browser: Browser, **fields: Any) -> Any:
    return browser.post(f"{BENCH}/train", {"corpus": CORPUS, "size": "300", **fields})


def test_a_visitor_sees_a_text_in_pieces(browser: Browser) -> None:
    page = browser.get(BENCH).text
    assert "SmolLM2" in page
    assert "MiniLM" in page
    assert len(row_ids(page, 1)) > 10
    assert "Piece by piece" in page


def test_several_tokenizers_cut_the_text_that_was_sent(browser: Browser) -> None:
    status, page = send(
        browser, typed="LANTERN\r\n3901", use=["characters", "smollm2", "minilm"]
    )
    assert status == 200
    assert row_ids(page, 1) == [ord(character) for character in "LANTERN\n3901"]
    assert row_ids(page, 2) == [28649, 8978, 62, 198, 35, 41, 32, 33]
    assert row_ids(page, 3) == [12856, 20024, 2487]
    assert "12 characters · 12 bytes · 1.5 bytes per token" in text_of(page)
    assert "<html" not in page


def test_the_page_keeps_text_and_choices(browser: Browser) -> None:
    fields = {"typed": " two  blanks ", "use": ["characters"], "marks": "y"}
    page = browser.post(BENCH, fields).text
    assert re.search(r"<textarea[^>]*>\s*two  blanks ", page)
    assert re.search(r'value="characters" checked', page)
    assert re.search(r'value="smollm2">', page)
    assert re.search(r'checked id="marks"', page)


def test_special_tokens_have_a_switch(browser: Browser) -> None:
    fields: dict[str, Any] = {"typed": "<|im_start|>", "use": ["smollm2", "minilm"]}
    _, off = send(browser, **fields)
    _, on = send(browser, **fields, marks="y")
    assert len(row_ids(off, 1)) == 7
    assert "piece--mark" not in off
    assert row_ids(on, 1) == [1]
    assert row_ids(on, 2)[0] == 101
    assert row_ids(on, 2)[-1] == 102
    assert "piece--mark" in on


def test_what_was_typed_is_only_text(browser: Browser) -> None:
    _, page = send(browser, typed=SCRIPT, use=["smollm2", "characters"])
    assert "<script" not in page
    answer = browser.get(f"{BENCH}?typed={SCRIPT}&use=characters")
    assert SCRIPT not in answer.text
    assert len(row_ids(answer.text, 1)) == len(SCRIPT)


def test_what_cannot_be_cut_gets_a_sentence(browser: Browser) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"typed": "a"}, "0 tokenizers are chosen. Choose 1 to 4."),
        ({"typed": "a", "use": ["nobody"]}, "There is no tokenizer “nobody” for you"),
        ({"typed": "a" * 1001, "use": ["minilm"]}, "The text has 1,001 characters"),
        ({"typed": "a\x07", "use": ["minilm"]}, "U+0007, which is not text"),
    ]
    for fields, said in cases:
        status, page = send(browser, **fields)
        assert status == 400
        assert said in text_of(page)


def test_numbers_are_read_with_the_wrong_one(browser: Browser) -> None:
    status, page = send(
        browser, f"{BENCH}/numbers", numbers="[28649, 8978 62]",
        use=["smollm2", "characters", "minilm"],
    )  # fmt: skip
    assert status == 200
    said = text_of(page)
    assert "LANTERN" in said
    assert "\u6fe9\u2312>" in said
    assert "too high" not in said
    _, page = send(browser, f"{BENCH}/numbers", numbers="30522 1", use=["minilm"])
    assert "1 number is too high for it" in text_of(page)


def test_what_is_no_number_of_a_token_gets_a_sentence(browser: Browser) -> None:
    path = f"{BENCH}/numbers"
    for numbers in ("", "1 two", "-1", "2147483648", "9" * 5000, "²"):
        status, page = send(browser, path, numbers=numbers, use=["minilm"])
        assert status == 400
        assert "note--danger" in page


def test_numbers_may_be_written_in_several_ways() -> None:
    assert read_ids("[1, 2]; 3\n04") == [1, 2, 3, 4]


def test_a_number_at_the_edge_is_read(app: Flask) -> None:
    found = join(
        app.extensions["wordkeep"], ids="2147483647", names=["minilm"],
        choices=[Option("minilm", "MiniLM")],
    )  # fmt: skip
    assert [reading.strange for reading in found] == [1]


def batch(browser: Browser, **fields: str) -> tuple[int, str]:
    usual = {
        "lines": "one\ntwo three four five", "use": "minilm", "longest": "5",
        "padding": "left", "truncation": "right", "marks": "y",
    }  # fmt: skip
    return send(browser, f"{BENCH}/batch", **{**usual, **fields})


def test_a_batch_is_a_rectangle_with_a_mask(browser: Browser) -> None:
    status, page = batch(browser)
    assert status == 200
    rows = page.split("<tr>")[1:]
    masks = [re.findall(r'token-mask">(\d)', row) for row in rows]
    assert masks == [["0", "0", "1", "1", "1"], ["1"] * 5]
    assert "1 token cut off" in text_of(rows[1])
    assert "not equally long" not in page


def test_without_padding_it_is_not_a_rectangle(browser: Browser) -> None:
    _, page = batch(browser, padding="", truncation="")
    assert "a model cannot take it" in text_of(page)
    assert "6 tokens wide" in text_of(page)


def test_a_batch_that_cannot_be_made_gets_a_sentence(browser: Browser) -> None:
    for fields in (
        {"lines": "\n"},
        {"lines": "a\n" * 9},
        {"longest": "0"},
        {"longest": "65"},
        {"longest": "many"},
        {"padding": "middle"},
        {"use": "nobody"},
        {"use": ""},
    ):
        status, page = batch(browser, **fields)
        assert status == 400
        assert "note--danger" in page


def test_a_guest_trains_a_tokenizer_and_uses_it(browser: Browser) -> None:
    answer = learn(browser)
    assert answer.status_code == 303
    page = browser.get(answer.location).text
    said = text_of(page)
    assert "You asked for 300 tokens. It stopped at 270" in said
    assert "13 were learned from your text" in said
    assert "With SmolLM2" in said
    tokenizer_id = answer.location.rpartition("/")[2]
    bench = browser.get(BENCH).text
    assert f"own:{tokenizer_id}" in bench
    _, part = send(browser, typed="the hat", use=[f"own:{tokenizer_id}", "smollm2"])
    file = browser.get(f"{answer.location}/tokenizer.json")
    assert "attachment" in file.headers["Content-Disposition"]
    assert row_ids(part, 1) == Tokenizer.from_str(file.text).encode("the hat").ids


def test_merges_are_stepped_through(browser: Browser) -> None:
    path = learn(browser).location
    _, first = send(browser, path, sentence="the hat", step="0")
    assert "Step 0 of" in text_of(first)
    assert first.split("</p>")[0].count('class="piece') == 1 + len("the hat")
    _, second = send(browser, path, sentence="the hat", step="1")
    assert "6 tokens" in text_of(second)
    _, last = send(browser, path, sentence="the hat", step="999")
    assert "This is all it has learned. SmolLM2 makes 2 tokens" in text_of(last)
    status, empty = send(browser, path, sentence="", step="1")
    assert status == 400
    assert "The sentence has 0 characters" in text_of(empty)


def test_a_file_is_learned_from_instead_of_the_text(browser: Browser) -> None:
    pasted = learn(browser, corpus=CORPUS.upper()).location
    file = learn(
        browser, corpus="", file=(io.BytesIO(CORPUS.upper().encode()), "mine.txt")
    ).location
    assert file == pasted != learn(browser).location


def test_what_cannot_be_learned_from_gets_a_sentence(browser: Browser) -> None:
    cases = [
        ({"corpus": "short"}, "The text has 5 bytes. Bring 200 to 200,000"),
        ({"corpus": "é" * 100_001}, "The text has 200,002 bytes"),
        ({"size": "299"}, "The vocabulary is a whole number from 300 to 4,000"),
        ({"size": "x"}, "The vocabulary is a whole number from 300 to 4,000"),
        ({"corpus": "a\x07" * 500}, "which is not text"),
    ]
    for fields, said in cases:
        answer = learn(browser, **fields)
        assert answer.status_code == 400
        assert said in text_of(answer.text)


def test_one_that_is_gone_is_told(browser: Browser) -> None:
    gone = "0123456789abcdef"
    assert browser.get(f"{BENCH}/own/{gone}").status_code == 404
    assert browser.get(f"{BENCH}/own/nonsense").status_code == 404
    status, page = send(browser, typed="a", use=[f"own:{gone}"])
    assert status == 404
    assert "not kept any more" in text_of(page)


def test_without_a_sidecar_pages_say_so(app: Flask, browser: Browser) -> None:
    app.extensions["wordkeep"] = dataclasses.replace(
        app.extensions["wordkeep"], tokenizers=TokenizerClient()
    )
    for path in (BENCH, f"{BENCH}/batch", f"{BENCH}/numbers"):
        answer = browser.get(path)
        assert answer.status_code == 200
        assert "Start it with ./wordkeep up" in text_of(answer.text)


class _Listing(TokenizerClient):
    """Lists two tokenizers that belong to trained models."""

    def listed(self) -> tuple[Listed, ...]:
        return tuple(Listed(id=name, origin="trained") for name in ("soup", "tale"))


def test_the_tokenizer_of_a_trained_model_is_for_whom_the_model_is(
    player: Browser, new_browser: Any
) -> None:
    services: Services = dataclasses.replace(player.services, tokenizers=_Listing())
    mine = player.player_id()
    with services.db.write() as session:
        for name, visibility, base in (
            ("soup", PRIVATE, "fresh-small"),
            ("tale", PUBLIC, "fresh-small"),
            ("song", PUBLIC, "smollm2"),
        ):
            session.add(
                TrainedModel(
                    player_id=mine,
                    form=name,
                    name=name,
                    title=name.title(),
                    base=base,
                    status="succeeded",
                    settings={},
                    visibility=visibility,
                    created_at=services.now(),
                )
            )

    def seen(player_id: int | None) -> list[str]:
        return [one.name for one in options(services, player_id=player_id)]

    assert seen(mine) == ["soup", "tale"]
    assert seen(None) == ["tale"]
    other = new_browser().play("Bob").player_id()
    assert seen(other) == ["tale"]
    with pytest.raises(InvalidInput):
        join(
            services,
            ids="1",
            names=["soup"],
            choices=options(services, player_id=other),
        )
