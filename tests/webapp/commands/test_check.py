"""`./wordkeep check`, as its command."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from webapp.cli import main

LEVEL = """\
id: my-gate
title: My Gate
story: A gate.
defender:
  model: {model}
  system: The password is {{{{ secret }}}}.
secret: {{words: castle}}
guards:
  input:
    - moderation: {{model: {guard}}}
points: 1
proof: {{solved_by: [Ask.]}}
explain: It works.
"""
DESK = """\
endpoints:
  - name: desk
    kind: openai
    base_url: http://desk.example/v1
"""


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an instance with a ladder of its own, without its level."""
    monkeypatch.setenv("WORDKEEP_INSTANCE", str(tmp_path))
    mine = tmp_path / "content" / "game" / "mine"
    mine.mkdir(parents=True)
    (mine / "ladder.yaml").write_text(
        "id: mine\ntitle: Mine\nstory: One gate.\nlevels: [my-gate]\n"
    )
    return tmp_path


def check(instance: Path, *, model: str, guard: str = "gate") -> tuple[int, str]:
    path = instance / "content" / "game" / "mine" / "my-gate.yaml"
    path.write_text(LEVEL.format(model=model, guard=guard))
    result = CliRunner().invoke(main, ("check", str(path)))
    return result.exit_code, result.output


def test_a_model_that_is_not_there_is_named(instance: Path) -> None:
    status, said = check(instance, model="wardn", guard="gatee")
    assert status == 1
    assert 'my-gate.yaml:5: there is no model "wardn"; did you mean "warden"?' in said
    assert 'my-gate.yaml:10: there is no model "gatee"; did you mean "gate"?' in said
    assert "2 errors" in said


@pytest.mark.parametrize("model", ["warden", "local/warden", "smollm2", "big"])
def test_models_that_are_there(instance: Path, model: str) -> None:
    (instance / "endpoints.yaml").write_text(f"{DESK}    models: {{big: big-7b}}\n")
    assert check(instance, model=model) == (0, "0 errors, 0 warnings.\n")


def test_an_endpoint_that_lists_nothing_may_have_any_model(instance: Path) -> None:
    (instance / "endpoints.yaml").write_text(DESK)
    assert check(instance, model="desk/anything")[0] == 0
