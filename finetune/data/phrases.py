"""Phrasings in YAML: what texts are written from, in files that anyone can edit."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from finetune.errors import FinetuneError
from finetune.recipes.lined import read_lined

Texts = Annotated[tuple[str, ...], Field(min_length=1)]
Weight = Annotated[int, Field(ge=1)]


class PiecesError(FinetuneError):
    """A file that data is written from is broken; one sentence for a person."""


class Phrases(BaseModel):
    """The phrasings of a file, or of a part of it; unknown names are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Split(Phrases):
    """Phrasings to learn from, and others that are kept to judge by."""

    learned: Texts
    heldout: Texts

    def choose(self, rng: random.Random, *, is_heldout: bool) -> str:
        """Choose one of either side."""
        return rng.choice(self.heldout if is_heldout else self.learned)


Model = TypeVar("Model", bound=BaseModel)


def exactly(names: Iterable[str]) -> AfterValidator:
    """Return a check that a mapping has exactly these names."""
    wanted = tuple(names)

    def check(given: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in given:
            if name not in wanted:
                raise ValueError(f"there is no {name}; known are {', '.join(wanted)}")
        for name in wanted:
            if name not in given:
                raise ValueError(f"{name} is missing")
        return given

    return AfterValidator(check)


def read_phrases(path: Path, model: type[Model]) -> Model:
    """Read a file of phrasings; raise PiecesError with file and line if it is wrong."""
    return read_lined(path, PiecesError).into(model)


def fill(text: str, /, **slots: str) -> str:
    """Put what each {slot} stands for into a text."""
    for slot, value in slots.items():
        text = text.replace(f"{{{slot}}}", value)
    return text
