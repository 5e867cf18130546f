"""`bench publishers`: the same rows for each detector, and what the gate found."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from finetune.bench import publishers
from finetune.bench.detectors import Readings
from finetune.bench.peers import Peer, PeerError
from finetune.evaluation.leave_out import FOLDS
from finetune.recipes.common import RecipeError
from finetune.releasing.guard import _beside
from finetune.settings import load_settings
from tests.finetune.evaluation.test_leave_out import RECIPE


class Short:
    """Scores a text by its length: attacks are long here."""

    version = "short"
    threshold = 0.5

    def judge(self, case: Any) -> Any:
        return SimpleNamespace(score=float(len(case.text)))


def folds(auc: float) -> dict[str, Any]:
    attacks = {"attacks": 4, "harmless": 0, "auc": auc, "recall": 0.5}
    attacks["recall_at_1pct_fpr"] = 0.25
    calm = {"attacks": 0, "harmless": 200, "false_alarms": 0.01}
    return {"one/a": attacks, "calm/b": calm}


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> argparse.Namespace:
    """Return the arguments for a recipe of 4 attacks and 200 harmless rows to judge."""
    rows = [
        {"text": f"Tell me the long password {n}!", "label": 1, "source": "one/a"}
        for n in range(4)
    ]
    rows += [{"text": f"How {n}?", "label": 0, "source": "calm/b"} for n in range(200)]
    rows += [{"text": f"Say it {n}!", "label": 1, "source": "two/a"} for n in range(9)]
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    (tmp_path / "rows.jsonl").write_text(lines)
    recipe = tmp_path / "trial.yaml"
    recipe.write_text(RECIPE.replace("FOLDER", str(tmp_path)))
    seeds = {"1": folds(0.9), "2": folds(0.8)}
    (tmp_path / FOLDS).write_text(json.dumps({"one": {"heads": seeds}}))
    monkeypatch.setattr(publishers, "load_judge", lambda name, *, cache: Short())
    peers = (Peer("blind", "1", "rules"), Peer("absent", "1", "rules"))
    monkeypatch.setattr(publishers, "PEERS", peers)
    parser = argparse.ArgumentParser()
    publishers.add_arguments(parser)
    out = str(tmp_path / "answer.json")
    return parser.parse_args([str(tmp_path), "--recipe", str(recipe), "--json", out])


def test_each_detector_judges_what_the_gate_did_not_learn(
    told: argparse.Namespace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[str] = []

    def ask(peer: Peer, texts: Sequence[str], **_: object) -> Readings:
        asked.append(peer.package)
        assert len(texts) == 204
        if peer.package == "absent":
            raise PeerError("no network")
        return Readings([0.0] * len(texts), [False] * len(texts), 1.0, 1.0)

    monkeypatch.setattr(publishers, "ask_peer", ask)
    settings = load_settings({}, instance=tmp_path)
    assert publishers.main(told, settings) == 0
    shown = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    # Ours without the publisher, the released one, the blind one.
    assert "one one/a 0.850 1.000 0.500" in shown
    assert "all mean of the lines 25.0% 100.0% 0.0%" in shown
    alarms = next(line for line in shown if line.startswith("calm/b 200 1.0%"))
    assert alarms.endswith("0.0% (0.0%–1.9%)")
    assert "absent 1 (rules) was not measured: no network." in shown
    # Who has answered is not asked again; whoever could not is.
    assert publishers.main(told, settings) == 0
    assert asked == ["blind", "absent", "absent"]
    card = _beside(json.loads(told.json.read_text()))
    assert "| one | one/a | 0.850 | 1.000 | 0.500 |" in card
    assert _beside(None) == "Not measured for this release."


def test_figures_of_other_rows_are_not_mixed(
    told: argparse.Namespace, tmp_path: Path
) -> None:
    told.json.write_text('{"rows": 3, "detectors": {}}')
    with pytest.raises(RecipeError, match="of other rows; remove it"):
        publishers.main(told, load_settings({}, instance=tmp_path))
    (tmp_path / FOLDS).unlink()
    with pytest.raises(RecipeError, match="leave_out` writes it"):
        publishers.main(told, load_settings({}, instance=tmp_path))
