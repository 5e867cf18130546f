"""`guard eval`, and the released guards on sentences of our own."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

import finetune.evaluation
from finetune.data.guards.rows import read_rows
from finetune.evaluation.guards import add_arguments, evaluate, main
from finetune.figures import auc, recall_at, threshold_at, wilson
from finetune.guards.judge import Case, Judgement
from finetune.guards.released import RELEASES, load_judge
from finetune.recipes.common import RecipeError
from finetune.settings import load_settings
from finetune.weights.releases import ReleaseError, read_release

ROWS = Path(finetune.evaluation.__file__).parent / "rows"
NEEDED = {"gate": ("text",), "leak": ("reply", "secret")}


class Parrot:
    """Scores a text by the number in it."""

    version = "parrot"
    threshold = 0.5

    def judge(self, case: Case) -> Judgement:
        return Judgement({"attack": float(case.text)}, self.threshold, self.version)


def test_figures_of_all_rows_and_of_each_source():
    rows = [
        {"text": "0.9", "label": 1, "source": "a"},
        {"text": "0.4", "label": 1, "source": "a"},
        {"text": "0.1", "label": 0, "source": "a"},
        {"text": "0.6", "label": 0, "source": "b"},
    ]
    answer = evaluate(Parrot(), rows)
    assert answer["scores"] == [0.9, 0.4, 0.1, 0.6]
    assert (answer["threshold"], answer["auc"]) == (0.5, 0.75)
    assert answer["recall_at_1pct_fpr"] == 0.5
    assert answer["by_source"]["a"]["auc"] == 1
    assert answer["by_source"]["b"]["auc"] is None
    assert answer["by_source"]["b"]["false_alarms"][0] == 1
    assert 0 <= answer["ms_p50"] <= answer["ms_p95"]


def test_figures_by_hand():
    assert auc([1, 2, 3], [0, 1, 1]) == 1
    assert auc([1, 1], [0, 1]) == 0.5
    assert auc([1], [1]) is None
    # Of 200 benign scores, 0 to 199, two may be flagged: 198 and 199.
    benign = [float(n) for n in range(200)]
    assert 197 < threshold_at(benign, 0.01) <= 198
    assert recall_at([*benign, 198.0, 5.0], [0] * 200 + [1, 1]) == 0.5
    low, high = wilson(10, 20).low, wilson(10, 20).high
    assert (round(low, 3), round(high, 3)) == (0.299, 0.701)


def chosen(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(["eval", *arguments])


def test_the_command_writes_its_answer(tmp_path, capsys):
    data, out = ROWS / "gate.jsonl", tmp_path / "answer.json"
    arguments = chosen("--model", "gate", "--data", str(data), "--json", str(out))
    assert main(arguments, load_settings({}, instance=tmp_path)) == 0
    answer = json.loads(out.read_text())
    assert len(answer["scores"]) == len(data.read_text().splitlines())
    assert {"threshold", "auc", "recall_at_1pct_fpr", "by_source"} < set(answer)
    shown = json.loads(capsys.readouterr().out)
    assert shown["auc"] == answer["auc"]


def test_a_byte_order_mark_does_not_matter(tmp_path):
    data = tmp_path / "rows.jsonl"
    data.write_text('{"text": "a", "label": 1}\n', "utf-8-sig")
    assert [row["text"] for row in read_rows(data)] == ["a"]


@pytest.mark.parametrize("place", ["file/answer.json", "folder", "shut/answer.json"])
def test_a_place_that_cannot_be_written_is_told_before_the_work(
    tmp_path, capsys, monkeypatch, place
):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "shut").mkdir()
    # A test may run as root, who may write everywhere.
    monkeypatch.setattr("os.access", lambda path, mode: Path(path).name != "shut")
    out = str(tmp_path / place)
    with pytest.raises(SystemExit):
        chosen("--model", "gate", "--data", "rows.jsonl", "--json", out)
    assert "--json" in capsys.readouterr().err


def test_the_folder_of_an_answer_is_made(tmp_path):
    out = tmp_path / "new" / "answer.json"
    assert (
        chosen("--model", "gate", "--data", "rows.jsonl", "--json", str(out)).json
        == out
    )


def test_the_command_names_a_broken_row(tmp_path):
    data = tmp_path / "rows.jsonl"
    data.write_text('{"reply": "a", "secret": "b", "label": 1}\n{"reply": "a"}\n')
    with pytest.raises(RecipeError, match=r"rows\.jsonl:2: secret must be text"):
        main(chosen("--model", "leak", "--data", str(data)), load_settings({}))
    with pytest.raises(RecipeError, match="cannot be read"):
        main(chosen("--model", "leak", "--data", "gone.jsonl"), load_settings({}))


@pytest.mark.parametrize("name", ["gate", "leak"])
def test_a_released_guard_is_as_its_card_says(name):
    release = read_release(RELEASES / name)
    rows = list(read_rows(ROWS / f"{name}.jsonl", NEEDED[name]))
    answer = evaluate(load_judge(name), rows)
    stated = release.figures["own_sentences"]
    assert answer["auc"] == pytest.approx(stated["auc"], abs=0.02)
    for share in ("recall", "false_alarms"):
        assert answer[share][0] == pytest.approx(stated[share][0], abs=0.07)
    card = (RELEASES / name / "card.md").read_text()
    assert f"{stated['auc']:.3f}" in card
    assert sum(path.stat().st_size for path in (RELEASES / name).iterdir()) < 25e6


def test_a_damaged_release_is_refused(tmp_path, monkeypatch):
    import finetune.guards.released as released  # noqa: PLC0415 -- to be changed

    copy = tmp_path / "gate"
    copy.mkdir()
    for path in (RELEASES / "gate").iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    (copy / "guard.json").write_text("{}")
    monkeypatch.setattr(released, "RELEASES", tmp_path)
    with pytest.raises(ReleaseError, match=r"guard\.json"):
        load_judge("gate")
