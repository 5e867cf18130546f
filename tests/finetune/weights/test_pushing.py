"""A model is sent to a hub with a token that is seen nowhere afterwards."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from finetune.jobs.bases import find_base
from finetune.jobs.sending import files_for_hub
from finetune.weights.hub import HubAway, HubError
from finetune.weights.pushing import Target, push
from tests.kit.hub import FakeHub, running_hub

TOKEN = "hf_secretOfAda"
FILES: dict[str, Path | bytes] = {"README.md": b"# Soup", "model.safetensors": b"123"}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with running_hub() as running:
        running.use(monkeypatch)
        running.tokens[TOKEN] = "ada"
        yield running


@pytest.mark.parametrize("is_private", [True, False])
def test_files_come_to_a_repository_that_is_made(
    hub: FakeHub, is_private: bool
) -> None:
    target = Target("ada/soup", TOKEN, is_private=is_private)
    assert push(FILES, target) == f"{hub.url}/ada/soup"
    assert hub.sent == {"ada/soup": FILES}
    assert hub.private == {"ada/soup": is_private}
    # A second time it is a new version of the same.
    push({"README.md": b"# Better soup"}, target)
    assert hub.sent["ada/soup"]["README.md"] == b"# Better soup"


@pytest.mark.parametrize(
    ("repository", "token", "said"),
    [
        ("ada/soup", "hf_wrong", "does not know this token"),
        ("bob/soup", TOKEN, "may not write to bob/soup"),
        ("soup", TOKEN, "names are written owner/name"),
        ("ada/../soup", TOKEN, "names are written owner/name"),
        ("ada/so--up", TOKEN, "does not take the name"),
    ],
)
def test_a_refusal_says_what_to_do_and_not_the_token(
    hub: FakeHub,
    caplog: pytest.LogCaptureFixture,
    repository: str,
    token: str,
    said: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    target = Target(repository, token)
    with pytest.raises(HubError) as caught:
        push(FILES, target)
    assert said in str(caught.value)
    # Tracebacks would show the request, which holds the token.
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert not any(hub.sent.values())
    assert token not in repr(target) + str(caught.value) + caplog.text


def test_a_hub_that_is_broken_or_away(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.is_broken = True
    with pytest.raises(HubError, match="status 503"):
        push(FILES, Target("ada/soup", TOKEN))
    hub.is_broken = False
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(HubAway, match="does not answer"):
        push(FILES, Target("ada/soup", TOKEN))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(HubAway, match="set to stay offline"):
        push(FILES, Target("ada/soup", TOKEN))


def test_an_adapter_names_its_base_as_the_hub_does(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(
        json.dumps({"base_model_name_or_path": "package:here", "r": 4})
    )
    (tmp_path / "card.md").write_text("# Soup")
    files = files_for_hub(
        find_base("smollm2"), is_adapter=True, find=lambda name: tmp_path / name
    )
    assert set(files) == {
        "adapter_model.safetensors", "adapter_config.json", "README.md",
    }  # fmt: skip
    config, readme = files["adapter_config.json"], files["README.md"]
    assert isinstance(config, bytes)
    assert isinstance(readme, bytes)
    there = "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert json.loads(config) == {"base_model_name_or_path": there, "r": 4}
    assert readme.decode().startswith("---\nlibrary_name: peft\n")
    assert f"base_model: {there}\n---\n\n# Soup" in readme.decode()
    assert "license: apache-2.0" in readme.decode()


def test_a_model_from_nothing_has_no_base(tmp_path: Path) -> None:
    (tmp_path / "card.md").write_text("# Soup")
    files = files_for_hub(
        find_base("fresh-small"), is_adapter=False, find=lambda name: tmp_path / name
    )
    assert {"model.safetensors", "config.json", "tokenizer.json"} < set(files)
    readme = files["README.md"]
    assert isinstance(readme, bytes)
    assert b"base_model" not in readme
    assert b"license" not in readme
