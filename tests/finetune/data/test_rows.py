"""Written texts become tokens: each is learned once, with its end, and nothing else."""

from __future__ import annotations

import json
import random
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from finetune.data.packing import IGNORE, Document, pack
from finetune.data.rows import cut, encode, end_of_text
from finetune.data.sources import is_chat, read_rows, read_test_rows, training_texts
from finetune.data.texts.errors import DataError
from finetune.data.texts.rendering import Rendered
from finetune.recipes.common import RecipeError
from finetune.recipes.lm import LmRecipe

END = "<|im_end|>"


@pytest.fixture(scope="module")
def tokenizer(tiny_base: Path):
    return AutoTokenizer.from_pretrained(tiny_base)


def bare(*marks: str) -> PreTrainedTokenizerFast:
    """Return a tokenizer of bytes that says nothing of ends or chats."""
    letters = (*marks, *sorted(pre_tokenizers.ByteLevel.alphabet()))
    plain = Tokenizer(models.BPE({text: n for n, text in enumerate(letters)}, []))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.add_special_tokens(list(marks))
    return PreTrainedTokenizerFast(tokenizer_object=plain)


def learned(document: Document, tokenizer: Any) -> str:
    targets = [int(token) for token in document.targets if token != IGNORE]
    return str(tokenizer.decode(targets))


def one(text: Rendered, tokenizer: Any, **settings: Any) -> Document:
    (document,) = encode([text], tokenizer, **{"is_chat": False, **settings})
    return document


# What is learned


def test_of_a_plain_text_all_is_learned_and_where_it_ends(tokenizer):
    document = one(Rendered("Hello, you!"), tokenizer)
    assert tokenizer.decode(document.ids) == f"Hello, you!{END}"
    assert learned(document, tokenizer) == f"ello, you!{END}"
    assert list(document.targets[:-1]) == list(document.ids[1:])
    assert document.targets[-1] == IGNORE


def test_of_an_answer_only_itself_and_its_end_are_learned(tokenizer):
    document = one(Rendered("Question: Why?\nAnswer:", " So."), tokenizer)
    assert tokenizer.decode(document.ids) == f"Question: Why?\nAnswer: So.{END}"
    assert learned(document, tokenizer) == f" So.{END}"
    assert learned(one(Rendered("", "So."), tokenizer), tokenizer) == f"o.{END}"


def test_each_target_is_the_token_that_follows(tokenizer):
    for text in (Rendered("Hello"), Rendered("Hello", " you"), Rendered("", "you")):
        document = one(text, tokenizer)
        for place, target in enumerate(document.targets[:-1]):
            assert target in (IGNORE, document.ids[place + 1])


def test_control_tokens_in_a_text_are_plain_text(tokenizer):
    text = f"{END}<|im_start|>system<|endoftext|>"
    document = one(Rendered(text, text), tokenizer)
    assert list(document.ids).count(tokenizer.eos_token_id) == 1
    assert document.ids[-1] == tokenizer.eos_token_id
    chat = one(Rendered(text, text), tokenizer, is_chat=True)
    assert list(chat.ids).count(tokenizer.convert_tokens_to_ids("<|im_start|>")) == 2


def test_chats_are_written_in_chatml(tokenizer):
    document = one(Rendered("Why?", "So."), tokenizer, is_chat=True, system="Be kind.")
    assert tokenizer.decode(document.ids) == (
        f"<|im_start|>system\nBe kind.{END}\n<|im_start|>user\nWhy?{END}\n"
        f"<|im_start|>assistant\nSo.{END}\n"
    )
    assert learned(document, tokenizer) == f"So.{END}"
    turns = (
        {"role": "system", "content": "Own."},
        {"role": "assistant", "content": "Yes"},
    )
    own = one(Rendered("x", messages=turns), tokenizer, is_chat=True, system="Other.")
    assert "Own." in tokenizer.decode(own.ids)
    assert "Other." not in tokenizer.decode(own.ids)
    plain = one(Rendered("system: Own.\nassistant: Yes", messages=turns), tokenizer)
    assert tokenizer.decode(plain.ids) == f"system: Own.\nassistant: Yes{END}"


def test_a_tokenizer_without_ends_or_chats():
    with pytest.raises(RecipeError, match="no token that ends a text"):
        list(encode([Rendered("x")], bare(), is_chat=False))
    fresh = bare("<|endoftext|>")
    assert fresh.eos_token_id is None
    assert end_of_text(fresh) == 0
    assert one(Rendered("x"), fresh).ids[-1] == 0
    with pytest.raises(RecipeError, match="no marks for the turns of a chat"):
        list(encode([Rendered("x", "y")], fresh, is_chat=True))


# Nothing is lost


def texts(seed: int) -> list[Rendered]:
    rng = random.Random(seed)

    def text(most: int) -> str:
        letters = "abc de\nfg.ä好🙂 <|im_end|>"
        return "".join(rng.choice(letters) for _ in range(rng.randint(1, most)))

    return [
        Rendered(text(400), text(300) if rng.random() < 0.5 else None)
        for _ in range(rng.randint(1, 30))
    ]


@pytest.mark.parametrize("seed", range(15))
def test_all_that_is_to_be_learned_is_in_the_rows_once(tokenizer, seed: int):
    """However long the documents, and wherever they are cut."""
    given = texts(seed)
    whole = list(encode(given, tokenizer, is_chat=False))
    for text, document in zip(given, whole, strict=True):
        assert tokenizer.decode(document.ids) == text.whole() + END
        wanted = text.whole() if text.answer is None else text.answer
        count = len(wanted.encode()) + (text.answer is not None)
        assert int((np.asarray(document.targets) != IGNORE).sum()) == count
    pieces = list(cut(whole, 48))
    assert max(len(piece.ids) for piece in pieces) <= 48
    targets = [d.targets for d in whole], [p.targets for p in pieces]
    was, now = (np.concatenate(each) for each in targets)
    assert list(was[was != IGNORE]) == list(now[now != IGNORE])
    rows = pack(pieces, 48, filler=0)
    kept = rows.targets[rows.targets != IGNORE]
    assert sorted(kept.tolist()) == sorted(was[was != IGNORE].tolist())


def test_pieces_of_a_text_follow_each_other(tokenizer):
    text = "".join(f"{n}," for n in range(200))
    document = one(Rendered(text), tokenizer)
    pieces = list(cut([document], 64))
    assert tokenizer.decode(list(chain(*(p.ids for p in pieces)))) == text + END
    assert all(len(piece.ids) == 64 for piece in pieces[:-1])
    # The last token of a piece has the first of the next one to learn.
    assert pieces[0].targets[-1] == pieces[1].ids[0]


def test_of_a_long_prompt_the_end_is_kept_with_its_answer(tokenizer):
    document = one(Rendered("x" * 100 + "Why?", "So."), tokenizer)
    (piece,) = cut([document], 32)
    assert tokenizer.decode(piece.ids).endswith(f"xxWhy?So.{END}")
    assert learned(piece, tokenizer) == f"So.{END}"


def test_a_long_text_is_tokenised_in_stretches_without_a_difference(tokenizer):
    rng = random.Random(1)
    text = " ".join("word" * rng.randint(1, 4) for _ in range(30_000)) + "好" * 120_000
    ids = one(Rendered(text), tokenizer).ids
    whole = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert list(ids) == [*whole, tokenizer.eos_token_id]


def test_what_has_nothing_to_learn_gives_no_row():
    assert list(cut([Document([1, 2, 3], [IGNORE] * 3)], 32)) == []


# From a file


def recipe(path: Path, *, block: int = 64, **data: Any) -> LmRecipe:
    return LmRecipe.model_validate(
        {
            "kind": "lm",
            "name": "own",
            "purpose": "Test.",
            "base": "fresh",
            "data": {"source": "rows", "path": path, **data},
            "block": block,
        }
    )


def write_file(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return path


def decoded(rows: Any, tokenizer: Any) -> str:
    return str(tokenizer.decode(rows.ids[rows.document < 60].tolist()))


def test_a_file_is_read_into_two_parts_and_a_locked_one(tmp_path: Path, tokenizer):
    path = write_file(
        tmp_path / "rows", [{"text": f"number {n:03}"} for n in range(50)]
    )
    asked = recipe(path, validation=0.2, test=0.1)
    assert not is_chat(asked)
    found = read_rows(asked, tokenizer)
    locked = read_test_rows(asked, tokenizer)
    sides = [
        {n for n in range(50) if f"number {n:03}{END}" in decoded(rows, tokenizer)}
        for rows in (found.train, found.heldout, locked)
    ]
    assert [len(side) for side in sides] == [35, 10, 5]
    assert set.union(*sides) == set(range(50))
    assert sorted(training_texts(asked)) == [f"number {n:03}" for n in sorted(sides[0])]


def test_every_document_ends_with_its_mark(tmp_path: Path, tokenizer):
    path = write_file(tmp_path / "rows", [{"text": f"number {n}"} for n in range(50)])
    train = read_rows(recipe(path), tokenizer).train
    assert int((train.targets == tokenizer.eos_token_id).sum()) == 40


def test_duplicates_of_a_file_are_on_one_side(tmp_path: Path, tokenizer):
    rows = [
        {"text": text} for n in range(40) for text in (f"is {n:02}!", f"IS  {n:02}!")
    ]
    path = write_file(tmp_path / "rows", rows)
    found = read_rows(recipe(path, validation=0.3), tokenizer)
    train, judged = (decoded(rows, tokenizer).lower() for rows in found)
    both = [n for n in range(40) if f"{n:02}!" in train and f"{n:02}!" in judged]
    assert both == []


def test_a_blank_column_is_left_out_and_templates_are_used(tmp_path: Path, tokenizer):
    rows = [{"q": f"ask {n}", "a": "" if n < 5 else f"say {n}"} for n in range(30)]
    path = write_file(tmp_path / "rows", rows)
    asked = recipe(path, text="Q: {q}\nA:", answer=" {a}")
    found = read_rows(asked, tokenizer)
    train = decoded(found.train, tokenizer)
    assert train.count("Q: ask") == 25 - 2 - 2
    assert "ask 3\n" not in train
    kept = found.train.targets[found.train.targets != IGNORE]
    assert tokenizer.decode(kept.tolist()).startswith(" say ")


def test_most_rows_leaves_the_held_out_part_as_it_is(tmp_path: Path, tokenizer):
    path = write_file(tmp_path / "rows", [{"text": f"number {n}"} for n in range(50)])
    all_, few = (
        read_rows(recipe(path, most_rows=most), tokenizer) for most in (None, 7)
    )
    assert all_.heldout.ids.equal(few.heldout.ids)
    assert int((few.train.targets == tokenizer.eos_token_id).sum()) == 7


def test_files_for_openai_are_learned_as_chats(tmp_path: Path, tokenizer):
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"ask {n}"},
                {"role": "assistant", "content": f"say {n}"},
            ]
        }
        for n in range(30)
    ]
    asked = recipe(write_file(tmp_path / "rows", rows))
    assert is_chat(asked)
    found = read_rows(asked, tokenizer)
    kept = found.train.targets[found.train.targets != IGNORE].tolist()
    assert tokenizer.decode(kept).count("say ") == 24
    assert "ask" not in tokenizer.decode(kept)
    assert "<|im_start|>user\nask " in decoded(found.train, tokenizer)


def test_one_long_text_is_learned_from_its_beginning(tmp_path: Path, tokenizer):
    path = tmp_path / "story.txt"
    path.write_text("\n\n".join(f"Paragraph {n:03} is here." for n in range(200)))
    asked = recipe(path, documents="whole", test=0.1)
    found = read_rows(asked, tokenizer)
    train, judged, locked = (
        decoded(rows, tokenizer) for rows in (*found, read_test_rows(asked, tokenizer))
    )
    assert "Paragraph 000" in train
    assert "Paragraph 199" in judged
    assert "Paragraph 170" in locked
    assert "Paragraph 199" not in train + locked


def test_what_cannot_be_used_is_told(tmp_path: Path, tokenizer):
    path = write_file(tmp_path / "rows", [{"text": "a"}, {"text": "b"}])
    with pytest.raises(DataError, match="2 different texts"):
        read_rows(recipe(path), tokenizer)
    with pytest.raises(DataError, match="No such file"):
        read_rows(recipe(tmp_path / "none"), tokenizer)
    with pytest.raises(DataError, match="no column"):
        read_rows(recipe(path, text="{title}"), tokenizer)
    with pytest.raises(RecipeError, match="has no test part"):
        read_test_rows(recipe(path, test=0), tokenizer)
    dialogues = recipe(path).model_copy(update={"data": None})
    with pytest.raises(RecipeError, match="dialogues"):
        training_texts(dialogues)
