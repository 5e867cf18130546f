"""A message in its plain form: disguises are undone where plain language comes out.

The gate reads this form. It must not alter ordinary messages, in any language: what
looks like a code is replaced only when the decoded text looks more like language.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from itertools import product
from urllib.parse import unquote

from finetune.guards import codes
from finetune.guards.text import fold

_ROUNDS = 3
_RUNS: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (re.compile(r"(?:(?:\\u|U\+|&#x|\\U000)[0-9a-fA-F]{4,5};?\s?){3,}"),
     codes.from_escapes),
    (re.compile(
        r"(?<![\w.~+-])(?:%[0-9a-fA-F]{2}|[\w.~+-])*(?:%[0-9a-fA-F]{2})+[^\s]*"
    ), unquote),
    (re.compile(r"(?:[01]{7,8}[\s,;|-]*){3,}"), codes.from_binary),
    (re.compile(r"(?:(?:\\x|0x)?[0-9a-fA-F]{2}[\s,:;=-]*){4,}"), codes.from_hex),
    (re.compile(r"(?:\b\d{2,3}\b[\s,;|-]*){4,}"), codes.from_decimal),
    (re.compile(r"(?:\\?[0-7]{3}\b[\s,;|-]*){4,}"), codes.from_octal),
    (re.compile(r"(?:\b\d{1,2}\b[\s,;/|.-]*){4,}"), codes.from_places),
    (re.compile(r"(?<![.\-·•−–—_])(?:[.\-·•−–—_]+[\s/|]+){3,}[.\-·•−–—_]+"),
     codes.from_morse),
    (re.compile(r"\b[A-Z2-7]{14,}={0,6}"), codes.from_base32),
    (re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}"), codes.from_base64),
    (re.compile(
        r"\b(?:(?:" + "|".join(sorted(codes.RADIO)) + r"|x-ray)\b[\s,.-]*){3,}", re.I
    ), codes.from_radio),
)  # fmt: skip
_NESTED = re.compile(r"[A-Za-z0-9+/]{12,}={0,2}")
_SPACED = re.compile(
    r"(?<![^\W_])[^\W\d_](?P<gap>[ .\-_*|/,~+:])(?:[^\W_](?P=gap)){2,}[^\W_](?![^\W_])"
)
_LEET = ("013457$@!8", ("oieastsaib", "oleastsaib"))
_LEET_WORD = re.compile(r"(?<![\w$@!])[\w$@!]*[0134578$@!][\w$@!]*")
_ORDINAL = re.compile(r"\d+(?:st|nd|rd|th|s|h|am|pm|d)?", re.IGNORECASE)
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_STRETCHED_WORD = re.compile(r"(?<![^\W\d_])[^\W\d_]*([^\W\d_])\1{2,}[^\W\d_]*")
_SEGMENTS = re.compile(r"([\n:;\"“”«»()<>{}\[\]|]+|[.!?]\s)")
_LONG_WORD = re.compile(r"\b[a-zA-Z]{16,}\b")
_LATIN_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")


class Canonicaliser:
    """Undoes disguises with the help of the words that the model knows."""

    def __init__(self, vocabulary: Iterable[str]) -> None:
        """`vocabulary` has frequent words first, as the tokenizer's list has."""
        plain = [word for word in vocabulary if word.isascii() and word.isalpha()]
        self._rank = {word: index + 2 for index, word in enumerate(plain)}
        self._stand_alone = frozenset({"a", "i"})

    def __call__(self, text: str) -> str:
        """Return the plain form; ordinary text comes back as it is, but folded."""
        for _ in range(_ROUNDS):
            plain = self._once(text)
            if plain == text:
                break
            text = plain
        return text

    def share(self, text: str) -> float:
        """Return the share of the Latin letters that are in known words."""
        latin_words = _LATIN_WORD.findall(text.lower())
        letters = sum(map(len, latin_words))
        known = sum(len(word) for word in latin_words if self._is_known(word))
        return known / letters if letters else 0.0

    def _once(self, text: str) -> str:
        text = html.unescape(fold(text))
        for pattern, decode in _RUNS:
            text = pattern.sub(partial(self._decoded, decode), text)
        text = _SPACED.sub(self._joined, self._gathered(text))
        text = _LEET_WORD.sub(self._without_leet, text)
        text = _STRETCHED_WORD.sub(self._shortened, text)
        text = _LONG_WORD.sub(lambda match: self._split(match.group()), text)
        return "".join(map(self._turned, _SEGMENTS.split(text)))

    def _gathered(self, text: str) -> str:
        """Join a text that is written letter by letter throughout."""
        pieces = re.findall(r"[^\W_]+", text)
        single = [piece for piece in pieces if len(piece) == 1 and piece.isascii()]
        if len(single) < 6 or len(single) < 0.8 * len(pieces):
            return text
        return self._split("".join(pieces))

    def _shortened(self, match: re.Match[str]) -> str:
        """Take letters out of a streeeetched word, until it is a known one."""
        word = match.group()
        stretches = len(_STRETCHED.findall(word))
        for sizes in product((2, 1), repeat=min(stretches, 4)):
            left = iter(sizes)
            shorter = _STRETCHED.sub(lambda run: run[1] * next(left, 1), word)  # noqa: B023
            if len(shorter) > 2 and self._is_known(shorter.lower()):
                return shorter
        return word

    def _is_known(self, word: str) -> bool:
        if len(word) < 3:
            return word in self._rank and (len(word) > 1 or word in self._stand_alone)
        return word.split("'")[0] in self._rank

    def _decoded(self, decode: Callable[[str], str], match: re.Match[str]) -> str:
        run = match.group()
        decoded = decode(run)
        if _NESTED.fullmatch(decoded):
            decoded = codes.from_base64(decoded)
        if not self._is_language(decoded) or decoded == run:
            return run
        # What is around it stays, and so does the gap after the last character.
        end = run[len(run.rstrip()) :]
        return f" {decoded.strip()}{end or ' '}"

    def _is_language(self, text: str) -> bool:
        visible = [c for c in text if not c.isspace()]
        letters = sum(c.isalpha() for c in visible)
        if letters < 3 or letters < 0.7 * len(visible) or not text.isprintable():
            return False
        latin = "".join(c for c in text if c.isascii())
        if len(latin) < 0.6 * len(text):
            return len(text) > 5
        return self.share(text) >= (0.5 if len(text) > 12 else 0.9)

    def _joined(self, match: re.Match[str]) -> str:
        run = match.group()
        word = run.replace(match["gap"], "")
        return self._split(word.lower()) if len(word) > 5 else word

    def _without_leet(self, match: re.Match[str]) -> str:
        word = match.group()
        core = word.lower().rstrip("!")
        if _ORDINAL.fullmatch(word) or not any(c.isalpha() for c in core):
            return word
        for target in _LEET[1]:
            plain = core.translate(str.maketrans(_LEET[0], target))
            if plain != core and len(plain) > 2 and self._is_known(plain):
                return plain + word[len(core) :]
        return word

    def _split(self, word: str) -> str:
        """Put the gaps back into "tellmethepassword"; the likeliest words win."""
        lower = word.lower()
        if lower in self._rank or len(lower) > 400:
            return word
        # best[end] = (cost, start): words cost the logarithm of their rank, like Zipf.
        best: list[tuple[float, int]] = [(0.0, 0)]
        for end in range(1, len(lower) + 1):
            choices = [
                (best[start][0] + self._cost(lower[start:end]), start)
                for start in range(max(0, end - 16), end)
            ]
            best.append(min(choices))
        if best[-1][0] > 3.2 * len(lower):
            return word
        parts, end = [], len(lower)
        while end:
            start = best[end][1]
            parts.append(lower[start:end])
            end = start
        is_sound = len(parts) > 1 and len(lower) / len(parts) >= 2.7
        return " ".join(reversed(parts)) if is_sound else word

    def _cost(self, word: str) -> float:
        if not self._is_known(word):
            return 1000.0
        return _log2(self._rank[word]) + 1.0

    def _turned(self, segment: str) -> str:
        """Undo a segment that is reversed or shifted along the alphabet."""
        if sum(c.isascii() and c.isalpha() for c in segment) < 6:
            return segment
        share = self.share(segment)
        if share > 0.5:
            return segment
        best = max(self._readings(segment), key=self.share)
        return best if self.share(best) >= max(0.75, share + 0.4) else segment

    def _from_pig_latin(self, match: re.Match[str]) -> str:
        choices = codes.from_pig_latin(match.group())
        known = [word for word in choices if self._is_known(word)]
        return min(known, key=lambda word: self._rank[word], default=match.group())

    def _readings(self, segment: str) -> Iterable[str]:
        yield segment[::-1]
        yield re.sub(r"[a-zA-Z]+", lambda match: match.group()[::-1], segment)
        yield codes.mirrored(segment)
        for steps in range(1, 26):
            yield codes.rotated(segment, steps)
        if "ay" in segment:
            yield re.sub(r"[a-zA-Z]+(?:-[a-z]*ay)?", self._from_pig_latin, segment)


@lru_cache(maxsize=65_536)
def _log2(number: int) -> float:
    return float(number.bit_length())
