"""Tokenizers of one's own text, and their merges one by one."""

from __future__ import annotations

from tokenizers import Tokenizer

from finetune.data.cutting.alphabet import LETTERS, token_bytes
from finetune.data.cutting.learning import learn, merges_of, steps

TEXT = "the cat and the hat and the mat\n" * 30


def test_what_stands_together_most_often_is_merged_first() -> None:
    made = learn("abab abab abab abab", 300)
    assert merges_of(made)[0] == ("a", "b")
    assert merges_of(made)[1] in [("ab", "ab"), ("Ġ", "ab")]


def test_a_pair_that_is_there_only_once_is_not_learned() -> None:
    assert merges_of(learn("qwerty", 300)) == []


def test_the_vocabulary_has_all_bytes_a_mark_and_the_merges() -> None:
    made = learn(TEXT, 270)
    assert made.get_vocab_size() == 270
    assert len(merges_of(made)) == 270 - 257
    assert merges_of(learn(TEXT, 270)) == merges_of(made)


def test_steps_go_from_bytes_to_what_the_tokenizer_makes() -> None:
    made = learn(TEXT, 300)
    for text in ("the hat that sat", "Zoë 🦊", "", "  the\n\nthe"):
        found = steps(made, text)
        assert found[0].tokens == tuple(bytes([byte]) for byte in text.encode())
        assert b"".join(found[-1].tokens) == text.encode()
        tokens = made.encode(text).tokens
        assert found[-1].tokens == tuple(token_bytes(token) for token in tokens)
        merges = [step.merge for step in found]
        assert merges == sorted(set(merges))


def test_each_step_is_the_text_with_the_merges_so_far() -> None:
    made = learn(TEXT, 300)
    found = steps(made, "the hat and the cat")
    assert len(found) > 4
    for number, step in enumerate(found[1:], start=1):
        told = made.to_str()
        assert len(step.tokens) < len(found[number - 1].tokens)
        part = Tokenizer.from_str(told)
        part.model = type(made.model)(
            vocab=made.get_vocab(), merges=merges_of(made)[: step.merge + 1]
        )
        tokens = part.encode("the hat and the cat").tokens
        assert step.tokens == tuple(token_bytes(token) for token in tokens)


def test_the_alphabet_has_a_letter_for_each_byte() -> None:
    assert token_bytes("".join(LETTERS.values())) == bytes(LETTERS)
    assert len(set(LETTERS.values())) == 256
