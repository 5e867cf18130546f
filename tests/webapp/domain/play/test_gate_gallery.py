"""The gallery of a gate: who shows what to whom, without a password."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.kit.content import WORDS
from tests.kit.world import World
from webapp.domain.people import accounts, classes, pieces, roster
from webapp.domain.people.roster import COMMAND
from webapp.domain.play import gallery, visits
from webapp.domain.play.gallery import AttemptPiece
from webapp.domain.play.keep import SECRET_MARK
from webapp.errors import Conflict, Forbidden, InvalidInput, NotFound


class School(NamedTuple):
    """Two of a class who have opened a gate, and the attempt that won for Ada."""

    world: World
    ada: int
    bob: int
    attempt: int
    word: str


@pytest.fixture
def school(world: World) -> School:
    code = classes.add_class(world.services, name="9b").join_code
    ada, bob = (world.player(name, class_code=code) for name in ("Ada", "Bob"))
    word = world.secret(ada)
    world.backend.enqueue(f"{word.upper()}: {'-'.join(word)}, and {word[::-1]}.")
    world.say(ada, f"Is it {word}?")
    world.win(ada, "open")
    return School(world, ada, bob, world.attempts(ada)[0].id, word)


def look(school: School, player: int) -> tuple[AttemptPiece, ...]:
    return gallery.class_gallery(
        school.world.services, player_id=player, level_id="open"
    )


def hand_in(school: School, player: int, attempt: int, note: str = "") -> None:
    gallery.hand_in(
        school.world.services, player_id=player, attempt_id=attempt, note=note
    )


def test_an_attempt_is_shown_to_those_who_have_won(school: School) -> None:
    hand_in(school, school.ada, school.attempt, f"It said {school.word}!")
    with pytest.raises(Forbidden, match="once you have opened this gate"):
        look(school, school.bob)
    school.world.win(school.bob, "open")
    (shown,) = look(school, school.bob)
    assert (shown.piece.name, shown.piece.is_own) == ("Ada", False)
    assert shown.message == f"Is it {SECRET_MARK}?"
    assert shown.reply == f"{SECRET_MARK}: {SECRET_MARK}, and {SECRET_MARK}."
    assert shown.piece.note == f"It said {SECRET_MARK}!"
    assert (shown.is_winning, shown.is_blocked) == (True, False)
    assert school.word not in repr(shown).lower()


def test_others_do_not_see_it(school: School) -> None:
    world = school.world
    hand_in(school, school.ada, school.attempt)
    eve = world.player("Eve")
    world.win(eve, "open")
    assert look(school, eve) == ()
    world.win(school.bob, "open")
    roster.hide(world.services, actor=COMMAND, player_id=school.ada, is_hidden=True)
    assert look(school, school.bob) == ()
    assert len(look(school, school.ada)) == 1


def test_a_win_of_a_past_season_opens_nothing(school: School) -> None:
    world = school.world
    hand_in(school, school.ada, school.attempt)
    classes.start_season(world.services, name="9b")
    with pytest.raises(Forbidden):
        look(school, school.ada)
    with pytest.raises(Forbidden):
        hand_in(school, school.ada, school.attempt)


def test_only_what_is_over_can_be_handed_in(school: School) -> None:
    world = school.world
    world.hear(school.ada, "And the next one?")
    open_one = world.attempts(school.ada)[-1].id
    with pytest.raises(Conflict, match="still going on"):
        hand_in(school, school.ada, open_one)
    with pytest.raises(NotFound):
        hand_in(school, school.bob, school.attempt)
    with pytest.raises(InvalidInput):
        hand_in(school, school.ada, school.attempt, "x" * 301)
    found = gallery.choices(world.services, player_id=school.ada, level_id="open")
    assert [(choice.id, choice.is_winning) for choice in found] == [
        (school.attempt, True)
    ]
    visits.reset(world.services, player_id=school.ada, level_id="open")
    found = gallery.choices(world.services, player_id=school.ada, level_id="open")
    assert [choice.id for choice in found] == [school.attempt, open_one]
    hand_in(school, school.ada, open_one)
    (shown,) = look(school, school.ada)
    assert shown.reply == f"The password is {SECRET_MARK}."
    assert not shown.is_winning


def test_before_the_win_nothing_can_be_handed_in(school: School) -> None:
    school.world.say(school.bob)
    visits.reset(school.world.services, player_id=school.bob, level_id="open")
    attempt = school.world.attempts(school.bob)[0].id
    with pytest.raises(Forbidden):
        hand_in(school, school.bob, attempt)


def test_a_reply_whose_password_is_unknown_is_not_shown(school: School) -> None:
    world = school.world
    lost_word = world.secret(school.ada)
    world.hear(school.ada, "Once more")
    visits.reset(world.services, player_id=school.ada, level_id="open")
    lost = world.attempts(school.ada)[-1].id
    gone = {school.word, world.secret(school.ada), lost_word}
    path = world.content / "words" / "syllables.txt"
    path.write_text("\n".join(word for word in WORDS if word not in gone))
    hand_in(school, school.ada, lost)
    (shown,) = look(school, school.ada)
    assert shown.reply is None
    # Of a visit that won, the word is known from the guess.
    hand_in(school, school.ada, school.attempt)
    (shown,) = look(school, school.ada)
    assert shown.reply is not None
    assert school.word not in shown.reply.lower()


def test_an_instructor_hides_it(school: School) -> None:
    services = school.world.services
    hand_in(school, school.ada, school.attempt)
    school.world.win(school.bob, "open")
    (shown,) = gallery.taught_gallery(services, actor=COMMAND, level_id="open")
    assert not shown.piece.may_vote
    pieces.hide(services, actor=COMMAND, piece_id=shown.piece.id)
    assert look(school, school.bob) == ()
    # Handing it in again does not bring it back.
    hand_in(school, school.ada, school.attempt)
    assert look(school, school.bob) == ()
    (hidden,) = gallery.taught_gallery(services, actor=COMMAND, level_id="open")
    assert hidden.piece.is_hidden
    gallery.take_back(services, player_id=school.ada, level_id="open")
    assert gallery.taught_gallery(services, actor=COMMAND, level_id="open") == ()


def test_it_goes_with_its_player(school: School) -> None:
    hand_in(school, school.ada, school.attempt)
    school.world.win(school.bob, "open")
    accounts.delete_player(school.world.services, player_id=school.ada)
    assert look(school, school.bob) == ()
