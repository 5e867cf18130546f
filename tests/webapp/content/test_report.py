"""A published report that is broken says so in one sentence with its line."""

import json

import pytest

from webapp.content.report import MAX_REPORT_BYTES, ReportMistake, read_report

pytestmark = pytest.mark.unit

REPORT = {
    "ladder": "keep",
    "made_at": "2026-01-31T17:45:00Z",
    "attacks_from": "here",
    "attacks_hash": "0",
    "families": {"one": 1},
    "secrets": 1,
    "seeds": 1,
    "seconds": 1.5,
    "levels": [],
    "results": [{"level": "open", "attack": 0, "success": True, "wins": 1, "plays": 1}],
}


def test_a_report_is_read() -> None:
    assert read_report(json.dumps(REPORT).encode()).results[0].wins == 1


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (b'{\n"ladder": }', 2, "not JSON: Expecting value"),
        (b"\xff", 1, "this is not readable as JSON"),
        (b"[" * 100_000, 1, "this is not readable as JSON"),
        (b"[]", 1, "the file must be a mapping"),
        (b" " * (MAX_REPORT_BYTES + 1), 1, "the file has 5,000,001 bytes"),
        ({"seeds": "many"}, 1, '"seeds" must be a whole number'),
        ({"seed": 1}, 1, 'unknown key "seed"'),
        ({"results": [{}]}, 1, '"results[1].level" is missing'),
        ({"families": [[[[1]]]]}, 1, '"families" must be a mapping'),
    ],
)
def test_a_broken_one_is_not(
    data: bytes | dict[str, object], line: int, message: str
) -> None:
    raw = data if isinstance(data, bytes) else json.dumps(REPORT | data).encode()
    with pytest.raises(ReportMistake) as caught:
        read_report(raw)
    assert (caught.value.line, caught.value.message) == (line, message)
