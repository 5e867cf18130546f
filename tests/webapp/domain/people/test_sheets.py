"""Names are found in whatever a spreadsheet writes."""

from __future__ import annotations

import pytest

from webapp.domain.people import sheets
from webapp.errors import InvalidInput

NAMES = ["Ada", "Zoë", "Jürgen", "Brontë"]


def names(content: bytes | str) -> list[str]:
    return [entry.text for entry in sheets.read(content).entries]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_encoding_of_excel(encoding: str, end: str) -> None:
    assert names(end.join(NAMES).encode(encoding)) == NAMES


def test_an_old_encoding_is_told() -> None:
    sheet = sheets.read("\n".join(NAMES).encode("cp1252"))
    assert sheet.notes == (
        "The file is in the old encoding Windows-1252. If letters look wrong, save it "
        "as CSV (UTF-8) and choose it again.",
    )
    assert sheets.read("\n".join(NAMES).encode()).notes == ()


def test_another_alphabet_is_not_taken_for_a_western_one() -> None:
    written = "Екатерина\nДмитрий\nАлександра\nВладимир\nНаталья"
    assert names(written.encode("cp1251")) == written.split("\n")


@pytest.mark.parametrize("mark", [";", ",", "\t"])
def test_a_heading_says_which_column(mark: str) -> None:
    rows = ["class;Name;age", "7b;Ada;12", ";;", "7b;Grace;13", "7b;;14"]
    sheet = sheets.read("\n".join(rows).replace(";", mark))
    assert [(one.line, one.text) for one in sheet.entries] == [(2, "Ada"), (4, "Grace")]
    assert sheet.notes == (
        "The first line has the heading “Name”.",
        "Only column 2 is read as names; 2 more left out.",
    )


def test_without_a_heading_it_is_the_first_column() -> None:
    assert names("Ada;12\nGrace;13") == ["Ada", "Grace"]


def test_a_comma_in_one_name_makes_no_columns() -> None:
    assert names("Ada, the first\nGrace\nAlan\nEdsger") == [
        "Ada, the first",
        "Grace",
        "Alan",
        "Edsger",
    ]


def test_quotes_and_blank_lines_keep_the_numbers_of_the_lines() -> None:
    sheet = sheets.read('\n"Ada\nB.";1\n\n  \n"Gr""ace";2\n')
    assert [(one.line, one.text) for one in sheet.entries] == [
        (2, "Ada\nB."),
        (6, 'Gr"ace'),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "The list is empty"),
        (" \n;;\n", "The list is empty"),
        ("x\n" * 1_001, "1,001 lines. At most 1,000"),
        ('Ada\n"Grace\nAlan', "Line 2 is not a line of a table"),
        (b"\xef\xbb\xbf\xff\xff", "not a list of names that can be read"),
        (b"a" * 1_000_001, "larger than a list of names"),
    ],
)
def test_what_is_no_list_is_told_in_a_sentence(content: bytes | str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        sheets.read(content)


def test_a_thousand_lines_are_not_too_many() -> None:
    assert len(names("Ada\n" * 1_000)) == 1_000
