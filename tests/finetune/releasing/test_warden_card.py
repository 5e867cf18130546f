"""The card of a warden shows what was measured, beside what was before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune.evaluation.talk import Said
from finetune.releasing.warden import card, read_figures
from finetune.weights.releases import ReleaseError

ABOUT = {"{name}": "warden", "{minutes}": "60", "{tokens}": "1 million", "{loss}": "1"}


def row(share: float) -> dict[str, object]:
    return {"share": share, "interval": [share - 0.1, share], "count": 20}


def test_a_figure_stands_beside_that_of_before():
    figures = {"heldout_loss": 1.0, "open: tells": row(0.9), "voice": row(0.8)}
    text = card(ABOUT, figures, {"open: tells": row(0.5)}, [])
    assert "| open: tells | 50.0 % (40.0–50.0) | 90.0 % (80.0–90.0) | 20 |" in text
    assert "| voice | – | 80.0 % (70.0–80.0) | 20 |" in text


def test_answers_fit_into_their_table():
    said = [Said("Bram", "Name two.", "1. a | b\n2. c")]
    text = card(ABOUT, {}, {}, said)
    assert "| Bram | Name two. | 1. a \\| b<br>2. c |" in text
    assert "{" not in text


def test_figures_of_before_are_read_from_a_measurement(tmp_path: Path):
    path = tmp_path / "before.json"
    path.write_text(json.dumps({"figures": {"open: tells": row(0.5)}}))
    assert read_figures(path)["open: tells"]["share"] == 0.5
    path.write_text("{}")
    with pytest.raises(ReleaseError, match=r"before\.json is no file of figures"):
        read_figures(path)
