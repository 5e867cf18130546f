"""Secrets stay hidden, guesses are compared fairly, keys are made once."""

import pickle
import random
import stat
from collections import Counter

import pytest

from webapp.security import (
    Passwords,
    Secret,
    keyed_digest,
    load_key,
    new_code,
    normalise_code,
    password_forms,
    passwords,
    prepare_password,
    word_digest,
)
from webapp.text.words import normalise_guess

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


def word_of(player_id=1, *, key=b"k", level_id="open", visit=1, words=WORDS):
    """Return the word that is chosen for a visit."""
    of_level = passwords(key, level_id, tuple(words))
    secret = of_level.find(of_level.choose(player_id=player_id, visit=visit))
    assert secret is not None
    return secret.reveal()


def test_the_same_visit_has_the_same_secret_and_any_other_its_own():
    assert word_of() == word_of()
    others = [
        word_of(player_id=2),
        word_of(level_id="told"),
        word_of(visit=2),
        word_of(key=b"other"),
    ]
    assert word_of() not in others
    assert len(set(others)) == len(others)


@pytest.mark.parametrize(
    ("count", "plays"), [(2, 4_000), (100, 10_000), (2_000, 1_000)]
)
def test_every_word_is_equally_likely(count, plays):
    words = WORDS[:count]
    drawn = Counter(word_of(player, words=words) for player in range(plays))
    expected = plays / count
    chi_square = sum((drawn[word] - expected) ** 2 / expected for word in words)
    # Its mean is the degrees of freedom, and its variance twice that: five deviations.
    degrees = count - 1
    assert abs(chi_square - degrees) < 5 * (2 * degrees) ** 0.5


def test_an_edit_changes_only_the_visits_that_it_must():
    words = WORDS[:400]
    removed, added = set(words[::20]), tuple(f"fresh{n}" for n in range(20))
    edited = [word for word in words if word not in removed] + [*added]
    before = [word_of(player, words=words) for player in range(1_000)]
    after = [word_of(player, words=edited) for player in range(1_000)]
    # Only a word that came can take over a visit whose word stays.
    moved = [n for n, word in enumerate(before) if after[n] != word]
    assert {n for n, word in enumerate(before) if word in removed} <= set(moved)
    assert all(before[n] in removed or after[n] in added for n in moved)
    # One visit in twenty has lost its word, and new words take as many.
    assert 60 < len(moved) < 140


@pytest.mark.parametrize("seed", range(5))
def test_neither_order_nor_spelling_of_the_words_decides(seed):
    shuffled = list(WORDS)
    random.Random(seed).shuffle(shuffled)
    spelled = [*shuffled, *(word.upper() for word in WORDS[:50])]
    random.Random(seed).shuffle(spelled)
    for player in range(40):
        word = word_of(player)
        assert word_of(player, words=shuffled) == word
        assert normalise_guess(word_of(player, words=spelled)) == word


def test_a_word_is_found_by_the_digest_that_older_releases_stored():
    digest = "9c26fccb2276aef0173b51fb9f52ccef4dbea6a992272b27377627b7a34cfa6c"
    assert word_digest(b"a key", "open", " Wàlnut!") == digest
    found = Passwords(b"a key", "open", ["acorn", "Walnut"]).find(digest)
    assert found == Secret("Walnut")
    assert Passwords(b"a key", "open", ["acorn"]).find(digest) is None
    assert Passwords(b"a key", "told", ["walnut"]).find(digest) is None
    assert Passwords(b"other", "open", ["walnut"]).find(digest) is None


def test_a_digest_needs_the_key():
    assert keyed_digest(b"a", "walnut") == keyed_digest(b"a", "walnut")
    assert keyed_digest(b"a", "walnut") != keyed_digest(b"b", "walnut")


def test_codes_survive_being_copied_by_hand():
    code = new_code()
    assert normalise_code(f"  {code.lower().replace('-', ' ')} ") == code
    assert len({new_code() for _ in range(1_000)}) == 1_000


@pytest.mark.parametrize(
    "typed",
    [
        "ＢＣＤＦ－２３４５",
        "ｂｃｄｆ２３４５",
        "bcdf 2345",
        "B C D F - 2 3 4 5",
        "BCDF–2345",
        "BCDF—2345",
        "BCDF\u20112345",
        "BCDF\u2212\u2015\u30fc\uff70\ufe632345",
        "BCDF\u3000\u00a02345\u200b",
        "\u3164BCDF_2345.",
        "𝐁𝐂𝐃𝐅-𝟐𝟑𝟒𝟓",
    ],
)
def test_a_code_may_be_typed_on_any_keyboard(typed):
    assert normalise_code(typed) == "BCDF-2345"


def test_a_password_is_hashed_the_same_from_every_keyboard():
    assert prepare_password("Cafe\u0301\u00a0Zo\u00eb") == "Caf\u00e9 Zo\u00eb"
    assert prepare_password("Pass\u200dWord Ａ") == "Pass\u200dWord Ａ"
    assert password_forms("correct horse") == ("correct horse",)
    assert set(password_forms("caf\u00e9\u3000x")) == {
        "caf\u00e9 x",
        "caf\u00e9\u3000x",
        "cafe\u0301\u3000x",
    }


def test_the_key_is_made_once_and_is_private(tmp_path):
    first = load_key(tmp_path)
    assert load_key(tmp_path) == first
    assert len(first) == 32
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]
