"""What was meant for a visit that is over is told, and not counted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kit.content import WORDS
from tests.kit.world import World
from webapp.domain.people import classes
from webapp.domain.play import attack, guessing, hints, keep, visits
from webapp.domain.play.visits import NO_VISIT, VisitEnded
from webapp.errors import NotFound
from webapp.rows import Guess, HintUse

Act = Callable[[World, int, int | None], object]


def message(world: World, player: int, visit: int | None) -> object:
    run = attack.attack(
        world.services, player_id=player, level_id="open", message="Hi", visit=visit
    )
    return list(run)


def guess(world: World, player: int, visit: int | None) -> object:
    return guessing.guess(
        world.services, player_id=player, level_id="open", guess="some", visit=visit
    )


def hint(world: World, player: int, visit: int | None) -> object:
    return hints.take_hint(
        world.services, player_id=player, level_id="open", n=1, visit=visit
    )


def reset(world: World, player: int, visit: int | None) -> object:
    visits.reset(world.services, player_id=player, level_id="open", visit=visit)
    return None


ACTS = [message, guess, hint, reset]


def new_season(world: World, player: int) -> str:
    classes.start_season(world.services, name=classes.OPEN_CLASS)
    return "season"


def edit(world: World, player: int) -> str:
    path = world.content / "words" / "syllables.txt"
    path.write_text("\n".join(word[::-1] for word in WORDS))
    return "words"


def reset_elsewhere(world: World, player: int) -> str:
    reset(world, player, None)
    return "reset"


def guess_elsewhere(world: World, player: int) -> str:
    for n in range(15):
        world.guess(player, f"word{n}")
    return "guesses"


def win_elsewhere(world: World, player: int) -> str:
    world.win(player, "open")
    return "win"


SILENT = [new_season, edit]
ENDS = [*SILENT, reset_elsewhere, guess_elsewhere, win_elsewhere]


def counts(world: World, player: int) -> tuple[int, int, int, int]:
    """Return what would show that something was counted."""
    with world.db.read() as session:
        guesses = session.query(Guess).count()
        opened = session.query(HintUse).count()
    wrong = sum(visit.wrong_guesses for visit in world.visits(player))
    return len(world.attempts(player)), guesses, opened, wrong


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("end", ENDS)
def test_a_named_visit_that_is_over_is_told(
    world: World, act: Act, end: Callable[[World, int], str]
) -> None:
    ada = world.player()
    world.secret(ada)
    (visit,) = world.visits(ada)
    why = end(world, ada)
    before = counts(world, ada)
    for _ in range(2):
        with pytest.raises(VisitEnded) as caught:
            act(world, ada, visit.id)
        assert caught.value.message == f"{visits.END_NOTICES[why]} {visits.NOT_COUNTED}"
        assert caught.value.status == 409
    assert counts(world, ada) == before
    assert [v.ended_why for v in world.visits(ada)] == [why]
    act(world, ada, NO_VISIT)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("end", SILENT)
def test_whoever_names_no_visit_is_told_once(
    world: World, act: Act, end: Callable[[World, int], str]
) -> None:
    ada = world.player()
    world.secret(ada)
    why = end(world, ada)
    with pytest.raises(VisitEnded):
        act(world, ada, None)
    assert [v.ended_why for v in world.visits(ada)] == [why]
    act(world, ada, None)


@pytest.mark.parametrize("act", ACTS)
def test_the_visit_in_progress_can_be_named(world: World, act: Act) -> None:
    ada = world.player()
    world.secret(ada)
    page = keep.level_page(world.services, player_id=ada, level_id="open")
    assert page.visit == world.visits(ada)[0].id
    act(world, ada, page.visit)


def test_the_word_of_a_visit_that_is_over_is_not_a_wrong_guess(world: World) -> None:
    ada = world.player()
    word = world.secret(ada)
    (visit,) = world.visits(ada)
    reset(world, ada, None)
    world.secret(ada)
    with pytest.raises(VisitEnded):
        guessing.guess(
            world.services,
            player_id=ada,
            level_id="open",
            guess=word,
            visit=visit.id,
        )
    assert [v.wrong_guesses for v in world.visits(ada)] == [0, 0]


def test_the_winning_word_sent_twice_has_opened_the_gate(world: World) -> None:
    ada = world.player()
    word = world.secret(ada)
    (visit,) = world.visits(ada)
    outcomes = [
        guessing.guess(
            world.services,
            player_id=ada,
            level_id="open",
            guess=word,
            visit=visit.id,
        )
        for _ in range(2)
    ]
    assert [outcome.correct for outcome in outcomes] == [True, True]


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("number", [-1, 999, 2**31, 2**70])
def test_a_visit_that_is_not_ones_own_is_not_found(
    world: World, act: Act, number: int
) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    world.secret(bob)
    (foreign,) = world.visits(bob)
    for named in (number, foreign.id):
        with pytest.raises(NotFound, match="no such visit"):
            act(world, ada, named)


def test_a_guess_says_which_visit_comes_next(world: World) -> None:
    ada = world.player()
    outcome = world.guess(ada, "some")
    assert outcome.visit == world.visits(ada)[0].id
    assert world.guess(ada, world.secret(ada)).visit == NO_VISIT
