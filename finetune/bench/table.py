"""Tables of a bench, as text."""

from __future__ import annotations

from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return aligned columns: the first to the left, the others to the right."""
    lines = [list(head), *(list(row) for row in rows)]
    # A row with fewer cells ends in a remark, which may be of any length.
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
