"""The same form sent twice makes one player."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from webapp.domain.people import accounts
from webapp.domain.people.joining import SAME_FORM, join
from webapp.domain.services import Services
from webapp.errors import Conflict
from webapp.rows import Player


def players(services: Services) -> int:
    with services.db.read() as session:
        return session.scalar(select(func.count()).select_from(Player)) or 0


def later(services: Services, wait: timedelta) -> Services:
    now: Callable[[], object] = services.now
    return replace(services, now=lambda: now() + wait)  # type: ignore[operator,arg-type,return-value]


def test_a_form_sent_twice_gives_one_player_and_one_code(services: Services) -> None:
    first = join(services, form="a form", name="Ada")
    assert join(services, form="a form", name="Ada") == first
    assert players(services) == 1
    assert accounts.recover(services, code=first.recovery_code) == first.player_id


def test_a_guest_who_clicked_twice_is_one(services: Services) -> None:
    first = join(services, form="a form", name="quiet-lapwing-42")
    again = join(services, form="a form", name="deft-curlew-10")
    assert again == first


def test_many_at_the_same_moment_are_one(services: Services) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(
                lambda n: join(services, form="a form", name=f"Guest {n}"), range(8)
            )
        )
    assert len(set(made)) == 1
    assert players(services) == 1


def test_another_form_is_somebody_else(services: Services) -> None:
    join(services, form="a form", name="Ada")
    with pytest.raises(Conflict, match="already called"):
        join(services, form="another form", name="Ada")
    other = join(services, form="another form", name="Eve")
    assert other.recovery_code != join(services, form="a form", name="x").recovery_code


def test_a_form_that_comes_back_much_later_opens_nothing(services: Services) -> None:
    first = join(services, form="a form", name="Ada")
    much_later = later(services, SAME_FORM + timedelta(seconds=1))
    with pytest.raises(Conflict):
        join(much_later, form="a form", name="Ada")
    other = join(much_later, form="a form", name="Eve")
    assert other.player_id != first.player_id
    assert other.recovery_code != first.recovery_code


def test_a_code_that_was_replaced_opens_nothing(services: Services) -> None:
    first = join(services, form="a form", name="Ada")
    accounts.rotate_recovery_code(
        services, player_id=first.player_id, proof=first.recovery_code
    )
    with pytest.raises(Conflict):
        join(services, form="a form", name="Ada")
