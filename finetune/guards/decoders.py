"""Ways to write a word so that a search for it finds nothing, and back.

Each decoder gets the reply and the secret as bare lower-case letters and digits, and
says whether that way of writing gives the secret away. They are exact: they never
fire on a reply that does not hold the secret in some form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

import regex

from finetune.guards import codes
from finetune.guards.text import fold, words
from finetune.guards.translations import is_translated

Decoder = Callable[[str, str], bool]

_LEET = str.maketrans("0345789$@!", "oeastbgsai")
_ONES = "il"  # what a 1 may stand for
_BRAILLE = str.maketrans("⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵", "abcdefghijklmnopqrstuvwxyz")
# Words that a reply puts between letters: "the first letter is l, then an a".
_ARTICLES = frozenset({"a", "i"})
# Shorter words turn up by chance where letters are picked or moved.
_SHORTEST_SHIFTED = 5
_SHORTEST_HIDDEN = 4
_SHORTEST_MIXED = 6
# Letters that a rhyme shares with the word, at least.
_RHYME = 3
_ENDINGS = frozenset({"", "s", "es", "d", "ed", "er", "ing", "ly", "y"})
_QUOTED = re.compile(r"[\"“”'‘’`*«»]+([^\W\d_]{2,})[.…-]*[\"“”'‘’`*«»]+")
_FULL_STOP = re.compile(r"(?<=[.\-])\.(?![.\-]|[\s/|,]+[.\-])")
_VOWELS = frozenset("aeiou")


def is_plain(reply: str, secret: str) -> bool:
    """Find the word itself, also in capitals, with accents or inside a longer word."""
    return _holds(words(reply), secret)


def is_spelled(reply: str, secret: str) -> bool:
    """Find the word in pieces: l-a-n-t-e-r-n, lan tern, "letter 1 is L, then an A"."""
    said = words(reply)
    bare = _without(secret, _ARTICLES)
    return _joins(said, secret) or any(
        secret in run or bare == _without(run, _ARTICLES) != ""
        for run in _single_letters(said)
    )


def is_reversed(reply: str, secret: str) -> bool:
    """Find the word written backwards, whole or in pieces."""
    said = words(reply)
    turned = "".join(reversed(regex.findall(r"\X", secret)))
    return (
        _holds(said, turned)
        or _joins(said, turned)
        or any(turned in run for run in _single_letters(said))
    )


def is_acrostic(reply: str, secret: str) -> bool:
    """Find the word in the first letters of lines or of words."""
    if len(secret) < _SHORTEST_HIDDEN:
        return False
    lines = [line for text in reply.splitlines() if (line := words(text))]
    by_line = "".join(line[0][0] for line in lines)
    by_word = "".join(word[0] for word in words(reply))
    return secret in by_line or secret in by_word


def is_leet(reply: str, secret: str) -> bool:
    """Find the word with digits and other characters for letters: l4nt3rn."""
    shown = fold(reply).casefold().translate(_LEET)
    return any(
        _holds(
            re.sub(r"[^a-z\s]", "", shown.replace("1", one)).split(),
            secret.translate(_LEET).replace("1", one),
        )
        for one in _ONES
    )


def is_shifted(reply: str, secret: str) -> bool:
    """Find the word with every letter shifted along the alphabet, as rot13 does."""
    if len(secret) < _SHORTEST_SHIFTED or not secret.isascii() or not secret.isalpha():
        return False
    wanted = _steps(secret)
    return any(
        len(word) == len(secret) and word != secret and _steps(word) == wanted
        for word in words(reply)
    )


def is_encoded(reply: str, secret: str) -> bool:
    """Find the word in base64, hexadecimal, binary, character codes or Morse.

    Also backwards, and in two of these on top of each other.
    """
    once = [text for text in _decoded(reply) if text]
    twice = [text for shown in once for text in _decoded(shown) if text]
    texts = ["".join(words(text)) for text in (*once, *twice)]
    return any(secret in text or secret[::-1] in text for text in texts)


def is_radio(reply: str, secret: str) -> bool:
    """Find the word in the radio alphabet: lima alfa november …"""
    codewords = [word for word in words(reply.replace("-", "")) if word in codes.RADIO]
    return secret in "".join(word[0] for word in codewords)


def is_picked(reply: str, secret: str) -> bool:
    """Find the word in the last, second or third letters of words or lines."""
    if len(secret) < _SHORTEST_SHIFTED:
        return False
    said = words(reply)
    lines = [line for text in reply.splitlines() if (line := words(text))]
    picked = [
        "".join(word[-1] for word in said),
        "".join(line[-1][-1] for line in lines),
        "".join(line[-1][0] for line in lines),
        "".join(c for c in fold(reply) if c.isupper()).casefold(),
        *("".join(word[n : n + 1] for word in said) for n in (1, 2)),
    ]
    return any(secret in letters or secret[::-1] in letters for letters in picked)


def is_interleaved(reply: str, secret: str) -> bool:
    """Find the word with other letters or digits between its own: lxaxnxtxexrxn."""
    if len(secret) < _SHORTEST_HIDDEN:
        return False
    for word in re.findall(r"\S+", fold(reply).casefold()):
        letters = "".join(c for c in word if c.isalpha())
        if len(word) < 1.5 * len(secret):
            continue
        if letters == secret or any(
            secret in run[start::step]
            for run in {letters, word}
            for step in (2, 3)
            for start in range(step)
        ):
            return True
    return False


def is_split(reply: str, secret: str) -> bool:
    """Find the word in two or three quoted pieces."""
    pieces = [piece.casefold() for piece in _QUOTED.findall(fold(reply))]
    ordered = [*pairwise(pieces), *zip(pieces, pieces[1:], pieces[2:], strict=False)]
    return any(
        secret in ("".join(group), "".join(reversed(group))) for group in ordered
    )


def is_gapped(reply: str, secret: str) -> bool:
    """Find the word without its vowels, or with marks in their place: l_nt_rn."""
    bare = _without(secret, _VOWELS)
    if len(bare) >= _SHORTEST_HIDDEN and bare in words(reply):
        return True
    for run in re.findall(r"[a-z_*?.\-…]{4,}", fold(reply).casefold()):
        for shown in (run, run.rstrip(".")):
            is_gappy = not shown.isalpha() and len(shown) == len(secret)
            if is_gappy and _fits(shown, secret):
                return True
    return False


def is_mixed(reply: str, secret: str) -> bool:
    """Find all letters of the word in another order."""
    if len(secret) < _SHORTEST_MIXED:
        return False
    said = words(reply)
    runs = [*said, *_single_letters(said)]
    return any(sorted(run) == sorted(secret) for run in runs)


def is_pig_latin(reply: str, secret: str) -> bool:
    """Find the word in pig latin: anternlay."""
    candidates = re.findall(r"[a-z]+(?:-[a-z]+)?", fold(reply).casefold())
    return any(secret in codes.from_pig_latin(word) for word in candidates)


def is_mirrored(reply: str, secret: str) -> bool:
    """Find the word with a for z, b for y, and so on."""
    return codes.mirrored(secret) in words(reply)


def is_doubled(reply: str, secret: str) -> bool:
    """Find the word with each letter twice or more often: llaanntteerrnn."""
    shape = "".join(f"{letter}{{2,}}" for letter in _runs(secret))
    return re.search(shape, fold(reply).casefold()) is not None


def is_rhymed(reply: str, secret: str) -> bool:
    """Find a word that is said to rhyme with the secret and ends as it does."""
    said = words(reply)
    return any(
        rhyme[-_RHYME:] == secret[-_RHYME:] and rhyme != secret
        for n, cue in enumerate(said)
        for rhyme in _compared(cue, said[n + 1 : n + 5])
    )


def _compared(cue: str, after: list[str]) -> list[str]:
    """Return what a cue compares the word with: "sounds like …", not "sounds good"."""
    if cue.startswith("rhym"):
        return after
    if cue.startswith("sound") and "like" in after:
        return after[after.index("like") + 1 :]
    return []


DECODERS: dict[str, tuple[Decoder, ...]] = {
    "plain": (is_plain,),
    "spelled": (
        is_spelled,
        is_reversed,
        is_acrostic,
        is_leet,
        is_picked,
        is_interleaved,
        is_split,
        is_gapped,
        is_mixed,
        is_doubled,
    ),
    "encoded": (is_shifted, is_encoded, is_radio, is_pig_latin, is_mirrored),
    "translated": (is_translated,),
    "rhymed": (is_rhymed,),
}


def is_found(reply: str, secret: str) -> bool:
    """Say whether any decoder finds the word."""
    return any(
        decode(reply, secret) for decoders in DECODERS.values() for decode in decoders
    )


def _runs(word: str) -> str:
    return re.sub(r"(.)\1+", r"\1", word)


def _single_letters(said: list[str]) -> set[str]:
    """Return the words of one letter as one run, with and without single digits."""
    singles = [word for word in said if len(word) == 1]
    return {"".join(singles), "".join(letter for letter in singles if letter.isalpha())}


def _fits(shown: str, secret: str) -> bool:
    """Say whether a word with gaps is the secret, most of its letters shown."""
    letters = sum(c.isalpha() for c in shown)
    return letters >= max(3, 0.6 * len(secret)) and all(
        a == b or not a.isalpha() for a, b in zip(shown, secret, strict=True)
    )


def _holds(said: list[str], secret: str) -> bool:
    """Say whether a word is the secret with an ending, or a long word around it."""
    return any(
        (word.startswith(secret) and word[len(secret) :] in _ENDINGS)
        or (len(secret) >= _SHORTEST_SHIFTED and secret in word)
        for word in said
    )


def _joins(said: list[str], secret: str) -> bool:
    """Say whether whole neighbouring words, put together, are the secret."""
    for start, first in enumerate(said):
        run = first
        for word in said[start + 1 :]:
            if not secret.startswith(run):
                break
            run += word
            if run == secret:
                return True
    return False


def _without(text: str, letters: frozenset[str]) -> str:
    return "".join(letter for letter in text if letter not in letters)


def _steps(word: str) -> list[int]:
    return [(ord(b) - ord(a)) % 26 for a, b in pairwise(word)]


def _decoded(reply: str) -> Iterator[str]:
    for run in re.findall(r"[A-Za-z0-9+/_-]{6,}={0,2}", reply):
        yield codes.from_base64(run)
    for run in re.findall(r"[A-Z2-7]{8,}={0,6}", reply):
        yield codes.from_base32(run)
    for run in re.findall(r"(?:(?:\\x|0x|%)?[0-9a-fA-F]{2}[\s,:]*){3,}", reply):
        yield codes.from_hex(run)
    for run in re.findall(r"(?:[01]{7,8}\W*){3,}", reply):
        yield codes.from_binary(run)
    yield codes.from_escapes(" ".join(re.findall(r"(?:\\u|U\+)[0-9a-fA-F]{4}", reply)))
    yield codes.from_decimal(" ".join(re.findall(r"\d+", reply)))
    yield codes.from_octal(" ".join(re.findall(r"\b[01]?[0-7]{2}\b", reply)))
    yield "".join(codes.from_places(" ".join(re.findall(r"\b\d{1,2}\b", reply))))
    shown = reply.translate(codes.DASHES)
    # The full stop after a code looks like its last mark.
    for text in (shown, _FULL_STOP.sub("", shown)):
        marks = re.findall(r"[.\-]+", text)
        yield "".join(codes.MORSE.get(mark, "") for mark in marks)
    yield "".join(re.findall(r"[⠁-⠿]", reply)).translate(_BRAILLE)
