"""Whole dialogues for the scribe, each of one family of small tasks."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

from finetune.data.packing import Messages
from finetune.data.phrases import Phrases, Split, read_phrases
from finetune.data.scribe import (
    labels,
    naive,
    records,
    shapes,
    sums,
    texts,
    tools,
    trust,
    voices,
)
from finetune.data.scribe.cases import Case, asked
from finetune.data.scribe.shapes import is_sentence
from finetune.data.warden.pieces import Talk, read_answers, read_replies
from finetune.data.words import Words, is_kept

Make = Callable[[Words], Case]

_CHAT = Path(__file__).parent / "chat.yaml"
# How many of a thousand dialogues are of each family.
SHARES: dict[Make, int] = {
    labels.few_shot_labels: 80,
    labels.few_shot_mapping: 100,
    labels.by_instruction: 60,
    labels.by_rule: 20,
    records.as_json: 90,
    records.as_xml: 25,
    records.as_form: 30,
    records.as_table: 20,
    tools.tool_call: 80,
    shapes.as_list: 60,
    shapes.given_list: 15,
    shapes.one_sentence: 14,
    shapes.at_most: 22,
    shapes.one_word: 45,
    shapes.begins: 22,
    shapes.ends: 22,
    shapes.exactly: 22,
    shapes.upper: 36,
    shapes.lower: 6,
    voices.persona: 48,
    voices.politely: 18,
    voices.shorter: 10,
    voices.simpler: 10,
    texts.from_text: 28,
    texts.not_in_text: 26,
    texts.yes_no: 34,
    texts.summary: 16,
    texts.keywords: 16,
    texts.condition: 24,
    texts.only_topic: 40,
    trust.injection: 50,
    trust.poisoned: 26,
    trust.secret: 46,
    sums.steps: 40,
}
_BASE_REPLIES = 130
_CHATS = 60
# Of the tasks without a system prompt, how many are followed by another one.
_GOES_ON = 0.12


class _ChatPhrases(Phrases):
    system: Split


@cache
def _chat_phrases() -> _ChatPhrases:
    return read_phrases(_CHAT, _ChatPhrases)


@cache
def _base_replies(*, is_heldout: bool) -> tuple[tuple[str, str, str], ...]:
    """Return request, reply and system prompt, or none, of the base model."""
    plain = ((reply.ask, reply.reply, "") for reply in read_replies())
    return tuple(
        row for row in (*plain, *naive.read_replies()) if is_kept(row[0]) == is_heldout
    )


@cache
def _answers(*, is_heldout: bool) -> tuple[Talk, ...]:
    return tuple(t for t in read_answers() if is_kept(t.asks[0]) == is_heldout)


def base_reply(words: Words) -> Case:
    """Write what the base model says itself: vague prompts stay vague."""
    rng = words.rng
    ask, reply, system = rng.choice(_base_replies(is_heldout=words.is_heldout))
    if not system and rng.random() < 0.3:
        system = _chat_phrases().system.choose(rng, is_heldout=words.is_heldout)
    return Case("base model", asked(ask, system), reply, lambda r: bool(r.strip()))


def chat(words: Words) -> Case:
    """Write an ordinary question with a short, right answer."""
    rng = words.rng
    talk = rng.choice(_answers(is_heldout=words.is_heldout))
    say = rng.choice(talk.says)
    system = ""
    if rng.random() < 0.4:
        system = _chat_phrases().system.choose(rng, is_heldout=words.is_heldout)
    turns = asked(rng.choice(talk.asks), system)
    return Case("ordinary chat", turns, say, lambda r: is_sentence(r) or len(r) > 1)


def write_cases(
    nouns: Sequence[str], count: int, *, seed: int, is_heldout: bool = False
) -> Iterator[Case]:
    """Write `count` cases of all families; the same seed writes the same ones."""
    rng = random.Random(f"scribe-{seed}-{is_heldout}")
    words = Words(rng, nouns, is_heldout=is_heldout)
    makes = SHARES | {base_reply: _BASE_REPLIES, chat: _CHATS}
    for make in rng.choices(list(makes), list(makes.values()), k=count):
        yield make(words)


def write_dialogues(
    nouns: Sequence[str], count: int, *, seed: int, is_heldout: bool = False
) -> Iterator[Messages]:
    """Write `count` dialogues to learn from."""
    rng = random.Random(f"scribe-turns-{seed}-{is_heldout}")
    waiting: Case | None = None
    for case in write_cases(nouns, count, seed=seed, is_heldout=is_heldout):
        is_free = len(case.turns) == 1
        if waiting is not None and is_free:
            # A chat goes on with another task; what was said before is no part of it.
            yield [*waiting.dialogue(), *case.dialogue()]
            waiting = None
        elif waiting is None and is_free and rng.random() < _GOES_ON:
            waiting = case
        else:
            yield case.dialogue()
    if waiting is not None:
        yield waiting.dialogue()
