"""The store of files: names, ids, and nothing half-written."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from finetune.jobs.errors import CannotKeep, NoSuch
from finetune.jobs.files import FileStore, clean_name


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("rows.csv", "rows.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\my rows.csv", "my rows.csv"),
        ("größe (2).txt", "größe (2).txt"),
        ("a<script>.txt", "a_script_.txt"),
        ('x"\r\nSet-Cookie: a.txt', "x___Set-Cookie_ a.txt"),
        ("..", "data.txt"),
        ("", "data.txt"),
        ("a" * 300 + ".jsonl", "a" * 114 + ".jsonl"),
    ],
)
def test_names_are_cleaned(given: str, kept: str) -> None:
    assert clean_name(given) == kept


def test_a_file_without_its_json_was_never_complete(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    kept = store.add(io.BytesIO(b"text"), filename="a.txt", purpose="fine-tune")
    assert store.path(kept.id).read_bytes() == b"text"
    (tmp_path / f"{kept.id}.about.json").unlink()
    assert store.all() == []
    with pytest.raises(NoSuch):
        store.path(kept.id)


def test_half_a_file_is_not_left(tmp_path: Path) -> None:
    class Breaks(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise OSError(28, "No space left on device")
            return super().read(4)

    store = FileStore(tmp_path)
    with pytest.raises(CannotKeep, match="disk of this computer is full"):
        store.add(Breaks(b"x" * 100), filename="a.txt", purpose="fine-tune")
    assert list(tmp_path.iterdir()) == []


def test_what_is_gone_from_the_disk_is_not_found(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    kept = store.add(io.BytesIO(b"text"), filename="a.jsonl", purpose="fine-tune")
    store.path(kept.id).unlink()
    with pytest.raises(NoSuch, match="There is no file"):
        store.path(kept.id)
