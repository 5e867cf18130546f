"""The list of released models, and the card of each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune.weights.releases import read_release
from tests.kit.browser import Browser, text_of
from webapp.domain.models import cards
from webapp.settings import PROJECT

CARD = """\
# demo

Says **yes**. <script>alert(1)</script> ![x](https://e.example/x.png)

## Figures

| figure | value |
|---|---:|
| auc | 0.9<br>or so |
| <b>bold</b> | [link](javascript:alert(1)) |

| second |
|---|
| table |
"""
MANIFEST = {
    "name": "demo",
    "kind": "guard",
    "base": {"place": "package:base/model", "sha256": "ab" * 32},
    "files": {"head.safetensors": "2" * 64, "adapter.safetensors": "1" * 64},
    "figures": {"auc": 0.9},
}


@pytest.fixture
def adapters(browser: Browser, tmp_path: Path) -> Path:
    """Return the folder of released models, with one in it and two that are none."""
    folder = tmp_path / "adapters"
    release(folder / "demo")
    release(folder / "half")
    (folder / "half" / "manifest.json").unlink()
    release(folder / "torn", manifest='{"kind": ')
    browser.limit(adapters=folder)
    return folder


def release(folder: Path, manifest: str = json.dumps(MANIFEST)) -> None:
    folder.mkdir(parents=True)
    (folder / "card.md").write_text(CARD, encoding="utf-8")
    (folder / "manifest.json").write_text(manifest)


def test_the_list_has_complete_releases_alone(browser: Browser, adapters: Path) -> None:
    page = browser.get("/models").text
    assert 'href="/models/demo">demo</a>' in page
    assert "<p>Says <strong>yes</strong>. &lt;script&gt;" in page
    assert "Guard model, version" in text_of(page)
    assert "Figures" not in page
    assert "half" not in page
    assert "torn" not in page


def test_a_card_is_rendered_without_what_could_run(
    browser: Browser, adapters: Path
) -> None:
    page = browser.get("/models/demo").text
    told = text_of(page)
    assert page.count("<h1>demo</h1>") == page.count("<h1") == 1
    assert "<strong>yes</strong>. &lt;script&gt;alert(1)" in page
    assert "<img" not in page.partition("<main")[2]
    assert "javascript:" not in page.replace("[link](javascript:alert(1))", "")
    assert "<td>0.9<br>or so</td>" in page
    assert 'aria-label="Table 1"><table class="table">' in page
    assert 'aria-label="Table 2"><table class="table">' in page
    assert page.count("</table></div>") == 2
    assert "package:base/model SHA-256 abababababab …" in told
    assert "adapter.safetensors SHA-256 111111111111 …" in told


@pytest.mark.parametrize("name", ["nobody", "half", "torn", "..", "%2e%2e"])
def test_an_unknown_model_has_no_card(
    browser: Browser, adapters: Path, name: str
) -> None:
    answer = browser.get(f"/models/{name}")
    assert answer.status_code == 404
    assert "Nothing here" in answer.text


def test_a_site_without_releases_says_so(browser: Browser, tmp_path: Path) -> None:
    browser.limit(adapters=tmp_path / "gone")
    page = browser.get("/models").text
    assert "No model has been released here yet." in page


def test_the_version_is_the_one_that_verdicts_name(browser: Browser) -> None:
    for card in cards.cards(browser.services):
        release = read_release(PROJECT / "finetune/adapters" / card.name)
        assert card.version == release.version


def test_the_shipped_cards_are_one_click_away(browser: Browser) -> None:
    assert 'href="/models"' in browser.get("/").text
    assert 'href="/models"' in browser.get("/rules").text
    page = browser.get("/models").text
    for path in (PROJECT / "finetune/adapters").glob("*/card.md"):
        assert f'href="/models/{path.parent.name}"' in page
        assert browser.get(f"/models/{path.parent.name}").status_code == 200
    assert "<h2>Known failures</h2>" in browser.get("/models/gate").text


def test_models_of_the_installation_have_cards_as_well(
    browser: Browser, adapters: Path
) -> None:
    own = browser.services.settings.instance / "models"
    whole = {"name": "own", "kind": "chat", "files": {"model.gguf": "3" * 64}}
    release(own / "own", json.dumps(whole))
    release(own / "demo", json.dumps(whole))
    (own / "cache--of--a-download").mkdir()
    page = browser.get("/models").text
    assert "Language model, version" in text_of(page)
    assert page.count("<h2>") == 2
    page = browser.get("/models/own").text
    assert "model.gguf" in page
    assert "Trained from" not in page
    # The name of a model that comes with the program is not taken over.
    assert "Trained from" in browser.get("/models/demo").text
