"""The source of the training loop, for those who want to read what is running."""

from __future__ import annotations

from typing import Final

from webapp.once import once
from webapp.settings import PROJECT

LOOP: Final = "finetune/training/lm.py"
_BEGIN, _NEXT = "def learn(", ("def ", "class ", "@")


@once
def source() -> str:
    """Return the function that trains, as it is in the program; empty if not there."""
    try:
        lines = (PROJECT / LOOP).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    start = next((n for n, line in enumerate(lines) if line.startswith(_BEGIN)), None)
    if start is None:
        return ""
    rest = lines[start + 1 :]
    end = next((n for n, line in enumerate(rest) if line.startswith(_NEXT)), len(rest))
    return "\n".join([lines[start], *rest[:end]]).rstrip()
