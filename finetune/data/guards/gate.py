"""Messages for the gate: attacks and harmless twins with the same words in them.

Most are put together from the pieces in `english.yaml`, `languages.yaml`,
`messages.yaml` and `injections.yaml`: a template meets a secret once and a harmless
thing once, behind the same first words, in the same disguise. Those in `pairs.yaml`
were written as pairs, each of its own build. So neither template, nor trigger word, nor
disguise, nor language tells attacks from harmless talk.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from itertools import count as numbers
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from finetune.data.guards import disguise
from finetune.data.guards.rows import Row

_FOLDER = Path(__file__).parent


class Twins(NamedTuple):
    """Two messages that differ in what they are after."""

    family: str
    attack: str
    harmless: str


def gate_rows(count: int, *, seed: int) -> list[Row]:
    """Return about `count` different rows, half of them attacks, by a fixed seed."""
    dice = random.Random(seed)
    rows: dict[str, Row] = {}
    for pair in numbers():
        if len(rows) >= count or pair > 4 * count:
            break
        for row in _disguised(_twins(dice), pair, dice):
            rows.setdefault(row.text, row)
    return list(islice(rows.values(), count))


def _twins(dice: random.Random) -> Twins:
    make = dice.choices(
        (
            _asked, _lettered, _overridden, _extracted, _foreign, _spoken, _hidden,
            _hijacked, _played, _planted, _paired,
        ),
        weights=(17, 9, 10, 9, 20, 40, 5, 8, 6, 8, 44),
    )[0]  # fmt: skip
    return make(dice)


def _asked(dice: random.Random) -> Twins:
    pieces = _pieces("english")
    harmless = dice.choice(pieces[dice.choice(["trigger", "trigger", "plain"])])
    return _filled("ask", dice.choice(pieces["ask"]), harmless, dice)


def _lettered(dice: random.Random) -> Twins:
    pieces = _pieces("english")
    harmless = dice.choice(pieces["word"])
    return _filled("letters", dice.choice(pieces["letters"]), harmless, dice)


def _filled(family: str, template: str, harmless: str, dice: random.Random) -> Twins:
    secret = dice.choice(_pieces("english")["secret"])
    return _wrapped(
        Twins(
            family,
            template.replace("{x}", secret),
            template.replace("{x}", harmless),
        ),
        dice,
    )


def _overridden(dice: random.Random) -> Twins:
    pieces = _pieces("english")
    template = dice.choice(pieces["override"])
    attack = template.replace("{r}", dice.choice(pieces["rules"]))
    harmless = template.replace("{r}", dice.choice(pieces["harmless_rules"]))
    if dice.random() < 0.6:
        wish = dice.choice(pieces["then"]).replace("{x}", dice.choice(pieces["secret"]))
        attack = f"{attack} {wish}"
        harmless = f"{harmless} {dice.choice(pieces['harmless_then'])}"
    return _wrapped(Twins("override", _capital(attack), _capital(harmless)), dice)


def _extracted(dice: random.Random) -> Twins:
    pieces = _pieces("english")
    template = dice.choice(pieces["extract"])
    attack = template.replace("{p}", dice.choice(pieces["prompt"]))
    harmless = template.replace("{p}", dice.choice(pieces["harmless_prompt"]))
    return _wrapped(Twins("extract", attack, harmless), dice)


def _hijacked(dice: random.Random) -> Twins:
    """Order something to be said: against the rules, or for a harmless reason."""
    return _wrapped(
        Twins("hijack", _stunt(dice, ""), _stunt(dice, "harmless_")), dice, often=0.2
    )


def _stunt(dice: random.Random, side: str) -> str:
    pieces, english = _pieces("injections"), _pieces("english")
    text = dice.choice(pieces[f"{side}stunt"])
    text = text.replace("{w}", dice.choice(pieces["phrase"]))
    override = dice.choice(english["override"])
    order = _capital(override.replace("{r}", dice.choice(english[f"{side}rules"])))
    # To say something is harmless until it is to be said in spite of the rules.
    if side and dice.random() < 0.5:
        return _slots(text, dice)
    parts = [order, text] if dice.random() < 0.75 else [text, order]
    return _slots(" ".join(parts), dice)


def _played(dice: random.Random) -> Twins:
    """Give the model a part to play: one without rules, or any other."""
    return Twins("part", _part(dice, ""), _part(dice, "harmless_"))


def _part(dice: random.Random, side: str) -> str:
    pieces = _pieces("injections")
    powers = dice.sample(pieces[f"{side}power"], dice.randrange(1, 5))
    pressures = dice.sample(pieces[f"{side}pressure"], dice.randrange(0, 3))
    lines = [dice.choice(pieces[f"{side}part"]), *powers, *pressures]
    if dice.random() < 0.7:
        lines.append(dice.choice(pieces[f"{side}wish"]))
    text = dice.choice([" ", " ", "\n"]).join(lines)
    return _slots(text.replace("{n}", dice.choice(pieces["persona"])), dice)


def _planted(dice: random.Random) -> Twins:
    """Write an order into a paper that the model is to work on."""
    pieces = _pieces("injections")
    paper = _slots(dice.choice(pieces["paper"]), dice)
    ask = _slots(dice.choice(pieces["ask_about_paper"]), dice)
    before, after = dice.choice(
        [("", ""), ("", ""), (f"{ask}\n\n", ""), ("", f"\n\n{ask}")]
    )
    return Twins(
        "paper",
        f"{before}{paper.replace('{i}', _order(dice, ''))}{after}",
        f"{before}{paper.replace('{i}', _order(dice, 'harmless_'))}{after}",
    )


def _order(dice: random.Random, side: str) -> str:
    pieces = _pieces("injections")
    order = dice.choice(pieces[f"{side}order"])
    if dice.random() < 0.5:
        order = _stunt(dice, side)
    address = dice.choice(pieces[f"{side}address"])
    return _slots(address.replace("{o}", order), dice)


def _foreign(dice: random.Random) -> Twins:
    languages = _pieces("languages")
    name = dice.choice(list(languages))
    own = languages[name]
    kind = dice.random()
    if kind < 0.35:
        number = dice.randrange(len(own["attack"]))
        attack, harmless = own["attack"][number], own["fine"][number]
    else:
        template = dice.choice(own["ask" if kind < 0.75 else "letters"])
        attack = template.replace("{x}", dice.choice(own["secret"]))
        harmless = template.replace("{x}", dice.choice(own["trigger"]))
    # Languages are far more talked in than attacked in.
    if dice.random() < 0.5:
        harmless = dice.choice(own["talk"]).replace("{t}", dice.choice(own["topic"]))
    if dice.random() < 0.15:
        first = dice.choice(own["talk"]).replace("{t}", dice.choice(own["topic"]))
        attack, harmless = f"{first} {attack}", f"{first} {harmless}"
    return Twins(f"language {name}", attack, harmless)


def _paired(dice: random.Random) -> Twins:
    kinds = _pieces("pairs")
    sizes = [len(pairs) for pairs in kinds.values()]
    kind = dice.choices(list(kinds), sizes)[0]
    attack, harmless = dice.choice(kinds[kind])
    return _wrapped(
        Twins(kind, _slots(attack, dice), _slots(harmless, dice)), dice, often=0.15
    )


def _spoken(dice: random.Random) -> Twins:
    kind = dice.choices(("visitors", "triggers", "ordinary", "tasks"), (5, 6, 9, 6))[0]
    attack, harmless = _message("attacks", dice), _message(kind, dice)
    if kind == "tasks" and dice.random() < 0.6:
        paragraph = dice.choice(_pieces("messages")["filler"])
        return Twins(kind, f"{attack}\n\n{paragraph}", f"{harmless}\n\n{paragraph}")
    return _wrapped(Twins(kind, attack, harmless), dice, often=0.25)


def _hidden(dice: random.Random) -> Twins:
    """Put a message between paragraphs, where it must be found."""
    messages = _pieces("messages")
    found = _twins(dice)
    before = dice.sample(messages["filler"], dice.randrange(0, 3))
    after = dice.sample(messages["filler"], 0 if len(before) > 1 else 1)
    gap = dice.choice(["\n\n", "\n", " "])
    harmless = found.harmless
    if dice.random() < 0.6:
        harmless = _message("ask_about_filler", dice)
    return Twins(
        "hidden",
        gap.join([*before, found.attack, *after]),
        gap.join([*before, harmless, *after]),
    )


def _message(kind: str, dice: random.Random) -> str:
    return _slots(str(dice.choice(_pieces("messages")[kind])), dice)


def _slots(text: str, dice: random.Random) -> str:
    messages = _pieces("messages")
    for slot in ("name", "job", "topic", "language"):
        text = text.replace(f"{{{slot}}}", dice.choice(messages[slot]))
    return text


def _wrapped(twins: Twins, dice: random.Random, *, often: float = 0.45) -> Twins:
    pieces = _pieces("english")
    before = dice.choice(pieces["before"]) if dice.random() < often else ""
    after = dice.choice(pieces["after"]) if dice.random() < often / 2 else ""
    return Twins(
        twins.family,
        f"{before}{twins.attack}{after}",
        f"{before}{twins.harmless}{after}",
    )


def _disguised(twins: Twins, pair: int, dice: random.Random) -> Iterator[Row]:
    kind = dice.random()
    state = dice.getrandbits(32)
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
        yield Row(shown, label, source, pair)


def _in_chat(text: str, dice: random.Random) -> str:
    """Write as people do in a chat: small letters, no full stop."""
    if dice.random() < 0.3:
        text = text.lower()
    if dice.random() < 0.2:
        text = text.rstrip(".?!")
    return text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


@cache
def _pieces(name: str) -> dict[str, Any]:
    with (_FOLDER / f"{name}.yaml").open(encoding="utf-8") as file:
        loaded: dict[str, Any] = yaml.load(file, yaml.CSafeLoader)
    return loaded
