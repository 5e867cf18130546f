"""What checks ask in tests: scripted models, and a tokenizer of words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from webapp.errors import BackendError
from webapp.llm.ask import GatewayAsk
from webapp.llm.gateway import Gateway
from webapp.llm.scripted import ScriptedBackend


class CheckModels(GatewayAsk):
    """The scripted models; a token is a word or a mark, with the space before it."""

    def __init__(self, *replies: str | BackendError) -> None:
        super().__init__(Gateway.scripted(ScriptedBackend(replies)), "checks")

    def pieces(self, text: str, *, model: str) -> Sequence[str]:
        """Cut a text into tokens."""
        found: list[str] = re.findall(r"\s?\w+|\s?[^\w\s]|\s", text)
        return found
