"""How something is said: as somebody, politely, more briefly, more simply."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from finetune.data.phrases import Phrases, Split, Texts, read_phrases
from finetune.data.scribe.cases import Case, IsRight, asked, bare, holds, user
from finetune.data.scribe.shapes import filled, known, lowered
from finetune.data.words import Words

_FILE = Path(__file__).with_suffix(".yaml")
_OWN_WORDS = 0.55
Rewriting = tuple[str, str]


class VoicePhrases(Phrases):
    """What `voices.yaml` holds."""

    personas: tuple[tuple[str, Texts], ...]
    persona_system: Split
    persona_user: Split
    persona_says: Texts
    polite: Split
    rude: tuple[Rewriting, ...]
    shorter: Split
    long: tuple[Rewriting, ...]
    simpler: Split
    hard: tuple[Rewriting, ...]


@cache
def phrases() -> VoicePhrases:
    """Read the phrasings once; raise PiecesError if the file is wrong."""
    return read_phrases(_FILE, VoicePhrases)


def persona(words: Words) -> Case:
    """Answer in a role, with words that the prompt names."""
    rng = words.rng
    role, own = rng.choice(phrases().personas)
    if rng.random() < 0.3:
        role = words.of("jobs")
    said = list(rng.sample(own, min(len(own), rng.choice((1, 2, 2)))))
    if rng.random() > _OWN_WORDS:
        said = [words.word() for _ in said]
    style = rng.choice(("{}", '"{}"', "'{}'"))
    told = f" {rng.choice(('and', 'and', 'or'))} ".join(style.format(s) for s in said)
    is_choice = " or " in told
    system = filled(phrases().persona_system, words, role=role, said=told)
    case = known(words)
    if rng.random() < 0.6:
        turns = asked(case.ask, system)
    else:
        turns = user(filled(phrases().persona_user, words, system=system, ask=case.ask))
    text = case.sentence if rng.random() < 0.75 else case.short
    says_both = len(said) == 2 and not is_choice
    forms = [f for f in phrases().persona_says if ("{b}" in f.lower()) == says_both]
    answer = _spoken(rng.choice(forms), said, text)
    needed = said[:1] if is_choice else said
    check = holds(*needed) if not is_choice else _holds_any(said)
    return Case("persona", turns, answer, lambda r: check(r) and len(r.split()) > 3)


def _holds_any(parts: list[str]) -> IsRight:
    return lambda reply: any(part.casefold() in reply.casefold() for part in parts)


def _spoken(form: str, said: list[str], text: str) -> str:
    first, last = said[0], said[-1]
    slots = {
        "{A}": first[0].upper() + first[1:],
        "{B}": last[0].upper() + last[1:],
        "{b}": last,
        "{text}": text,
        "{text_end}": lowered(text).rstrip("."),
    }
    if "! {text_end}" in form:
        slots["{text_end}"] = text.rstrip(".")
    if ", {text}" in form:
        slots["{text}"] = lowered(text)
    for slot, value in slots.items():
        form = form.replace(slot, value)
    return form


def _rewritten(
    family: str, split: Split, pairs: tuple[Rewriting, ...], words: Words
) -> Case:
    rng = words.rng
    before, after = rng.choice(words_side(pairs, words))
    text, drawn = words.fill(before)
    answer = words.fill(after, **drawn)[0]
    ask = filled(split, words, text=text)
    turns = user(ask)
    if rng.random() < 0.15 and ask.endswith(text):
        turns = asked(text, ask.removesuffix(text).rstrip(" :\n") + ".")
    return Case(family, turns, answer, _rewriting_check(family, text, drawn, answer))


def words_side(pairs: tuple[Rewriting, ...], words: Words) -> list[Rewriting]:
    """Return the pairs of this side; phrasings and words differ, too."""
    own = words.side([before for before, _ in pairs])
    return [pair for pair in pairs if pair[0] in own]


def _rewriting_check(
    family: str, text: str, drawn: dict[str, str], answer: str
) -> IsRight:
    """A hit keeps the words that matter; it is polite, or shorter, or simpler."""
    kept = [value for value in drawn.values() if value in answer]

    def check(reply: str) -> bool:
        if not holds(*kept)(reply) or bare(reply) == bare(text):
            return False
        if family == "politely":
            marks = ("please", "could you", "would", "sorry", "afraid", "kind")
            return any(mark in reply.casefold() for mark in marks)
        if family == "shorter":
            return len(reply.split()) < len(text.split())
        return bare(reply) == bare(answer)

    return check


def politely(words: Words) -> Case:
    """The same, politely."""
    return _rewritten("politely", phrases().polite, phrases().rude, words)


def shorter(words: Words) -> Case:
    """The same in fewer words."""
    return _rewritten("shorter", phrases().shorter, phrases().long, words)


def simpler(words: Words) -> Case:
    """The same in easy words."""
    return _rewritten("simpler", phrases().simpler, phrases().hard, words)
