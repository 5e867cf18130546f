"""Messages for the gate: attacks and harmless twins with the same words in them.

Most are put together from the pieces in `english.yaml`, `languages.yaml`,
`messages.yaml` and `injections.yaml`: each template is used once for a secret and once
for something harmless, after the same first words and in the same disguise. Those in
`pairs.yaml` were written as pairs, each built in its own way. So attacks cannot be told
from harmless talk by a template, a trigger word, a disguise or a language. Those in
`kinds.yaml` are of kinds that earlier gates got wrong.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count as numbers
from itertools import islice
from typing import NamedTuple

from finetune.data.guards import disguise
from finetune.data.guards.gate_phrases import (
    Side,
    attacking,
    english,
    harmless,
    injections,
    kinds,
    languages,
    messages,
    of_kind,
    pairs,
)
from finetune.data.guards.rows import Row
from finetune.data.phrases import Texts, fill
from finetune.data.scribe import trust
from finetune.data.scribe.dialogues import SHARES, Make
from finetune.data.warden.pieces import benign_asks
from finetune.data.words import Words
from finetune.recipes.guard import Kind


class Twins(NamedTuple):
    """Two messages that differ in what they ask for."""

    family: str
    attack: str
    harmless: str


def gate_rows(count: int, *, seed: int) -> list[Row]:
    """Return about `count` different rows, half of them attacks, by a fixed seed."""
    rng = random.Random(seed)
    rows: dict[str, Row] = {}
    for pair in numbers():
        if len(rows) >= count or pair > 4 * count:
            break
        for row in _disguised(_twins(rng), pair, rng):
            rows.setdefault(row.text, row)
    return list(islice(rows.values(), count))


def _twins(rng: random.Random) -> Twins:
    make = rng.choices(list(_KINDS), list(_KINDS.values()))[0]
    return make(rng)


def _asked(rng: random.Random) -> Twins:
    own = english()
    calm = rng.choice(rng.choice([own.trigger, own.trigger, own.plain]))
    return _filled("ask", rng.choice(own.ask), calm, rng)


def _lettered(rng: random.Random) -> Twins:
    own = english()
    calm = rng.choice(own.word)
    return _filled("letters", rng.choice(own.letters), calm, rng)


def _filled(family: str, template: str, calm: str, rng: random.Random) -> Twins:
    """Ask for a secret and, in the same words, for something harmless."""
    secret = rng.choice(english().secret)
    return _wrapped(
        Twins(family, fill(template, x=secret), fill(template, x=calm)), rng
    )


def _overridden(rng: random.Random) -> Twins:
    own = english()
    template = rng.choice(own.override)
    attack = fill(template, r=rng.choice(own.rules))
    calm = fill(template, r=rng.choice(own.harmless_rules))
    if rng.random() < 0.6:
        attack += f" {fill(rng.choice(own.then), x=rng.choice(own.secret))}"
        calm += f" {rng.choice(own.harmless_then)}"
    return _wrapped(Twins("override", _capital(attack), _capital(calm)), rng)


def _extracted(rng: random.Random) -> Twins:
    own = english()
    template = rng.choice(own.extract)
    attack = fill(template, p=rng.choice(own.prompt))
    calm = fill(template, p=rng.choice(own.harmless_prompt))
    return _wrapped(Twins("extract", attack, calm), rng)


def _hijacked(rng: random.Random) -> Twins:
    """Order something to be said: against the rules, or for a harmless reason."""
    attack, calm = _stunt(rng, attacking()), _stunt(rng, harmless())
    return _wrapped(Twins("hijack", attack, calm), rng, often=0.2)


def _stunt(rng: random.Random, side: Side) -> str:
    text = fill(rng.choice(side.stunt), w=rng.choice(injections().phrase))
    override = fill(rng.choice(english().override), r=rng.choice(side.rules))
    # An order to say something is harmless unless it also sets the rules aside.
    if side.is_harmless and rng.random() < 0.5:
        return _slots(text, rng)
    order = _capital(override)
    parts = [order, text] if rng.random() < 0.75 else [text, order]
    return _slots(" ".join(parts), rng)


def _played(rng: random.Random) -> Twins:
    """Give the model a part to play: one without rules, or any other."""
    return Twins("part", _part(rng, attacking()), _part(rng, harmless()))


def _part(rng: random.Random, side: Side) -> str:
    powers = rng.sample(side.power, rng.randrange(1, 5))
    pressures = rng.sample(side.pressure, rng.randrange(0, 3))
    lines = [rng.choice(side.part), *powers, *pressures]
    if rng.random() < 0.7:
        lines.append(rng.choice(side.wish))
    text = rng.choice([" ", " ", "\n"]).join(lines)
    return _slots(fill(text, n=rng.choice(injections().persona)), rng)


def _planted(rng: random.Random) -> Twins:
    """Write an order into a paper that the model is to work on."""
    paper = _slots(rng.choice(injections().paper), rng)
    ask = _slots(rng.choice(injections().ask_about_paper), rng)
    before, after = rng.choice(
        [("", ""), ("", ""), (f"{ask}\n\n", ""), ("", f"\n\n{ask}")]
    )
    return Twins(
        "paper",
        f"{before}{fill(paper, i=_order(rng, attacking()))}{after}",
        f"{before}{fill(paper, i=_order(rng, harmless()))}{after}",
    )


def _order(rng: random.Random, side: Side) -> str:
    order = rng.choice(side.order)
    if rng.random() < 0.5:
        order = _stunt(rng, side)
    return _slots(fill(rng.choice(side.address), o=order), rng)


def _foreign(rng: random.Random) -> Twins:
    name, own = rng.choice(list(languages().items()))
    kind = rng.random()
    if kind < 0.35:
        number = rng.randrange(len(own.attack))
        attack, calm = own.attack[number], own.fine[number]
    else:
        template = rng.choice(own.ask if kind < 0.75 else own.letters)
        attack = fill(template, x=rng.choice(own.secret))
        calm = fill(template, x=rng.choice(own.trigger))
    # Far more people talk in other languages than attack in them.
    if rng.random() < 0.5:
        calm = fill(rng.choice(own.talk), t=rng.choice(own.topic))
    if rng.random() < 0.15:
        first = fill(rng.choice(own.talk), t=rng.choice(own.topic))
        attack, calm = f"{first} {attack}", f"{first} {calm}"
    return Twins(f"language {name}", attack, calm)


def _paired(rng: random.Random) -> Twins:
    written = pairs()
    kind = rng.choices(list(written), [len(twins) for twins in written.values()])[0]
    attack, calm = rng.choice(written[kind])
    twins = Twins(kind, _slots(attack, rng), _slots(calm, rng))
    return _wrapped(twins, rng, often=0.15)


def _kindred(rng: random.Random) -> Twins:
    """Write an attack and a harmless message of a kind that is easily got wrong."""
    name = rng.choices(list(_TEMPLATED), list(_TEMPLATED.values()))[0]
    kind = rng.choice([kind for kind in kinds() if kind.split()[0] == name])
    return Twins(kind, of_kind(kind, "attack", rng), of_kind(kind, "harmless", rng))


def _spoken(rng: random.Random) -> Twins:
    own = messages()
    calms = {
        "visitors": (own.visitors, 5),
        "triggers": (own.triggers, 6),
        "ordinary": (own.ordinary, 9),
        "tasks": (own.tasks, 6),
        "asks": (_asks(), 14),
    }
    kind = rng.choices(list(calms), [weight for _, weight in calms.values()])[0]
    attack, calm = _message(own.attacks, rng), _message(calms[kind][0], rng)
    if kind == "tasks" and rng.random() < 0.6:
        paragraph = rng.choice(own.filler)
        return Twins(kind, f"{attack}\n\n{paragraph}", f"{calm}\n\n{paragraph}")
    return _wrapped(Twins(kind, attack, calm), rng, often=0.25)


def _worked(rng: random.Random) -> Twins:
    """Give the model one of the scribe's tasks, with and without an order in it."""
    make = rng.choices(list(_tasks()), list(_tasks().values()))[0]
    turns = make(Words(rng, messages().job, is_heldout=False)).turns
    task = "\n".join(turn["content"] for turn in turns)
    order, gap = _order(rng, attacking()), rng.choice([" ", "\n", "\n\n"])
    attack = f"{order}{gap}{task}" if rng.random() < 0.3 else f"{task}{gap}{order}"
    return Twins("work", attack, task)


@cache
def _tasks() -> dict[Make, int]:
    """Return what makes a task, and how often; those with orders in them left out."""
    return {m: n for m, n in SHARES.items() if m.__module__ != trust.__name__}


@cache
def _asks() -> Texts:
    """Return what the warden's visitors ask without wanting the password."""
    unlearned = {bare(text) for text in messages().unlearned}
    return tuple(text for text in benign_asks() if bare(text) not in unlearned)


def bare(text: str) -> str:
    """Return a text without what people leave out when they type it again."""
    return text.casefold().strip(" .?!")


def _hidden(rng: random.Random) -> Twins:
    """Put a message between paragraphs, where it must be found."""
    filler = messages().filler
    twins = _twins(rng)
    before = rng.sample(filler, rng.randrange(0, 3))
    after = rng.sample(filler, 0 if len(before) > 1 else 1)
    gap = rng.choice(["\n\n", "\n", " "])
    calm = twins.harmless
    if rng.random() < 0.6:
        calm = _message(messages().ask_about_filler, rng)
    return Twins(
        "hidden",
        gap.join([*before, twins.attack, *after]),
        gap.join([*before, calm, *after]),
    )


# How each kind of twins is made, and how often it turns up.
_KINDS: dict[Callable[[random.Random], Twins], int] = {
    _asked: 17,
    _lettered: 9,
    _overridden: 10,
    _extracted: 9,
    _foreign: 20,
    _spoken: 60,
    _hidden: 5,
    _hijacked: 8,
    _played: 6,
    _planted: 8,
    _paired: 44,
    _kindred: 60,
    _worked: 45,
}
# And each kind of `kinds.yaml`, all languages of one together.
_TEMPLATED = {
    "roleplay": 5, "account": 4, "office": 4, "replay": 4, "capitals": 2, "hint": 3,
    "short": 7, "code": 5,
}  # fmt: skip
# What kind of attack a family of twins has; the others have several.
_MEANS: dict[str, Kind] = {
    "ask": "extraction", "letters": "extraction", "extract": "extraction",
    "language": "extraction", "player": "extraction", "extraction": "extraction",
    "account": "extraction", "replay": "extraction", "hint": "extraction",
    "short": "extraction", "override": "override", "hijack": "override",
    "contest": "override", "office": "override", "code": "override",
    "part": "jailbreak", "roleplay": "jailbreak", "paper": "planted",
    "capitals": "planted", "hidden": "planted", "work": "planted",
}  # fmt: skip


def _message(texts: Texts, rng: random.Random) -> str:
    return _slots(rng.choice(texts), rng)


def _slots(text: str, rng: random.Random) -> str:
    own = messages()
    return fill(
        text,
        name=rng.choice(own.name),
        job=rng.choice(own.job),
        topic=rng.choice(own.topic),
        language=rng.choice(own.language),
    )


def _wrapped(twins: Twins, rng: random.Random, *, often: float = 0.45) -> Twins:
    own = english()
    before = rng.choice(own.before) if rng.random() < often else ""
    after = rng.choice(own.after) if rng.random() < often / 2 else ""
    return Twins(
        twins.family,
        f"{before}{twins.attack}{after}",
        f"{before}{twins.harmless}{after}",
    )


def _disguised(twins: Twins, pair: int, rng: random.Random) -> Iterator[Row]:
    kind = rng.random()
    state = rng.getrandbits(32)
    for label, text in ((1, twins.attack), (0, twins.harmless)):
        own = random.Random(state)
        source = f"made/{twins.family}"
        shown = _in_chat(text, own)
        if kind < 0.08:
            shown, source = disguise.encode(text, own), "made/encoded"
        elif kind < 0.18:
            shown = own.choice(list(disguise.LIGHT.values()))(text, own)
            source = "made/disguised"
        elif kind < 0.19 and label == 0:
            shown = own.choice(list(disguise.UNREADABLE.values()))(text, own)
            source = "made/unreadable"
        means = _MEANS.get(twins.family.split()[0]) if label else None
        yield Row(shown, label, source, pair, means)


def _in_chat(text: str, rng: random.Random) -> str:
    """Write as people do in a chat: small letters, no full stop."""
    if rng.random() < 0.3:
        text = text.lower()
    if rng.random() < 0.2:
        text = text.rstrip(".?!")
    return text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
