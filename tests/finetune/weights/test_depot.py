"""What machines share by URL: whole or not at all, on S3 and in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from finetune.settings import SettingsError, load_settings
from finetune.weights.depot import Depot, DepotError, DepotRefused, open_depot
from tests.kit.bucket import NAME, Bucket, closing_depot, running_bucket

JOBS_URL = "postgresql+psycopg://w:hush@h/d"


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with running_bucket() as bucket, pytest.MonkeyPatch.context() as patch:
        for name, value in bucket.env.items():
            patch.setenv(name, value)
        yield bucket


@pytest.fixture
def on_s3(bucket: Bucket, tmp_path: Path) -> Iterator[Depot]:
    # Each test has a folder of the bucket to itself.
    url = f"s3://{NAME}/{tmp_path.name}"
    with closing_depot(url, tmp_path / "incoming") as depot:
        yield depot


@pytest.fixture(params=["file", "s3"])
def depot(request: pytest.FixtureRequest, tmp_path: Path) -> Depot:
    if request.param == "s3":
        found: Depot = request.getfixturevalue("on_s3")
        return found
    return open_depot(f"file://{tmp_path}/there", incoming=tmp_path / "incoming")


def write(folder: Path, **texts: str) -> dict[str, Path]:
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text)
    return {name: folder / name for name in texts}


def read(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_bundle_arrives_as_it_was_sent(depot: Depot, tmp_path: Path) -> None:
    depot.check()
    files = write(tmp_path / "mine", a="one", b="two")
    depot.send("runs/x", {"a": files["a"], "deep/b": files["b"]}, progress=7)
    bundle = depot.look("runs/x")
    assert bundle is not None
    assert bundle.progress == 7
    assert depot.bring("runs/x", tmp_path / "theirs")
    assert read(tmp_path / "theirs") == {"a": "one", "deep/b": "two"}
    assert list((tmp_path / "incoming").iterdir()) == []


def test_what_is_not_there_is_not_brought(depot: Depot, tmp_path: Path) -> None:
    assert depot.look("runs/none") is None
    assert not depot.bring("runs/none", tmp_path / "theirs")
    assert not depot.bring_log("none", tmp_path / "log")
    assert depot.versions("models") == {}
    assert not (tmp_path / "theirs").exists()


def test_a_new_state_takes_the_place_of_the_old_one(
    depot: Depot, tmp_path: Path
) -> None:
    depot.send("models/m", write(tmp_path / "mine", a="old", b="stays"))
    depot.bring("models/m", tmp_path / "theirs")
    before = depot.versions("models")
    depot.send("models/m", write(tmp_path / "mine", a="new", c="more"))
    assert depot.bring("models/m", tmp_path / "theirs")
    assert read(tmp_path / "theirs") == {"a": "new", "c": "more"}
    after = depot.versions("models")
    assert set(before) == set(after) == {"m"}
    assert before != after


def test_some_files_come_into_a_folder_with_others(
    depot: Depot, tmp_path: Path
) -> None:
    depot.send("files/f", write(tmp_path / "mine", a="one", b="two"))
    write(tmp_path / "theirs", other="here")
    assert depot.bring_files("files/f", tmp_path / "theirs", frozenset({"b", "z"}))
    assert read(tmp_path / "theirs") == {"b": "two", "other": "here"}


def test_a_log_only_grows(depot: Depot, tmp_path: Path) -> None:
    (mine,) = write(tmp_path / "mine", log="one\n").values()
    depot.send_log("x", mine)
    theirs = tmp_path / "theirs.log"
    assert depot.bring_log("x", theirs)
    assert not depot.bring_log("x", theirs)
    theirs.write_text("one\ntwo\nthree\n")
    assert not depot.bring_log("x", theirs)
    assert theirs.read_text() == "one\ntwo\nthree\n"


def test_what_is_removed_is_gone(depot: Depot, tmp_path: Path) -> None:
    depot.send("models/m", write(tmp_path / "mine", a="one"))
    depot.remove("models/m")
    assert depot.look("models/m") is None
    assert depot.versions("models") == {}
    depot.remove("models/m")


def test_what_was_damaged_is_not_taken(
    on_s3: Depot, bucket: Bucket, tmp_path: Path
) -> None:
    on_s3.send("models/m", write(tmp_path / "mine", a="one"))
    write(tmp_path / "theirs", a="before")
    (broken,) = bucket.keys(f"{tmp_path.name}/objects")
    bucket.put(broken, b"two")
    with pytest.raises(DepotRefused, match="a of models/m is not what was put into"):
        on_s3.bring("models/m", tmp_path / "theirs")
    assert read(tmp_path / "theirs") == {"a": "before"}


def test_no_file_leads_out_of_its_folder(
    on_s3: Depot, bucket: Bucket, tmp_path: Path
) -> None:
    index = f"{tmp_path.name}/index/models"
    bucket.put(f"{index}/m.json", b'{"files": {"../../evil": "00"}, "progress": 0}')
    with pytest.raises(DepotRefused, match="names a file outside"):
        on_s3.bring("models/m", tmp_path / "theirs")
    # A name that would be the folder above all models is none.
    bucket.put(f"{index}/...json", b"{}")
    assert set(on_s3.versions("models")) == {"m"}


def test_no_such_bucket_is_said(bucket: Bucket, tmp_path: Path) -> None:
    with (
        closing_depot("s3://no-such-bucket/x", tmp_path) as depot,
        pytest.raises(DepotRefused, match="There is no bucket no-such-bucket: make it"),
    ):
        depot.check()


def test_a_site_without_its_bucket_is_told(bucket: Bucket, tmp_path: Path) -> None:
    with (
        closing_depot("s3://no-such-bucket/x", tmp_path) as depot,
        pytest.raises(DepotRefused, match="There is no bucket no-such-bucket: make it"),
    ):
        depot.mark()


def test_the_mark_of_a_depot_stays(depot: Depot) -> None:
    assert depot.mark() == depot.mark() != ""


def test_wrong_keys_are_said(on_s3: Depot, bucket: Bucket) -> None:
    bucket.refuse(is_refusing=True)
    try:
        with pytest.raises(DepotRefused, match="refuses us: see that its keys"):
            on_s3.check()
    finally:
        bucket.refuse(is_refusing=False)
    on_s3.check()


def test_one_that_does_not_answer_may_come_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    with (
        closing_depot("s3://class/away", tmp_path) as depot,
        pytest.raises(DepotError, match="class/away does not answer") as caught,
    ):
        depot.check()
    assert not isinstance(caught.value, DepotRefused)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"jobs_url": JOBS_URL}, "JOBS_URL needs WORDKEEP_SIDECAR_STORE_URL too"),
        ({"store_url": "s3://class"}, "STORE_URL needs WORDKEEP_SIDECAR_JOBS_URL too"),
        (
            {"jobs_url": "mysql://w:hush@h/d", "store_url": "s3://class"},
            "JOBS_URL must be like postgresql",
        ),
        (
            {"jobs_url": JOBS_URL, "store_url": "s3://key:hush@class"},
            "STORE_URL must be like s3://bucket/folder",
        ),
        ({"machine": "a:b"}, "MACHINE must be letters, digits, dots and hyphens"),
    ],
)
def test_what_cannot_be_shared_is_said(given: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError, match=told) as caught:
        load_settings({}, **given)
    assert "hush" not in str(caught.value)
