"""The choices of a run: what a form may say, and the job that comes of it."""

from __future__ import annotations

import pytest

from webapp.domain.train.choices import Choices, advice, from_row, plain, read
from webapp.errors import InvalidInput

FRESH = frozenset({"fresh-small"})


def test_an_empty_form_means_what_is_usual() -> None:
    assert read({}, fresh_bases=FRESH) == Choices()


def test_an_empty_model_is_trained_from_nothing_whatever_the_form_says() -> None:
    chosen = read({"base": "fresh-small", "method": "lora"}, fresh_bases=FRESH)
    assert chosen.method == "fresh"
    assert chosen.recipe({})["lora"] is None
    assert chosen.learning_rate == 0.002


def test_a_trained_model_cannot_begin_from_nothing() -> None:
    with pytest.raises(InvalidInput, match="empty models"):
        read({"base": "smollm2", "method": "fresh"}, fresh_bases=FRESH)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"learning_rate": "fast"}, "learning rate must be a number, and “fast” is"),
        ({"learning_rate": "5"}, "learning rate must be a number from 0.000001 to 0.1"),
        ({"learning_rate": "nan"}, "learning rate must be a number from"),
        ({"updates": "1.5"}, "updates must be a whole number"),
        ({"rows": "0"}, "number of rows at a time must be a number from 1 to 64"),
        ({"method": "magic"}, "no such way"),
        ({"length": "forever"}, "how long"),
        ({"sample_prompt": "x" * 2001}, "at most 2,000 characters"),
        ({"sample_prompt": "a\0b"}, "U\\+0000"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_sentence(
    fields: dict[str, str], words: str
) -> None:
    with pytest.raises(InvalidInput, match=words) as caught:
        read(fields, fresh_bases=FRESH)
    assert "\n" not in caught.value.message


def test_a_comma_is_a_point() -> None:
    assert read({"epochs": "0,5"}, fresh_bases=FRESH).epochs == 0.5


def test_each_length_ends_the_run_by_itself() -> None:
    ends = {}
    for length in ("minutes", "epochs", "updates"):
        fields = {"length": length, "minutes": "2", "epochs": "0.5", "updates": "7"}
        recipe = read(fields, fresh_bases=FRESH).recipe({})
        ends[length] = {k: recipe.get(k) for k in ("minutes", "epochs", "updates")}
    assert ends == {
        "minutes": {"minutes": 2.0, "epochs": 1000.0, "updates": None},
        "epochs": {"minutes": None, "epochs": 0.5, "updates": None},
        "updates": {"minutes": None, "epochs": 1000.0, "updates": 7},
    }


def test_only_the_upper_blocks_leave_others_frozen() -> None:
    fields = {"method": "top", "frozen": "12"}
    assert read(fields, fresh_bases=FRESH).recipe({})["frozen"] == 12
    fields["method"] = "full"
    assert "frozen" not in read(fields, fresh_bases=FRESH).recipe({})


def test_a_rate_outside_the_safe_zone_gets_a_warning_with_the_zone() -> None:
    assert advice(Choices()) == ""
    assert "0.0002 to 0.003" in advice(Choices(learning_rate=0.05))
    assert "hardly moves" in advice(Choices(learning_rate=1e-6))


def test_choices_come_back_from_a_row_of_another_version() -> None:
    kept = Choices(title="A", rank=8)
    assert from_row(kept.as_row() | {"forgotten": 1}) == kept


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.0005, "0.0005"), (1e-6, "0.000001"), (3.0, "3"), (100.0, "100"), (0.0, "0")],
)
def test_numbers_are_written_out(number: float, text: str) -> None:
    assert plain(number) == text
