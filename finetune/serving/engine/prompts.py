"""Chat messages → token ids, so that nothing typed can act as a control token.

The model's template is rendered with placeholders instead of the messages. The text
around the placeholders comes from the template and may hold control tokens; what was
typed is tokenised separately, as plain text. The engine's own tokeniser does both, so
every GGUF model works and the ids are exactly the ones it was trained with.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from finetune.serving.engine.copies import Engine, EngineError
from finetune.serving.errors import ApiError


class ChatTurn(NamedTuple):
    """One chat message."""

    role: str
    content: str


class ChatPrompts:
    """Builds prompts for one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # Random, so that no message can hold one.
        self._nonce = secrets.token_hex(12)
        self._slot = re.compile(f"{self._nonce}x([0-9]+)x")
        self._template = lru_cache(maxsize=512)(self._render)
        self._fixed = lru_cache(maxsize=512)(self._tokenise_fixed)

    def tokens(self, turns: Sequence[ChatTurn], *, raw: bool = False) -> list[int]:
        """Return the prompt of a chat as token ids.

        `raw` lets control tokens in the messages through, for a lesson about servers
        that do not take this care.
        """
        pieces = self._template(tuple(turn.role for turn in turns))
        if raw:
            text = "".join(
                p if isinstance(p, str) else turns[p].content for p in pieces
            )
            return self._engine.tokenise(text, special=True, start=True)
        ids: list[int] = []
        for number, piece in enumerate(pieces):
            if isinstance(piece, str):
                ids += self._fixed(piece, number == 0)
            elif turns[piece].content:
                ids += self._engine.tokenise(turns[piece].content)
        return ids

    def plain(self, text: str, *, raw: bool = False) -> list[int]:
        """Return the ids of a text that is to be continued, without a template."""
        return self._engine.tokenise(text, special=raw, start=True)

    def _render(self, roles: tuple[str, ...]) -> tuple[str | int, ...]:
        messages = [
            {"role": role, "content": f"{self._nonce}x{number}x"}
            for number, role in enumerate(roles)
        ]
        try:
            text = self._engine.apply_template(messages)
        except EngineError as error:
            raise ApiError(
                "This model's chat template does not accept these roles in this order.",
                param="messages",
            ) from error
        # split() puts text at even positions and placeholder numbers at odd ones. The
        # text before the first placeholder stays even if empty: it starts the prompt.
        parts = self._slot.split(text)
        return tuple(int(p) if i % 2 else p for i, p in enumerate(parts))

    def _tokenise_fixed(self, piece: str, is_first: bool) -> tuple[int, ...]:
        return tuple(self._engine.tokenise(piece, special=True, start=is_first))
