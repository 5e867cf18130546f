"""The shape of an answer: lists, length, first and last words, capitals."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from finetune.data.phrases import Phrases, Split, Texts, read_phrases
from finetune.data.scribe.cases import (
    Case,
    IsRight,
    asked,
    bare,
    is_exactly,
    is_label,
    typed,
    user,
)
from finetune.data.warden.pieces import read_answers
from finetune.data.words import Words, is_kept, lists

_FILE = Path(__file__).with_suffix(".yaml")
_IN_SYSTEM = 0.3
_UNCOUNTED = ("rain", "ice", "bread", "honey", "chess", "snow", "salt", "glass", "tea",
              "football", "winter")  # fmt: skip
_UNIQUE = ("moon", "sun")
_NO_PLURAL = ("y", "s", "fish", "fruit", "ing", "ture")
_WRITTEN = 0.5
_LONGEST = 22
# What only a keeper of a gate would say, or somebody who was asked about himself.
_NOT_HERE = re.compile(r"\b(I|my|gate|keeper|guard|secret)\b", re.IGNORECASE)


class ShapePhrases(Phrases):
    """What `shapes.yaml` holds."""

    list_forms: dict[str, Split]
    given_list: Split
    one_sentence: Split
    at_most: Split
    one_word: Split
    word_tasks: dict[str, Texts]
    begin: Split
    end: Split
    begin_system: Split
    end_system: Split
    openers: Texts
    closers: Texts
    exact: Split
    exact_system: Split
    said: Texts
    upper: Split
    upper_answer: Split
    upper_system: Split
    lower: Split
    described: tuple[tuple[str, str, str], ...]
    describe_asks: Texts


@cache
def phrases() -> ShapePhrases:
    """Read the phrasings once; raise PiecesError if the file is wrong."""
    return read_phrases(_FILE, ShapePhrases)


class Known(NamedTuple):
    """A question with a short answer and one of a sentence."""

    ask: str
    short: str
    sentence: str
    thing: str = ""


@cache
def written() -> tuple[tuple[str, str], ...]:
    """Return ordinary questions with an answer of one sentence, of several topics."""
    return tuple(
        (talk.asks[0], say)
        for talk in read_answers()
        for say in talk.says
        if is_sentence(say)
        and len(say.split()) <= _LONGEST
        and (say + talk.asks[0]).isascii()
        and not _NOT_HERE.search(say)
    )


def known(words: Words) -> Known:
    """Draw a question, with a short answer and one of a sentence."""
    rng = words.rng
    if rng.random() < _WRITTEN:
        own = [row for row in written() if is_kept(row[0]) == words.is_heldout]
        ask, say = rng.choice(own)
        return Known(ask, say, say)
    return described(words)


def described(words: Words) -> Known:
    """Draw a question about a thing, with answers of few words and of more."""
    rng = words.rng
    listed = phrases().described
    own = [row for row in listed if is_kept(row[0]) == words.is_heldout]
    thing, short, sentence = rng.choice(own)
    article = "an" if thing[0] in "aeiou" else "a"
    if thing in _UNCOUNTED:
        article = ""
    if thing in _UNIQUE:
        article = "the"
    ask = rng.choice(phrases().describe_asks)
    ask = ask.replace("{a}", article).replace("{thing}", thing).replace("  ", " ")
    return Known(ask, short, sentence, thing)


def filled(split: Split, words: Words, **slots: str) -> str:
    """Choose a phrasing, write it as typed, and fill it."""
    text = typed(split.choose(words.rng, is_heldout=words.is_heldout), words)
    for slot, value in slots.items():
        text = text.replace(f"{{{slot}}}", value)
    return text


_COUNTS = {2: "two", 3: "three", 4: "four", 5: "five"}


def as_list(words: Words) -> Case:
    """A list of a number of things that belong to a kind, in a form."""
    rng = words.rng
    kind = rng.choice([k for k, own in lists().kinds.items() if len(own) >= 9])
    count = rng.choice((2, 3, 3, 3, 4, 4, 5))
    things = _several(kind)
    form = rng.choices(list(phrases().list_forms), (9, 2, 5, 4, 2))[0]
    told = str(count) if rng.random() < 0.5 else _COUNTS[count]
    ask = filled(phrases().list_forms[form], words, count=told, things=things)
    items = rng.sample(lists().kinds[kind], count)
    allowed = frozenset(name.casefold() for name in lists().kinds[kind])
    return Case(
        f"list, {form}",
        user(ask),
        _written(form, items),
        is_list(form, count, allowed),
    )


def _several(kind: str) -> str:
    if kind == "country":
        return "countries"
    return f"kinds of {kind}" if kind.endswith(_NO_PLURAL) else f"{kind}s"


def _written(form: str, items: Sequence[str]) -> str:
    match form:
        case "dash":
            return "\n".join(f"- {item}" for item in items)
        case "star":
            return "\n".join(f"* {item}" for item in items)
        case "number":
            return "\n".join(f"{n}. {item}" for n, item in enumerate(items, 1))
        case "comma":
            return ", ".join(items)
    return "\n".join(items)


_MARKS = {
    "dash": r"- (.+)",
    "star": r"\* (.+)",
    "number": r"\d+\. (.+)",
    "line": r"(\w.*)",
}


def is_list(form: str, count: int, allowed: frozenset[str] | None) -> IsRight:
    """A hit has the form and the number; half of the things are known to belong.

    `allowed` is short: a right answer may name others. None: anything belongs.
    """

    def check(reply: str) -> bool:
        if form == "comma":
            items = [item.strip() for item in reply.strip(" .\n").split(",")]
            if "\n" in reply.strip():
                return False
        else:
            found = [
                re.fullmatch(_MARKS[form], line.strip())
                for line in reply.strip().splitlines()
            ]
            if not all(found):
                return False
            items = [match[1] for match in found if match]
        names = {item.casefold().strip(" .").removesuffix("s") for item in items}
        if not len(items) == count == len(names):
            return False
        if allowed is None:
            return True
        belong = sum(name in allowed or f"{name}s" in allowed for name in names)
        return 2 * belong >= count

    return check


_MARK_NAMES = {
    "dash": ("dashes", "a dash", "-"),
    "star": ("stars", "a star", "*"),
    "number": ("numbers", "1., 2., 3."),
}


def given_list(words: Words) -> Case:
    """Given things written as a list."""
    rng = words.rng
    form = rng.choice(list(_MARK_NAMES))
    items = [words.word() for _ in range(rng.randint(2, 5))]
    if rng.random() < 0.3:
        items = [words.name() for _ in items]
    ask = filled(
        phrases().given_list, words,
        mark=rng.choice(_MARK_NAMES[form]), items=", ".join(items),
    )  # fmt: skip
    answer = _written(form, items)
    return Case("list of given things", user(ask), answer, is_exactly_lines(answer))


def is_exactly_lines(answer: str) -> IsRight:
    """A hit has the same lines."""
    wanted = [line.strip() for line in answer.splitlines()]
    return lambda reply: [x.strip() for x in reply.strip().splitlines()] == wanted


def is_sentence(reply: str) -> bool:
    """Say whether a reply is one sentence, of at least three words."""
    text = reply.strip()
    ends = re.findall(r"[.!?](?=\s|$)", text)
    return len(ends) == 1 and text[-1] in ".!?" and len(text.split()) >= 3


def one_sentence(words: Words) -> Case:
    """An answer of one sentence."""
    case = known(words)
    ask = filled(phrases().one_sentence, words, ask=case.ask)
    return Case("one sentence", user(ask), case.sentence, is_sentence)


def at_most(words: Words) -> Case:
    """An answer of at most some words: few, because it does not count."""
    rng = words.rng
    case = described(words)
    count = rng.choice((4, 5, 5, 6, 7, 8, 8, 10))
    told = str(count) if count > 5 or rng.random() < 0.6 else _COUNTS[count]
    ask = filled(phrases().at_most, words, ask=case.ask, count=told)
    fits = len(case.sentence.split()) <= count and rng.random() < 0.5
    answer = case.sentence if fits else case.short
    return Case("at most n words", user(ask), answer, is_within(count))


def is_within(count: int) -> IsRight:
    return lambda reply: 1 < len(reply.split()) <= count


def one_word(words: Words) -> Case:
    """An answer of one word: opposites, plurals and the like."""
    rng = words.rng
    name = rng.choices(list(phrases().word_tasks), (7, 5, 5, 2, 1, 1, 1, 1))[0]
    word, answer = words.pair(name)
    ask = rng.choice(phrases().word_tasks[name]).replace("{word}", word)
    ask = filled(phrases().one_word, words, ask=ask)
    return Case(f"one word, {name}", user(ask), answer, is_label(answer))


def _phrase(texts: Texts, words: Words) -> str:
    text = words.rng.choice(texts).replace("{Word}", words.word().title())
    return words.fill(text)[0]


def begins(words: Words) -> Case:
    """An answer that begins with given words."""
    said = _phrase(phrases().openers, words)
    return _framed("begin with", words, said, lambda text: _opened(said, text))


def ends(words: Words) -> Case:
    """An answer that ends with given words."""
    said = _phrase(phrases().closers, words)
    return _framed("end with", words, said, lambda text: f"{text} {said}{_stop(said)}")


def _opened(said: str, text: str) -> str:
    return f"{said} {text}" if said[-1] in ",!?:." else f"{said}, {lowered(text)}"


def lowered(text: str) -> str:
    """Return a sentence as it is written after a comma."""
    first = text.partition(" ")[0].rstrip(".,")
    return (
        text if first == "I" or first in lists().names else text[0].lower() + text[1:]
    )


def _stop(said: str) -> str:
    return "" if said[-1] in "!?." else "."


def _framed(family: str, words: Words, said: str, write: Callable[[str], str]) -> Case:
    rng = words.rng
    case = known(words)
    text = case.sentence if rng.random() < 0.7 else case.short
    is_begin = family == "begin with"
    if rng.random() < _IN_SYSTEM:
        split = phrases().begin_system if is_begin else phrases().end_system
        turns = asked(case.ask, filled(split, words, said=said))
    else:
        split = phrases().begin if is_begin else phrases().end
        turns = user(filled(split, words, said=said, ask=case.ask))
    wanted = bare(said).casefold()

    def check(reply: str) -> bool:
        text = reply.strip(" .\"'\n").casefold()
        placed = (
            text.startswith(wanted) if is_begin else text.endswith(wanted.strip("?!"))
        )
        if not is_begin and not placed:
            placed = text.strip("?!").endswith(wanted.strip("?!"))
        return placed and len(text) > len(wanted) + 5

    return Case(family, turns, write(text), check)


def exactly(words: Words) -> Case:
    """Exactly the words of the prompt."""
    rng = words.rng
    said = _phrase(phrases().said, words)
    if rng.random() < 0.15:
        said = said.upper()
    if rng.random() < _IN_SYSTEM:
        turns = asked(
            known(words).ask, filled(phrases().exact_system, words, said=said)
        )
    else:
        turns = user(filled(phrases().exact, words, said=said))
    return Case("say exactly", turns, said, is_exactly(said))


def upper(words: Words) -> Case:
    """A given text, or an answer, in capital letters."""
    rng = words.rng
    if rng.random() < 0.6:
        said = _phrase(phrases().said, words)
        ask = filled(phrases().upper, words, text=said)
        answer = said.upper()
        return Case("capitals, given text", user(ask), answer, is_exactly(answer))
    case = known(words)
    text = case.sentence if rng.random() < 0.5 else case.short
    if rng.random() < 0.4:
        turns = asked(case.ask, filled(phrases().upper_system, words))
    else:
        turns = user(filled(phrases().upper_answer, words, ask=case.ask))
    return Case("capitals, answer", turns, text.upper(), is_upper)


def is_upper(reply: str) -> bool:
    letters = [c for c in reply if c.isalpha()]
    return len(letters) > 3 and all(c.isupper() for c in letters)


def lower(words: Words) -> Case:
    """A given text in small letters."""
    said = _phrase(phrases().said, words)
    shown = said.upper() if words.rng.random() < 0.7 else said
    ask = filled(phrases().lower, words, text=shown)
    return Case("small letters", user(ask), said.lower(), is_exactly(said.lower()))
