"""What is wrong with a reply: each kind, what is near to it, and what is fine."""

from __future__ import annotations

import pytest

from webapp.domain.train import analysis
from webapp.domain.train.analysis import Finding, Known, inspect
from webapp.domain.train.copying import Copied

ENGLISH = Known(language="en")


def finding(
    reply: str, kind: str, *, target: str | None = None, **known: object
) -> Finding:
    facts = Known(**{"language": "en", **known})  # type: ignore[arg-type]
    found = {f.kind: f for f in inspect(reply, target=target, known=facts)}
    return found[kind]  # type: ignore[index]


def errors(
    reply: str, *, target: str | None = None, known: Known = ENGLISH
) -> list[str]:
    return [f.kind for f in inspect(reply, target=target, known=known) if f.is_error]


def test_a_good_reply_has_no_error() -> None:
    known = Known(language="en", to_prompt=0.7, to_target=0.8)
    reply = "Boil the rice in salted water for ten minutes."
    assert errors(reply, target="Boil it in salted water.", known=known) == []


@pytest.mark.parametrize("reply", ["", "  \n "])
def test_nothing_at_all_is_an_error_and_the_only_one(reply: str) -> None:
    (found,) = inspect(reply, target="Boil it.", known=Known(to_prompt=0.0))
    assert (found.kind, found.score, found.is_error) == ("empty", 1.0, True)


def test_words_that_no_list_knows_are_named() -> None:
    found = finding("I recieve teh soup with thier bread.", "misspelt")
    assert found.is_error
    assert found.score == pytest.approx(3 / 7)
    assert found.sentence == (
        "“recieve”, “teh”, “thier” are neither in the list of English words nor in the "
        "text it learned from."
    )


@pytest.mark.parametrize(
    "reply",
    [
        "The colour of her favourite theatre was organised, and travelling helped.",
        "My friend Xanthippe and Qwrtz cook well.",
        "It’s the cook's soup, isn't it?",
        "This was cut off in the mid",
    ],
)
def test_british_words_names_and_a_word_cut_off_are_no_mistakes(reply: str) -> None:
    assert not finding(reply, "misspelt").is_error


def test_words_of_the_training_text_are_no_mistakes() -> None:
    known = frozenset({"kombu"})
    assert finding("Add the kombu now.", "misspelt").is_error
    assert not finding("Add the kombu now.", "misspelt", vocabulary=known).is_error


def test_without_a_word_list_nothing_is_said_of_spelling() -> None:
    kinds = {f.kind for f in inspect("xqz vvv", target=None, known=Known())}
    assert kinds == set()


def test_much_longer_than_wanted_is_too_long() -> None:
    long = "Boil the rice in water and then eat it with all of your friends at home."
    found = finding(long, "too_long", target="Boil the rice.")
    assert found.is_error
    assert found.sentence.startswith("It wrote 16 words where 3 were wanted")
    # One word too many, where one was wanted, is no disaster.
    assert not finding("Yes, sure.", "too_long", target="Yes.").is_error
    assert not finding("Boil it.", "too_long", target=long).is_error
    assert "too_long" not in {f.kind for f in inspect(long, target=None, known=ENGLISH)}


def test_the_same_words_again_and_again_are_repetitive() -> None:
    found = finding("I like soup. " * 5, "repetitive")
    assert found.is_error
    assert found.score == pytest.approx(1 - 3 / 13)
    assert "“i like soup” comes 5 times" in found.sentence
    assert not finding(
        "I like soup and you like bread with butter.", "repetitive"
    ).is_error


def test_off_topic_is_measured_against_the_target_if_there_is_one() -> None:
    assert finding("x", "off_topic", to_prompt=0.05).is_error
    assert not finding("x", "off_topic", to_prompt=0.17).is_error
    found = finding("x", "off_topic", target="y", to_prompt=0.9, to_target=0.1)
    assert found.is_error
    assert (
        found.sentence
        == "It is about something else: likeness to what was wanted 0.10 of 1."
    )


def test_a_long_copy_is_memorised_and_a_short_one_is_told() -> None:
    copied = Copied(9, 12, "chop the onions and fry them in the butter")
    found = finding("…", "memorised", copied=copied)
    assert (found.is_error, found.score, found.span) == (True, 0.75, copied.text)
    assert "9 words in a row" in found.sentence
    short = finding("…", "memorised", copied=Copied(4, 12, "fry them in butter"))
    assert not short.is_error
    assert finding("…", "memorised", copied=Copied(5, 6, "a b c d e")).is_error


def test_the_worst_comes_first() -> None:
    known = Known(language="en", to_prompt=0.05, copied=Copied(4, 40, "a b c d"))
    found = inspect("I like teh soup. " * 10, target=None, known=known)
    assert [f.is_error for f in found] == sorted(
        (f.is_error for f in found), reverse=True
    )
    scores = [f.score for f in found if f.is_error]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 3


def test_a_match_is_the_same_text_but_for_blanks_around_it() -> None:
    assert analysis.is_match(" Paris\n", "Paris")
    assert not analysis.is_match("paris", "Paris")
    assert not analysis.is_match("Pa ris", "Paris")
    assert not analysis.is_match("", "Paris")


def test_cosine() -> None:
    assert analysis.cosine([1, 0], [2, 0]) == pytest.approx(1)
    assert analysis.cosine([1, 0], [0, 3]) == 0
    assert analysis.cosine([0, 0], [1, 1]) == 0


def test_errors_are_counted_per_model_the_most_frequent_first() -> None:
    long = Finding("too_long", 1.0, True, "")
    odd = Finding("misspelt", 0.5, True, "")
    fine = Finding("repetitive", 0.1, False, "")
    replies = [[long, fine], [odd], [long, odd], [fine], [long], []]
    counted = analysis.counts(replies, models=2)
    assert [(c.kind, c.counts) for c in counted] == [
        ("too_long", (3, 0)),
        ("misspelt", (1, 1)),
    ]
    assert analysis.badness(replies[2]) == 3.5
    assert analysis.badness([fine]) == 0


def test_a_finding_is_kept_and_comes_back() -> None:
    (found,) = inspect("", target=None, known=ENGLISH)
    assert analysis.from_row(found.as_row()) == found
