"""Whoever tries something without having joined goes on as a guest."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from webapp.domain.people import guests
from webapp.web import context, limits
from webapp.web.context import services
from webapp.web.seals import form_mark

P = ParamSpec("P")
R = TypeVar("R")


def needs_player(view: Callable[P, R]) -> Callable[P, R]:
    """Make a guest of a visitor who has not joined, on the spot, and go on."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if context.player() is None:
            with limits.sign_up(), limits.code_try():
                newcomer = guests.become_guest(services(), form=form_mark())
            context.sign_in(newcomer.player_id, code_seed=newcomer.code_seed)
        return view(*args, **kwargs)

    return guarded
