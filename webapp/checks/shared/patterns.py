"""Regular expressions in RE2 syntax: their time never grows faster than the text."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Any

import re2


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str, ignore_case: bool) -> Any:
    """Return a compiled pattern; raise re2.error."""
    options = re2.Options()
    options.case_sensitive = not ignore_case
    options.log_errors = False
    return re2.compile(unicodedata.normalize("NFC", pattern), options)


def why_not(error: Exception) -> str:
    """Return in RE2's words why a pattern does not compile."""
    text = error.args[0] if error.args else "not a pattern"
    return text.decode(errors="replace") if isinstance(text, bytes) else str(text)
