"""One thing that is wrong in the content, and where."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from webapp.settings import PROJECT

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, in which file and line, and what to do about it.

    A warning lets the content go live; an error keeps the last good version.
    """

    path: Path
    line: int
    message: str
    suggestion: str = ""
    severity: Severity = "error"

    @property
    def is_error(self) -> bool:
        """Whether the content cannot go live with this."""
        return self.severity == "error"


def format_problem(problem: Problem) -> str:
    """Return `file:line: message; suggestion`, as editors and terminals link it."""
    warning = "" if problem.is_error else "warning: "
    advice = f"; {problem.suggestion}" if problem.suggestion else ""
    where = f"{shown_path(problem.path)}:{problem.line}"
    return f"{where}: {warning}{problem.message}{advice}"


def shown_path(path: Path) -> str:
    """Shorten a path to what a person types: relative to here or to the project."""
    for base in (Path.cwd(), PROJECT):
        if path.is_relative_to(base):
            return _printable(path.relative_to(base))
    return _printable(path)


def _printable(path: Path) -> str:
    # A name of bytes that are not UTF-8 could not be printed or sent.
    return os.fsencode(path).decode("utf-8", errors="backslashreplace")
