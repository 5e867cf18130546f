"""People: joining, coming back, tokens, classes, leaving."""

from __future__ import annotations

from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select, text

from tests.kit.world import World
from webapp.db import Base
from webapp.domain.people import access, accounts, classes
from webapp.domain.play import hints, keep, leaderboard
from webapp.errors import Conflict, InvalidInput, NotFound, NotSignedIn
from webapp.rows import Player
from webapp.views.play import downloads


def test_a_nickname_is_unique_within_a_class(world: World) -> None:
    code = classes.add_class(world.services, name="7b").join_code
    world.player("Ada Lovelace")
    for same in ("ada  LOVELACE", " Ada Lovelace ", "Ａda Lovelace"):
        with pytest.raises(Conflict) as caught:
            world.player(same)
        assert caught.value.code == "name_taken"
    world.player("Ada Lovelace", class_code=code)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x",
        "  ",
        "x" * 25,
        "!!",
        "Ada\u202eevil",
        "Ada\u200b",
        "Ada\0",
        "\ud83dAda",
        "ﷺ" * 24,
    ],
)
def test_a_bad_nickname_is_refused(world: World, name: str) -> None:
    with pytest.raises(InvalidInput):
        world.player(name)


@pytest.mark.parametrize("name", ["Åsa", "李雷", "شهرزاد", "Zoë 🦊", "x" * 24])
def test_names_of_all_languages_are_welcome(world: World, name: str) -> None:
    ada = world.player(name)
    info = accounts.player_info(world.services, ada)
    assert info is not None
    assert info.name == name


def test_a_wrong_join_code_is_refused(world: World) -> None:
    with pytest.raises(InvalidInput, match="join code"):
        world.player("Ada", class_code="BBBB-BBBB")


def test_a_join_code_may_be_typed_freely(world: World) -> None:
    code = classes.add_class(world.services, name="7b").join_code
    ada = world.player("Ada", class_code=f" {code.lower().replace('-', ' ')} ")
    info = accounts.player_info(world.services, ada)
    assert info is not None
    assert info.class_name == "7b"


def test_a_recovery_code_brings_the_player_back(world: World) -> None:
    new = accounts.create_player(world.services, name="Ada")
    typed = new.recovery_code.lower().replace("-", " ")
    assert accounts.recover(world.services, code=typed) == new.player_id
    fresh = accounts.rotate_recovery_code(
        world.services, player_id=new.player_id, proof=typed
    )
    assert accounts.recover(world.services, code=fresh.text) == new.player_id
    for code in (new.recovery_code, "", "BBBB-BBBB-BBBB-BBBB", "\ud83d"):
        with pytest.raises(NotSignedIn):
            accounts.recover(world.services, code=code)


def test_a_token_is_replaced_by_the_next(world: World) -> None:
    ada = world.player()
    first = accounts.create_token(world.services, player_id=ada)
    second = accounts.create_token(world.services, player_id=ada)
    assert accounts.player_by_token(world.services, first) is None
    found = accounts.player_by_token(world.services, second)
    assert found is not None
    assert found.id == ada
    assert accounts.player_by_token(world.services, "") is None


def test_what_opens_doors_is_not_stored_in_the_clear(world: World) -> None:
    new = accounts.create_player(world.services, name="Ada", password="open sesame")
    token = accounts.create_token(world.services, player_id=new.player_id)
    key = access.begin(world.services, player_id=new.player_id, code_seed=new.code_seed)
    with world.db.read() as session:
        rows = [
            str(row)
            for table in Base.metadata.tables.values()
            for row in session.execute(select(table))
        ]
    assert any("Ada" in row for row in rows)
    for secret in ("open sesame", token, key, new.recovery_code):
        assert not any(secret in row for row in rows)


def test_passwords(world: World) -> None:
    services = world.services
    new = accounts.create_player(services, name="Ada")
    ada, code = new.player_id, new.recovery_code
    key = access.begin(services, player_id=ada)
    for proof in ("", "correct horse"):
        with pytest.raises(InvalidInput, match="not the recovery code"):
            accounts.set_password(
                services, player_id=ada, new="correct horse", proof=proof
            )
    assert accounts.player_by_key(services, key) is not None
    kept = accounts.set_password(
        services, player_id=ada, new="correct horse", proof=code
    )
    assert kept is None
    assert accounts.player_by_key(services, key) is None
    found = accounts.sign_in(services, name="ADA", password="correct horse")
    assert found.player_id == ada
    for name, password in (("Ada", "wrong horse"), ("Bob", "correct horse")):
        with pytest.raises(
            NotSignedIn, match="Nobody in this class has this nickname and password"
        ):
            accounts.sign_in(services, name=name, password=password)
    with pytest.raises(InvalidInput, match="current password or the recovery code"):
        accounts.set_password(services, player_id=ada, new="another horse", proof="")
    fresh = accounts.set_password(
        services, player_id=ada, new="another horse", proof="correct horse"
    )
    assert fresh is not None
    assert accounts.recover(services, code=fresh.text) == ada
    with pytest.raises(InvalidInput, match="8 to 200"):
        accounts.set_password(services, player_id=ada, new="short", proof=code)


def test_what_carries_an_old_stamp_may_do_nothing(world: World) -> None:
    ada, services = world.player(), world.services
    key = access.begin(services, player_id=ada)
    token = accounts.create_token(services, player_id=ada)
    with world.db.write() as session:
        session.get_one(Player, ada).session_stamp = access.new_stamp()
    assert accounts.player_by_key(services, key) is None
    assert accounts.player_by_token(services, token) is None


def test_a_password_that_was_changed_meanwhile_opens_nothing(world: World) -> None:
    services = world.services
    new = accounts.create_player(services, name="Ada", password="correct horse")
    proven = accounts.sign_in(services, name="Ada", password="correct horse")
    accounts.set_password(
        services,
        player_id=new.player_id,
        new="another horse",
        proof="correct horse",
    )
    key = access.begin(services, player_id=proven.player_id, stamp=proven.stamp)
    assert accounts.player_by_key(services, key) is None


def test_recovery_ends_what_others_have(world: World) -> None:
    services = world.services
    new = accounts.create_player(services, name="Ada")
    key = access.begin(services, player_id=new.player_id)
    token = accounts.create_token(services, player_id=new.player_id)
    accounts.recover(services, code=new.recovery_code)
    assert accounts.player_by_key(services, key) is None
    assert accounts.player_by_token(services, token) is None


def test_the_oldest_of_many_sign_ins_ends(world: World) -> None:
    ada = world.player()
    keys = [
        access.begin(world.services, player_id=ada)
        for _ in range(access.MOST_SIGN_INS + 2)
    ]
    alive = [accounts.player_by_key(world.services, key) is not None for key in keys]
    assert alive == [False, False, *[True] * access.MOST_SIGN_INS]


@pytest.mark.parametrize("stored", ["caf\u00e9 zo\u00eb", "cafe\u0301\u00a0zo\u00eb"])
def test_a_password_that_was_hashed_as_typed_still_signs_in(
    world: World, stored: str
) -> None:
    ada = world.player("Ada")
    with world.db.write() as session:
        player = session.get_one(Player, ada)
        player.password_hash = PasswordHasher().hash(stored)
    found = accounts.sign_in(world.services, name="Ada", password=stored)
    assert found.player_id == ada
    accounts.set_password(
        world.services, player_id=ada, new="cafe\u0301 zoe\u0308", proof=stored
    )
    for typed in (
        "caf\u00e9 zo\u00eb",
        "cafe\u0301 zo\u00eb",
        "caf\u00e9\u3000zo\u00eb",
    ):
        found = accounts.sign_in(world.services, name="Ada", password=typed)
        assert found.player_id == ada
    with pytest.raises(NotSignedIn):
        accounts.sign_in(world.services, name="Ada", password="cafe zoe")


def test_nobody_signs_in_without_a_password(world: World) -> None:
    world.player("Ada")
    for password in ("", "anything at all"):
        with pytest.raises(NotSignedIn):
            accounts.sign_in(world.services, name="Ada", password=password)


def test_moving_to_a_class_takes_progress_along(world: World) -> None:
    ada = world.player("Ada")
    world.win(ada, "open")
    new = classes.add_class(world.services, name="7b")
    assert (
        accounts.join_class(world.services, player_id=ada, code=new.join_code) == "7b"
    )
    assert keep.map_page(world.services, player_id=ada).points == 100
    with pytest.raises(InvalidInput, match="Type the join code"):
        accounts.join_class(world.services, player_id=ada, code=" - ")
    taken = world.player("Ada")
    with pytest.raises(Conflict, match="Ada"):
        accounts.join_class(world.services, player_id=taken, code=new.join_code)


def test_the_export_holds_what_was_done(world: World) -> None:
    ada = world.player("Ada")
    hints.take_hint(world.services, player_id=ada, level_id="open", n=1)
    world.guess(ada, "nothing")
    world.win(ada, "open")
    kept = accounts.profile(world.services, player_id=ada)
    assert kept["name"] == "Ada"
    assert kept["guesses"][0]["guess"] == "nothing"
    assert kept["solves"][0]["points"] == 80
    assert kept["hints"] == [{"level": "open", "n": 1, "cost": 20}]


def test_deleting_leaves_nothing(world: World) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    world.say(ada)
    hints.take_hint(world.services, player_id=ada, level_id="open", n=1)
    world.guess(bob, world.secret(ada))
    world.win(ada, "open")
    token = accounts.create_token(world.services, player_id=ada)
    run = world.begin(ada, "still running")
    accounts.delete_player(world.services, player_id=ada)
    assert [event.name for event in run][-1] == "end"
    assert accounts.player_by_token(world.services, token) is None
    assert leaderboard.board(world.services).rows == ()
    with world.db.read() as session:
        for table in Base.metadata.tables.values():
            if "player_id" in table.c:
                left = select(func.count()).where(table.c.player_id == ada)
                assert session.scalar(left) == 0, table.name
        usage = session.execute(text('SELECT scope FROM "usage"')).scalars().all()
        assert not [scope for scope in usage if scope.endswith(f":player:{ada}")]
        assert session.get(Player, ada) is None
    assert list(downloads.jsonl(world.services, player_id=ada)) == []
    with pytest.raises(NotFound):
        world.say(ada)


def test_a_class_name_is_taken_once(world: World) -> None:
    classes.add_class(world.services, name="7b")
    with pytest.raises(Conflict, match="7b"):
        classes.add_class(world.services, name=" 7b ")
    with pytest.raises(NotFound):
        classes.start_season(world.services, name="7c")


def test_what_was_deleted_is_in_no_file_of_the_database(world: World) -> None:
    """Neither in free pages nor in the log of writes."""
    ada, bob = world.player("Ada"), world.player("Bob")
    for n in range(40):
        world.say(ada, f"a most remarkable sentence {n}")
    world.say(bob, "an ordinary one")
    path = Path(world.db.engine.url.database or "")

    def written() -> bytes:
        return b"".join(file.read_bytes() for file in path.parent.glob("world.db*"))

    assert b"a most remarkable sentence" in written()
    accounts.delete_player(world.services, player_id=ada)
    assert b"a most remarkable sentence" not in written()
    with world.db.write() as session:
        session.get_one(Player, bob).alias = "Countess"
    assert b"an ordinary one" in written()
