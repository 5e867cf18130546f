"""What is in a text, and what is not; summaries, keywords, conditions, one topic."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from finetune.data.phrases import Phrases, Split, Texts, read_phrases
from finetune.data.scribe.cases import (
    Case,
    IsRight,
    asked,
    bare,
    holds,
    is_label,
    is_line,
    user,
)
from finetune.data.scribe.labels import any_labels, sorting
from finetune.data.scribe.shapes import described, filled, is_sentence, known
from finetune.data.words import Words, lists

_FILE = Path(__file__).with_suffix(".yaml")
# A helper may be for anything.
_ANY_TOPIC = 0.45
_HELDOUT_TOPICS = ("bicycles", "cats", "weather", "our pizza shop")


class TextPhrases(Phrases):
    """What `texts.yaml` holds."""

    facts: tuple[tuple[str, str, str, str], ...]
    ask_text: Split
    permission: Split
    unknown_said: Texts
    yes_no: Split
    yes_no_facts: tuple[tuple[str, str, str], ...]
    is_a: Texts
    summary: Split
    stories: tuple[tuple[str, str, str], ...]
    keywords: Split
    conditions: Split
    contains_word: str
    only_topic: Split
    off_said: Texts
    topics: dict[str, tuple[tuple[str, str], ...]]


@cache
def phrases() -> TextPhrases:
    """Read the phrasings once; raise PiecesError if the file is wrong."""
    return read_phrases(_FILE, TextPhrases)


class Passage:
    """A few facts told one after another, and the one that is asked about."""

    def __init__(self, words: Words) -> None:
        """Draw one to three facts."""
        rng = words.rng
        first = [fact[0] for fact in phrases().facts]
        own = [f for f in phrases().facts if f[0] in words.side(first)]
        count = min(len(own), rng.choice((1, 2, 2, 3, 3, 5)))
        chosen = rng.sample(own, count)
        at = rng.randrange(count)
        sentences: list[str] = []
        for number, (sentence, ask, answer, other) in enumerate(chosen):
            text, drawn = words.fill(sentence)
            sentences.append(text)
            if number == at:
                self.ask = words.fill(ask, **drawn)[0]
                self.answer = words.fill(answer, **drawn)[0]
                self.other = words.fill(other, **drawn)[0]
                self.heart = max(
                    words.fill(answer, **drawn)[0].strip(".").split(), key=len
                )
                self.drawn = drawn
        self.text = " ".join(sentences)
        if self.answer[0].islower():
            self.answer = self.answer[0].upper() + self.answer[1:]


def from_text(words: Words) -> Case:
    """A question that the text answers."""
    passage = Passage(words)
    rng = words.rng
    ask = filled(phrases().ask_text, words, text=passage.text, ask=passage.ask)
    if rng.random() < 0.4:
        said = _unknown(words)
        rule = filled(phrases().permission, words, said=said)
        turns = _with_rule(rule, ask, words)
    elif rng.random() < 0.25:
        turns = asked(passage.ask, f"{passage.text}")
    else:
        turns = user(ask)
    check = is_line(holds(passage.heart.strip(".")))
    return Case("answer in the text", turns, passage.answer, check)


def not_in_text(words: Words) -> Case:
    """A question that the text does not answer, with leave to say so."""
    passage = Passage(words)
    said = _unknown(words)
    ask = filled(phrases().ask_text, words, text=passage.text, ask=passage.other)
    rule = filled(phrases().permission, words, said=said)
    turns = _with_rule(rule, ask, words)
    return Case("not in the text", turns, said, is_label(said))


def _with_rule(rule: str, ask: str, words: Words) -> list[dict[str, str]]:
    draw = words.rng.random()
    if draw < 0.35:
        return asked(ask, rule)
    if draw < 0.7:
        return user(f"{rule}\n{ask}")
    return user(f"{ask}\n{rule}")


def _unknown(words: Words) -> str:
    return words.rng.choice(phrases().unknown_said).replace(
        "{Word}", words.word().title()
    )


def yes_no(words: Words) -> Case:
    """Yes or no, from a text or about what belongs where; each item asked both ways."""
    rng = words.rng
    is_yes = rng.random() < 0.5
    answer = "Yes" if is_yes else "No"
    if rng.random() < 0.3:
        kind, other = rng.sample(list(lists().kinds), 2)
        thing = rng.choice(words.side(lists().kinds[kind if is_yes else other]))
        if not is_yes and thing in lists().kinds[kind]:
            return yes_no(words)
        article = "an" if thing[0] in "aeiou" else "a"
        ask = rng.choice(phrases().is_a).replace("{a}", article)
        ask = ask.replace("{thing}", thing).replace("{kind}", kind)
        turns = user(filled(phrases().yes_no, words, ask=ask))
        return Case("yes or no, what it is", turns, answer, is_label(answer))
    first = [fact[0] for fact in phrases().yes_no_facts]
    own = [f for f in phrases().yes_no_facts if f[0] in words.side(first)]
    sentence, question, slot = rng.choice(own)
    text, drawn = words.fill(sentence)
    drawn["x"] = drawn[slot]
    while not is_yes and drawn["x"] == drawn[slot]:
        drawn["x"] = words.draw(slot)
    ask = words.fill(question, **drawn)[0]
    if rng.random() < 0.5:
        more = words.fill(rng.choice([f for f in own if f[0] != sentence])[0])[0]
        text = f"{text} {more}" if rng.random() < 0.5 else f"{more} {text}"
    gap = rng.choice((" ", "\n", "\n\n"))
    ask = filled(phrases().yes_no, words, ask=ask)
    turns = user(rng.choice((f"{text}{gap}{ask}", f"Text: {text}\n{ask}")))
    if rng.random() < 0.2:
        turns = asked(ask, text)
    return Case("yes or no, from a text", turns, answer, is_label(answer))


def story(words: Words) -> tuple[str, str, list[str]]:
    """Draw a text; return it with its summary and its keywords."""
    first = [told[0] for told in phrases().stories]
    own = [told for told in phrases().stories if told[0] in words.side(first)]
    text, short, keys = words.rng.choice(own)
    filled_text, drawn = words.fill(text)
    short = words.fill(short, **drawn)[0]
    return filled_text, short, words.fill(keys, **drawn)[0].split(", ")


def summary(words: Words) -> Case:
    """The main point of a text in one sentence."""
    text, short, found = story(words)
    ask = filled(phrases().summary, words, text=text)
    needed = [word for word in found if word in short][:1]

    def check(reply: str) -> bool:
        is_short = len(reply.split()) < 0.8 * len(text.split())
        return is_sentence(reply) and is_short and holds(*needed)(reply)

    return Case("summary", user(ask), short, check)


def keywords(words: Words) -> Case:
    """Three words that say what a text is about."""
    text, _, found = story(words)
    ask = filled(phrases().keywords, words, text=text)
    answer = ", ".join(found)

    return Case("keywords", user(ask), answer, lambda r: are_keywords(r, text))


def are_keywords(reply: str, text: str) -> bool:
    """Say whether a reply is three keywords that are in the text."""
    parts = [part.strip(" .\n-") for part in reply.replace("\n", ",").split(",")]
    parts = [part for part in parts if part]
    are_there = all(part.casefold() in text.casefold() for part in parts)
    return len(parts) == 3 and are_there and all(len(p.split()) < 4 for p in parts)


def condition(words: Words) -> Case:
    """One answer if something holds, another if not."""
    rng = words.rng
    a, b = any_labels(2, words)
    if rng.random() < 0.3:
        a, b = rng.choice((("yes", "no"), ("true", "false"), ("A", "B"), ("1", "0")))
    holds_true = rng.random() < 0.5
    if rng.random() < 0.3:
        word, other = words.nouns(2)
        first = phrases().contains_word.replace("{word}", f'"{word}"')
        there = word if holds_true else other
        text, _ = words.fill(rng.choice((
            "{name} bought a {x} in {town}.", "The {x} is {colour}.",
            "On {day} I saw the {x} of {name}.", "A {x} and a {noun} fell down.",
        )), x=there)  # fmt: skip
    else:
        task = sorting(words)
        n = rng.randrange(len(task.labels))
        first = task.meanings[n]
        others = [m for m in range(len(task.labels)) if m != n]
        text = task.text(n if holds_true else rng.choice(others))
    first = first.replace("it is", "the text is") if rng.random() < 0.2 else first
    ask = filled(phrases().conditions, words, a=a, b=b, first=first, text=text)
    answer = a if holds_true else b
    return Case("condition", user(ask), answer, is_label(answer))


def only_topic(words: Words) -> Case:
    """A helper for one topic, asked about it or about something else."""
    rng = words.rng
    topics = [t for t in phrases().topics if (t in _HELDOUT_TOPICS) == words.is_heldout]
    topic = rng.choice(topics)
    case = described(words) if rng.random() < _ANY_TOPIC else None
    if case is not None:
        topic = case.thing
    said = rng.choice(phrases().off_said).replace("{topic}", topic)
    said = said.replace("{Word}", words.word().title())
    said = said[0].upper() + said[1:]
    system = filled(phrases().only_topic, words, topic=topic, said=said)
    is_on = rng.random() < 0.55
    check: IsRight
    if is_on and case is not None:
        ask, answer, check = case.ask, case.sentence, _is_other(said)
    elif is_on:
        ask, answer = rng.choice(phrases().topics[topic])
        check = _is_other(said)
    else:
        ask, answer, check = _off_topic(topic, topics, words), said, is_label(said)
    turns = asked(ask, system)
    if rng.random() < 0.25:
        turns = user(f"{system}\n\n{ask}")
    family = "one topic, asked about it" if is_on else "one topic, asked about others"
    return Case(family, turns, answer, check)


def _is_other(said: str) -> IsRight:
    wanted = bare(said).casefold()
    return lambda r: not bare(r).casefold().startswith(wanted) and len(r.split()) > 1


def _off_topic(topic: str, topics: list[str], words: Words) -> str:
    rng = words.rng
    if rng.random() < 0.4:
        case = known(words)
        return case.ask if topic not in case.ask else _off_topic(topic, topics, words)
    near = {"dogs": "cats", "cats": "dogs"}
    other = rng.choice([t for t in topics if t not in (topic, near.get(topic))])
    return rng.choice(phrases().topics[other])[0]
