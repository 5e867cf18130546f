"""Characters that a wrong encoding broke: `cafÃ©` was `café`."""

from __future__ import annotations

import re

import ftfy
from ftfy.badness import is_bad

# Only what is broken: quotation marks, ligatures and wide letters were chosen.
_ONLY_BROKEN = ftfy.TextFixerConfig(
    unescape_html=False,
    remove_terminal_escapes=True,
    fix_latin_ligatures=False,
    fix_character_width=False,
    uncurl_quotes=False,
    fix_line_breaks=False,
    remove_control_chars=True,
    normalization=None,
    explain=False,
)
_TORN = re.compile("[\ud800-\udfff]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


def repair(text: str) -> str:
    """Return a text with broken characters mended; halves of characters become �."""
    if text.isascii() or not (is_bad(text) or _TORN.search(text)):
        return _CONTROLS.sub("", text)
    return _TORN.sub("\ufffd", ftfy.fix_text(text, _ONLY_BROKEN))


def repair_rows(rows: list[dict[str, str]], *, has_lost: bool) -> int:
    """Mend rows in place; return how many were broken.

    `has_lost` says that decoding left � where it could not read a character.
    """
    count = 0
    for row in rows:
        is_broken = False
        for column, text in row.items():
            mended = repair(text)
            is_broken |= mended != text or (has_lost and "\ufffd" in text)
            row[column] = mended
        count += is_broken
    return count
