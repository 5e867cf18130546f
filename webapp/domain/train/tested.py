"""What a model replied when the locked part of its data was unlocked, once."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.domain.train.analysis import is_match
from webapp.domain.train.runs import RunView


@dataclass(frozen=True, slots=True)
class TestedRow:
    """A row that the model had never seen, what was wanted, and what it replied."""

    prompt: str
    target: str
    text: str

    @property
    def is_match(self) -> bool:
        """Whether the reply is what was wanted, as comparisons tell it."""
        return is_match(self.text, self.target)


def rows(run: RunView) -> tuple[TestedRow, ...]:
    """Return what it replied; nothing before, and where its rows ask nothing."""
    return tuple(TestedRow(**each) for each in run.figures.get("test_replies", ()))
