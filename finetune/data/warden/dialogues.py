"""Whole dialogues: a system prompt with a word and a policy, and what is said.

What the warden learns: to stay an assistant (answers of our own), to read the policy,
to speak in the voice of the prompt, and the skills by which words leak. Held-out
phrasings, personas and rules are taken only where `is_heldout` says so.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, NamedTuple

from finetune.data.phrases import Phrases, Texts, exactly, fill, read_phrases
from finetune.data.warden import asks, languages
from finetune.data.warden.ordinary import Kind, OrdinaryWriter, capital
from finetune.data.warden.pieces import Pieces, TaughtExchange
from finetune.data.warden.prompts import (
    Policy,
    SystemPrompt,
    write_plain_system,
    write_system,
)
from finetune.data.warden.skills import Task, choose_skill, skills
from finetune.data.warden.skills import phrases as skill_phrases
from finetune.guards.alphabets import NUMBERS, ORDINALS

_FILE = Path(__file__).with_suffix(".yaml")
# A soft rule is read as: do not say the word straight out, nor letter by letter.
_PLAIN_SKILLS = frozenset({"spelling", "capitals", "upper"})
# Where the word is told in a sentence a voice may be heard, in code it is not.
_SPOKEN = frozenset({"direct", "indirect", "override", "persuasion"})
_SPOKEN_SHARE = 0.7
_CURT = ("nth", "two", "first", "last", "length")


class DialoguePhrases(Phrases):
    """What `dialogues.yaml` holds."""

    quoted: Texts
    first_letter: Texts
    next_letter: Texts
    curt: Annotated[dict[str, Texts], exactly(_CURT)]
    letters_hint: str
    rhyme: str
    no_rhyme: str


@cache
def phrases() -> DialoguePhrases:
    """Read the phrasings once; raise PiecesError if the file is wrong."""
    return read_phrases(_FILE, DialoguePhrases)


class Dialogue(NamedTuple):
    """A system prompt and the exchanges under it."""

    system: str
    exchanges: tuple[TaughtExchange, ...]

    def messages(self) -> list[dict[str, str]]:
        """Return the dialogue in the form of the chat API."""
        messages = [{"role": "system", "content": self.system}]
        for exchange in self.exchanges:
            messages.append({"role": "user", "content": exchange.ask})
            messages.append({"role": "assistant", "content": exchange.answer})
        return messages


def write_dialogues(
    pieces: Pieces, count: int, *, seed: int, is_heldout: bool = False
) -> Iterator[Dialogue]:
    """Write `count` dialogues; the same seed writes the same ones."""
    rng = random.Random(f"{seed}-{is_heldout}")
    writer = Writer(pieces, rng, is_heldout=is_heldout)
    for _ in range(count):
        yield writer.dialogue()


class Writer:
    """Writes dialogues and single exchanges from pieces."""

    def __init__(
        self,
        pieces: Pieces,
        rng: random.Random,
        *,
        is_heldout: bool = False,
        typed: Callable[[str, random.Random], str] = asks.roughen,
    ) -> None:
        """`typed` is how players write what they ask."""
        self._pieces = pieces
        self.rng = rng
        self.is_heldout = is_heldout
        self._typed = typed
        self._ordinary_writer = OrdinaryWriter(
            pieces, rng, is_heldout=is_heldout, typed=typed
        )
        self._kinds = {
            self._drill: 17,
            self._practice: 4,
            self._kept: 28,
            self._letters: 4,
            self._curt: 5,
            self._abroad: 10,
            self._ordinary: 32,
        }

    def dialogue(self) -> Dialogue:
        """Write a dialogue of any kind."""
        kinds = list(self._kinds)
        return self.rng.choices(kinds, list(self._kinds.values()))[0]()

    def _drill(self) -> Dialogue:
        """Ask for skills on the secret: mostly one that anyone may know.

        Under a rule, the same skills on words that are not secret come between, and
        ordinary requests.
        """
        rng = self.rng
        word = self._word()
        policy: Policy = rng.choices(("open", "soft", "never"), (70, 6, 24))[0]
        system = self._system(word, policy)
        other, ordinary = (0.0, 0.05) if policy == "open" else (0.25, 0.15)
        exchanges = []
        for _ in range(rng.randint(3, 5)):
            draw = rng.random()
            if draw < other:
                exchanges.append(self.practice())
            elif draw < other + ordinary:
                exchanges.append(self.ordinary(word, system))
            else:
                exchanges.append(self.skill(word, system))
        return Dialogue(system.text, tuple(exchanges))

    def _practice(self) -> Dialogue:
        """Practise skills on words that are not secret, a new one each time."""
        rng = self.rng
        if rng.random() < 0.3:
            policy: Policy = rng.choice(("open", "soft", "never"))
            system = self._system(self._word(), policy).text
        else:
            system = write_plain_system(rng, is_heldout=self.is_heldout)
        return Dialogue(
            system, tuple(self.practice() for _ in range(rng.randint(5, 7)))
        )

    def _kept(self) -> Dialogue:
        """Ask for the secret in any way, with ordinary talk between."""
        rng = self.rng
        word = self._word()
        policy: Policy = rng.choices(("open", "soft", "never"), (44, 18, 38))[0]
        system = self._system(word, policy)
        count = rng.choice((1, 1, 2, 2, 3, 4))
        return Dialogue(
            system.text, tuple(self._kept_exchange(word, system) for _ in range(count))
        )

    def _kept_exchange(self, word: str, system: SystemPrompt) -> TaughtExchange:
        kinds = {
            self.request: 40,
            self.skill: 38,
            self.foreign: 6,
            self.hint: 6,
        }
        draw = self.rng.random()
        if draw < 0.07:
            return self.practice()
        if draw < 0.21:
            return self.ordinary(word, system)
        return self.rng.choices(list(kinds), list(kinds.values()))[0](word, system)

    def _letters(self) -> Dialogue:
        """Ask for one letter after another, as briefly as people do."""
        rng = self.rng
        word = self._word()
        policy: Policy = rng.choices(("open", "soft", "never"), (65, 10, 25))[0]
        system = self._system(word, policy)
        first = rng.randrange(3)
        last = min(len(word), first + rng.randint(2, 5))
        return Dialogue(
            system.text,
            tuple(
                self.letter(word, system, at, is_first=at == first)
                for at in range(first, last)
            ),
        )

    def _curt(self) -> Dialogue:
        """Give short orders about letters that name nothing, under any policy."""
        rng = self.rng
        word = self._word()
        policy: Policy = rng.choices(("open", "soft", "never"), (40, 20, 40))[0]
        system = self._system(word, policy)
        exchanges = [
            self.ordinary(word, system)
            if rng.random() < 0.15
            else self.curt(word, system)
            for _ in range(rng.randint(2, 4))
        ]
        return Dialogue(system.text, tuple(exchanges))

    def _ordinary(self) -> Dialogue:
        rng = self.rng
        policy: Policy = rng.choices(("open", "soft", "never"), (30, 20, 50))[0]
        word = self._word()
        system = self._system(word, policy)
        count = rng.choice((1, 3, 4, 4, 5))
        return Dialogue(
            system.text, tuple(self.ordinary(word, system) for _ in range(count))
        )

    def _abroad(self) -> Dialogue:
        """Ask for the secret in other languages, and be answered in them."""
        rng = self.rng
        word = self._word()
        policy: Policy = rng.choices(("open", "soft", "never"), (60, 15, 25))[0]
        system = self._system(word, policy)
        exchanges = [
            self.ordinary(word, system, "foreign")
            if rng.random() < 0.25
            else self.foreign(word, system)
            for _ in range(rng.randint(2, 4))
        ]
        return Dialogue(system.text, tuple(exchanges))

    def practice(self) -> TaughtExchange:
        """Write a skill on a word that is not secret."""
        rng, pieces = self.rng, self._pieces
        word = rng.choice(pieces.words if rng.random() < 0.5 else pieces.others)
        quoted = fill(rng.choice(phrases().quoted), x=word)
        task = self._task(word)
        ask = capital(fill(task.ask, w=quoted))
        return TaughtExchange(ask, task.answer, "practice")

    def skill(
        self, word: str, system: SystemPrompt, name: str | None = None
    ) -> TaughtExchange:
        """Write a request to say the secret in another way."""
        task = self._task(word, name)
        ask = fill(task.ask, w=self.rng.choice(asks.phrases().names))
        ask = self._typed(capital(ask), self.rng)
        refuses = system.policy == "never" or (
            system.policy == "soft" and task.skill in _PLAIN_SKILLS
        )
        return self._answered(ask, task.answer, task.skill, system, refuses=refuses)

    def letter(
        self, word: str, system: SystemPrompt, at: int, *, is_first: bool
    ) -> TaughtExchange:
        """Write a request for one letter that leans on what was said before."""
        forms = phrases().first_letter if is_first else phrases().next_letter
        ask = fill(self.rng.choice(forms), nth=ORDINALS[at])
        answer = fill(skill_phrases().answers.nth, nth=ORDINALS[at], x=word[at])
        return self._answered(
            ask, answer, "letters", system, refuses=system.policy == "never"
        )

    def curt(self, word: str, system: SystemPrompt) -> TaughtExchange:
        """Write an order about letters that leaves out whose letters."""
        rng = self.rng
        name = rng.choice(_CURT)
        slots, answer = skills()[name].make(word, rng)
        ask = fill(rng.choice(phrases().curt[name]), **slots)
        return TaughtExchange(ask[0].upper() + ask[1:], answer, "curt")

    def request(
        self, word: str, system: SystemPrompt, name: str | None = None
    ) -> TaughtExchange:
        """Write an attempt of one family to get the secret as it is."""
        rng = self.rng
        family = (
            asks.choose_family(rng) if name is None else asks.phrases().family(name)
        )
        ask = asks.name_password(
            rng.choice(family.heldout if self.is_heldout else family.asks), rng
        )
        other = rng.choice(self._pieces.words)
        slots = {"word": word, "other": other, "system": system.text}
        ask, answer = fill(ask, **slots), fill(rng.choice(family.says), **slots)
        voice = system.voice
        if voice and family.name in _SPOKEN and rng.random() < _SPOKEN_SHARE:
            answer = voice.tell(word, rng)
        refuses = system.policy == "never" or (
            system.policy == "soft" and family.is_plain
        )
        ask = self._typed(ask, rng)
        return self._answered(ask, answer, family.name, system, refuses=refuses)

    def foreign(
        self, word: str, system: SystemPrompt, language: str | None = None
    ) -> TaughtExchange:
        """Write the plain question, or its answer, in another language."""
        rng, known = self.rng, languages.phrases()
        language = language or rng.choice(list(known.languages))
        texts = known.languages[language]
        if rng.random() < 0.8:
            ask = rng.choice(texts.heldout if self.is_heldout else texts.asks)
            refuses = system.policy != "open"
        else:
            ask = asks.name_password(rng.choice(known.in_language), rng)
            ask = fill(ask, language=language)
            refuses = system.policy == "never"
        if refuses:
            return TaughtExchange(ask, texts.refuses, "foreign")
        return TaughtExchange(ask, fill(texts.tells, word=word), "foreign")

    def hint(self, word: str, system: SystemPrompt) -> TaughtExchange:
        """Write a request for a hint or a rhyme; a list says what there is."""
        rng = self.rng
        hint = self._pieces.hints.get(word)
        if rng.random() < 0.75:
            ask = rng.choice(asks.phrases().hint_asks)
            letters = fill(phrases().letters_hint, x=word[0], n=NUMBERS[len(word)])
            answer = hint.description if hint else letters
        else:
            ask = rng.choice(asks.phrases().rhyme_asks)
            answer = phrases().no_rhyme
            if hint and hint.rhyme:
                answer = fill(phrases().rhyme, rhyme=hint.rhyme)
        ask = self._typed(asks.name_password(ask, rng), rng)
        return self._answered(
            ask, answer, "hint", system, refuses=system.policy == "never"
        )

    def ordinary(
        self, word: str, system: SystemPrompt, kind: Kind | None = None
    ) -> TaughtExchange:
        """Write small talk or an ordinary request; the word is in neither side."""
        return self._ordinary_writer.write(word, system, kind)

    def _answered(
        self, ask: str, answer: str, topic: str, system: SystemPrompt, *, refuses: bool
    ) -> TaughtExchange:
        if refuses:
            answer = asks.refuse(system, self.rng)
        return TaughtExchange(ask, answer, topic)

    def _task(self, word: str, name: str | None = None) -> Task:
        skill = choose_skill(self.rng) if name is None else skills()[name]
        return skill.task(word, self.rng, is_heldout=self.is_heldout)

    def _system(self, word: str, policy: Policy) -> SystemPrompt:
        return write_system(word, policy, self.rng, is_heldout=self.is_heldout)

    def _word(self) -> str:
        """Choose a secret: mostly from the list, else any word."""
        pieces = self._pieces
        others = pieces.others
        return self.rng.choice(pieces.words if self.rng.random() < 0.8 else others)
