"""Finds answers that students could read before they have worked for them.

The texts before an answer are the task, what is said when a check fails, and the hints.
What is in the prompt already, or in a slot at first, is no secret.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from webapp.content.lessons.placeholders import fill, names_in, texts_in
from webapp.content.lessons.schema import CheckSpec, Panel, system_is_none
from webapp.reading.plain_words import Loc
from webapp.text.words import as_row, words

# Shorter ones are everywhere.
_LEAST_LETTERS = 3


def given_away(panel: Panel) -> Iterator[tuple[Loc, str, str]]:
    """Yield each text that gives an answer away: where, what, and what to do."""
    open_texts = as_row(words("\n".join(_open_texts(panel))))
    task = as_row(words(panel.task))
    secrets = {
        row: (kind, text)
        for kind, text in _secrets(panel)
        if len(row := as_row(words(text))) >= _LEAST_LETTERS + 2
        and row not in open_texts
        and not (kind == _EXPECTED and row in task)
    }
    for loc, text in _shown_texts(panel):
        said = as_row(words(text))
        for row, (kind, secret) in secrets.items():
            if row in said:
                what = f'this gives away {kind}: "{_brief(secret)}"'
                yield loc, what, "say what to look for, and not what to write"
                break


_HIDDEN = "a hidden value"
_EXPECTED = "the expected answer"
_SOLUTION = "the solution"


def _secrets(panel: Panel) -> Iterator[tuple[str, str]]:
    for text in _hidden_values(panel):
        yield _HIDDEN, text
    for spec in panel.checks:
        for text in _expected(spec):
            if not names_in(text):
                yield _EXPECTED, text
                continue
            filled = (fill(text, values) for values in panel.vary)
            yield from ((_HIDDEN, one) for one in _unrepeated(filled) if one != text)
    for values in (panel.solution or {}, *panel.proof.solved_by):
        for slot, text in values.items():
            box = panel.slots.get(slot)
            if box is None or not (box.choices or box.items):
                yield from ((_SOLUTION, line) for line in text.split("\n"))


def _hidden_values(panel: Panel) -> Iterator[str]:
    for name in sorted({name for values in panel.vary for name in values}):
        yield from _unrepeated(values[name] for values in panel.vary if name in values)


def _unrepeated(texts: Iterable[str]) -> Iterator[str]:
    """Yield the texts that occur once; those that repeat are names of groups."""
    yield from (text for text, times in Counter(texts).items() if times == 1)


def _expected(spec: CheckSpec) -> Iterator[str]:
    """Yield what a check wants to find in the reply."""
    if spec.negated:
        return
    for part in spec.parts:
        yield from _expected(part)
    if spec.of == "reply" and spec.options is not None:
        yield from texts_in(spec.options.model_dump(mode="json"))


def _open_texts(panel: Panel) -> Iterator[str]:
    if panel.system is not None and not system_is_none(panel):
        yield panel.system
    for message in panel.messages:
        yield from (text for _, text in message if text is not None)
    yield panel.text or ""
    yield panel.start_reply
    for slot in panel.slots.values():
        yield from (slot.start, *slot.choices, *slot.items)


def _shown_texts(panel: Panel) -> Iterator[tuple[Loc, str]]:
    yield ("task",), panel.task
    for number, spec in enumerate(panel.checks):
        yield ("checks", number), "\n".join(_sentences(spec))
    for number, mistake in enumerate(panel.mistakes):
        yield ("mistakes", number, "say"), mistake.say
    for number, hint in enumerate(panel.hints):
        yield ("hints", number), f"{hint.title}\n{hint.text}"


def _sentences(spec: CheckSpec) -> Iterator[str]:
    yield from (text for text in (spec.say, spec.why) if text is not None)
    for part in spec.parts:
        yield from _sentences(part)


def _brief(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
