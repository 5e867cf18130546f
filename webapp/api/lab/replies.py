"""One reply of a model, for programs of one's own."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictStr

from webapp.api.operations import Api
from webapp.api.records import Answer, Given, example
from webapp.domain.lab import serving
from webapp.domain.lab.matrix_asking import Wish
from webapp.domain.people.accounts import PlayerInfo
from webapp.errors import BackendError
from webapp.web import seats
from webapp.web.context import services

api = Api("lab_replies")


class ReplyWanted(Given):
    """What to ask of a model, and how its tokens are chosen. Top-p is 1."""

    model_config = Given.model_config | example(
        model="smollm2", prompt="Why is the sky blue?", temperature=0.7, seed=1
    )

    model: StrictStr = Field(max_length=200, description="A model of the lab.")
    prompt: StrictStr = Field(
        max_length=serving.PROMPT_CHARS, description="What the model reads."
    )
    temperature: Annotated[float, Field(ge=0, le=2)] = Field(
        0.7, description="0 always takes the likeliest token."
    )
    max_tokens: Annotated[int, Field(ge=1, le=serving.MOST_TOKENS)] = Field(
        60, description="Longest reply, in tokens."
    )
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = Field(
        1, description="The dice: the same seed throws the same."
    )


class ReplyGiven(Answer):
    """What the model wrote."""

    text: str
    tokens: int = Field(description="How many were written.")
    ms: int = Field(description="How long the model took.")
    is_site: bool = Field(
        description="The site itself answered, since the prompt needs a person."
    )


@api.post("/lab/replies", problems=(404, 409, 429, 502, 504))
def ask_for_reply(player: PlayerInfo, body: ReplyWanted) -> ReplyGiven:
    """Ask a model for one reply.

    It counts as one of your runs in the lab.
    """
    wish = Wish(body.prompt, body.temperature, body.max_tokens, body.seed)
    with seats.seat():
        heard = serving.gen(
            services(), player_id=player.id, model=body.model, wish=wish
        )
    if heard.error:
        raise BackendError(heard.error)
    return ReplyGiven(
        text=heard.text, tokens=heard.tokens, ms=heard.ms, is_site=heard.is_site
    )
