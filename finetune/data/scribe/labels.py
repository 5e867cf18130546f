"""Labels and mappings: told in words, or shown by examples."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from finetune.data.phrases import Phrases, Split, Texts, read_phrases
from finetune.data.scribe.cases import (
    Case,
    Turns,
    asked,
    is_exactly,
    is_label,
    joined,
    typed,
    user,
)
from finetune.data.words import Words, lists

_FILE = Path(__file__).with_suffix(".yaml")
_OWN_LABELS = 0.45
# Pairs that show a rule; labels are at most as many.
_ENOUGH_SHOWN = 3
Pair = tuple[str, str]


class Group(Phrases):
    """Texts by label; `meaning` says what a label is given for."""

    meaning: str
    texts: dict[str, Texts]


class LabelPhrases(Phrases):
    """What `labels.yaml` holds."""

    groups: dict[str, Group]
    moods: tuple[Pair, ...]
    mood_meanings: Pair
    kind_meaning: str
    instruct: Split
    system: Split
    told: Split
    rules: Texts
    heads: tuple[Pair, ...]
    arrows: Texts
    shot_intro: Split
    turn_system: Split


@cache
def phrases() -> LabelPhrases:
    """Read the phrasings once; raise PiecesError if the file is wrong."""
    return read_phrases(_FILE, LabelPhrases)


class Sorting(NamedTuple):
    """Something to sort by: labels, what each means, and how to draw a text for one."""

    labels: tuple[str, ...]
    meanings: tuple[str, ...]
    text: Callable[[int], str]


def review(words: Words, *, is_good: bool) -> str:
    """Write a short review."""
    rng = words.rng
    draw = rng.random()
    thing = words.of("reviewed")
    quality = words.of("positive" if is_good else "negative")
    line = words.of("good_lines" if is_good else "bad_lines")
    the = rng.choice(("The", "the", "This", "The", "My"))
    told = f"{the} {thing} {rng.choice(('was', 'was', 'is'))} {quality}"
    if draw < 0.5:
        return told + rng.choice((".", ".", "!", ""))
    return line if draw < 0.75 else f"{told}. {line}"


def sorting(words: Words) -> Sorting:
    """Draw something to sort by."""
    rng = words.rng
    draw = rng.random()
    if draw < 0.3:
        pair = rng.choice(phrases().moods)
        return Sorting(
            pair, phrases().mood_meanings, lambda n: review(words, is_good=n == 0)
        )
    count = rng.choice((2, 2, 3))
    if draw < 0.55:
        kinds = tuple(rng.sample(list(lists().kinds), count))
        meanings = tuple(phrases().kind_meaning.format(label=kind) for kind in kinds)
        return Sorting(
            kinds, meanings, lambda n: rng.choice(words.side(lists().kinds[kinds[n]]))
        )
    name = rng.choices(list(phrases().groups), (6, 3, 2, 1, 1))[0]
    group = phrases().groups[name]
    own = tuple(rng.sample(list(group.texts), min(count, len(group.texts))))
    return Sorting(
        own,
        tuple(group.meaning.format(label=label) for label in own),
        lambda n: words.fill(rng.choice(words.side(group.texts[own[n]])))[0],
    )


def any_labels(count: int, words: Words) -> tuple[str, ...]:
    """Draw labels that mean nothing: words, letters, numbers, made-up ones."""
    rng = words.rng
    draw = rng.random()
    if draw < 0.4:
        labels = [words.made_up(2) for _ in range(count)]
    elif draw < 0.6:
        labels = words.nouns(count)
    elif draw < 0.7:
        labels = [*"ABCDEFGHXYZ"]
    elif draw < 0.8:
        labels = words.some("colours", count)
    elif draw < 0.9:
        labels = [str(n) for n in rng.sample(range(10), count)]
    else:
        labels = words.some("names", count)
    labels = rng.sample(labels, count)
    style = rng.random()
    if style < 0.15:
        labels = [label.upper() for label in labels]
    elif style < 0.3:
        labels = [label.title() for label in labels]
    return tuple(labels) if len(set(labels)) == count else any_labels(count, words)


def by_instruction(words: Words) -> Case:
    """Labels that mean what they say, named in the prompt."""
    rng = words.rng
    task = sorting(words)
    n = rng.randrange(len(task.labels))
    text = task.text(n)
    order = list(task.labels)
    rng.shuffle(order)
    labels = joined(order, words)
    side = words.is_heldout
    if rng.random() < 0.3:
        system = typed(phrases().system.choose(rng, is_heldout=side), words)
        turns = asked(text, system.replace("{labels}", labels))
    else:
        template = typed(phrases().instruct.choose(rng, is_heldout=side), words)
        turns = user(template.replace("{labels}", labels).replace("{text}", text))
    label = task.labels[n]
    return Case("labels by instruction", turns, label, is_label(label))


def by_rule(words: Words) -> Case:
    """Labels that mean nothing, with a rule for each in the prompt."""
    rng = words.rng
    task = sorting(words)
    n = rng.randrange(len(task.labels))
    labels = any_labels(len(task.labels), words)
    rule = rng.choice(phrases().rules)
    rules = [
        rule.format(label=label, meaning=meaning)
        for label, meaning in zip(labels, task.meanings, strict=True)
    ]
    rng.shuffle(rules)
    told = f"{', '.join(rules[:-1])} and {rules[-1]}"
    template = typed(phrases().told.choose(rng, is_heldout=words.is_heldout), words)
    text = template.replace("{rules}", told).replace("{text}", task.text(n))
    return Case("labels by rule", user(text), labels[n], is_label(labels[n]))


def few_shot_labels(words: Words) -> Case:
    """Labels shown by examples, of any meaning or none."""
    rng = words.rng
    task = sorting(words)
    kinds = len(task.labels)
    labels = task.labels if rng.random() < _OWN_LABELS else any_labels(kinds, words)
    shown = [*range(kinds)] + [rng.randrange(kinds) for _ in range(rng.randint(0, 4))]
    rng.shuffle(shown)
    numbers = [*shown, rng.randrange(kinds)]
    pairs = [(text, labels[n]) for n, text in _different(task, numbers)]
    return _shots("few-shot labels", pairs, words, is_label)


def _different(task: Sorting, numbers: list[int]) -> list[tuple[int, str]]:
    """Draw a text for each number; no text twice where that can be had."""
    drawn: list[tuple[int, str]] = []
    for n in numbers:
        text = task.text(n)
        for _ in range(5):
            if text not in {told for _, told in drawn}:
                break
            text = task.text(n)
        drawn.append((n, text))
    return drawn


def _listed_pairs(name: str) -> Callable[[Words], Pair]:
    return lambda words: words.pair(name)


def _kind_of(words: Words) -> Pair:
    kind = words.rng.choice(list(lists().kinds))
    return words.rng.choice(words.side(lists().kinds[kind])), kind


def _swapped(words: Words) -> Pair:
    colour, noun = words.of("colours"), words.noun()
    return f"{colour} {noun}", f"{noun} {colour}"


def _surname_first(words: Words) -> Pair:
    name, surname = words.name(), words.of("surnames")
    return f"{name} {surname}", f"{surname}, {name}"


def _fished(words: Words, wanted: str) -> Pair:
    text, drawn = words.fill(
        words.rng.choice(
            (
                "{name} lives in {town}.",
                "{name} moved to {town} in {month}.",
                "My friend {name} is in {town} now.",
                "On {day} {name} flew to {town}.",
                "In {town} there is a {place} of {name}.",
                "{name} sells {fruit}s in {town}.",
            )
        )
    )
    return text, drawn[wanted]


def _patterns(rng: random.Random, words: Words) -> Callable[[Words], Pair]:
    """Draw a rule that was made up on the spot."""
    end, mark = words.made_up(1)[:3], rng.choice("!?*#~+")
    made: tuple[Callable[[str], str], ...] = (
        lambda w: w + end,
        lambda w: end + w,
        lambda w: f"{w} {w}",
        lambda w: w.upper(),
        lambda w: f"{mark}{w}{mark}",
        lambda w: f"{w}{mark}",
        lambda w: f"({w})",
        lambda w: f"no {w}",
        lambda w: f"{w} and {end}",
        lambda w: f"the {w} of {end}",
        lambda w: f"I like {w}",
        lambda w: w.title(),
    )
    rule = rng.choice(made)

    def pair(words: Words) -> Pair:
        word = words.noun()
        return word, rule(word)

    return pair


def few_shot_mapping(words: Words) -> Case:
    """From a word or a text to another, shown by examples."""
    rng = words.rng
    listed = ("opposites", "plurals", "pasts", "capitals", "sounds", "young",
              "workplaces", "thing_colours")  # fmt: skip
    draw = rng.random()
    if draw < 0.4:
        make = _listed_pairs(rng.choice((*listed, "opposites", "plurals", "pasts")))
    elif draw < 0.5:
        make = _kind_of
    elif draw < 0.75:
        make = _patterns(rng, words)
    elif draw < 0.9:
        wanted = rng.choice(("name", "town"))
        make = lambda w: _fished(w, wanted)  # noqa: E731 -- named by its use
    else:
        make = rng.choice((_swapped, _surname_first))
    pairs: list[Pair] = []
    for _ in range(rng.randint(3, 6)):
        pair = make(words)
        for _ in range(8):
            if pair not in pairs:
                break
            pair = make(words)
        pairs.append(pair)
    return _shots("few-shot mapping", pairs, words, is_exactly)


def _shots(
    family: str,
    pairs: list[Pair],
    words: Words,
    check: Callable[[str], Callable[[str], bool]],
) -> Case:
    """Write pairs as turns or as one text; the last one is asked."""
    rng = words.rng
    question, answer = pairs[-1]
    if rng.random() < 0.5:
        return Case(f"{family}, turns", _as_turns(pairs, words), answer, check(answer))
    intro = typed(phrases().shot_intro.choose(rng, is_heldout=words.is_heldout), words)
    if rng.random() < 0.5:
        left, right = rng.choice(phrases().heads)
        between = rng.choice(("\n", "\n", " "))
        form = f"{left}: {{}}{between}{right}:"
        gap = rng.choice(("\n", "\n\n")) if between == "\n" else "\n"
        lines = [f"{form.format(left)} {right}" for left, right in pairs[:-1]]
        last = form.format(question)
    else:
        arrow = rng.choice(phrases().arrows)
        gap = "\n" if rng.random() < 0.9 else ", "
        lines = [f"{left}{arrow}{right}" for left, right in pairs[:-1]]
        last = question + arrow.rstrip()
    text = gap.join([*lines, last])
    turns = user(f"{intro}\n{text}" if intro else text)
    return Case(f"{family}, one text", turns, answer, check(answer))


def _as_turns(pairs: list[Pair], words: Words) -> Turns:
    """Write pairs as turns.

    Before each label has been shown, no answer could be known: none is learned there.
    """
    rng = words.rng
    head = rng.choice(("{}", "{}", "{}", "{}", "Text: {}", "Input: {}", "Review: {}"))
    system = typed(
        phrases().turn_system.choose(rng, is_heldout=words.is_heldout), words
    )
    turns: Turns = [{"role": "system", "content": system}] if system else []
    answers = [answer for _, answer in pairs]
    needed = min(len(set(answers)), _ENOUGH_SHOWN)
    for number, (question, answer) in enumerate(pairs[:-1]):
        is_known = len(set(answers[:number])) >= needed
        turns.append({"role": "user", "content": head.format(question)})
        turns.append({"role": "assistant", "content": answer, "learn": is_known})
    return [*turns, {"role": "user", "content": head.format(pairs[-1][0])}]
