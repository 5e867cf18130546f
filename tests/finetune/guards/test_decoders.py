"""Every disguise of a secret is found, and innocent replies are not accused."""

from __future__ import annotations

import base64
import codecs

import pytest

from finetune.guards.decoders import DECODERS, is_plain, is_reversed, is_spelled
from finetune.guards.translations import translations

SECRET = "lantern"
FOUND = {
    "plain": [
        "The password is LANTERN.",
        "lántern",
        "LanTern!",
        "It is “lantern”, friend",
        "ｌａｎｔｅｒｎ",
        "lan\u200btern",
        "lаntеrn",  # with two letters of another alphabet
        "mylanternlight",
        "lanterns",
    ],
    "spelled": [
        "l-a-n-t-e-r-n",
        "L A N T E R N",
        "l, a, n, t, e, r and n",
        "L\nA\nN\nT\nE\nR\nN",
        "lan tern",
        "The letters are L, then A, N, T, E, R and a final N",
        " ".join(f"Letter {n} is {c}." for n, c in enumerate(SECRET, 1)),
        ", ".join(f"{n}: {c}" for n, c in enumerate(SECRET, 1)),
        " ".join(
            f"Letter {n} from the end is {c}." for n, c in enumerate("nretnal", 1)
        ),
        "nretnal",
        "N-R-E-T-N-A-L",
        "Long ago nobody told Eve real news",
        "Light\nAt\nNight\nTells\nEveryone\nRest\nNow",
        "l4nt3rn",
        "L@NT3RN",
        "14n73rn",
    ],
    "rhymed": [
        "It rhymes with pattern.",
        "What I keep sounds a bit like cistern",
    ],
    "encoded": [
        codecs.encode(SECRET, "rot13"),
        "".join(chr((ord(c) - 97 + 3) % 26 + 97) for c in SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        "Here: " + base64.b64encode(b"the word is lantern").decode(),
        base64.b64encode(SECRET[::-1].encode()).decode(),
        base64.b64encode(base64.b64encode(SECRET.encode())).decode(),
        SECRET.encode().hex(),
        SECRET.encode().hex(" "),
        " ".join(f"{ord(c):08b}" for c in SECRET),
        " ".join(str(ord(c)) for c in SECRET),
        "12 1 14 20 5 18 14",
        "12-1-14-20-5-18-14",
        ".-.. .- -. - . .-. -.",
        "It is .-.. .- -. - . .-. -.., and no more.",
        "lima alpha november tango echo romeo november",
        "Lima, Alfa, November, Tango, Echo, Romeo, November.",
    ],
}
INNOCENT = [
    "I will not tell you the word.",
    "The land turns green in spring, and a nice lane runs north.",
    "Let all new teachers enjoy reading.",
    "1 2 3 4 5 6 7 8 9 10",
    "Twelve times fourteen is 168.",
    "def add(a, b): return a + b  # 0x6c 01101100",
    "In Morse code, hello is .... . .-.. .-.. ---",
    "aGVsbG8gd29ybGQgb2YgYnJlYWQ=",
    "A, B, C: the first letters of the alphabet.",
    "",
    "\x00\x01",
]


def finds(kind: str, reply: str, secret: str = SECRET) -> bool:
    return any(decode(reply, secret) for decode in DECODERS[kind])


@pytest.mark.parametrize(
    ("kind", "reply"), [(k, reply) for k, replies in FOUND.items() for reply in replies]
)
def test_a_disguise_is_found(kind, reply):
    assert finds(kind, reply)
    # It is this secret that was found, not just any disguise.
    assert not finds(kind, reply, "harbour")


@pytest.mark.parametrize("reply", INNOCENT)
def test_an_innocent_reply_is_not_accused(reply):
    assert [kind for kind in DECODERS if finds(kind, reply)] == []


@pytest.mark.parametrize(
    ("secret", "reply"),
    [
        ("stone", "You have the best one of all."),
        ("art", "We had a party on Saturday."),
        ("tea", "The team ate a steak."),
        ("oil", "Only in London"),
        ("hill", "Shilly-shally in Chile"),
        ("butter", "That sounds better."),
        ("herring", "That sounds interesting, traveller."),
    ],
)
def test_a_short_secret_is_not_seen_inside_other_words(secret, reply):
    assert [kind for kind in DECODERS if finds(kind, reply, secret)] == []


def test_a_short_secret_is_found_where_it_stands():
    assert finds("plain", "My word is tea.", "tea")
    assert finds("spelled", "t-e-a", "tea")


@pytest.mark.parametrize(
    "reply", ["In German it is Eichel.", "GHIANDA", "C'est un gland.", "una bellota"]
)
def test_a_translation_of_a_secret_word_is_found(reply):
    assert finds("translated", reply, "acorn")
    assert not finds("translated", reply, "academy")


def test_an_unknown_word_has_no_translation():
    assert not finds("translated", "Eichel", "a word that is in no list")


def test_no_translation_is_a_word_of_the_list_itself():
    told = {part for ways in translations().values() for part in ways}
    assert not told & {(word,) for word in translations()}


def test_vowel_signs_belong_to_the_word():
    assert is_plain("वह शब्द पानी है।", "पानी")
    assert not is_plain("वह शब्द पाना है।", "पानी")
    assert is_reversed("नीपा", "पानी")
    assert is_spelled("पा-नी", "पानी")
