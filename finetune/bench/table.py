"""Tables of a bench, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return aligned columns: the first to the left, the others to the right."""
    lines = [list(head), *(list(row) for row in rows)]
    # A row with fewer cells ends in a remark, which may be as long as it likes.
    full = [line for line in lines if len(line) == len(head)]
    widths = [max(len(line[n]) for line in full) for n in range(len(head))]
    widths[0] = max(len(line[0]) for line in lines)
    shown = ["  ".join(_aligned(line, widths)).rstrip() for line in lines]
    shown.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(shown) + "\n"


def _aligned(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    if len(line) < len(widths):
        return [line[0].ljust(widths[0]), *line[1:]]
    return [
        cell.rjust(width) if n else cell.ljust(width)
        for n, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]


def write_json(path: Path, answer: Mapping[str, Any]) -> None:
    """Write an answer under a temporary name first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.write_text(json.dumps(answer, indent=2, ensure_ascii=False) + "\n", "utf-8")
    new.replace(path)
