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

from finetune.serving.engine.copies import Engine
from finetune.serving.engine.loopback import EngineError
from finetune.serving.errors import ApiError


class ChatTurn(NamedTuple):
    """One chat message."""

    role: str
    content: str


class Prompt(NamedTuple):
    """A prompt as token ids, and how many of them come before each border."""

    ids: list[int]
    before: tuple[int, ...] = ()


class Part(NamedTuple):
    """A text in a prompt, and whether control tokens in it are meant as such."""

    text: str
    has_control: bool


class ChatPrompts:
    """Builds prompts for one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # Random, so that no message can hold one.
        self._nonce = secrets.token_hex(12)
        self._slot = re.compile(f"{self._nonce}x([0-9]+)x")
        self._system = f"{self._nonce}s"
        self._template = lru_cache(maxsize=512)(self._render)
        self._fixed = lru_cache(maxsize=512)(self._tokenise_fixed)

    def chat(
        self,
        turns: Sequence[ChatTurn],
        *,
        raw: bool = False,
        continues: bool = False,
        default_system: bool = True,
        borders: Sequence[int] = (),
    ) -> Prompt:
        """Return the prompt of a chat.

        `raw` lets control tokens in the messages through, for a lesson about servers
        that do not take this care. If it `continues`, the last message is the beginning
        of the reply. Without `default_system` a template adds no system message of its
        own. `borders` count characters of the messages, one after the other.
        """
        pieces = self._pieces(turns, continues, default_system)
        if raw:
            text = "".join(
                p if isinstance(p, str) else turns[p].content for p in pieces
            )
            ids = self._engine.tokenise(text, special=True, start=True)
            return Prompt(ids, (0,) * len(borders))
        return self._joined(pieces, turns, borders)

    def parts(
        self,
        turns: Sequence[ChatTurn],
        *,
        raw: bool = False,
        continues: bool = False,
        default_system: bool = True,
    ) -> list[Part]:
        """Return the texts that `chat` makes tokens of, in their order."""
        pieces = self._pieces(turns, continues, default_system)
        parts = [
            Part(piece, True)
            if isinstance(piece, str)
            else Part(turns[piece].content, raw)
            for piece in pieces
        ]
        return [Part("".join(part.text for part in parts), True)] if raw else parts

    def plain(
        self, text: str, *, raw: bool = False, borders: Sequence[int] = ()
    ) -> Prompt:
        """Return the prompt of a text that is to be continued, without a template."""
        ids = self._engine.tokenise(text, special=raw, start=True)
        if raw:
            return Prompt(ids, (0,) * len(borders))
        found = [self._settled(text, ids, border, start=True) for border in borders]
        return Prompt(ids, tuple(found))

    def _pieces(
        self, turns: Sequence[ChatTurn], continues: bool, default_system: bool
    ) -> tuple[str | int, ...]:
        """Return texts of the template, and numbers of the messages between them."""
        ended = turns[:-1] if continues else turns
        roles = tuple(turn.role for turn in ended)
        pieces = self._template(roles, default_system)
        return (*pieces, len(ended)) if continues else pieces

    def _joined(
        self,
        pieces: tuple[str | int, ...],
        turns: Sequence[ChatTurn],
        borders: Sequence[int],
    ) -> Prompt:
        ids: list[int] = []
        before = [0] * len(borders)
        chars = 0
        for number, piece in enumerate(pieces):
            if isinstance(piece, str):
                new, size = list(self._fixed(piece, number == 0)), 0
            else:
                text = turns[piece].content
                new, size = self._engine.tokenise(text) if text else [], len(text)
            for which, border in enumerate(borders):
                if border >= chars + size:
                    # What the template writes on the way to it belongs to it.
                    before[which] = len(ids) + len(new) if border else 0
                elif border > chars:
                    settled = self._settled(text, new, border - chars)
                    before[which] = len(ids) + settled
            ids += new
            chars += size
        return Prompt(ids, tuple(before))

    def _settled(
        self, text: str, ids: list[int], chars: int, *, start: bool = False
    ) -> int:
        """Return how many tokens the first characters of a text decide alone.

        A token may reach over the border, and what comes after it may be a secret; so
        the last word before the border is left out.
        """
        if chars >= len(text):
            return len(ids)
        words = text[:chars].rsplit(maxsplit=1)
        if len(words) < 2:
            return 0
        first = self._engine.tokenise(words[0], start=start)
        return len(first) if ids[: len(first)] == first else 0

    def _render(
        self, roles: tuple[str, ...], default_system: bool
    ) -> tuple[str | int, ...]:
        messages = [
            {"role": role, "content": f"{self._nonce}x{number}x"}
            for number, role in enumerate(roles)
        ]
        try:
            if default_system or roles[:1] == ("system",):
                text = self._engine.apply_template(messages)
            else:
                text = self._without_system(messages)
        except EngineError as error:
            raise ApiError(
                "This model's chat template does not accept these roles in this order.",
                param="messages",
            ) from error
        # split() puts text at even positions and placeholder numbers at odd ones. The
        # text before the first placeholder stays even if empty: it starts the prompt.
        parts = self._slot.split(text)
        return tuple(int(p) if i % 2 else p for i, p in enumerate(parts))

    def _without_system(self, messages: list[dict[str, str]]) -> str:
        """Render messages with a system message, and take it off the front again."""
        system = {"role": "system", "content": self._system}
        try:
            whole = self._engine.apply_template([system, *messages])
            alone = self._engine.apply_template([system], reply_follows=False)
        except EngineError:
            # It takes no system message, so it adds none either.
            return self._engine.apply_template(messages)
        rest = whole.removeprefix(alone)
        if rest == whole or self._system in rest:
            raise ApiError(
                "This model's chat template cannot leave its system message out.",
                param="default_system",
            )
        return rest

    def _tokenise_fixed(self, piece: str, is_first: bool) -> tuple[int, ...]:
        return tuple(self._engine.tokenise(piece, special=True, start=is_first))
