"""Files of every kind become tables, or one sentence says why not."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from finetune.data.texts.errors import DataError
from finetune.data.texts.reading import read_table
from finetune.data.texts.table import MOST_COLUMNS, Table

TEXT = "Der Fuß ist groß.\nDie Brücke ist für alle da.\nÄpfel und Öl.\n"


def read(folder: Path, content: str | bytes, name: str = "file", **settings) -> Table:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path, **settings)


def refused(folder: Path, content: str | bytes, name: str = "file", **settings) -> str:
    """Return the sentence; it names the file and says what to do."""
    with pytest.raises(DataError) as error:
        read(folder, content, name, **settings)
    said = str(error.value)
    assert said.endswith(".")
    assert name in said
    assert ": " in said, "it says what to do"
    return said


def texts(table: Table) -> list[str]:
    return [row["text"] for row in table.rows]


# Texts


def test_a_line_is_a_row_and_blank_lines_are_none(tmp_path: Path):
    table = read(tmp_path, "one\n\n  two \n \nthree", "poem.txt")
    assert texts(table) == ["one", "  two", "three"]
    assert (table.columns, table.format, table.encoding) == (("text",), "txt", "utf-8")
    assert (table.repaired, table.documents) == (0, "lines")


def test_paragraphs_are_parted_by_blank_lines(tmp_path: Path):
    table = read(tmp_path, "a\nb\n\n \nc\n\n\n\nd\n", documents="paragraphs")
    assert texts(table) == ["a\nb", "c", "d"]


def test_a_whole_text_is_one_row(tmp_path: Path):
    table = read(tmp_path, "\na\n\n\nb\n", documents="whole")
    assert texts(table) == ["a\n\n\nb"]


def test_all_ends_of_lines_are_the_same(tmp_path: Path):
    assert texts(read(tmp_path, b"one\r\ntwo\rthree\n")) == ["one", "two", "three"]
    table = read(tmp_path, b"a,b\r\n1,x y\r\n2,z\r\n", "t.csv")
    assert table.rows == [{"a": "1", "b": "x y"}, {"a": "2", "b": "z"}]
    table = read(tmp_path, b'{"text": "a\\r\\nb"}\r\n{"text": "c"}\r\n')
    assert texts(table) == ["a\nb", "c"]


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"],
)
def test_a_text_reads_the_same_in_every_encoding(tmp_path: Path, encoding: str):
    table = read(tmp_path, TEXT.encode(encoding))
    assert texts(table) == TEXT.splitlines()
    assert table.encoding.startswith(encoding.removesuffix("-sig"))


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "It’s fine — really.\nHe said “no”.\n"),
        ("cp1252", "Größe: über\nnichts\n"),
        ("latin-1", "señor niño mañana\nadiós\n"),
        ("cp1250", "Žluťoučký kůň úpěl ďábelské ódy\nPříliš\n"),
        ("cp1251", "Привет, как дела?\nВсё хорошо, спасибо.\n"),
        ("cp1253", "Καλημέρα κόσμε\nτι κάνεις σήμερα;\n"),
        ("shift_jis", "これは日本語の文章です。\n二行目です。\n"),
        ("gb18030", "这是一个中文句子。\n第二行也是中文。\n"),
    ],
)
def test_old_encodings_are_recognised(tmp_path: Path, encoding: str, text: str):
    assert texts(read(tmp_path, text.encode(encoding))) == text.splitlines()


def test_a_letter_late_in_a_long_file_tells_the_encoding(tmp_path: Path):
    table = read(tmp_path, b"plain line\n" * 60_000 + "schöne Grüße".encode("cp1252"))
    assert texts(table)[-1] == "schöne Grüße"


def test_one_broken_character_does_not_spoil_a_text_in_utf_8(tmp_path: Path):
    table = read(tmp_path, (TEXT * 5).encode() + b"torn \xe2\x82\nend")
    assert table.encoding == "utf-8"
    assert texts(table)[:3] == TEXT.splitlines()
    assert texts(table)[-2].startswith("torn \ufffd")
    assert table.repaired == 1


def test_broken_characters_are_mended_and_counted(tmp_path: Path):
    broken = "cafÃ© crÃ¨me\nplain\nItâ€™s “fine” ﬁne\nnaïve é\n"
    table = read(tmp_path, broken)
    assert texts(table) == ["café crème", "plain", "It’s “fine” ﬁne", "naïve é"]
    assert table.repaired == 2


def test_halves_of_characters_are_marked(tmp_path: Path):
    table = read(tmp_path, '{"text": "a \\ud83d b"}\n{"text": "\\ud83d\\ude00"}\n')
    assert texts(table) == ["a \ufffd b", "\U0001f600"]
    assert table.repaired == 1


# Tables


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_are_found(tmp_path: Path, delimiter: str):
    rows = [["title", "text"], ["A", "one"], ["B", "two, and; more"], ["C", ""]]
    content = "\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    table = read(tmp_path, content)
    assert table.format == "csv"
    assert table.columns == ("title", "text")
    assert texts(table) == ["one", "two, and; more", ""]


def test_quotes_hold_commas_ends_of_lines_and_quotes(tmp_path: Path):
    table = read(tmp_path, 'name,text\nA,"one, two\nand ""three"""\nB,four\n', "t.csv")
    assert texts(table) == ['one, two\nand "three"', "four"]


def test_a_table_without_names_gets_some(tmp_path: Path):
    table = read(tmp_path, "good,I like it.\nbad,I do not.\ngood,Fine.\n", "t.csv")
    assert table.columns == ("column1", "column2")
    assert len(table.rows) == 3
    assert read(tmp_path, "1,a\n2,b\n", "t.csv").columns == ("column1", "column2")


def test_names_are_made_different_and_fit_for_templates(tmp_path: Path):
    table = read(tmp_path, "text,,text,{a}\nw,x,y,z\n1,2,3,4\n", "t.csv")
    assert table.columns == ("text", "column2", "text_2", "(a)")


def test_one_column_may_hold_commas(tmp_path: Path):
    table = read(tmp_path, "text\nHello, you\nHow are you, then, today?\n", "t.csv")
    assert texts(table) == ["Hello, you", "How are you, then, today?"]


def test_prose_is_no_table(tmp_path: Path):
    prose = "Roses are red, violets are blue.\nSugar is sweet, and so are you.\n" * 3
    assert read(tmp_path, prose).format == "txt"
    script = "[Scene: a castle]\n{He enters.}\nHello, who is there?\n"
    assert read(tmp_path, script).format == "txt"


def test_uneven_rows_are_told_with_their_line(tmp_path: Path):
    said = refused(tmp_path, 'a,b\n1,"x\ny"\n2,z\n3,x,y\n', "t.csv")
    assert "line 5 has 3 cells where the first line has 2" in said
    assert "comma" in said
    assert "line 3 has 1 cell " in refused(tmp_path, "a;b\n1;x\n2\n", "t.csv")


def test_an_open_quote_is_told_with_its_line(tmp_path: Path):
    said = refused(tmp_path, 'a,b\n1,x\n2,"never closed\n3,y\n4,z\n', "t.csv")
    assert "line 3" in said
    assert "never closed" in said
    assert "line 2" in refused(tmp_path, 'a,b\n"x" y,1\nz,2\n', "t.csv")


# JSON


def test_json_is_read_as_list_as_data_and_by_lines(tmp_path: Path):
    rows = [{"text": "a", "n": 1}, {"text": None, "more": ["x", {"y": True}]}]
    wanted = [
        {"text": "a", "n": "1", "more": ""},
        {"text": "", "n": "", "more": '["x", {"y": true}]'},
    ]
    lines = "\n\n".join(map(json.dumps, rows))
    for content, found in (
        (json.dumps(rows), "json"),
        (json.dumps(rows, indent=2), "json"),
        (json.dumps({"version": 1, "data": rows}), "json"),
        (json.dumps({"data": rows}, indent=1), "json"),
        (lines, "jsonl"),
    ):
        for name in ("file", "file.json", "file.jsonl"):
            if name == "file.jsonl" and found == "json" and "\n" in content:
                continue
            table = read(tmp_path, content, name)
            assert table.rows == wanted, (name, content)
            assert table.columns == ("text", "n", "more")
            assert table.format == found


def test_a_pretty_list_may_be_called_jsonl(tmp_path: Path):
    content = json.dumps([{"text": "a"}, {"text": "b"}], indent=2)
    assert texts(read(tmp_path, content, "file.jsonl")) == ["a", "b"]


def test_other_ends_of_lines_stay_inside_of_json(tmp_path: Path):
    lines = [json.dumps({"text": f"a\u2028{n}"}, ensure_ascii=False) for n in (1, 2)]
    assert texts(read(tmp_path, "\n".join(lines))) == ["a\u20281", "a\u20282"]


def test_broken_json_is_told_with_its_line(tmp_path: Path):
    said = refused(tmp_path, '{"text": "a"}\n\n{"text": "b}\n', "rows.jsonl")
    assert "line 3" in said
    said = refused(tmp_path, '[{"text": "a"},\n {"text": "b",}\n]', "rows.json")
    assert "line 2" in said
    assert "quotes, commas and brackets" in said


def test_a_row_that_is_no_object_is_told(tmp_path: Path):
    said = refused(tmp_path, '{"text": "a"}\n["b"]\n', "rows.jsonl")
    assert 'line 2 is not an object but ["b"]' in said
    assert "row 2" in refused(tmp_path, '[{"text": "a"}, "b"]', "rows.json")
    refused(tmp_path, '"text"', "rows.json")
    refused(tmp_path, '{"a": 1, "b": {"data": []}}', "rows.json")


def test_json_that_is_deep_or_has_huge_numbers_is_refused(tmp_path: Path):
    assert "deep" in refused(tmp_path, "[" * 200_000 + "]" * 200_000, "rows.json")
    assert "number" in refused(tmp_path, '[{"a": 1' + "0" * 5000 + "}]", "rows.json")


# What cannot be used


@pytest.mark.parametrize(
    "content", [b"", b" \n\r\n\t", b"\xef\xbb\xbf", b"\xff\xfe", b"\xef\xbb\xbf \n"]
)
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes):
    assert "empty" in refused(tmp_path, content, "nothing.txt")


def test_one_row_is_too_little(tmp_path: Path):
    said = refused(tmp_path, "Just this line.\n", "one.txt")
    assert "only one line" in said
    assert "paragraphs or the whole text" in said
    said = refused(tmp_path, "a\nb\n", "one.txt", documents="paragraphs")
    assert "only one paragraph" in said
    assert "only one row" in refused(tmp_path, "a,b\n1,x\n", "one.csv")
    assert "only one row" in refused(tmp_path, '{"text": "a"}', "one.jsonl")
    assert "no rows" in refused(tmp_path, "[]", "none.json")


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), "text")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "kind", "advice"),
    [
        (zipped("word/document.xml"), "Word document", ".txt"),
        (zipped("xl/workbook.xml"), "Excel", ".csv"),
        (zipped("a.txt"), "zip archive", "unpack"),
        (zipped("a.txt")[:20], "damaged zip", "unpack"),
        (b"%PDF-1.7\n1 0 obj", "PDF", ".txt"),
        (b"{\\rtf1\\ansi Hello}", "RTF", ".txt"),
        (pickle.dumps([{"text": "a"}]), "pickle", ".jsonl"),
        (pickle.dumps([{"text": "a"}], protocol=2), "pickle", ".jsonl"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "image", "text in it"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image", "text in it"),
        (b"\x1f\x8b\x08\x00abc", "gzip", "unpack"),
        (b"PAR1\x15\x04", "Parquet", ".csv"),
        (b"GGUF\x03\x00\x00\x00", "model", "text in it"),
        (b"a text with a zero \x00 in it\nand more\n", "not text", ".txt"),
        (random.Random(1).randbytes(3000), "not text", ".txt"),
        (bytes(range(1, 32)) * 40, "not text", ".txt"),
    ],
)
@pytest.mark.parametrize("name", ["data.txt", "data.csv", "data"])
def test_what_is_not_text_is_named_and_refused(
    tmp_path: Path, content: bytes, kind: str, advice: str, name: str
):
    said = refused(tmp_path, content, name)
    assert kind in said
    assert advice in said


class Trap:
    def __reduce__(self):
        return os.mkdir, ("trapped",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_runs_nothing(tmp_path: Path, monkeypatch, protocol: int):
    monkeypatch.chdir(tmp_path)
    content = pickle.dumps([Trap()], protocol=protocol)
    with suppress(DataError):
        read(tmp_path, content, "rows.pkl")
    assert not (tmp_path / "trapped").exists()


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path):
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.truncate(200_000_000_000)  # would not fit into memory
    with pytest.raises(DataError, match=r"huge\.txt is larger than 50 MB: choose"):
        read_table(path)
    assert "100 bytes" in refused(tmp_path, "a\n" * 51, "big.txt", limit=100)
    assert len(read(tmp_path, "a\n" * 50, limit=100).rows) == 50


def test_a_file_without_a_size_is_read_up_to_the_limit(tmp_path: Path):
    with pytest.raises(DataError, match="larger than 1 MB"):
        read_table(Path("/dev/zero"), limit=1_000_000)


def test_a_missing_file_is_told(tmp_path: Path):
    with pytest.raises(DataError, match=r"none\.txt cannot be read: No such file"):
        read_table(tmp_path / "none.txt")
    with pytest.raises(DataError, match="cannot be read"):
        read_table(tmp_path)


def test_too_many_columns_are_refused(tmp_path: Path):
    names = [f"c{n}" for n in range(MOST_COLUMNS + 1)]
    row = ",".join(["x y"] * len(names))
    said = refused(tmp_path, "\n".join([",".join(names), row, row]), "wide.csv")
    assert f"more than {MOST_COLUMNS} columns" in said
    rows = json.dumps([dict.fromkeys(names, "x")] * 2)
    assert "columns" in refused(tmp_path, rows, "wide.json")


def test_messages_call_a_file_by_the_name_that_people_know(tmp_path: Path):
    path = tmp_path / "file-1a2b"
    path.write_bytes(b"")
    with pytest.raises(DataError, match=r"^my poem\.txt is empty"):
        read_table(path, name="my poem.txt")
    path.write_text("a,b\nc,d\ne,f\n")
    assert read_table(path, name="rows.csv").format == "csv"
    assert read_table(path, name="rows.txt").format == "txt"
