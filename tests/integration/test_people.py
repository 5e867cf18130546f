"""Who may act for whom, on each kind of database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.kit.world import World
from webapp.domain.people import access, accounts, classes, roster
from webapp.domain.play import guessing, leaderboard
from webapp.domain.play.visits import VisitEnded
from webapp.errors import Forbidden, QuotaExceeded


def test_stamps_end_what_carries_them(world: World) -> None:
    services = world.services
    new = accounts.create_player(services, name="Ada")
    ada = new.player_id
    for end in (
        lambda: accounts.recover(services, code=new.recovery_code),
        lambda: access.end_all(services, player_id=ada),
        lambda: accounts.set_password(
            services, player_id=ada, new="correct horse", proof=new.recovery_code
        ),
        lambda: accounts.rotate_recovery_code(
            services, player_id=ada, proof=new.recovery_code
        ),
    ):
        keys = [access.begin(services, player_id=ada) for _ in range(3)]
        token = accounts.create_token(services, player_id=ada)
        access.end(services, key=keys[0])
        alive = [accounts.player_by_key(services, key) is not None for key in keys]
        assert alive == [False, True, True]
        end()
        assert accounts.player_by_token(services, token) is None
        assert not any(accounts.player_by_key(services, key) for key in keys)


def test_many_sign_ins_at_once(world: World) -> None:
    ada = world.player()
    with ThreadPoolExecutor(8) as pool:
        keys = list(
            pool.map(lambda _: access.begin(world.services, player_id=ada), range(24))
        )
    alive = [key for key in keys if accounts.player_by_key(world.services, key)]
    assert len(alive) == access.MOST_SIGN_INS


def test_an_instructor_and_a_season(world: World) -> None:
    services = world.services
    made = classes.add_class(services, name="7b")
    teacher = world.player("Ms Gray", class_code=made.join_code, role="instructor")
    ada = world.player("Ada", class_code=made.join_code)
    info = accounts.player_info(services, teacher)
    assert info is not None
    gray = roster.actor_of(info)
    world.win(ada, "open")
    roster.rename(services, actor=gray, player_id=ada, name="Eve")
    (row,) = leaderboard.board(services, class_id=made.id).rows
    assert (row.alias, row.points) == ("Eve", 100)
    classes.start_season(services, name="7b")
    assert leaderboard.board(services, class_id=made.id).rows == ()
    assert leaderboard.board(services, class_id=made.id, season=1).rows == (row,)
    world.win(ada, "open")
    with pytest.raises(Forbidden):
        roster.remove(services, actor=gray, player_id=2**40)
    roster.remove(services, actor=gray, player_id=ada)
    page = roster.class_page(services, actor=gray, class_id=made.id)
    assert (page.members, page.acts[0].whom) == ((), None)


def test_an_ended_visit_and_a_pause(world: World) -> None:
    ada = world.player()
    world.limit(guess_pause=30)
    for n in range(guessing.FREE_GUESSES):
        world.guess(ada, f"word{n}")
    with pytest.raises(QuotaExceeded):
        world.guess(ada, "another")
    classes.start_season(world.services, name=classes.OPEN_CLASS)
    for named in (world.visits(ada)[0].id, None):
        with pytest.raises(VisitEnded):
            guessing.guess(
                world.services,
                player_id=ada,
                level_id="open",
                guess="another",
                visit=named,
            )
        world.secret(ada)
        classes.start_season(world.services, name=classes.OPEN_CLASS)
