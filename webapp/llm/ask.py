"""The models as a guard sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from webapp.llm.faults import too_long
from webapp.llm.gateway import Gateway, Sampling
from webapp.plugins.asking import CAREFUL, Look, Message, Moderation
from webapp.security import Secret


class GatewayAsk:
    """Lets a guard ask models for one player; `user` is who the queue counts.

    With `highlights`, guard models also say which words mattered.
    """

    def __init__(
        self, gateway: Gateway, user: str, *, highlights: bool = False
    ) -> None:
        self._gateway = gateway
        self._user = user
        self._highlights = highlights

    def complete(
        self, messages: list[Message], *, model: str | None = None, max_tokens: int = 64
    ) -> str:
        """Return the likeliest reply, so that a verdict does not depend on chance."""
        model = model or self._gateway.usual("chat")
        # Some servers cut a prompt that is too long and say nothing.
        if not self._gateway.measure(model=model, messages=messages).has_room(
            max_tokens
        ):
            raise too_long()
        completion = self._gateway.complete(
            model=model,
            messages=messages,
            sampling=Sampling(temperature=0.0, top_p=1.0, max_tokens=max_tokens),
            user=self._user,
        )
        return completion.text

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one unit vector per text."""
        return self._gateway.embed(texts)

    def moderate(
        self,
        text: str,
        *,
        model: str | None = None,
        secret: Secret | None = None,
        look: Look = CAREFUL,
    ) -> Moderation:
        """Return the judgement of a guard model, without a name of the usual one."""
        if self._highlights:
            look = replace(look, highlights=True)
        return self._gateway.moderate(text, model=model, secret=secret, look=look)
