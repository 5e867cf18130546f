"""How well the scribe follows prompts: families, phrasings and words that it never saw.

Each figure is a share of replies that pass a check, with its Wilson interval. No two
requests of a figure are the same. Naive prompts are judged by the check of the good
one: there, a low share is what lessons need.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from finetune.data.phrases import Phrases, Texts, fill, read_phrases
from finetune.data.scribe import records, shapes, sums, texts
from finetune.data.scribe.cases import (
    Case,
    IsRight,
    Turns,
    holds,
    is_label,
    is_line,
    user,
)
from finetune.data.scribe.dialogues import SHARES
from finetune.data.scribe.labels import review
from finetune.data.warden.pieces import read_words
from finetune.data.words import Words, lists
from finetune.evaluation.served import STREAMS, Served, count_hits
from finetune.serving.engine.prompts import ChatTurn
from finetune.settings import Settings
from finetune.weights.files import new_file, write_json
from finetune.weights.served import served_file

ROWS = Path(__file__).parent / "rows/scribe.yaml"
TEMPERATURES = (0.2, 0.7)
_REPLY_TOKENS = 90
_TRIES = 40  # draws for each request that is wanted, until a family counts as small


class ScribeRows(Phrases):
    """What `rows/scribe.yaml` holds."""

    unseen: dict[str, Texts]
    weak: dict[str, Texts]
    naive: dict[str, Texts]


@cache
def rows() -> ScribeRows:
    """Read the rows once; raise PiecesError if the file is wrong."""
    return read_phrases(ROWS, ScribeRows)


class Probe(NamedTuple):
    """One request: which figure it counts for, the chat, and when it is a hit."""

    figure: str
    turns: Turns
    is_hit: IsRight

    def key(self) -> str:
        """Return what makes it different from others."""
        return "\n".join(turn["content"] for turn in self.turns)


class Answered(NamedTuple):
    """A probe, the temperature it was asked at, and the reply."""

    probe: Probe
    temperature: float
    reply: str

    @property
    def is_hit(self) -> bool:
        """Whether the reply passes the check."""
        return bool(self.reply.strip()) and self.probe.is_hit(self.reply)


def learned_probes(words: Words, count: int) -> Iterator[Probe]:
    """Write held-out prompts of the families that are learned, `count` of each."""
    for make in SHARES:
        yield from _different(partial(_learned, make, words), count)


def _learned(make: Callable[[Words], Case], words: Words) -> Probe:
    case = make(words)
    return Probe(case.family, case.turns, case.is_right)


def _different(draw: Callable[[], Probe], count: int) -> Iterator[Probe]:
    """Draw probes until each figure has `count`, no two the same."""
    found: dict[str, dict[str, Probe]] = {}
    for _ in range(_TRIES * count):
        probe = draw()
        own = found.setdefault(probe.figure, {})
        if len(own) < count:
            own[probe.key()] = probe
        elif all(len(own) == count for own in found.values()):
            break
    for figure in sorted(found):
        yield from found[figure].values()


def other_probes(words: Words, count: int) -> Iterator[Probe]:
    """Write prompts of families never seen, of what is weak, and naive ones."""
    for part in _MAKERS:
        for name in getattr(rows(), part):
            yield from _different(partial(_other, part, name, words), count)


def _other(part: str, name: str, words: Words) -> Probe:
    template = words.rng.choice(getattr(rows(), part)[name])
    probe = _MAKERS[part](name, template, words)
    return probe._replace(figure=f"{part}: {name}")


def _unseen(name: str, template: str, words: Words) -> Probe:
    rng = words.rng
    if name == "acronym":
        chosen = words.nouns(rng.choice((3, 4)))
        letters = "".join(word[0] for word in chosen).upper()
        ask = fill(template, words=" ".join(chosen))
        return Probe(name, user(ask), lambda r: r.strip(" .\"'") == letters)
    if name == "headline":
        text, _, found = texts.story(words)
        check = is_line(
            lambda r: any(word.casefold() in r.casefold() for word in found), longest=12
        )
        return Probe(name, user(fill(template, text=text)), check)
    kind, other = rng.sample([k for k, own in lists().kinds.items() if len(own) > 9], 2)
    odd = rng.choice(lists().kinds[other])
    listed = [*rng.sample(lists().kinds[kind], 3), odd]
    rng.shuffle(listed)
    return Probe(name, user(fill(template, words=", ".join(listed))), is_label(odd))


def _weak(name: str, template: str, words: Words) -> Probe:
    rng = words.rng
    a, b = rng.randint(12, 99), rng.randint(12, 99)
    parts = [rng.randint(2, 50) for _ in range(4)]
    noun = words.noun()
    total = {"sum of four, asked directly": sum(parts), "product, step by step": a * b,
             "letters of a word": len(noun)}[name]  # fmt: skip
    ask = fill(
        template, sum=" + ".join(map(str, parts)), product=f"{a} x {b}", noun=noun
    )
    return Probe(name, user(ask), sums.ends_with_number(total))


def _naive(name: str, template: str, words: Words) -> Probe:
    """Write a prompt without what matters, and check it as if it were there."""
    rng = words.rng
    is_good = rng.random() < 0.5
    passage, case = texts.Passage(words), shapes.described(words)
    story = texts.story(words)
    adjective, opposite = words.pair("opposites")
    yes_no = _bare_yes_no(words)
    ask, drawn = words.fill(
        template, review=review(words, is_good=is_good), thing=case.thing,
        adjective=adjective, story=story[0], question=passage.ask,
        passage=passage.text, other=passage.other, yes_no=yes_no,
    )  # fmt: skip
    name_, age = drawn.get("name", ""), drawn.get("age", "")
    told = [
        (drawn.get("name", ""), age),
        (drawn.get("name2", ""), drawn.get("age2", "")),
    ]
    checks: dict[str, IsRight] = {
        "label": lambda r: is_label("positive")(r) or is_label("negative")(r),
        "list with dashes": shapes.is_list("dash", 3, None),
        "JSON": records.is_object({"name": name_, "age": age}),
        "XML": lambda r: (
            f"<name>{name_}</name><age>{age}</age>".casefold() in r.casefold()
        ),
        "form": holds(f"Name: {name_}\nAge: {age}"),
        "table": lambda r: all(f"| {a} | {b} |" in r for a, b in told),
        "tool call": lambda r: r.strip(" .") == f"weather({drawn.get('town', '')})",
        "one sentence": shapes.is_sentence,
        "at most five words": shapes.is_within(5),
        "one word": is_label(opposite),
        "persona with its words": holds("arr", "matey"),
        "capitals": shapes.is_upper,
        "politely": lambda r: holds("please")(r) and len(r.split()) < 15,
        "summary": lambda r: (
            shapes.is_sentence(r) and len(r.split()) < 0.8 * len(story[0].split())
        ),
        "keywords": lambda r: texts.are_keywords(r, story[0]),
        "answer without the text": holds(passage.heart),
        "leave to say no": lambda r: "not in the text" in r.casefold(),
        "yes or no": lambda r: is_label("yes")(r) or is_label("no")(r),
    }
    return Probe(name, user(ask), checks[name])


_MAKERS: dict[str, Callable[[str, str, Words], Probe]] = {
    "unseen": _unseen,
    "weak": _weak,
    "naive": _naive,
}


def _bare_yes_no(words: Words) -> str:
    """Write a text and a question about it that leaves the form of the answer open."""
    sentence, question, slot = words.rng.choice(texts.phrases().yes_no_facts)
    text, drawn = words.fill(sentence)
    return f"{text} {words.fill(question, **drawn, x=words.draw(slot))[0]}"


def write_probes(words_path: Path, count: int, seed: int) -> list[Probe]:
    """Write `count` different requests for each figure."""
    rng = random.Random(f"scribe-eval-{seed}")
    words = Words(rng, read_words(words_path), is_heldout=True)
    return [*learned_probes(words, count), *other_probes(words, count)]


def replies(model: Served, probes: Iterable[Probe]) -> Iterator[Answered]:
    """Ask all probes at each temperature, several at a time, in order."""
    asked = [(n, p, t) for t in TEMPERATURES for n, p in enumerate(probes)]

    def ask(one: tuple[int, Probe, float]) -> Answered:
        number, probe, temperature = one
        turns = [ChatTurn(turn["role"], turn["content"]) for turn in probe.turns]
        said = model.say(
            turns, tokens=_REPLY_TOKENS, temperature=temperature, seed=number
        )
        return Answered(probe, temperature, said)

    with ThreadPoolExecutor(STREAMS) as pool:
        yield from pool.map(ask, asked)


class _Row(NamedTuple):
    figure: str


def figures_of(answers: Iterable[Answered]) -> dict[str, dict[str, object]]:
    """Return "family, T 0.2" → share, interval and count, in order."""
    hits = count_hits(
        (_Row(f"{one.probe.figure}, T {one.temperature}"), one.is_hit)
        for one in answers
    )
    return {name: figure.as_row() for name, figure in sorted(hits.items())}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `scribe-eval`."""
    parser.add_argument(
        "model", help="a place: a GGUF file, or adapter:NAME of a release"
    )
    parser.add_argument(
        "--words", type=Path, default=Path("challenges/words/castle.txt")
    )
    parser.add_argument("--count", type=int, default=24, help="requests per figure")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--json", type=new_file, help="write figures and every reply here"
    )


def main(chosen: argparse.Namespace, settings: Settings) -> int:
    """Measure a scribe; print each figure with its interval."""
    path = served_file(chosen.model, settings.instance / "models")
    model = Served(
        "scribe",
        path,
        copies=settings.engine_copies,
        threads=settings.engine_threads,
    )
    probes = write_probes(chosen.words, chosen.count, chosen.seed)
    answers = list(replies(model, probes))
    figures = figures_of(answers)
    for name, row in figures.items():
        sys.stdout.write(
            f"{name:56} {row['share']:6.1%}  {row['interval']}  n={row['count']}\n"
        )
    if chosen.json:
        said = [
            {"figure": one.probe.figure, "temperature": one.temperature,
             "turns": one.probe.turns, "reply": one.reply, "hit": one.is_hit}
            for one in answers
        ]  # fmt: skip
        write_json(chosen.json, {"figures": figures, "replies": said})
    return 0
