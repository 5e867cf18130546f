"""Secrets of visits, tokens of players, and how both are compared."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final

from webapp.files import write_once
from webapp.text.words import normalise_guess

# No vowels and no look-alikes: codes are read aloud in a classroom.
_CODE_ALPHABET: Final = "BCDFGHJKMNPQRSTVWXYZ23456789"


class Secret:
    """A password of a visit. It shows itself only where `reveal` is called."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the word itself: for the system prompt and for comparing, only."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and constant_time_equal(
            self._text, other._text
        )

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> str:
        raise TypeError("a Secret cannot be pickled or copied into a message")


def constant_time_equal(first: str, second: str) -> bool:
    """Compare two texts in a time that does not depend on where they differ."""
    return hmac.compare_digest(first.encode(), second.encode())


def keyed_digest(key: bytes, text: str) -> str:
    """Return an index value for a text that is worthless without the key."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def word_digest(key: bytes, level_id: str, word: str) -> str:
    """Return the index value under which a word of a level is stored and found."""
    return keyed_digest(key, f"{level_id}\x1f{normalise_guess(word)}")


class Passwords:
    """The words that a level may guard: one is chosen for a visit and found again.

    A visit keeps the digest of its word. So an edit of the list ends only the visits
    whose word is removed, and no word is stored.
    """

    def __init__(self, key: bytes, level_id: str, words: Iterable[str]) -> None:
        self._key = key
        self._level_id = level_id
        # Of two spellings of one guess, the same one in any order of the words.
        self._words = {word_digest(key, level_id, word): word for word in sorted(words)}

    def choose(self, *, player_id: int, visit: int) -> str:
        """Return the digest of the word for a visit; each word is equally likely.

        Rendezvous hashing: of all digests, the one whose hash under the key of this
        visit is the highest. Without a word the others keep their order, so removing
        it changes the choice for its own visits only, and adding one takes over only
        the visits that it wins. Whoever lacks the server key learns nothing.
        """
        message = f"secret\x1f{player_id}\x1f{self._level_id}\x1f{visit}".encode()
        of_visit = hmac.digest(self._key, message, "sha256")
        # BLAKE2 needs no HMAC around it, which would take three times as long.
        ranked = [
            (hashlib.blake2b(of_visit + digest.encode()).digest(), digest)
            for digest in self._words
        ]
        return max(ranked)[1]

    def find(self, digest: str) -> Secret | None:
        """Return the word with a digest; None if it is not in the list (any more)."""
        word = self._words.get(digest)
        return None if word is None else Secret(word)


@lru_cache(maxsize=64)
def passwords(key: bytes, level_id: str, words: tuple[str, ...]) -> Passwords:
    """Return the passwords of a level; made once, as it takes a digest of each word."""
    return Passwords(key, level_id, words)


def new_token() -> str:
    """Return a fresh bearer token of 256 random bits."""
    return secrets.token_urlsafe(32)


def token_digest(token: str) -> str:
    """Return what is stored instead of a token or recovery code.

    A plain hash is enough: both hold at least 80 random bits.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def new_code(groups: int = 4, size: int = 4) -> str:
    """Return a code that is easy to copy by hand (4.8 bits a character)."""
    return "-".join(
        "".join(secrets.choice(_CODE_ALPHABET) for _ in range(size))
        for _ in range(groups)
    )


def derived_code(key: bytes, text: str, length: int = 16) -> str:
    """Return the code that a text always gives; without the key nobody can tell it."""
    number = int.from_bytes(hmac.digest(key, f"code\x1f{text}".encode(), "sha256"))
    letters = []
    for _ in range(length):
        number, place = divmod(number, len(_CODE_ALPHABET))
        letters.append(_CODE_ALPHABET[place])
    return normalise_code("".join(letters))


def normalise_code(code: str) -> str:
    """Bring a typed code back to the form in which it was given out.

    Any keyboard will do: wide letters, small letters, spaces and all kinds of dashes.
    """
    narrow = unicodedata.normalize("NFKC", code).upper()
    plain = "".join(c for c in narrow if c.isascii() and c.isalnum())
    return "-".join(plain[i : i + 4] for i in range(0, len(plain), 4))


def prepare_password(password: str) -> str:
    """Return a password as it is hashed, whichever keyboard it was typed on.

    As RFC 8265 has it for passwords: every space is a plain one, and accented letters
    are stored in one way. Case and everything else matter.
    """
    spaced = "".join(" " if unicodedata.category(c) == "Zs" else c for c in password)
    return unicodedata.normalize("NFC", spaced)


def password_forms(password: str) -> tuple[str, ...]:
    """Return the forms of a password of which a stored hash may be.

    Older hashes were made of what was typed, composed or not.
    """
    decomposed = unicodedata.normalize("NFD", password)
    return tuple(dict.fromkeys((prepare_password(password), password, decomposed)))


def load_key(instance: Path) -> bytes:
    """Return the server key of an instance folder, made on first use (0600).

    Every password of the game depends on it: a new key changes them all.
    """
    path = instance / "secret.key"
    if not path.exists():
        instance.mkdir(parents=True, exist_ok=True)
        write_once(path, secrets.token_hex(32), mode=0o600)
    return bytes.fromhex(path.read_text().strip())
