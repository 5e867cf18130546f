"""All calls of the API, in the order in which they are described."""

from __future__ import annotations

from typing import Final

from webapp.api.lab import chat
from webapp.api.operations import Api, Operation
from webapp.api.people import me, players
from webapp.api.play import leaderboard, levels
from webapp.api.train import data as train_data
from webapp.api.train import guards as train_guards
from webapp.api.train import runs as train_runs

APIS: Final[tuple[Api, ...]] = (
    players.api,
    levels.api,
    me.api,
    leaderboard.api,
    chat.api,
    train_data.api,
    train_runs.api,
    train_guards.api,
)


def operations() -> tuple[Operation, ...]:
    """Return every call."""
    return tuple(operation for api in APIS for operation in api.operations)
