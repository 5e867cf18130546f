"""/v1/tokenizers: which there are, and what is refused. No model is loaded."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from gguf import GGUFWriter
from tokenizers import Tokenizer

from finetune.data.cutting.learning import learn
from finetune.serving.catalogue import tokenizers
from finetune.weights.export_tokens import add_tokenizer
from finetune.weights.gguf_tokens import gguf_tokenizer
from tests.finetune.data.cutting.test_rank_files import write
from tests.finetune.serving.test_training_routes import Caller, app

__all__ = ["app"]

TEXT = "the cat and the hat and the mat\n" * 30


@pytest.fixture
def caller(app: Flask) -> Caller:
    found = app.test_client()
    assert isinstance(found, Caller)
    return found


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    return tmp_path / "instance"


def ask(caller: Caller, path: str, status: int = 200, **body: Any) -> dict[str, Any]:
    answer = caller.post(f"/v1/tokenizers/{path}", json=body)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def said(found: dict[str, Any]) -> str:
    message: str = found["error"]["message"]
    return message


def train(caller: Caller, text: str = TEXT, vocabulary: int = 300) -> dict[str, Any]:
    return ask(caller, "train", text=text, vocabulary=vocabulary, against="characters")


def test_adapters_and_guards_have_no_tokenizer_of_their_own(
    caller: Caller, instance: Path
) -> None:
    folder = instance / "tokenizers"
    folder.mkdir(parents=True)
    write(folder)
    learn(TEXT, 300).save(str(folder / "school.json"))
    (folder / "notes.txt").write_text("not one")
    data = caller.get("/v1/tokenizers").get_json()["data"]
    assert [(one["id"], one["origin"]) for one in data] == [
        ("smollm2", "model"), ("minilm", "model"), ("characters", "characters"),
        ("cl100k_base", "file"), ("school", "file"),
    ]  # fmt: skip


def test_one_text_is_cut_by_several(caller: Caller) -> None:
    names = ["smollm2", "minilm", "characters"]
    cuts = ask(caller, "encode", tokenizers=names, text="LANTERN 3901")["data"]
    assert [cut["tokenizer"] for cut in cuts] == names
    assert [len(cut["pieces"]) for cut in cuts] == [8, 3, 12]
    assert [cut["is_exact"] for cut in cuts] == [True, False, True]
    assert cuts[1]["pieces"][0] == {
        "id": 12856, "name": "lantern", "start": 0, "end": 7, "is_mark": False,
    }  # fmt: skip


def test_files_in_the_folder_are_tokenizers(caller: Caller, instance: Path) -> None:
    folder = instance / "tokenizers"
    folder.mkdir(parents=True)
    write(folder)
    learn(TEXT, 300).save(str(folder / "school.json"))
    (folder / "broken.json").write_text("{}")
    cuts = ask(
        caller, "encode", tokenizers=["cl100k_base", "school"], text="the and"
    )["data"]  # fmt: skip
    assert [p["id"] for p in cuts[0]["pieces"]] == [257, 262]
    broken = ask(caller, "encode", 503, tokenizers=["broken"], text="a")
    assert "broken.json is not the file of a tokenizer" in said(broken)


def test_a_name_leads_nowhere_else(caller: Caller, instance: Path) -> None:
    for name in ("../jobs", "no", "own:../../key", "own:0123456789abcdef", "own:"):
        found = ask(caller, "encode", 404, tokenizers=[name], text="a")
        assert "tokenizer" in said(found)


def test_numbers_are_read_right_and_wrong(caller: Caller) -> None:
    right = ask(caller, "decode", tokenizer="smollm2", ids=[28649, 8978, 62])
    wrong = ask(caller, "decode", tokenizer="characters", ids=[28649, 8978, 62])
    assert (right["text"], wrong["text"]) == ("LANTERN", "\u6fe9\u2312>")
    assert ask(caller, "decode", tokenizer="minilm", ids=[40_000])["pieces"] == [
        {"id": 40_000, "name": None, "content": "", "is_mark": False}
    ]
    ask(caller, "decode", 400, tokenizer="minilm", ids=[-1])


def test_a_batch_is_a_rectangle(caller: Caller) -> None:
    found = ask(
        caller, "batch", tokenizer="minilm", texts=["one", "one two three four"],
        padding="left", truncation="right", longest=5,
    )  # fmt: skip
    assert [row["mask"] for row in found["rows"]] == [[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]]
    assert [row["lost"] for row in found["rows"]] == [0, 1]
    assert found["pad"]["name"] == "[PAD]"


def test_what_was_learned_is_found_again_by_its_id(caller: Caller) -> None:
    made = train(caller)
    assert (made["size"], len(made["merges"])) == (270, 13)
    assert (made["bytes"], made["against_tokens"]) == (len(TEXT), len(TEXT))
    assert made["tokens"] < len(TEXT) / 3
    assert train(caller)["id"] == made["id"]
    assert train(caller, vocabulary=301)["id"] != made["id"]
    path = f"/v1/tokenizers/learned/{made['id']}"
    assert caller.get(path).get_json() == made
    file = caller.get(f"{path}/tokenizer.json").text
    assert Tokenizer.from_str(file).encode("the cat").ids
    steps = ask(caller, f"learned/{made['id']}/steps", text="the")["data"]
    assert steps[0] == {"merge": -1, "tokens": ["74", "68", "65"]}
    assert len(steps[-1]["tokens"]) < 3
    cut = ask(caller, "encode", tokenizers=[f"own:{made['id']}"], text="the")["data"][0]
    assert [p["end"] - p["start"] for p in cut["pieces"]] == [
        len(token) // 2 for token in steps[-1]["tokens"]
    ]


def test_a_text_must_be_there_and_may_not_be_too_long(caller: Caller) -> None:
    body = {"vocabulary": 300, "against": "characters"}
    ask(caller, "train", 400, text="", **body)
    found = ask(caller, "train", 400, text="é" * 100_001, **body)
    assert "200,002 bytes" in said(found)
    ask(caller, "train", 400, text="a", vocabulary=4001, against="characters")


def test_the_oldest_are_forgotten(
    caller: Caller, instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokenizers, "MOST_LEARNED", 2)
    first = train(caller)["id"]
    folder = instance / "tokenizers" / "learned"
    os.utime(folder / f"{first}.json", ns=(1, 1))
    others = {train(caller, vocabulary=size)["id"] for size in (301, 302)}
    assert {path.stem for path in folder.iterdir()} == others
    assert caller.get(f"/v1/tokenizers/learned/{first}").status_code == 404


def test_the_tokenizer_of_a_trained_model_is_read_from_its_file(tmp_path: Path) -> None:
    made = learn(TEXT, 300)
    path = tmp_path / "model.gguf"
    writer = GGUFWriter(path, "llama")
    add_tokenizer(
        writer, json.loads(made.to_str()), {"vocab_size": 304, "eos_token_id": 0}
    )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    found = gguf_tokenizer(path)
    for text in ("the cat", "Zoë <|endoftext|> 12"):
        assert found.encode(text).ids == made.encode(text).ids
