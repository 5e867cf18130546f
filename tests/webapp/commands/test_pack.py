"""`./wordkeep pack`, as its commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from webapp.cli import main


def test_a_pack_goes_from_one_instance_to_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, arguments, prog_name="./wordkeep")
        return result.exit_code, result.output

    here, there = (str(tmp_path / name) for name in ("here", "there"))
    file = tmp_path / "ours.zip"
    assert run("pack", "export", str(file), "--instance", here)[0] == 1
    assert run("level", "new", "cook", "--instance", here)[0] == 0
    code, said = run("pack", "export", str(file), "game/own", "--instance", here)
    assert (code, "game/own/cook.yaml" in said) == (0, True)
    code, said = run("pack", "import", str(file), "--look", "--instance", there)
    assert (code, "new       game/own/cook.yaml" in said) == (0, True)
    cook = Path(there, "content", "game", "own", "cook.yaml")
    assert not cook.exists()
    code, said = run("pack", "import", str(file), "--instance", there)
    assert (code, "Brought in." in said) == (0, True), said
    assert cook.read_text() == Path(here, "content/game/own/cook.yaml").read_text()
    file.write_bytes(b"hello")
    code, said = run("pack", "import", str(file), "--instance", there)
    assert (code, "not a zip file" in said) == (1, True)
