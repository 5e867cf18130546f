"""Joining."""

from __future__ import annotations

from pydantic import Field, StrictStr

from webapp.api.operations import Api
from webapp.api.records import Answer, Given, example
from webapp.domain.people import accounts
from webapp.web import limits
from webapp.web.context import services

api = Api("players")


class NewPlayer(Given):
    """Who wants to play."""

    model_config = example(name="Ada")

    name: StrictStr = Field(
        max_length=200, description="A nickname of 2 to 24 characters."
    )
    class_code: StrictStr | None = Field(
        None, max_length=40, description="The join code of a class."
    )


class PlayerCreated(Answer):
    """A new player. Token and recovery code are shown here and never again."""

    model_config = example(
        token="kK3…",  # noqa: S106 -- a sample
        id=7,
        name="Ada",
        recovery_code="BCDF-2345-GHJK-6789",
    )

    token: str = Field(description="Send it as `Authorization: Bearer <token>`.")
    id: int
    name: str
    recovery_code: str = Field(description="Signs this player in on any browser.")


@api.post("/players", status=201, problems=(409, 429))
def create_player(body: NewPlayer) -> PlayerCreated:
    """Join under a nickname and get a token.

    Keep both the token and the recovery code: neither can be read again.
    """
    with limits.sign_up(), limits.code_try():
        player = accounts.create_player(
            services(), name=body.name, class_code=body.class_code
        )
    token = accounts.create_token(services(), player_id=player.player_id)
    return PlayerCreated(
        token=token,
        id=player.player_id,
        name=player.name,
        recovery_code=player.recovery_code,
    )
