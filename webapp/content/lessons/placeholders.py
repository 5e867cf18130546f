"""Puts values where authors wrote {name}; all other braces stay as they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

NAME: Final = re.compile(r"\{([a-z][a-z0-9_]{0,29})\}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its known names filled in, once: values are never read."""
    return NAME.sub(lambda found: values.get(found[1], found[0]), text)


def names_in(text: str) -> frozenset[str]:
    """Return all that could be a name in a text."""
    return frozenset(NAME.findall(text))


def texts_in(value: Any) -> Iterable[str]:
    """Yield every text in a value as JSON has it, keys of mappings left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for below in value.values():
            yield from texts_in(below)
    elif isinstance(value, list | tuple | set | frozenset):
        for below in value:
            yield from texts_in(below)
