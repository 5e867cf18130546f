"""What the catalogue lists: settings, released adapters, folders of the instance."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import pytest

from finetune.serving.catalogue import sources
from finetune.serving.catalogue.catalogue import Catalogue
from finetune.serving.catalogue.entries import Entry
from finetune.serving.catalogue.headers import HeaderError, read_header
from finetune.serving.catalogue.machine import usable_memory
from finetune.serving.catalogue.manifests import ManifestError, read_manifest
from finetune.serving.catalogue.sources import ModelFolder, fixed_entries
from finetune.serving.errors import ApiError
from finetune.settings import load_settings
from finetune.weights.places import find_file
from finetune.weights.releases import read_release
from finetune.weights.served import ADAPTERS
from tests.kit.models import GGUF_PLACE, add_adapter, finish


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def small(models: Path, name: str, data: bytes = b"GGUF") -> Path:
    """Add a whole model that nobody will load."""
    folder = models / name
    folder.mkdir(parents=True)
    (folder / "model.gguf").write_bytes(data)
    return finish(folder, kind="chat")


def change(folder: Path, **said: Any) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | said))


def catalogue(instance: Path, **chosen: Any) -> Catalogue:
    return Catalogue(load_settings({}, instance=instance, **chosen))


def test_what_is_shipped_is_listed_with_its_figures(tmp_path: Path) -> None:
    found = catalogue(tmp_path)
    shipped = ["warden", "smollm2", "minilm", "gate", "leak", "scribe"]
    assert list(found.entries()) == shipped
    told = {name: found.describe(name) for name in found.entries()}
    assert [told[name]["kind"] for name in told] == [
        "chat",
        "chat",
        "embedding",
        "guard",
        "guard",
        "chat",
    ]
    assert [told[name]["base"] for name in told] == [
        "smollm2",
        None,
        None,
        "minilm",
        "minilm",
        "smollm2",
    ]
    adapters = [name for name in told if told[name]["adapter"]]
    assert adapters == ["warden", "gate", "leak", "scribe"]
    assert {told[name]["licence"] for name in told} == {"apache-2.0"}
    assert [told[name]["reads"] for name in ("gate", "leak")] == ["message", "reply"]
    assert [told[n]["context"] for n in ("warden", "smollm2", "minilm")] == [
        2048,
        2048,
        256,
    ]
    size = find_file(GGUF_PLACE).stat().st_size
    assert told["smollm2"]["bytes"] == size
    assert told["smollm2"]["memory_bytes"] > size
    assert told["gate"]["bytes"] < 25_000_000
    for name in adapters:
        assert told[name]["version"] == read_release(ADAPTERS / name).version
    assert not any(told[name]["loaded"] or told[name]["in_use"] for name in told)
    assert found.problems() == []


def test_the_version_of_a_plain_file_is_read_when_it_is_asked_for(
    tmp_path: Path,
) -> None:
    found = catalogue(tmp_path)
    assert found.describe("smollm2")["version"] == ""
    version = found.describe("smollm2", compute=True)["version"]
    assert version == "b179c9523d0e6a0f"
    assert found.describe("smollm2")["version"] == version
    assert len(found.describe("minilm", compute=True)["version"]) == 16


def test_memory_grows_with_slots_and_context(tmp_path: Path) -> None:
    header = read_header(find_file(GGUF_PLACE))
    assert (header.context, header.licence) == (8192, "apache-2.0")
    # 30 layers, keys and values, 3 heads of 64, 2 bytes each.
    assert header.token_bytes == 30 * 2 * 3 * 64 * 2
    one = header.memory(copies=1, slots=1, context=256)
    assert 100e6 < one < 150e6
    more = header.memory(copies=2, slots=8, context=2048)
    assert more - one > 370e6


@pytest.mark.parametrize("data", [b"", b"GGUF", b"GGUF\3" + b"\xff" * 64, b"PK\3\4"])
def test_another_file_is_not_taken_for_a_model(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    with pytest.raises(HeaderError, match=r"model\.gguf is not a GGUF model file"):
        read_header(path)


def test_a_model_may_not_be_longer_than_it_was_trained_for(tmp_path: Path) -> None:
    found = catalogue(tmp_path, context=100_000)
    assert found.describe("smollm2")["context"] == 8192


def test_a_folder_is_found_changed_and_gone_while_it_runs(tmp_path: Path) -> None:
    clock = Clock()
    folder = ModelFolder(tmp_path, {}, clock=clock)
    assert folder.current().entries == {}
    own = small(tmp_path, "own")
    assert folder.current().entries == {}
    clock.now += 1
    first = folder.current().entries["own"]
    assert (first.kind, first.gguf) == ("chat", own / "model.gguf")
    (own / "model.gguf").write_bytes(b"GGUF, another")
    finish_again(own)
    clock.now += 1
    assert folder.current().entries["own"].version != first.version
    shutil.rmtree(own)
    clock.now += 1
    assert folder.current() == ({}, ())


def finish_again(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    finish(folder, kind="chat")


def test_unchanged_folders_are_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def count(folder: Path) -> Any:
        read.append(folder.name)
        return read_manifest(folder)

    monkeypatch.setattr(sources, "read_manifest", count)
    clock = Clock()
    folder = ModelFolder(tmp_path, {}, clock=clock)
    small(tmp_path, "own")
    for _ in range(5):
        folder.current()
        clock.now += 1
    assert read == ["own"]


def test_what_breaks_keeps_its_last_good_entry_and_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    folder = ModelFolder(tmp_path, {}, clock=clock)
    own = small(tmp_path, "own")
    good = folder.current().entries["own"]
    (own / "manifest.json").write_text("{")
    for _ in range(3):
        clock.now += 1
        found = folder.current()
        assert found.entries == {"own": good}
        (problem,) = found.problems
        assert f"{tmp_path.name}/own/manifest.json cannot be used" in problem
    told = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert len(told) == 1
    finish_again(own)
    clock.now += 1
    assert folder.current() == ({"own": good}, ())


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no kind": ({"kind": "wizard"}, "kind: Input should be"),
    "no files": ({"files": {}}, "files: Dictionary should have at least 1 item"),
    "missing file": ({"files": {"gone.gguf": "0"}}, "gone.gguf is missing"),
    "out of the folder": ({"files": {"../x.gguf": "0"}}, "String should match pattern"),
    "absolute": ({"files": {"/etc/passwd": "0"}}, "String should match pattern"),
    "hidden way out": ({"files": {"a/../../x": "0"}}, "String should match pattern"),
    "a name that leads out": ({"name": "../../x"}, "name: String should match pattern"),
    "no gguf": ({"files": {"weights.safetensors": "0"}}, "is one GGUF file"),
    "adapted embedder": (
        {"kind": "embedding", "base": {"place": "x", "sha256": "y"}},
        "its manifest.json has no base",
    ),
    "guard of nothing": ({"kind": "guard"}, "a guard needs the base"),
}


@pytest.mark.parametrize(("said", "says"), BROKEN.values(), ids=BROKEN)
def test_a_broken_manifest_is_one_clear_sentence(
    tmp_path: Path, said: dict[str, Any], says: str
) -> None:
    own = small(tmp_path / "models", "own")
    (own / "weights.safetensors").write_bytes(b"")
    change(own, **said)
    with pytest.raises(ManifestError) as caught:
        read_manifest(own)
    assert says in str(caught.value)
    assert "models/own" in str(caught.value)
    assert "\n" not in str(caught.value)
    found = ModelFolder(tmp_path / "models", {}).current()
    assert (found.entries, len(found.problems)) == ({}, 1)


@pytest.mark.parametrize("text", [b"", b"[]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_a_manifest_that_is_no_manifest(tmp_path: Path, text: bytes) -> None:
    own = small(tmp_path / "models", "own")
    (own / "manifest.json").write_bytes(text)
    with pytest.raises(ManifestError, match=r"own/manifest\.json cannot be used"):
        read_manifest(own)


@pytest.mark.parametrize(
    "name", ["with space", "-x", ".hidden", "ünï", "a\nb", "x" * 81]
)
def test_a_folder_with_an_odd_name_is_told_and_not_listed(
    tmp_path: Path, name: str
) -> None:
    small(tmp_path / "models", "good")
    small(tmp_path / "models", name)
    found = ModelFolder(tmp_path / "models", {}).current()
    assert list(found.entries) == ["good"]
    (problem,) = found.problems
    assert "cannot be the name of a model" in problem
    assert "\n" not in problem


def test_folders_without_a_manifest_are_not_models(tmp_path: Path) -> None:
    """Caches lie there as well, and a model that is still being copied."""
    (tmp_path / "models--someone--small" / "snapshots").mkdir(parents=True)
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "model.gguf").write_bytes(b"GGUF")
    (tmp_path / "warden-0123.gguf").write_bytes(b"GGUF")
    assert ModelFolder(tmp_path, {}).current() == ({}, ())
    assert ModelFolder(tmp_path / "nowhere", {}).current() == ({}, ())


def test_a_name_that_is_taken_is_told(tmp_path: Path) -> None:
    small(tmp_path / "models", "warden")
    found = catalogue(tmp_path)
    assert found.entries()["warden"].folder == ADAPTERS / "warden"
    (problem,) = found.problems()
    assert "another model has the name warden already" in problem


def test_a_released_adapter_needs_no_setting(tmp_path: Path) -> None:
    adapters = tmp_path / "adapters"
    add_adapter(adapters, "porter", of="warden")
    add_adapter(adapters, "bouncer", of="gate")
    (adapters / "broken").mkdir()
    (adapters / "broken" / "manifest.json").write_text("{}")
    found = fixed_entries(load_settings({}, chat_models=f"own={GGUF_PLACE}"), adapters)
    kinds = {name: entry.kind for name, entry in found.entries.items()}
    assert kinds == {
        "own": "chat",
        "minilm": "embedding",
        "bouncer": "guard",
        "porter": "chat",
    }
    assert len(found.problems) == 1


def test_files_that_are_not_what_the_manifest_says_are_not_loaded(
    tmp_path: Path,
) -> None:
    own = tmp_path / "models" / "own"
    own.mkdir(parents=True)
    shutil.copyfile(find_file(GGUF_PLACE), own / "model.gguf")
    finish(own, kind="chat")
    with (own / "model.gguf").open("r+b") as file:
        file.seek(50_000_000)
        file.write(b"spoiled")
    found = catalogue(tmp_path)
    with pytest.raises(ApiError, match="is not what its manifest says") as caught:
        found.chat("own")
    assert caught.value.code == "failed"


@pytest.mark.parametrize("kind", ["chat", "talker", "embedder", "judge"])
@pytest.mark.parametrize(
    "name", ["../warden", "../../adapters/gate", "/etc/passwd", "", "warden/", "a\0b"]
)
def test_names_from_outside_are_looked_up_and_never_opened(
    tmp_path: Path, kind: str, name: str
) -> None:
    with pytest.raises(ApiError) as caught:
        getattr(catalogue(tmp_path), kind)(name)
    assert caught.value.code == "model_not_found"


def test_a_base_model_does_not_chat(tmp_path: Path) -> None:
    own = small(tmp_path / "models", "raw")
    change(own, kind="base")
    with pytest.raises(ApiError, match="use /v1/completions") as caught:
        catalogue(tmp_path).chat("raw")
    assert (caught.value.status, caught.value.code) == (400, "wrong_kind")


def test_a_wrong_preload_is_told_and_stops_nothing(tmp_path: Path) -> None:
    found = catalogue(tmp_path, preload="nobody")
    assert found.state("chat") == "ready"
    (problem,) = found.problems()
    assert "WORDKEEP_SIDECAR_PRELOAD names nobody" in problem


def test_a_guard_is_found_by_what_it_reads(tmp_path: Path) -> None:
    found = catalogue(tmp_path)
    assert found.usual_guard("message") == "gate"
    assert found.usual_guard("reply") == "leak"


def test_without_a_guard_for_messages_the_answer_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = catalogue(tmp_path)
    entries = found.entries()
    monkeypatch.setattr(found, "entries", lambda: {"leak": entries["leak"]})
    with pytest.raises(ApiError) as caught:
        found.usual_guard("message")
    assert (caught.value.status, caught.value.code) == (404, "model_not_found")
    assert caught.value.message == "No guard here reads a message. Guards: leak."


def test_the_memory_is_that_of_the_machine_or_its_container() -> None:
    assert 100e6 < usable_memory() < 1 << 50


def test_entries_are_the_same_only_with_the_same_weights() -> None:
    assert Entry("a", "chat", "p", "1") == Entry("a", "chat", "p", "1")
    assert Entry("a", "chat", "p", "1") != Entry("a", "chat", "p", "2")
