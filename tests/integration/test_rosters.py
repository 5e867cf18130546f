"""Lists, cards, moving and deleting classes, on each kind of database."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from tests.kit.world import World, counted_queries
from webapp.domain.people import (
    access,
    accounts,
    cards,
    classes,
    importing,
    limits,
    own_classes,
    roster,
    sheets,
    using,
)
from webapp.domain.people.classes import OPEN_CLASS, ClassInfo
from webapp.domain.people.importing import Imported
from webapp.domain.people.roster import COMMAND, Actor
from webapp.domain.people.using import TooHigh
from webapp.domain.play import events, leaderboard
from webapp.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotSignedIn,
    QuotaExceeded,
)
from webapp.rows import (
    Generation,
    LevelState,
    Player,
    SchoolClass,
    Solve,
    TakenName,
    Teaching,
    Usage,
    Visit,
)


@pytest.fixture
def group(world: World) -> ClassInfo:
    """Return a class."""
    return classes.add_class(world.services, name="7b")


@pytest.fixture
def gray(world: World, group: ClassInfo) -> Actor:
    """Return the instructor of the class."""
    teacher = world.player("Ms Gray", class_code=group.join_code, role="instructor")
    info = accounts.player_info(world.services, teacher)
    assert info is not None
    return roster.actor_of(info)


def add(world: World, gray: Actor, group: ClassInfo, *names: str) -> Imported:
    return importing.add(
        world.services, actor=gray, class_id=group.id, names=names, form="a form"
    )


def count(world: World, table: type) -> int:
    with world.db.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_plan_says_what_is_wrong_with_which_line(
    world: World, gray: Actor, group: ClassInfo
) -> None:
    world.player("Ada", class_code=group.join_code)
    world.player("Elsewhere")
    text = "name;class\nGrace;7b\nADA;7b\n=cmd|x;7b\n\ngrace;7b\nms gray;7b\nx;7b\n"
    sheet = sheets.read(text + "Elsewhere;7b\n" + "y" * 25)
    before = count(world, Player)
    plan = importing.plan(world.services, actor=gray, class_id=group.id, sheet=sheet)
    assert [(line.line, line.name) for line in plan.good] == [
        (2, "Grace"),
        (9, "Elsewhere"),
    ]
    told = {line.line: line.problem or "" for line in plan.bad}
    assert sorted(told) == [3, 4, 6, 7, 8, 10]
    assert told[3].startswith("Somebody in this class has this name")
    assert told[4].startswith("It begins with =, so a spreadsheet would take it")
    assert told[6].startswith("The same name as in line 2")
    assert told[7].startswith("An instructor has this name")
    assert told[8] == told[10] == "A nickname has 2 to 24 characters."
    assert count(world, Player) == before


def test_a_list_makes_players_whose_cards_sign_them_in(
    world: World, gray: Actor, group: ClassInfo
) -> None:
    made = add(world, gray, group, "Ada", "=1+1", "Grace")
    assert [card.name for card in made.cards] == ["Ada", "Grace"]
    assert [line.name for line in made.bad] == ["=1+1"]
    page = roster.class_page(world.services, actor=gray, class_id=group.id)
    assert [member.came_at for member in page.members] == [None, None]
    assert page.acts[0].what == "added 2 from a list"
    ada = accounts.recover(world.services, code=made.cards[0].code)
    access.begin(world.services, player_id=ada)
    info = accounts.player_info(world.services, ada)
    assert info is not None
    assert (info.name, info.class_id) == ("Ada", group.id)
    with pytest.raises(Conflict):
        world.player("grace", class_code=group.join_code)
    come = roster.arrivals(world.services, actor=gray, class_id=group.id, most=9)
    assert (come.names, come.number, come.awaited) == (("Ada",), 1, 1)


def test_a_list_that_is_sent_twice_makes_players_once(
    world: World, gray: Actor, group: ClassInfo
) -> None:
    first = add(world, gray, group, "Ada", "Grace")
    again = add(world, gray, group, "Ada", "Grace")
    assert sorted(again.cards, key=lambda card: card.name) == list(first.cards)
    ada = accounts.recover(world.services, code=first.cards[0].code)
    access.begin(world.services, player_id=ada)
    # Who has come has a card already, and nobody else is told the code.
    later = add(world, gray, group, "Ada", "Grace")
    assert [card.name for card in later.cards] == ["Grace"]
    assert count(world, Player) == 3


def test_a_list_of_which_nothing_is_left_is_refused(
    world: World, gray: Actor, group: ClassInfo
) -> None:
    with pytest.raises(InvalidInput, match="None of these names"):
        add(world, gray, group, "Ms Gray", "x")


def test_five_hundred_names_take_few_statements_and_no_passwords(
    world: World, gray: Actor, group: ClassInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(accounts, "_hash")
    names = [f"Student {n}" for n in range(500)]
    with counted_queries(world.db) as statements:
        made = add(world, gray, group, *names)
    assert len(statements) < 30
    assert len(made.cards) == 500
    assert len({card.code for card in made.cards}) == 500
    own_classes.remove(world.services, actor=gray, class_id=group.id)
    assert count(world, Player) == 1


def test_new_cards_for_those_who_have_not_come_or_for_all(
    world: World, gray: Actor, group: ClassInfo
) -> None:
    ada, grace = add(world, gray, group, "Ada", "Grace").cards
    there = accounts.recover(world.services, code=ada.code)
    token = accounts.create_token(world.services, player_id=there)
    page = roster.class_page(world.services, actor=gray, class_id=group.id)
    ids = [member.id for member in page.members]

    def renew(form: str, chosen: list[int] | None) -> dict[str, str]:
        made = cards.renew(
            world.services, actor=gray, class_id=group.id, form=form, chosen=chosen
        )
        return {card.name: card.code for card in made}

    some = renew("one", ids)
    assert list(some) == ["Grace"]
    assert some == renew("one", ids)
    with pytest.raises(NotSignedIn):
        accounts.recover(world.services, code=grace.code)
    everybody = renew("two", None)
    assert list(everybody) == ["Ada", "Grace"]
    assert accounts.player_by_token(world.services, token) is None
    assert accounts.recover(world.services, code=everybody["Ada"]) == there
    with pytest.raises(InvalidInput, match="who has not come yet"):
        renew("three", [there])


def test_nobody_else_does_anything_with_a_class(
    world: World, gray: Actor, group: ClassInfo
) -> None:
    other = classes.add_class(world.services, name="8a")
    ada = world.player("Ada", class_code=group.join_code)
    sheet = sheets.read("Grace")
    for class_id in (other.id, 999, 2**40, -1):
        given = {"actor": gray, "class_id": class_id}
        for act in (
            lambda g: importing.plan(world.services, **g, sheet=sheet),
            lambda g: importing.add(world.services, **g, names=["Al"], form="f"),
            lambda g: cards.renew(world.services, **g, form="f", chosen=None),
            lambda g: own_classes.info(world.services, **g),
            lambda g: own_classes.settings_page(world.services, **g),
            lambda g: own_classes.rename(world.services, **g, name="New"),
            lambda g: own_classes.set_joinable(world.services, **g, is_joinable=False),
            lambda g: own_classes.let_in(world.services, **g, player_id=ada),
            lambda g: own_classes.put_out(world.services, **g, player_id=ada),
            lambda g: own_classes.remove(world.services, **g),
            lambda g: using.page(world.services, **g),
            lambda g: using.set_limits(world.services, **g, wanted={}),
            lambda g: roster.arrivals(world.services, **g, most=1),
            lambda g: roster.move(world.services, **g, player_id=ada),
        ):
            with pytest.raises(Forbidden, match="no class that you teach"):
                act(given)
    assert classes.by_code(world.services, code=other.join_code) == other


def test_a_class_is_made_renamed_and_shared(world: World, gray: Actor) -> None:
    made = classes.add_class(world.services, name="8a", teacher_id=gray.player_id)
    with pytest.raises(Conflict, match="already a class named"):
        own_classes.rename(world.services, actor=gray, class_id=made.id, name="7B")
    with pytest.raises(Conflict):
        own_classes.rename(
            world.services, actor=gray, class_id=made.id, name="open keep"
        )
    own_classes.rename(world.services, actor=gray, class_id=made.id, name="8A ")
    assert own_classes.info(world.services, actor=gray, class_id=made.id).name == "8A"
    brown = world.player("Mr Brown", role="instructor")
    ada = world.player("Ada", class_code=made.join_code)
    with pytest.raises(InvalidInput, match="one of the instructors"):
        own_classes.let_in(world.services, actor=gray, class_id=made.id, player_id=ada)
    with pytest.raises(Conflict, match="Add another instructor first"):
        own_classes.put_out(
            world.services,
            actor=gray,
            class_id=made.id,
            player_id=gray.player_id or 0,
        )
    for _ in range(2):
        own_classes.let_in(
            world.services, actor=gray, class_id=made.id, player_id=brown
        )
    page = own_classes.settings_page(world.services, actor=gray, class_id=made.id)
    assert [one.name for one in page.teachers] == ["Mr Brown", "Ms Gray"]
    own_classes.put_out(
        world.services, actor=gray, class_id=made.id, player_id=gray.player_id or 0
    )
    assert made.id not in roster.taught(world.services, actor=gray)


def test_a_closed_class_takes_nobody_new(
    world: World, gray: Actor, group: ClassInfo
) -> None:
    inside = world.player("Ada", class_code=group.join_code)
    outside = world.player("Bob")
    own_classes.set_joinable(
        world.services, actor=gray, class_id=group.id, is_joinable=False
    )
    for join in (
        lambda: world.player("Grace", class_code=group.join_code),
        lambda: accounts.join_class(
            world.services, player_id=outside, code=group.join_code
        ),
    ):
        with pytest.raises(Conflict, match="“7b” takes nobody new") as refused:
            join()
        assert refused.value.code == "join_closed"
    assert accounts.join_class(world.services, player_id=inside, code=group.join_code)
    assert add(world, gray, group, "Alan").cards
    own_classes.set_joinable(
        world.services, actor=gray, class_id=group.id, is_joinable=True
    )
    assert world.player("Grace", class_code=group.join_code)


def test_a_class_takes_as_many_in_an_hour_as_it_says(
    world: World, gray: Actor, group: ClassInfo
) -> None:
    add(world, gray, group, "Alan", "Edsger")
    using.set_limits(
        world.services,
        actor=gray,
        class_id=group.id,
        wanted={"sign_ups_per_hour": 2},
    )
    own_classes.set_joinable(
        world.services, actor=gray, class_id=group.id, is_joinable=True
    )
    for name in ("Ada", "Grace"):
        if name == "Grace":
            world.clock.move(minutes=10)
        world.player(name, class_code=group.join_code)
    with pytest.raises(QuotaExceeded, match="at most 2 new players") as refused:
        world.player("Ida", class_code=group.join_code)
    assert refused.value.retry_after == 50 * 60
    world.clock.move(minutes=51)
    world.player("Ida", class_code=group.join_code)


def test_limits_of_a_class_are_below_those_of_the_site(
    world: World, gray: Actor, group: ClassInfo
) -> None:
    ada = world.player("Ada", class_code=group.join_code)
    other = world.player("Bob")
    site = world.services.settings.attempts_per_day
    with pytest.raises(TooHigh, match="at most 2,000") as refused:
        using.set_limits(
            world.services,
            actor=gray,
            class_id=group.id,
            wanted={"attempts_per_day": site + 1},
        )
    assert refused.value.name == "attempts_per_day"
    using.set_limits(
        world.services,
        actor=gray,
        class_id=group.id,
        wanted={"attempts_per_day": 1, "tokens_per_day": None},
    )
    world.say(ada)
    with pytest.raises(QuotaExceeded, match="all 1 attempts of this day"):
        world.say(ada)
    world.say(other)
    world.say(other)
    page = using.page(world.services, actor=gray, class_id=group.id)
    first = page.players[0]
    assert (first.name, first.attempts.used, first.attempts.left) == ("Ada", 1, 0)
    assert [one.attempts.used for one in page.players] == [1, 0]
    assert page.own == {"attempts_per_day": 1}
    # An admin may allow more than the site does.
    using.set_limits(
        world.services,
        actor=COMMAND,
        class_id=group.id,
        wanted={"attempts_per_day": site + 1},
    )
    inside = limits.of_player(world.services, player_id=ada)
    assert inside.attempts_per_day == site + 1


def test_the_tokens_of_a_class_are_counted_and_run_out(
    world: World, gray: Actor, group: ClassInfo
) -> None:
    ada = world.player("Ada", class_code=group.join_code)
    grace = world.player("Grace", class_code=group.join_code)
    world.say(ada)
    (row,) = world.attempts(ada)
    tokens = (row.prompt_tokens or 0) + (row.reply_tokens or 0)
    assert tokens > 0
    page = using.page(world.services, actor=gray, class_id=group.id)
    assert [(one.name, one.tokens) for one in page.players[:2]] == [
        ("Ada", tokens),
        ("Grace", 0),
    ]
    assert page.tokens.used == tokens
    using.set_limits(
        world.services,
        actor=gray,
        class_id=group.id,
        wanted={"tokens_per_day": tokens},
    )
    with pytest.raises(QuotaExceeded, match="Your class has used all") as refused:
        world.say(grace)
    assert refused.value.scope == "class/day"
    world.say(world.player("Bob"))
    world.clock.move(days=1)
    world.say(grace)


def test_a_player_moves_with_all_that_counts(
    world: World, gray: Actor, group: ClassInfo
) -> None:
    there = classes.add_class(world.services, name="8a", teacher_id=gray.player_id)
    ada = world.player("Ada", class_code=group.join_code)
    world.say(ada)
    world.win(ada, "open")
    classes.start_season(world.services, name="7b")
    world.win(ada, "open")
    world.say(ada)
    (talking,) = [v for v in world.visits(ada) if v.ended_at is None]
    with world.db.read() as session:
        before = {state.season: state for state in session.scalars(select(LevelState))}
    assert sorted(before) == [1, 2]
    attempts = sum(state.attempts for state in before.values())
    name = roster.move(world.services, actor=gray, player_id=ada, class_id=there.id)
    assert name == "8a"
    (still,) = [v for v in world.visits(ada) if v.ended_at is None]
    assert (still.id, still.season) == (talking.id, 1)
    world.say(ada)
    assert len(world.visits(ada)) == len({v.number for v in world.visits(ada)})
    assert leaderboard.past_seasons(world.services, class_id=group.id) == (1,)
    assert leaderboard.board(world.services, class_id=there.id).rows[0].alias == "Ada"
    with world.db.read() as session:
        (state,) = session.scalars(select(LevelState))
        # One more was said after the move.
        assert (state.season, state.attempts) == (1, attempts + 1)
    # The name is free again where the player was, and taken where the player is.
    world.player("ada", class_code=group.join_code)
    other = world.player("Bob", class_code=group.join_code)
    roster.rename(world.services, actor=gray, player_id=ada, name="bob")
    with pytest.raises(Conflict, match="In “8a”, somebody has the name “Bob”"):
        roster.move(world.services, actor=gray, player_id=other, class_id=there.id)
    info = accounts.player_info(world.services, other)
    assert info is not None
    assert info.class_id == group.id


def test_a_deleted_class_leaves_nothing_even_while_it_plays(
    world: World, gray: Actor, group: ClassInfo
) -> None:
    brown = world.player("Mr Brown", role="instructor")
    ada = world.player("Ada", class_code=group.join_code)
    outside = world.player("Bob")
    world.win(ada, "open")
    classes.start_season(world.services, name="7b")
    world.say(outside)
    page = own_classes.settings_page(world.services, actor=gray, class_id=group.id)
    assert (page.contents.players, page.contents.wins) == (1, 1)
    world.backend.enqueue("Halt!")
    playing = world.begin(ada, "Hello")
    next(playing)
    own_classes.remove(world.services, actor=gray, class_id=group.id)
    (fault,) = [e for e in playing if isinstance(e, events.ErrorEvent)]
    assert fault.code == "player_gone"
    assert "Your player has been deleted" in fault.message
    with world.db.read() as session:
        assert (
            session.scalars(
                select(SchoolClass.name).where(SchoolClass.name != OPEN_CLASS)
            ).all()
            == []
        )
        assert set(session.scalars(select(Player.name))) == {
            "Ms Gray",
            "Mr Brown",
            "Bob",
        }
        assert set(session.scalars(select(Generation.player_id))) == {outside}
        assert set(session.scalars(select(Visit.player_id))) == {outside}
        scopes = set(session.scalars(select(Usage.scope)))
        assert not [scope for scope in scopes if scope.endswith(f":player:{ada}")]
    assert count(world, Solve) == 0
    assert count(world, Teaching) == 1
    assert count(world, TakenName) > 0
    # Instructors' names stay theirs, also of those who played in the class.
    with pytest.raises(Conflict):
        world.player("ms gray")
    assert brown


def test_the_class_of_those_without_a_code_stays(world: World) -> None:
    world.player("Bob")
    found = next(
        one for one in classes.classes(world.services) if one.name == OPEN_CLASS
    )
    with pytest.raises(Conflict, match="cannot be deleted"):
        own_classes.remove(world.services, actor=COMMAND, class_id=found.id)
