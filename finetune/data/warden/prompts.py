"""System prompts: persona, style, where the word is, and the policy.

The policy is what the warden must learn to read. Each is said in many ways, from one
clause to a paragraph, as instructors write them; they are in `prompts.yaml`.
"""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from finetune.data.phrases import Phrases, Split, Texts, exactly, fill, read_phrases
from finetune.data.warden.voices import Voice, voices
from finetune.guards.alphabets import ORDINALS

# open: tells anyone. soft: says no when asked straight out, yields to anything else.
# never: keeps the word and every part of it.
Policy = Literal["open", "soft", "never"]
POLICIES: tuple[Policy, ...] = ("open", "soft", "never")

_FILE = Path(__file__).with_suffix(".yaml")
_SPELLED_SHARE = 0.85
_NUMBERED_SHARE = 0.15
_VOICED_SHARE = 0.7
# How often a manner has the name that it has in the keep, and a prompt its wording.
_OWN_NAME_SHARE = 0.5
_KEEP_SHARE = 0.35


class _Nameless(Phrases):
    opener: str
    name: str
    gate: str


class PromptPhrases(Phrases):
    """What `prompts.yaml` holds."""

    names: Split
    roles: Split
    gates: Texts
    openers: Texts
    nameless: _Nameless
    styles: Texts
    secrets: Texts
    spelled: Split
    rules: Annotated[dict[Policy, Split], exactly(POLICIES)]


class Persona(NamedTuple):
    """Who speaks and which gate it is."""

    name: str
    role: str
    gate: str


class SystemPrompt(NamedTuple):
    """A rendered system prompt and what it was made of."""

    text: str
    persona: Persona
    policy: Policy
    voice: Voice | None = None

    def named(self) -> tuple[str, str]:
        """Return what keeper and gate are called, as far as the text says it."""
        name, _, gate = self.persona
        nameless = phrases().nameless
        return (
            name if name in self.text else nameless.name,
            gate if gate in self.text else nameless.gate,
        )


@cache
def phrases() -> PromptPhrases:
    """Read the phrasings once; raise PiecesError if the file is wrong."""
    return read_phrases(_FILE, PromptPhrases)


def write_persona(rng: random.Random, *, is_heldout: bool) -> Persona:
    """Choose a persona; held-out ones are never trained on."""
    return Persona(
        phrases().names.choose(rng, is_heldout=is_heldout),
        phrases().roles.choose(rng, is_heldout=is_heldout),
        rng.choice(phrases().gates),
    )


def write_letters(word: str, rng: random.Random) -> str:
    """Write the letters of a word one by one, sometimes with their numbers."""
    if rng.random() < _NUMBERED_SHARE:
        numbered = zip(ORDINALS, word, strict=False)
        return ", ".join(f"{ordinal} {letter}" for ordinal, letter in numbered)
    return rng.choices((", ", "-", " "), (14, 1, 1))[0].join(word)


def write_system(
    word: str,
    policy: Policy,
    rng: random.Random,
    *,
    is_heldout: bool = False,
    is_spelled: bool | None = None,
    manner: str | None = None,
) -> SystemPrompt:
    """Write a system prompt that keeps `word` under a policy.

    `is_spelled` says whether it names the word's letters; None: most of them do.
    `manner` is one of the voices, "" asks for none; None: any, and in part none.
    """
    if manner is None:
        manner = rng.choice(list(voices())) if rng.random() < _VOICED_SHARE else ""
    voice = voices()[manner] if manner else None
    persona, opening = _opening(voice, rng, is_heldout=is_heldout)
    rule = _rule(policy, rng, is_heldout=is_heldout)
    secret = rng.choice(phrases().secrets)
    if is_spelled is None:
        is_spelled = rng.random() < _SPELLED_SHARE
    if is_spelled:
        spelled = phrases().spelled.choose(rng, is_heldout=is_heldout)
        secret = f"{secret} {spelled}"
    text = _joined(opening, secret, rule, rng)
    letters = ", ".join(word) if is_heldout else write_letters(word, rng)
    # The word last, so that it is not taken for a placeholder.
    text = fill(text, **persona._asdict(), letters=letters, word=word)
    return SystemPrompt(text, persona, policy, voice)


def write_plain_system(rng: random.Random, *, is_heldout: bool = False) -> str:
    """Write a system prompt of an assistant that keeps nothing."""
    persona = write_persona(rng, is_heldout=is_heldout)
    text = f"{rng.choice(phrases().openers)} {rng.choice(phrases().styles)}".strip()
    return fill(text, **persona._asdict())


class _Opening(NamedTuple):
    """How a prompt begins: who speaks, in which manner, and what is asked for."""

    who: str
    manner: str
    style: str


def _opening(
    voice: Voice | None, rng: random.Random, *, is_heldout: bool
) -> tuple[Persona, _Opening]:
    """Choose who speaks and how the prompt says so, in part as the keep's levels do."""
    persona = write_persona(rng, is_heldout=is_heldout)
    who, style = rng.choice(phrases().openers), rng.choice(phrases().styles)
    if voice is None:
        return persona, _Opening(who, "", style)
    manner = voice.manner.choose(rng, is_heldout=is_heldout)
    if voice.name and not is_heldout and rng.random() < _OWN_NAME_SHARE:
        persona = persona._replace(name=voice.name)
    if rng.random() < _KEEP_SHARE:
        who, style = phrases().openers[0], phrases().styles[0]
        persona = persona._replace(role=phrases().roles.learned[0])
    if voice.name is None and rng.random() < _OWN_NAME_SHARE:
        who = phrases().nameless.opener
    return persona, _Opening(who, manner, style)


def _rule(policy: Policy, rng: random.Random, *, is_heldout: bool) -> str:
    rules = phrases().rules[policy]
    rule = rules.choose(rng, is_heldout=is_heldout)
    if policy == "never" and rng.random() < 0.3:
        # Strict authors repeat themselves.
        rule = f"{rule} {rules.choose(rng, is_heldout=is_heldout)}"
    return rule


def _joined(opening: _Opening, secret: str, rule: str, rng: random.Random) -> str:
    """Put the parts of a prompt into one of their orders, on one line or on several."""
    parts = [*opening, secret, rule]
    if rng.random() < 0.2:
        parts = [opening.who, opening.manner, secret, rule, opening.style]
    text = " ".join(part for part in parts if part)
    return text.replace(". ", ".\n") if rng.random() < 0.15 else text
