"""Joining."""

from __future__ import annotations

from webapp.api.operations import Api
from webapp.api.records import NewPlayer, PlayerCreated
from webapp.api.requests import services
from webapp.domain.people import accounts
from webapp.web.limits import sign_up_limit

api = Api("players")


@api.post("/players", status=201, problems=(409, 429))
@sign_up_limit
def create_player(body: NewPlayer) -> PlayerCreated:
    """Join under a nickname and get a token.

    Keep both the token and the recovery code: neither can be read again.
    """
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
