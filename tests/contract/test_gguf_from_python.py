"""A downloaded GGUF file answers in a Python of one's own, by the lines we show."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from finetune.weights.export import write_gguf
from tests.finetune.weights.test_export import write_model
from tests.kit.browser import Browser
from tests.kit.judging import add_model
from webapp.settings import PROJECT


@pytest.fixture(scope="module", params=[False, True], ids=["text", "chat"])
def file(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, bool]:
    """Return a small model as a file, and whether it is one for chats."""
    folder = tmp_path_factory.mktemp("file")
    model = write_model(folder / "model", 400, is_chat=request.param, updates=20)
    path = folder / "tiny.gguf"
    write_gguf(model, path, name="tiny", quality="f16", is_chat=request.param)
    return path, request.param


def run(code: str, folder: Path) -> str:
    """Run code beside the file, in a Python that knows nothing of this project.

    The small model may end at once by chance: it is told not to.
    """
    code = code.replace('"max_tokens": 60', '"max_tokens": 60, "ignore_eos": True')
    done = subprocess.run(
        [sys.executable, "-I", "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_the_lines_of_the_docs_run_a_downloaded_file(
    file: tuple[Path, bool], tmp_path: Path
) -> None:
    text = (PROJECT / "docs" / "train.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(import xllamacpp\n.*?)```", text, re.S)
    (tmp_path / "fish-model.gguf").symlink_to(file[0])
    assert len(run(code, tmp_path).strip()) > 10


def test_the_lines_of_the_page_run_a_downloaded_file(
    file: tuple[Path, bool], app: Flask, tmp_path: Path
) -> None:
    path, is_chat = file
    browser = Browser(app).play("Ada")
    settings = {"answer": "{a}", "is_chat": True} if is_chat else {}
    add_model(
        browser.services, browser.player_id(), "soup", data=settings, prompt="The king"
    )
    page = browser.get("/train/models/soup").text
    (shown,) = re.findall(r'id="python-file" tabindex="0">(.*?)</pre>', page, re.S)
    code = html.unescape(shown)
    assert ("handle_chat_completions" in code) == is_chat
    assert "soup-model.gguf" in code
    (tmp_path / "soup-model.gguf").symlink_to(path)
    assert len(run(code, tmp_path).strip()) > 10
