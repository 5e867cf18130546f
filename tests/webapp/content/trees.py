"""Small content trees, written as text so that tests can name lines."""

from __future__ import annotations

import os
from itertools import product
from pathlib import Path

from webapp.content.loader import load
from webapp.reading.problems import Problem, format_problem

WORDS = tuple(f"{a}u{b}o{c}iz" for a, b, c in product("bdfghjklmnprst", repeat=3))
LADDER = """\
id: keep
title: The Keep
story: One gate.
levels:
  - one
"""
LEVEL = """\
id: one
title: The Gate
story: A gate.
defender:
  system: |
    You keep a gate.
    The password is {{ secret }}.
secret: {words: plain}
guards:
  output:
    - contains: {match: exact}
points: 100
hints: [{cost: 20, title: A hint, text: Ask.}]
proof: {solved_by: [Ask.]}
explain: It works.
"""


class ContentTree:
    """A content root with one ladder of one level, to edit."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.keep = root / "game" / "keep"
        self.keep.mkdir(parents=True)
        self.words = root / "words" / "plain.txt"
        self.words.parent.mkdir()
        self.words.write_text("\n".join(WORDS))
        self.ladder = self.keep / "ladder.yaml"
        self.ladder.write_text(LADDER)
        self.level = self.keep / "one.yaml"
        self.level.write_text(LEVEL)

    def edit(self, path: Path, old: str, new: str) -> None:
        """Replace a text that is in the file exactly once."""
        text = path.read_text()
        assert text.count(old) == 1, (
            f"{old!r} is in {path.name} {text.count(old)} times"
        )
        path.write_text(text.replace(old, new))

    def add_level(self, level_id: str, **replaced: str) -> Path:
        """Write one more level and put it on the ladder; keys are old texts' names."""
        path = self.keep / f"{level_id}.yaml"
        text = LEVEL.replace("id: one", f"id: {level_id}")
        path.write_text(text + "".join(f"{k}: {v}\n" for k, v in replaced.items()))
        with self.ladder.open("a") as ladder:
            ladder.write(f"  - {level_id}\n")
        return path

    def problems(self) -> list[str]:
        """Return the problems of the tree as `file:line: message; suggestion`."""
        return [self.shown(problem) for problem in load((self.root,)).problems]

    def shown(self, problem: Problem) -> str:
        """Return a problem as it is printed, with a path inside the tree."""
        return format_problem(problem).removeprefix(f"{self.root}{os.sep}")
