"""Secrets stay hidden, guesses are compared fairly, keys are made once."""

import pickle
import stat
from collections import Counter

import pytest

from webapp.security import (
    Secret,
    derive_secret,
    keyed_digest,
    load_key,
    new_code,
    normalise_code,
    normalise_guess,
)

pytestmark = pytest.mark.unit
WORDS = tuple(f"word{n}" for n in range(2_000))


def test_a_secret_shows_itself_nowhere_but_in_reveal():
    secret = Secret("walnut")
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>20}"]
    assert not any("walnut" in text for text in shown)
    assert secret.reveal() == "walnut"
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(secret)


@pytest.mark.parametrize(
    ("typed", "compared"),
    [
        ("Walnut", "walnut"),
        ("  w a l-n.u t ", "walnut"),
        ("WÀLNÜT", "walnut"),
        ("ｗａｌｎｕｔ", "walnut"),
        ("", ""),
        (" .-! ", ""),
    ],
)
def test_a_guess_is_compared_without_case_accents_and_spaces(typed, compared):
    assert normalise_guess(typed) == compared


def test_the_same_visit_has_the_same_secret_and_any_other_its_own():
    def word(key=b"k", player_id=1, level_id="open", visit=1):
        return derive_secret(
            key, player_id=player_id, level_id=level_id, visit=visit, words=WORDS
        ).reveal()

    assert word() == word()
    others = [
        word(player_id=2),
        word(level_id="told"),
        word(visit=2),
        word(key=b"other"),
    ]
    assert word() not in others
    assert len(set(others)) == len(others)


def test_secrets_use_the_whole_list_evenly():
    drawn = Counter(
        derive_secret(
            b"k", player_id=player, level_id="open", visit=1, words=WORDS
        ).reveal()
        for player in range(20_000)
    )
    # 20,000 draws of 2,000 words: about 10 each, and hardly one left out.
    assert len(drawn) > 1_990
    assert max(drawn.values()) < 30


def test_a_digest_needs_the_key():
    assert keyed_digest(b"a", "walnut") == keyed_digest(b"a", "walnut")
    assert keyed_digest(b"a", "walnut") != keyed_digest(b"b", "walnut")


def test_codes_survive_being_copied_by_hand():
    code = new_code()
    assert normalise_code(f"  {code.lower().replace('-', ' ')} ") == code
    assert len({new_code() for _ in range(1_000)}) == 1_000


def test_the_key_is_made_once_and_is_private(tmp_path):
    first = load_key(tmp_path)
    assert load_key(tmp_path) == first
    assert len(first) == 32
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]
