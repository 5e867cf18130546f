"""`python -m finetune data FILE` says in words what is in a file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from finetune.__main__ import main


def run(capsys: pytest.CaptureFixture[str], *given: str) -> tuple[int, str]:
    status = main(["data", *given])
    printed = capsys.readouterr()
    return status, printed.out + printed.err


def test_a_file_is_described(tmp_path: Path, capsys):
    path = tmp_path / "rows.csv"
    rows = "\n".join(f"question {n},answer {n}" for n in range(100))
    path.write_text(f"question,answer\n{rows}\n")
    status, said = run(capsys, str(path))
    assert status == 0
    assert "100 rows of csv in utf-8; columns: question, answer" in said
    assert "--text '{question}\\n' --answer '{answer}'" in said
    assert "80 texts to learn from, 10 to judge by, 10 locked" in said
    assert "! This is too little to judge by" in said
    status, said = run(
        capsys, str(path), "--text", "Q: {question}", "--answer", " A: {answer}"
    )
    assert status == 0
    assert "  | Q: question " in said
    assert " A: answer " in said


def test_what_is_wrong_is_one_sentence(tmp_path: Path, capsys):
    path = tmp_path / "rows.txt"
    path.write_text("one\ntwo\n")
    status, said = run(capsys, str(path))
    assert status == 1
    assert "x There are 2 different texts" in said
    status, said = run(capsys, str(path), "--text", "{title}")
    assert (status, said.count("\n")) == (2, 1)
    assert "no column {title}" in said
    status, said = run(capsys, str(path), "--documents", "paragraphs")
    assert (status, said.count("\n")) == (2, 1)


def test_texts_are_read_without_torch():
    """The site's sidecar reads files while it serves; torch would cost it seconds."""
    script = (
        "import sys; import finetune.data.texts.command, finetune.data.shipped;"
        "heavy = {'torch', 'transformers', 'scipy'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
