"""From the bytes of a file to its text, whatever program wrote it."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import NamedTuple

import charset_normalizer
from charset_normalizer import CharsetMatch

from finetune.data.texts.errors import DataError
from finetune.data.texts.kinds import refuse_binary, refuse_known

MOST_BYTES = 50_000_000
_UTF8 = "utf-8"
_WESTERN = "cp1252"
# Longer ones first: the mark of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, _UTF8),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 64_000  # bytes of lines with other letters; enough to tell by
_START = 4_000  # bytes that tell UTF-16 without a mark from a binary file
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f]")
_MOST_CONTROLS = 0.01
_MOST_LOST = 0.01  # share of characters that an encoding may fail to read
_MOST_FOREIGN = 0.25  # share of letters beyond ASCII in a Latin text
_REPLACEMENT = "\ufffd"


class Decoded(NamedTuple):
    """A text with `\\n` at its line ends; `lost` characters could not be read."""

    text: str
    encoding: str
    lost: int


def read_bytes(path: Path, *, limit: int, name: str) -> bytes:
    """Read a file of at most `limit` bytes; a larger one is refused unread.

    Raises DataError if it is missing, empty or too large.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            # It may grow while it is read, or have no size, as a pipe has none.
            raw = b"" if size > limit else file.read(limit + 1)
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror}.") from error
    if size > limit or len(raw) > limit:
        raise DataError(
            f"{name} is larger than {_megabytes(limit)}: choose a part of it; that"
            " is more than a model can learn here anyway."
        )
    if not raw.strip():
        raise DataError(f"{name} is empty: choose a file with text in it.")
    return raw


def decode(raw: bytes, name: str) -> Decoded:
    """Return the text of bytes; raise DataError if they are none."""
    refuse_known(raw, name)
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return _checked(raw[len(mark) :], encoding, name)
    if b"\x00" in raw:
        wide = _wide(raw[:_START])
        if wide is None:
            raise refuse_binary(name)
        return _checked(raw, wide, name)
    return _checked(raw, _encoding(raw, name), name)


def _checked(raw: bytes, encoding: str, name: str) -> Decoded:
    text = raw.decode(encoding, "replace")
    lost = max(0, text.count(_REPLACEMENT) - _replacements(raw, encoding))
    if lost > max(3, len(text) * _MOST_LOST):
        raise DataError(
            f"{name} is written in an encoding that is not recognised: save it as"
            " UTF-8, which editors offer beside the name."
        )
    if len(_CONTROLS.findall(text)) > len(text) * _MOST_CONTROLS:
        raise refuse_binary(name)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip("\ufeff \t\n"):
        raise DataError(f"{name} is empty: choose a file with text in it.")
    return Decoded(text, encoding, lost)


def _replacements(raw: bytes, encoding: str) -> int:
    """Count the marks of lost characters that the file has itself."""
    try:
        return raw.count(_REPLACEMENT.encode(encoding))
    except UnicodeEncodeError:
        return 0


def _wide(start: bytes) -> str | None:
    """Tell UTF-16 by the place of its zero bytes; None if it is something else."""
    even, odd = start[::2].count(0), start[1::2].count(0)
    most = max(1, len(start) // 2)
    if odd > 0.3 * most and even < 0.05 * most:
        return "utf-16-le"
    if even > 0.3 * most and odd < 0.05 * most:
        return "utf-16-be"
    return None


def _encoding(raw: bytes, name: str) -> str:
    if _is_utf8(raw):
        return _UTF8
    matches = charset_normalizer.from_bytes(_sample(raw))
    best = matches.best()
    western = raw.decode(_WESTERN, "ignore")
    letters = [c for c in western[: _SAMPLE * 8] if c.isalpha()]
    foreign = sum(not c.isascii() for c in letters)
    is_latin = foreign <= len(letters) * _MOST_FOREIGN
    if best is None:
        if is_latin:
            return _WESTERN
        raise refuse_binary(name)
    # Latin alphabets share most letters: unless another one makes more sense, it is
    # the one that most computers wrote.
    if is_latin and (best.coherence == 0 or _fits_western(best, list(matches))):
        return _WESTERN
    return best.encoding


def _fits_western(best: CharsetMatch, matches: list[CharsetMatch]) -> bool:
    return any(
        _WESTERN in (match.encoding, *match.could_be_from_charset)
        and match.chaos <= best.chaos
        and match.coherence >= best.coherence
        for match in matches
    )


def _is_utf8(raw: bytes) -> bool:
    """Say whether it is UTF-8, perhaps with a few broken characters."""
    try:
        raw.decode(_UTF8)
    except UnicodeDecodeError:
        text = raw.decode(_UTF8, "replace")
        broken = text.count(_REPLACEMENT) - raw.count(_REPLACEMENT.encode())
        whole = sum(not c.isascii() for c in text) - broken
        return broken <= whole * 0.1
    return True


def _sample(raw: bytes) -> bytes:
    """Return lines that hold more than ASCII: the others tell nothing."""
    found: list[bytes] = []
    size = 0
    for line in raw.split(b"\n"):
        if not line.isascii():
            found.append(line[:_SAMPLE])
            size += len(line)
        if size > _SAMPLE:
            break
    return b"\n".join(found)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size:,} bytes"
