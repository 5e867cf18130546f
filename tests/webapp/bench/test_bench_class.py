"""`bench class`: what counts as a fair order, and as well."""

from __future__ import annotations

import pytest

from webapp.bench.training import Found, Turn, overtaken


@pytest.mark.parametrize(
    ("users", "count"),
    [
        ("abc", 0),
        ("abcabc", 0),
        ("abcaab", 0),
        # Ada's second run came before Cy's first.
        ("abac", 1),
        ("aaabc", 2),
        ("", 0),
    ],
)
def test_a_second_run_before_everybody_had_one_is_counted(
    users: str, count: int
) -> None:
    turns = [Turn(user, "succeeded", n, n + 1) for n, user in enumerate(users)]
    assert overtaken(turns) == count


GOOD = Found(
    students=3, runs=5, finished=5, errors=(), sent_worst=0.5, overtaken=0,
    first_median=5, first_worst=9, all_done=20, pages={"/": 0.2}, page_median=0.1,
    pages_asked=40,
)  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"finished": 4},
        {"errors": ("503",)},
        {"overtaken": 1},
        {"pages": {"/": 0.2, "/train": 1.2}},
    ],
)
def test_one_thing_is_enough_to_be_unwell(change: dict[str, object]) -> None:
    values = {name: getattr(GOOD, name) for name in Found.__dataclass_fields__}
    assert GOOD.is_well
    assert not Found(**{**values, **change}).is_well
