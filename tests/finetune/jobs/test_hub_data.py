"""Rows of data sets of a hub, with a hub on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from finetune.jobs.errors import JobError
from finetune.jobs.files import FileStore, KeptFile
from finetune.jobs.hub_data import HubData
from finetune.weights.hub import HubAway, HubError
from tests.kit.hub import FakeHub, running_hub

NAME = "tiny/sums"
ROWS = [{"question": f"{n} plus é?", "answer": {"n": n}} for n in range(250)]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with running_hub() as running:
        running.data[NAME] = list(ROWS)
        running.about[NAME] = {"cardData": {"license": ["cc0-1.0", "mit"]}}
        running.use(monkeypatch)
        yield running


@pytest.fixture
def files(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files")


def fetch(hub: FakeHub, files: FileStore, most: int = 10**6, **asked: Any) -> KeptFile:
    chosen: dict[str, Any] = {
        "name": NAME,
        "subset": "",
        "split": "",
        "rows": 120,
    } | asked
    return HubData(hub.url, most_bytes=most).fetch(files, **chosen)


def rows_of(files: FileStore, kept: KeptFile) -> list[dict[str, Any]]:
    lines = files.path(kept.id).read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_the_first_rows_become_a_file(hub: FakeHub, files: FileStore):
    kept = fetch(hub, files)
    assert rows_of(files, kept) == ROWS[:120]
    assert kept.filename == "tiny-sums-plain-train.jsonl"
    assert kept.origin == {
        "name": NAME,
        "subset": "plain",
        "split": "train",
        "rows": 120,
        "licence": "cc0-1.0, mit",
    }
    assert files.get(kept.id) == kept
    # Not more is read than is wanted: a hundred, and twenty.
    assert hub.asked.count("/rows") == 2


def test_a_set_may_end_before(hub: FakeHub, files: FileStore):
    assert rows_of(files, fetch(hub, files, rows=10_000)) == ROWS
    assert hub.asked.count("/rows") == 3


def test_a_file_is_only_so_large(hub: FakeHub, files: FileStore):
    kept = fetch(hub, files, most=1000, rows=250)
    assert kept.bytes <= 1000
    found = rows_of(files, kept)
    assert found == ROWS[: len(found)]
    assert kept.origin is not None
    assert kept.origin["rows"] == len(found)


def test_what_came_in_time_is_kept(
    hub: FakeHub, files: FileStore, monkeypatch: pytest.MonkeyPatch
):
    times = iter([0.0, 1.0, 46.0])
    monkeypatch.setattr("finetune.jobs.hub_data.time.monotonic", lambda: next(times))
    assert len(rows_of(files, fetch(hub, files, rows=250))) == 100


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"name": "tiny/nothing"}, "has no data set tiny/nothing whose rows everybody"),
        ({"name": "../../etc"}, "is not the name of a data set"),
        ({"subset": "other"}, "has no subset 'other': there is plain"),
        ({"split": "dev"}, "has no split 'dev': there is train, test"),
    ],
)
def test_what_is_not_there_is_said(
    hub: FakeHub, files: FileStore, asked: dict[str, Any], problem: str
):
    with pytest.raises(JobError, match=problem):
        fetch(hub, files, **asked)
    assert files.all() == []


def test_an_empty_set_makes_no_file(hub: FakeHub, files: FileStore):
    hub.data[NAME] = []
    with pytest.raises(JobError, match="gave no rows"):
        fetch(hub, files)
    assert files.all() == []


def test_without_the_internet_it_is_said(
    hub: FakeHub, files: FileStore, monkeypatch: pytest.MonkeyPatch
):
    hub.is_broken = True
    with pytest.raises(HubError, match="cannot give rows of tiny/sums now"):
        fetch(hub, files)
    hub.url = "http://127.0.0.1:9"
    with pytest.raises(HubAway, match="does not answer: connect this computer"):
        fetch(hub, files)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(HubAway, match="set to stay offline"):
        fetch(hub, files)
    assert files.all() == []
