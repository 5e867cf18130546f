"""Files that hold no text: what they are, and what to do instead."""

from __future__ import annotations

import io
import zipfile
from typing import NamedTuple

from finetune.data.texts.errors import DataError

_AS_TEXT = "open it and save it as plain text (.txt)"
_AS_TABLE = "save its table as .csv"
_UNPACK = "unpack it and choose the file inside"
_NO_TEXT = "choose a file with text in it (.txt, .csv, .json or .jsonl)"
# Protocols 2 to 5 begin with this byte and their number, and end with a full stop.
_PICKLE = 0x80
_PICKLE_PROTOCOLS = range(2, 6)


class Kind(NamedTuple):
    """How such a file begins, what it is, and what helps."""

    start: bytes
    name: str
    advice: str


_KINDS = (
    Kind(b"%PDF", "a PDF", "copy its text into a .txt file"),
    Kind(b"{\\rtf", "an RTF document", _AS_TEXT),
    Kind(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document", _AS_TEXT),
    Kind(b"\x89PNG", "an image (PNG)", _NO_TEXT),
    Kind(b"\xff\xd8\xff", "an image (JPEG)", _NO_TEXT),
    Kind(b"GIF8", "an image (GIF)", _NO_TEXT),
    Kind(b"RIFF", "an image, a sound or a film", _NO_TEXT),
    Kind(b"ID3", "a sound (MP3)", _NO_TEXT),
    Kind(b"OggS", "a sound (OGG)", _NO_TEXT),
    Kind(b"\x1f\x8b", "a gzip archive", _UNPACK),
    Kind(b"BZh91AY&SY", "a bzip2 archive", _UNPACK),
    Kind(b"\xfd7zXZ\x00", "an xz archive", _UNPACK),
    Kind(b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    Kind(b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    Kind(b"PAR1", "a Parquet table", _AS_TABLE),
    Kind(b"ARROW1", "an Arrow table", _AS_TABLE),
    Kind(b"SQLite format 3\x00", "a database", _AS_TABLE),
    Kind(b"GGUF", "a model (GGUF)", _NO_TEXT),
    Kind(b"\x7fELF", "a program", _NO_TEXT),
)
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_ZIPPED = (
    ("word/", "a Word document", _AS_TEXT),
    ("xl/", "an Excel workbook", _AS_TABLE),
    ("ppt/", "a PowerPoint presentation", _AS_TEXT),
    ("content.xml", "an OpenDocument file", f"{_AS_TEXT}, or {_AS_TABLE}"),
    ("META-INF/container.xml", "an e-book (EPUB)", "copy its text into a .txt file"),
)


def refuse_known(raw: bytes, name: str) -> None:
    """Raise DataError if the bytes are of a known kind that is not text."""
    if raw.startswith(_ZIP_STARTS):
        kind, advice = _zipped(raw)
        raise DataError(f"{name} is {kind}, not text: {advice}.")
    if is_pickle(raw):
        raise DataError(
            f"{name} is a file of Python objects (pickle), which could run a program"
            " and is never opened here: save its rows as .csv or .jsonl."
        )
    for known in _KINDS:
        if raw.startswith(known.start):
            raise DataError(f"{name} is {known.name}, not text: {known.advice}.")


def is_pickle(raw: bytes) -> bool:
    """Say whether bytes look like a pickle; nothing is loaded."""
    return (
        len(raw) > 2
        and raw[0] == _PICKLE
        and raw[1] in _PICKLE_PROTOCOLS
        and raw.endswith(b".")
    )


def refuse_binary(name: str) -> DataError:
    """Return the error of a file of no known kind whose bytes are no text."""
    return DataError(
        f"{name} is not text, some program's own format perhaps: open it there and save"
        " it as plain text (.txt) or as a table (.csv)."
    )


def _zipped(raw: bytes) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        # Whatever is wrong inside, it is a zip by its first bytes, and is refused.
        return "a damaged zip archive", _UNPACK
    for start, kind, advice in _ZIPPED:
        if any(entry.startswith(start) for entry in names):
            return kind, advice
    return "a zip archive", _UNPACK
