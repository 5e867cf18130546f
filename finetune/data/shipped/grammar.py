"""Sentences from rules: each name stands for one of several phrasings.

In a YAML file, `greeting: ["Hello, {name}!", "Hi {name}."]` is a rule, and a text with
commas, as in `name: Ada, Ben`, is a list of words. `{name1}` is the same name wherever
it stands in one text.
"""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, RootModel

from finetune.data.phrases import PiecesError, Texts, read_phrases

_SLOT = re.compile(r"\{([a-z_]+)(\d?)\}")
_ARTICLE = re.compile(r"\b([Aa]) (?=[aeiouAEIOU])")
_SENTENCE = re.compile(r"(^|[.!?] |\n)([a-z])")


def _listed(given: object) -> object:
    if not isinstance(given, str):
        return given
    return tuple(" ".join(part.split()) for part in given.split(","))


class Rules(RootModel[dict[str, Annotated[Texts, BeforeValidator(_listed)]]]):
    """What a file of rules holds."""


class Grammar:
    """The rules of a file."""

    def __init__(self, path: Path) -> None:
        """Read the rules; raise PiecesError if one is wrong or names none."""
        self._rules = read_phrases(path, Rules).root
        self._path = path

    def words(self, name: str) -> tuple[str, ...]:
        """Return all phrasings of a rule."""
        return self._rules[name]

    def write(self, name: str, rng: random.Random, **given: str) -> str:
        """Choose a phrasing and fill its slots, from `given` first."""
        known = dict(given)
        text = self._fill(f"{{{name}}}", rng, known)
        return _ARTICLE.sub(r"\1n ", text)

    def _fill(self, text: str, rng: random.Random, known: dict[str, str]) -> str:
        def replace(slot: re.Match[str]) -> str:
            name, number = slot[1], slot[2]
            if name + number in known:
                return known[name + number]
            if name not in self._rules:
                raise PiecesError(
                    f"{self._path}: there is no rule {name}; add one, or change the"
                    f" slot {slot[0]}."
                )
            chosen = self._fill(rng.choice(self._rules[name]), rng, known)
            if number:
                known[name + number] = chosen
            return chosen

        return _SLOT.sub(replace, text)


def sentences(text: str) -> str:
    """Return a text with a capital letter where a sentence begins."""
    return _SENTENCE.sub(lambda found: found[1] + found[2].upper(), text)
