"""Stop words end a reply wherever the borders of its tokens are."""

from __future__ import annotations

from itertools import product

import pytest

from finetune.serving.engine.stop_words import StopWords, Token


def tokens(*texts: str) -> list[Token]:
    return [Token(text, [{"token": text}]) for text in texts]


def run(words: list[str], *texts: str) -> tuple[str, bool]:
    """Return what a caller reads, and whether a stop word ended it."""
    stops = StopWords(words)
    read = ""
    for token in tokens(*texts):
        read += "".join(out.text for out in stops.push(token))
        if stops.is_hit:
            return read, True
    return read + "".join(out.text for out in stops.rest()), False


def test_without_stop_words_every_token_passes_at_once():
    stops = StopWords([])
    (token,) = tokens("hello")
    assert stops.push(token) == [token]


@pytest.mark.parametrize(
    ("words", "texts", "read", "is_hit"),
    [
        (["lo"], ["hel", "lo", " x"], "hel", True),
        (["lo w"], ["hel", "lo", " wor", "ld"], "hel", True),
        (["l"], ["hello"], "he", True),
        (["aab"], ["a", "a", "a", "b"], "a", True),
        (["abc", "b"], ["a", "b", "c"], "a", True),
        (["xyz"], ["x", "y"], "xy", False),
        (["xyz"], ["x", "y", "q"], "xyq", False),
        (["\n\n"], ["one\n", "two\n", "\nthree"], "one\ntwo", True),
        (["é"], ["caf", "é"], "caf", True),
    ],
)
def test_the_text_ends_before_the_first_stop_word(words, texts, read, is_hit):
    assert run(words, *texts) == (read, is_hit)


def test_any_cutting_of_a_text_gives_the_same_result():
    text = "abcabdabcd"
    for cuts in product([False, True], repeat=len(text) - 1):
        texts = [text[0]]
        for letter, cut in zip(text[1:], cuts, strict=True):
            if cut:
                texts.append(letter)
            else:
                texts[-1] += letter
        assert run(["bd", "cd"], *texts) == ("abca", True)


def test_what_cannot_be_a_stop_word_is_not_held_back():
    stops = StopWords(["END"])
    read = [[out.text for out in stops.push(t)] for t in tokens("a", " E", "N", "x")]
    assert read == [["a"], [], [], [" E", "N", "x"]]


def test_log_probabilities_stay_with_their_tokens():
    stops = StopWords(["cd"])
    out = [token for one in tokens("ab", "xc", "d") for token in stops.push(one)]
    assert [(token.text, token.logprobs) for token in out] == [
        ("ab", [{"token": "ab"}]),
        ("x", [{"token": "xc"}]),
    ]
