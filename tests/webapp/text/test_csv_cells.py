"""Cells that no spreadsheet takes for a formula."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from webapp.text.csv_cells import neutral


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_what_looks_like_a_formula_is_a_text(start: str) -> None:
    assert neutral(f"{start}cmd") == f"'{start}cmd"
    assert neutral(f"x{start}") == f"x{start}"


def test_values_are_written_plainly() -> None:
    moment = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
    values = [None, True, False, -3, 2.5, moment, ""]
    assert [neutral(value) for value in values] == [
        "",
        "yes",
        "no",
        "-3",
        "2.5",
        "2026-05-04 09:30:00",
        "",
    ]
