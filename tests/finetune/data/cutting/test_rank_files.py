"""Files of tiktoken: ranks become numbers, and merges are found again."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from finetune.data.cutting.rank_files import RankFileError, read_ranks

MERGED = [b"th", b"the", b" the", b"an", b" an", b"and", b" and", b"  ", b"\r\n"]


def write(folder: Path, name: str = "cl100k_base.tiktoken") -> Path:
    """Write a small file: all bytes, then merges by rank."""
    tokens = [*(bytes([byte]) for byte in range(256)), *MERGED]
    lines = [
        base64.b64encode(token) + b" %d\n" % rank for rank, token in enumerate(tokens)
    ]
    path = folder / name
    path.write_bytes(b"".join(lines))
    return path


def test_a_text_gets_the_ranks_as_numbers(tmp_path: Path) -> None:
    found = read_ranks(write(tmp_path)).encode("the and then\r\n")
    assert found.ids == [257, 262, 258, ord("n"), 264]
    assert "Ġand" in found.tokens


def test_the_end_of_a_text_is_not_the_end_of_a_line(tmp_path: Path) -> None:
    found = read_ranks(write(tmp_path)).encode("a\r\nb  ")
    assert found.ids == [ord("a"), 264, ord("b"), 263]


def test_what_is_cut_in_an_unknown_way_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RankFileError, match="how it cuts a text is not known"):
        read_ranks(write(tmp_path, "mine.tiktoken"))
    broken = tmp_path / "o200k_base.tiktoken"
    broken.write_text("no ranks at all")
    with pytest.raises(RankFileError, match="not a file of tiktoken"):
        read_ranks(broken)
