"""What callers may ask about probabilities, tokens and the template."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from finetune.serving.errors import ApiError
from finetune.serving.routes.fields import Body
from finetune.serving.routes.schemas import (
    ChatMessage,
    ChatPrompt,
    PromptText,
    TokenId,
)

Ids = Annotated[list[TokenId], Field(min_length=1)]


class TextOrIds(Body):
    """A text, or the token ids that stand for it."""

    model: str
    prompt: PromptText | None = None
    prompt_ids: Ids | None = None
    raw_tokens: bool = False
    user: str = Field("", max_length=200)

    def given(self) -> list[str]:
        """Return the names of the fields that say what the prompt is."""
        named = {"prompt": self.prompt, "prompt_ids": self.prompt_ids}
        return [name for name, value in named.items() if value is not None]

    def text(self) -> str | list[int]:
        """Return what was sent of the two."""
        return self.prompt_ids or self.prompt or ""


class NextTokenRequest(TextOrIds):
    """Body of POST /v1/next_token.

    `draw` tokens are drawn with `seed` first; then all that may follow is listed,
    `top` tokens by name.
    """

    messages: list[ChatMessage] | None = Field(None, min_length=1, max_length=256)
    continue_final_message: bool = False
    default_system: bool = True
    temperature: float = Field(1.0, ge=0, le=2)
    top_p: float = Field(1.0, ge=0, le=1)
    top_k: int = Field(0, ge=0)
    top: int = Field(10, ge=1, le=100)
    draw: int = Field(0, ge=0, le=16)
    seed: int | None = None

    @model_validator(mode="after")
    def _one_prompt(self) -> NextTokenRequest:
        if len(self.given()) + (self.messages is not None) != 1:
            raise ApiError("Send one of messages, prompt and prompt_ids.")
        return self

    def chat(self) -> ChatPrompt | None:
        """Return the chat that was sent, if one was; raise ApiError about it."""
        if self.messages is None:
            return None
        return ChatPrompt(
            model=self.model,
            messages=self.messages,
            raw_tokens=self.raw_tokens,
            continue_final_message=self.continue_final_message,
            default_system=self.default_system,
        )


class ScoreRequest(TextOrIds):
    """Body of POST /v1/score: how likely is each token of this text?"""

    top: int = Field(5, ge=0, le=20)

    @model_validator(mode="after")
    def _one_prompt(self) -> ScoreRequest:
        if len(self.given()) != 1:
            raise ApiError("Send one of prompt and prompt_ids.")
        return self


class RenderRequest(ChatPrompt):
    """Body of POST /v1/render: how does the model read this chat?"""
