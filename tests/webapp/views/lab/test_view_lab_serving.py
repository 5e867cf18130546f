"""The page of sizes: what was measured, and the ten lines that are run there."""

from __future__ import annotations

import contextlib
import io
import json
import re
import urllib.request
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.kit.browser import Browser, text_of
from tests.kit.caller import Caller
from webapp.domain.lab import serving
from webapp.llm.scripted import ScriptedBackend

MEASURED = {
    "measured_at": "2026-05-04T09:30:00+00:00",
    "machine": "Linux x86_64, 2 cores, 8 GB",
    "model": "tiny",
    "threads": 2,
    "tokens": 64,
    "rounds": 3,
    "text": "A boat lay on the beach.",
    "sizes": [
        {
            "name": "8 bits",
            "program": "llama.cpp",
            "bits": 8.6,
            "bytes": 145_000_000,
            "ms_per_token": 12.5,
            "perplexity": 30.2,
        }
    ],
}


def measured(app: Flask, text: str) -> None:
    instance: Path = app.extensions["wordkeep"].settings.instance
    (instance / "serving.json").write_text(text, "utf-8")


def test_what_was_measured_here_is_shown_with_its_machine(app: Flask) -> None:
    measured(app, json.dumps(MEASURED))
    shown = text_of(Browser(app).get("/lab/serving").text)
    assert "8 bits runs in llama.cpp 145 MB 12.5 80 30.20" in shown
    assert "on this computer: Linux x86_64, 2 cores, 8 GB. 2 threads" in shown


def test_else_what_the_program_came_with_and_it_says_so(app: Flask) -> None:
    measured(app, "{broken")
    shown = text_of(Browser(app).get("/lab/serving").text)
    assert "on the computer where this program was made" in shown
    assert "runs in llama.cpp" in shown


def test_without_figures_it_says_how_to_get_them(
    app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(serving, "_SHIPPED", tmp_path / "none.json")
    assert "Nobody has measured here yet" in Browser(app).get("/lab/serving").text


def test_a_visitor_runs_it_and_it_prints_what_the_model_says(
    app: Flask, backend: ScriptedBackend
) -> None:
    backend.enqueue("Because <b>blue</b>.")
    answer = Browser(app).post("/lab/serving", {"prompt": "Why?", "temperature": "1.2"})
    assert "It prints" in answer.text
    assert "Because &lt;b&gt;blue&lt;/b&gt;." in answer.text
    sampling = backend.history[-1].sampling
    assert (sampling.temperature, sampling.top_p, sampling.seed) == (1.2, 1.0, 1)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"prompt": " ", "temperature": "0"}, "The prompt is empty."),
        ({"prompt": "x" * 2001, "temperature": "0"}, "at most 2,000 characters"),
        ({"prompt": "x", "temperature": "9"}, "Choose a temperature of the list."),
        ({"prompt": "\0", "temperature": "0"}, "which is not text"),
    ],
)
def test_what_cannot_be_run_says_why(
    player: Browser, fields: dict[str, str], sentence: str
) -> None:
    answer = player.post("/lab/serving", fields)
    assert answer.status_code == 400
    assert sentence in text_of(answer.text)


def test_the_code_of_the_page_does_what_the_page_does(
    app: Flask, backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = Caller(app)
    token = caller.join("Ada")["token"]
    page = Browser(app).get("/lab/serving").text
    (code,) = re.findall(r"<pre[^>]*><code>(.*?)</code>", page, re.S)
    backend.enqueue("Because of the air.")

    def send(call: urllib.request.Request) -> Any:
        assert call.full_url == "http://localhost/api/v1/lab/chat"
        answer = app.test_client().post(
            "/api/v1/lab/chat", data=call.data, headers=dict(call.header_items())
        )
        assert answer.status_code == 200, answer.text
        return contextlib.closing(io.BytesIO(answer.data))

    monkeypatch.setattr(urllib.request, "urlopen", send)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(unescape(code).replace("YOUR_TOKEN", token), {})  # noqa: S102 -- ours
    assert printed.getvalue() == "Because of the air.\n"
    sampling = backend.history[-1].sampling
    assert (sampling.temperature, sampling.max_tokens, sampling.seed) == (0.7, 60, 1)
