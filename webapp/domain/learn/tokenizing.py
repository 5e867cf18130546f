"""What was typed, in the pieces that a model reads it in."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from typing import Final
from weakref import WeakKeyDictionary

from webapp.domain.learn.lately import Lately
from webapp.llm.gateway import Gateway

Pieces = tuple[str, ...]
PAGE_SECONDS: Final = 0.5

_of: WeakKeyDictionary[Gateway, Lately[tuple[str, str], Pieces]] = WeakKeyDictionary()
_lock: Final = threading.Lock()  # protects `_of`


def of_texts(
    gateway: Gateway, model: str, texts: Mapping[str, str]
) -> dict[str, Pieces]:
    """Return the tokens of each text by its name; a text is left out while the model
    has not told, and where it never does.

    Nothing is generated for it.
    """
    with _lock:
        lately = _of.get(gateway)
        if lately is None:
            lately = _of[gateway] = Lately(good=300.0, again=5.0, most=500)
    asks = {
        (model, text): partial(_ask, gateway, model, text)
        for text in texts.values()
        if text
    }
    found = lately.known(asks, patience=PAGE_SECONDS)
    return {
        name: found[model, text]
        for name, text in texts.items()
        if (model, text) in found
    }


def _ask(gateway: Gateway, model: str, text: str) -> Pieces:
    return tuple(token.text for token in gateway.tokens(model, text))
