"""Guessing: what counts, what it earns, and what it tells about others."""

from __future__ import annotations

from itertools import islice, product

import pytest

from tests.kit.content import WORDS, write_level
from tests.kit.world import World, counted_queries
from webapp.domain.people import accounts
from webapp.domain.play import evidence, guessing, hints
from webapp.errors import InvalidInput, QuotaExceeded
from webapp.rows import Guess, Solve


def wrong_words(
    world: World, player: int, count: int, level: str = "open"
) -> list[str]:
    """Return words that are not the password."""
    secret = world.secret(player, level)
    return [word for word in WORDS if word != secret][:count]


def solves(world: World, player: int) -> list[Solve]:
    with world.db.read() as session:
        return session.query(Solve).filter_by(player_id=player).all()


def test_the_right_word_opens_the_next_level(world: World) -> None:
    ada = world.player()
    outcome = world.guess(ada, world.secret(ada))
    assert outcome.correct
    assert (outcome.points, outcome.next) == (100, "told")
    assert outcome.visit_ended
    assert outcome.message == "The gate is open: 100 points."


def test_after_the_last_level_comes_what_is_still_to_be_won(world: World) -> None:
    write_level(world.content, "last", after=[])
    ada = world.player()
    assert world.guess(ada, world.secret(ada, "last"), "last").next == "open"
    level: str | None = "open"
    seen: list[str] = []
    while level is not None:
        seen.append(level)
        level = world.guess(ada, world.secret(ada, level), level).next
    # Each once, and then no more.
    assert len(seen) == len(set(seen)) > 1


@pytest.mark.parametrize(
    "dress",
    [
        str.upper,
        str.title,
        lambda word: f"  {word}\n",
        lambda word: " ".join(word),
        lambda word: "-".join(word.upper()) + "!",
        lambda word: word.replace("u", "ú"),
        lambda word: "".join(chr(ord(char) + 0xFEE0) for char in word),
    ],
)
def test_case_spaces_accents_and_width_do_not_matter(world: World, dress) -> None:
    ada = world.player()
    assert world.guess(ada, dress(world.secret(ada))).correct


def test_a_sentence_with_the_word_is_not_the_word(world: World) -> None:
    ada = world.player()
    outcome = world.guess(ada, f"it is {world.secret(ada)}")
    assert not outcome.correct
    assert (outcome.points, outcome.next) == (0, None)


def test_wrong_words_are_counted_and_end_the_visit(world: World) -> None:
    ada = world.player()
    first = world.secret(ada)
    lefts = [world.guess(ada, w).guesses_left for w in wrong_words(world, ada, 14)]
    assert lefts == list(range(14, 0, -1))
    outcome = world.guess(ada, "another")
    assert (outcome.visit_ended, outcome.guesses_left) == (True, 0)
    assert "changed the password" in outcome.message
    assert world.secret(ada) != first
    assert world.guess(ada, first).correct is False


def test_a_repeated_wrong_word_costs_nothing(world: World) -> None:
    ada = world.player()
    world.guess(ada, "nothing")
    again = world.guess(ada, "No-Thing")
    assert (again.correct, again.guesses_left) == (False, 14)
    assert "tried that" in again.message
    assert world.visits(ada)[0].wrong_guesses == 1


def test_the_winning_word_again_earns_nothing(world: World) -> None:
    ada = world.player()
    word = world.secret(ada)
    world.win(ada, "open")
    again = world.guess(ada, word)
    assert (again.correct, again.points, again.next) == (True, 0, "told")
    assert len(solves(world, ada)) == 1


def test_a_second_win_earns_nothing(world: World) -> None:
    ada = world.player()
    world.win(ada, "open")
    outcome = world.guess(ada, world.secret(ada))
    assert (outcome.correct, outcome.points) == (True, 0)
    assert outcome.message == "Right again."
    assert len(solves(world, ada)) == 1


def test_hints_come_off_the_points_but_never_below_zero(world: World) -> None:
    ada = world.player()
    for n in (1, 2):
        hints.take_hint(world.services, player_id=ada, level_id="open", n=n)
    outcome = world.guess(ada, world.secret(ada))
    assert (outcome.correct, outcome.points) == (True, 0)
    assert outcome.message == "The gate is open: 0 points."
    assert [s.points for s in solves(world, ada)] == [0]


def test_dearer_hints_of_an_edited_level_do_not_go_below_zero(world: World) -> None:
    ada = world.player()
    for n in (1, 2):
        hints.take_hint(world.services, player_id=ada, level_id="open", n=n)
    write_level(world.content, "open", points=50, hints=[])
    assert world.guess(ada, world.secret(ada)).points == 0


def test_the_win_keeps_what_it_took(world: World) -> None:
    ada = world.player()
    world.win(ada, "open")
    for n in range(2):
        world.say(ada, "x" * (n + 1), "talk")
    world.hear(ada, "xxx", "talk")
    world.win(ada, "talk")
    world.say(ada, "a long message", "told")
    world.hear(ada, "short", "told")
    world.win(ada, "told")
    found = {s.level_id: (s.attempts, s.chars) for s in solves(world, ada)}
    assert found == {"open": (0, None), "talk": (3, 6), "told": (2, 5)}


@pytest.mark.parametrize(
    ("guess", "says"),
    [
        ("", "Type the password"),
        ("  !?  ", "Type the password"),
        ("x" * 101, "100 characters"),
        ("a\0b", r"U\+0000"),
        ("half \ud83d", r"U\+D83D"),
    ],
)
def test_what_cannot_be_a_word_is_refused(world: World, guess: str, says: str) -> None:
    ada = world.player()
    with pytest.raises(InvalidInput, match=says):
        world.guess(ada, guess)
    assert world.visits(ada) == []


def test_guesses_have_quotas(world: World) -> None:
    world.limit(guesses_per_minute=3)
    ada = world.player()
    for word in WORDS[:3]:
        world.guess(ada, word)
    with pytest.raises(QuotaExceeded, match="all 3 guesses of this minute") as caught:
        world.guess(ada, "another")
    assert caught.value.scope == "player/minute"
    assert caught.value.retry_after == 60
    world.clock.move(seconds=60)
    world.guess(ada, "another")


def test_the_pause_after_wrong_guesses_grows(world: World) -> None:
    world.limit(guess_pause=30)
    ada = world.player()
    words = iter(wrong_words(world, ada, 14))
    for _ in range(guessing.FREE_GUESSES):
        world.guess(ada, next(words))
    for pause in (2, 4, 8, 16, 30, 30):
        word = next(words)
        for passed in (0, pause - 1):
            world.clock.move(seconds=passed)
            with pytest.raises(QuotaExceeded, match="lets you wait") as caught:
                world.guess(ada, word)
            assert caught.value.retry_after == pause - passed
        world.clock.move(seconds=1)
        world.guess(ada, word)
    world.clock.move(hours=1)
    world.guess(ada, next(words))


def test_the_right_word_waits_too(world: World) -> None:
    """Otherwise a script would not have to wait for the answer."""
    world.limit(guess_pause=30)
    ada = world.player()
    for word in wrong_words(world, ada, guessing.FREE_GUESSES):
        world.guess(ada, word)
    with pytest.raises(QuotaExceeded):
        world.guess(ada, world.secret(ada))
    world.clock.move(seconds=2)
    assert world.guess(ada, world.secret(ada)).correct


def test_a_gate_takes_so_many_wrong_guesses_a_day(world: World) -> None:
    """Over all visits, but one gate does not shut another."""
    world.limit(wrong_guesses_per_gate=20, wrong_guesses=15)
    write_level(world.content, "told", after=[])
    ada = world.player()
    for n in range(20):
        world.guess(ada, f"word{n}")
        world.clock.move(minutes=1)
    with pytest.raises(QuotaExceeded, match="takes 20 wrong guesses") as caught:
        world.guess(ada, world.secret(ada))
    assert caught.value.scope == "gate/day"
    assert caught.value.retry_after == 86_400 - 20 * 60
    world.guess(ada, "word", "told")
    world.clock.move(seconds=caught.value.retry_after)
    assert world.guess(ada, world.secret(ada)).correct


def test_words_are_compared_in_constant_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str]] = []

    def compare(first: str, second: str) -> bool:
        seen.append((first, second))
        return first == second

    monkeypatch.setattr(guessing, "constant_time_equal", compare)
    ada = world.player()
    secret = world.secret(ada)
    world.guess(ada, "No Thing")
    world.guess(ada, secret.upper())
    assert seen == [("nothing", secret), (secret, secret)]


def test_another_players_secret_is_wrong_and_noted(world: World) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    outcome = world.guess(ada, world.secret(bob).upper())
    plain = world.guess(ada, "nothing")
    assert not outcome.correct
    # The guesser cannot tell it from any other wrong word.
    assert (outcome.message, outcome.next) == (plain.message, plain.next)
    (found,) = evidence.shared_guesses(world.services, class_id=1)
    assert (found.guesser, found.owner, found.level_id) == ("Ada", "Bob", "open")
    assert found.chance == pytest.approx(1 / len(WORDS))


def test_an_earlier_secret_of_ones_own_is_no_evidence(world: World) -> None:
    ada = world.player()
    first = world.secret(ada)
    for word in wrong_words(world, ada, 15):
        world.guess(ada, word)
    world.secret(ada)
    world.guess(ada, first)
    assert evidence.shared_guesses(world.services, class_id=1) == ()


def test_the_chance_grows_with_the_visits_of_others(world: World) -> None:
    players = [world.player(f"Player {n}") for n in range(11)]
    secrets = [world.secret(player) for player in players]
    world.guess(players[0], secrets[1])
    (found,) = evidence.shared_guesses(world.services, class_id=1)
    assert found.chance == pytest.approx(1 - (1 - 1 / len(WORDS)) ** 10)


def test_evidence_outlives_its_level(world: World) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    world.guess(ada, world.secret(bob))
    with world.db.write() as session:
        session.query(Guess).update({"level_id": "gone"})
    (found,) = evidence.shared_guesses(world.services, class_id=1)
    assert found.level_id == "gone"


def test_evidence_takes_the_same_queries_for_any_number(world: World) -> None:
    players = [world.player(f"Player {n}") for n in range(4)]
    secrets = [world.secret(player) for player in players]
    counts = []
    for secret in secrets[1:]:
        world.guess(players[0], secret)
        with counted_queries(world.db) as queries:
            evidence.shared_guesses(world.services, class_id=1)
        counts.append(len(queries))
    assert len(set(counts)) == 1


def test_a_deleted_owner_leaves_no_evidence(world: World) -> None:
    ada, bob = world.player("Ada"), world.player("Bob")
    world.guess(ada, world.secret(bob))
    accounts.delete_player(world.services, player_id=bob)
    assert evidence.shared_guesses(world.services, class_id=1) == ()


def test_a_vowel_sign_makes_another_guess(world: World) -> None:
    syllables = product("कगचजटडतदनपबमरल", "ािीुूेैोौ", repeat=2)
    words = ["".join(word) for word in islice(syllables, 2_500)]
    path = world.content / "words" / "hindi.txt"
    path.write_text("\n".join(words))
    write_level(world.content, "open", secret={"words": "hindi"})
    ada = world.player()
    secret = world.secret(ada)
    assert secret in words
    other = next(word for word in words if word[0] == secret[0] and word != secret)
    assert not world.guess(ada, other).correct
    assert world.guess(ada, f" {secret[:2]}\u200d {secret[2:]}।").correct
