"""Which three values a sweep has, and what is said of what came."""

from __future__ import annotations

from dataclasses import replace

import pytest

from webapp.domain.train import sweeping
from webapp.domain.train.choices import Choices
from webapp.domain.train.sweeping import Verdict, What
from webapp.errors import InvalidInput

SOUP = Choices(title="Soup", learning_rate=0.001, minutes=3.0)


def labels(choices: Choices, what: What, rows: int = 0) -> list[str]:
    return [v.label for v in sweeping.variants(choices, what, rows=rows)]


def test_rates_are_a_third_as_chosen_and_three_times() -> None:
    found = sweeping.variants(SOUP, "learning_rate", rows=0)
    assert [v.choices.learning_rate for v in found] == [0.00033, 0.001, 0.003]
    assert [v.choices.title for v in found] == [
        "Soup · rate 0.00033",
        "Soup · rate 0.001",
        "Soup · rate 0.003",
    ]
    assert {replace(v.choices, title="", learning_rate=1) for v in found} == {
        replace(SOUP, title="", learning_rate=1)
    }


def test_lengths_are_half_as_chosen_and_double_in_their_own_unit() -> None:
    assert labels(SOUP, "length") == ["1.5 minutes", "3 minutes", "6 minutes"]
    steps = replace(SOUP, length="updates", updates=25)
    assert labels(steps, "length") == ["12 steps", "25 steps", "50 steps"]
    epochs = replace(SOUP, length="epochs", epochs=2.0)
    assert labels(epochs, "length") == ["1 epoch", "2 epochs", "4 epochs"]


def test_shares_are_counted_in_rows_and_never_below_three() -> None:
    found = sweeping.variants(SOUP, "share", rows=192)
    assert [v.most_rows for v in found] == [19, 58, 192]
    assert next(v.label for v in found) == "10 %, 19 rows"
    assert [v.choices.title for v in found][2] == "Soup · data 100 %"
    few = sweeping.variants(SOUP, "share", rows=14)
    assert [v.most_rows for v in few] == [3, 4, 14]


@pytest.mark.parametrize(
    ("choices", "what", "rows", "said"),
    [
        (replace(SOUP, learning_rate=0.05), "learning_rate", 0, "learning rate must"),
        (replace(SOUP, minutes=0.1), "length", 0, "minutes must be"),
        (replace(SOUP, length="updates", updates=1), "length", 0, "cannot be halved"),
        (SOUP, "share", 11, "only 11 rows"),
        (SOUP, "share", 0, "only 0 rows"),
        (replace(SOUP, title=" "), "learning_rate", 0, "1 to 60 characters"),
    ],
)
def test_what_cannot_be_three_is_refused(
    choices: Choices, what: What, rows: int, said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        sweeping.variants(choices, what, rows=rows)


def test_a_long_name_makes_room_for_the_value() -> None:
    long = replace(SOUP, title="S" * 60)
    titles = [v.choices.title for v in sweeping.variants(long, "length", rows=0)]
    assert titles[0].endswith("S · 1.5 minutes")
    assert {len(title) for title in titles} == {60}


def seen(what: What, *numbers: float, before: float | None = 35.0) -> Verdict:
    return sweeping.verdict(what, numbers, before=before)


def test_the_best_is_the_lowest_and_each_other_is_explained() -> None:
    found = seen("learning_rate", 25.0, 22.0, 40.0)
    assert found.winners == (1,)
    assert found.sentences == (
        "A third of the rate was worse: the ball crept, and the time was over before"
        " it arrived.",
        "Three times the rate was worse: it jumped across the dip, and ended no lower.",
    )
    jumped = "it jumped across the dip"
    assert jumped not in seen("learning_rate", 25.0, 22.0, 30.0).sentences[1]
    assert (
        jumped not in seen("learning_rate", 25.0, 22.0, 40.0, before=None).sentences[1]
    )


def test_shares_are_measured_by_all_of_the_data() -> None:
    found = seen("share", 30.0, 25.0, 22.0)
    assert found.winners == (2,)
    assert [s.partition(":")[0] for s in found.sentences] == [
        "10 % of the data was worse",
        "30 % of the data was worse",
    ]


def test_longer_may_be_better_or_learned_by_heart() -> None:
    assert "still been on its way" in seen("length", 25.0, 22.0, 20.0).sentences[1]
    assert "worse: it had begun to learn" in seen("length", 25, 22, 26).sentences[1]


def test_what_is_as_good_as_the_same_is_not_called_better() -> None:
    draw = seen("length", 22.0, 22.1, 22.05)
    assert draw.winners == (0, 1, 2)
    assert "about the same" in draw.sentences[0]
    two = seen("length", 30.0, 22.1, 22.0)
    assert two.winners == (1, 2)
    assert two.sentences[1] == "Twice as long made hardly a difference."


def test_a_guess_is_told_what_became_of_it() -> None:
    one, draw = Verdict((1,), ()), Verdict((0, 1, 2), ())
    assert "so it did" in sweeping.guessed(1, one)
    assert sweeping.guessed(2, one) == (
        "You said the largest would win. It was the one in the middle."
    )
    assert "a draw" in sweeping.guessed(2, draw)


def test_only_what_is_there_can_be_chosen() -> None:
    assert sweeping.read_what("share") == "share"
    assert sweeping.read_guess("2") == 2
    with pytest.raises(InvalidInput, match="which value"):
        sweeping.read_what("rows")
    for text in ("", "3", "-1", "x"):
        with pytest.raises(InvalidInput, match="Say first"):
            sweeping.read_guess(text)
