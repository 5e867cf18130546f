"""Which weights answer now: proofs and passes hold for one version of a model."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final
from weakref import WeakKeyDictionary

from webapp.content.lessons.schema import Panel
from webapp.domain.learn.lately import Lately
from webapp.llm.gateway import Gateway

# A run asks its model anyway; a page comes before somebody notices that it waits.
RUN_SECONDS, PAGE_SECONDS = 1.0, 0.3
# What an endpoint that tells no versions says, and what a panel without a model has.
NONE: Final = ""
VERSION_CHARS: Final = 120

_of: WeakKeyDictionary[Gateway, Lately[str, str]] = WeakKeyDictionary()
_lock: Final = threading.Lock()  # protects `_of`


def of_panel(gateway: Gateway, panel: Panel) -> str:
    """Return the version of the weights that a run of a panel meets; "" if unknown."""
    found = _known(gateway, [panel], patience=RUN_SECONDS)
    return NONE if panel.talk == "none" else found.get(panel.model, NONE)


def of_page(gateway: Gateway, panels: Iterable[Panel]) -> Mapping[str, str | None]:
    """Return the version for each panel by its name, as it was lately.

    None where the model has not said it yet: a page does not wait for it.
    """
    panels = list(panels)
    found = _known(gateway, panels, patience=PAGE_SECONDS)
    return {
        panel.name: NONE if panel.talk == "none" else found.get(panel.model)
        for panel in panels
    }


def _known(
    gateway: Gateway, panels: Iterable[Panel], *, patience: float
) -> dict[str, str]:
    with _lock:
        lately = _of.get(gateway)
        if lately is None:
            lately = _of[gateway] = Lately(good=30.0, again=5.0, most=100)
    models = {panel.model for panel in panels if panel.talk != "none"}
    asks = {model: partial(_ask, gateway, model) for model in sorted(models)}
    return lately.known(asks, patience=patience)


def _ask(gateway: Gateway, model: str) -> str:
    return gateway.version(model)[:VERSION_CHARS]
