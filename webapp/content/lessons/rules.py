"""What the schema of a lesson cannot say: rules inside one panel and one lesson."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from webapp.content.lessons.leaks import given_away
from webapp.content.lessons.placeholders import fill, names_in, texts_in
from webapp.content.lessons.prose import faults_of_markdown
from webapp.content.lessons.schema import (
    CheckSpec,
    Lesson,
    Panel,
    PromptMessage,
    Question,
    Slot,
    Values,
    system_is_none,
)
from webapp.content.lessons.specs import ASPECTS, AT_LEAST, ReadChecks, each
from webapp.content.rules import Source
from webapp.plugins import check as plugin
from webapp.reading.plain_words import Loc, did_you_mean
from webapp.reading.problems import Problem
from webapp.text.words import words

MAX_GENERATED: Final = 300
MOST_WORDS: Final = 350
# In `say`, besides slots and hidden values.
TOLD: Final = ("reply", "count")

_SHORT_WORD: Final = re.compile(r"\w{1,3}")
_ADDRESS: Final = re.compile(r".*\S\s+https?://[^\s<>\"]+")


@dataclass(frozen=True, slots=True)
class Placed:
    """A block of a lesson: its name, its lines and those of its checks."""

    name: str
    source: Source
    line: int
    checks: ReadChecks | None = None

    def line_of(self, spec: CheckSpec) -> int:
        """Return the line of one of its checks."""
        return self.checks.line_of(spec) if self.checks else self.line

    def error(self, loc: Loc, message: str, advice: str) -> Problem:
        """Return an error at the line of a value, or at the block's own."""
        problem = self.source.problem(loc, message, advice)
        return problem if self.source.node.has(loc[0]) else self.at_top(problem)

    def warning(self, loc: Loc, message: str, advice: str) -> Problem:
        """Return a warning at the line of a value, or at the block's own."""
        return replace(self.error(loc, message, advice), severity="warning")

    def at_check(self, spec: CheckSpec, message: str, advice: str) -> Problem:
        """Return an error at the line of a check."""
        what = f'check "{"not-" if spec.negated else ""}{spec.name}": {message}'
        return Problem(self.source.path, self.line_of(spec), what, advice)

    def at_top(self, problem: Problem) -> Problem:
        """Return a problem at the line on which the block begins."""
        return replace(problem, line=self.line)


def check_panel(panel: Panel, placed: Placed) -> Iterator[Problem]:
    """Yield what is wrong inside one panel."""
    yield from _check_prompt(panel, placed)
    yield from _check_choices(panel, placed)
    yield from _check_names(panel, placed)
    yield from _check_slots(panel, placed)
    yield from _check_values(panel, placed)
    yield from _check_samples(panel, placed)
    yield from _check_checks(panel, placed)
    yield from _check_shown(panel, placed)
    for loc, message, advice in given_away(panel):
        yield placed.warning(loc, message, advice)


def prompt_texts(panel: Panel) -> Iterator[str]:
    """Yield every authored text that is sent to the model."""
    if panel.system is not None and not system_is_none(panel):
        yield panel.system
    for message in panel.messages:
        yield from (text for _, text in _roles(message))
    yield panel.text or ""
    yield panel.start_reply


def _roles(message: PromptMessage) -> list[tuple[str, str]]:
    return [(role, text) for role, text in message if text is not None]


def _check_prompt(panel: Panel, placed: Placed) -> Iterator[Problem]:
    if panel.talk == "complete":
        if panel.text is None:
            advice = "add text: with the prompt that the model goes on with"
            yield placed.error(("talk",), "talk: complete needs a text", advice)
        for key in ("messages", "system"):
            if getattr(panel, key):
                what = f"{key} is for talk: chat; this panel goes on with a text"
                yield placed.error((key,), what, f"delete {key}, or write talk: chat")
    elif panel.talk == "chat":
        if not panel.messages:
            advice = "add messages: with - user: and the prompt"
            yield placed.error(("talk",), "talk: chat needs messages", advice)
        if panel.text is not None:
            what = "text is for talk: complete; this panel is a chat"
            advice = "write it under messages: as - user: text"
            yield placed.error(("text",), what, advice)
    yield from _check_messages(panel, placed)


def _check_choices(panel: Panel, placed: Placed) -> Iterator[Problem]:
    if panel.choices and panel.talk == "none":
        what = "choices hold the reply of a model, and talk: none asks no model"
        yield placed.error(("choices",), what, "delete choices")
    for text in _twice(panel.choices):
        what = f'"{text}" stands twice among the choices'
        yield placed.error(("choices",), what, "write each once")


def _check_messages(panel: Panel, placed: Placed) -> Iterator[Problem]:
    last = len(panel.messages) - 1
    for number, message in enumerate(panel.messages):
        loc = ("messages", number)
        roles = _roles(message)
        if len(roles) != 1:
            what = "a message has exactly one of system, user and assistant"
            yield placed.error(loc, what, "begin each with its own - ")
        elif roles[0][0] == "system" and (number or panel.system is not None):
            what = "there is more than one system prompt, or it is not the first"
            yield placed.error(loc, what, "keep one, at the top")
        elif number == last and roles[0][0] != "user" and panel.talk == "chat":
            what = "the last message must be the user's"
            advice = "write the beginning of a reply under start_reply:"
            yield placed.error(loc, what, advice)


def _check_names(panel: Panel, placed: Placed) -> Iterator[Problem]:
    hidden = _hidden_names(panel)
    taken = {*ASPECTS, *TOLD}
    for key, names in (("slots", panel.slots), ("vary", hidden)):
        for name in names:
            if name in taken:
                what = f'"{name}" already means something in checks and sentences'
                yield placed.error((key, name), what, "call it something else")
    for name in hidden & panel.slots.keys():
        what = f'"{name}" is both a slot and a hidden value'
        yield placed.error(("vary", name), what, "call one of them something else")
    prompt = frozenset[str]().union(*map(names_in, prompt_texts(panel)))
    for name in panel.slots:
        if panel.talk != "none" and name not in prompt:
            what = f'the slot "{name}" is nowhere in the prompt'
            advice = f"write {{{name}}} where it belongs, or delete the slot"
            yield placed.error(("slots", name), what, advice)
    used = prompt | _names_around(panel)
    for name in hidden - used:
        what = f'the hidden value "{name}" is used nowhere'
        advice = f"write {{{name}}} in the prompt or in a check, or delete it"
        yield placed.error(("vary", name), what, advice)


def _hidden_names(panel: Panel) -> set[str]:
    return {name for values in panel.vary for name in values}


def _names_around(panel: Panel) -> frozenset[str]:
    """Return the names in the task and in the checks."""
    texts = [panel.task]
    for spec in _all_checks(panel):
        options = spec.options.model_dump(mode="json") if spec.options else {}
        texts += [*texts_in(options), spec.say or ""]
    return frozenset[str]().union(*map(names_in, texts))


def _all_checks(panel: Panel) -> Iterator[CheckSpec]:
    yield from each(panel.checks)
    for mistake in panel.mistakes:
        yield from each(mistake.when)


def _check_slots(panel: Panel, placed: Placed) -> Iterator[Problem]:
    for name, slot in panel.slots.items():
        loc = ("slots", name)
        if slot.choices and slot.items:
            what = f'the slot "{name}" has both choices and items'
            yield placed.error(loc, what, "delete one of them")
        if slot.start:
            yield from _check_value(name, slot, slot.start, (*loc, "start"), placed)
        if slot.words is not None and slot.words[0] > slot.words[1]:
            what = f"at least {slot.words[0]} and at most {slot.words[1]} is impossible"
            yield placed.error((*loc, "words"), what, "write the smaller number first")
        for key in ("choices", "items"):
            for twice in _twice(getattr(slot, key)):
                yield placed.error((*loc, key), f'"{twice}" appears twice', "delete it")


def _twice(values: Sequence[str]) -> list[str]:
    return [value for value, times in Counter(values).items() if times > 1]


def _check_values(panel: Panel, placed: Placed) -> Iterator[Problem]:
    """Yield what could not be typed of all that is said to be typed."""
    for loc, values in _all_values(panel):
        if not values and panel.slots:
            what = "nothing is typed here"
            yield placed.error(loc, what, "write {slot: text}")
        for name, text in values.items():
            slot = panel.slots.get(name)
            if slot is None:
                advice = did_you_mean(name, panel.slots)
                what = f'this panel has no slot "{name}"'
                yield placed.error((*loc, name), what, advice)
            else:
                yield from _check_value(name, slot, text, (*loc, name), placed)


def _all_values(panel: Panel) -> Iterator[tuple[Loc, Values]]:
    if panel.solution is not None:
        yield ("solution",), panel.solution
    for key in ("solved_by", "not_solved_by"):
        entries: tuple[Values, ...] = getattr(panel.proof, key)
        for number, values in enumerate(entries):
            yield ("proof", key, number), values
    for number, mistake in enumerate(panel.mistakes):
        yield ("mistakes", number, "example"), mistake.example


def _check_value(
    name: str, slot: Slot, text: str, loc: Loc, placed: Placed
) -> Iterator[Problem]:
    if slot.choices and text not in slot.choices:
        advice = did_you_mean(text, slot.choices)
        yield placed.error(loc, f'"{text}" is no choice of "{name}"', advice)
    elif slot.items and not _is_order(text, len(slot.items)):
        what = f'this is not an order of the items of "{name}"'
        advice = "list all of them, or their numbers, as in [2, 1, 3]"
        yield placed.error(loc, what, advice)
    elif len(text) > slot.chars:
        what = f'"{name}" may have at most {slot.chars} characters'
        yield placed.error(loc, what, "shorten the text, or raise chars")


def _is_order(text: str, count: int) -> bool:
    return sorted(text.split()) == sorted(map(str, range(1, count + 1)))


def _check_samples(panel: Panel, placed: Placed) -> Iterator[Problem]:
    least, number = panel.samples.least, panel.samples.of
    if least > number:
        what = f"{least} of {number} samples can never pass"
        yield placed.error(("samples",), what, "lower the first number")
    sets = len(panel.vary)
    if sets and number % sets:
        what = f"vary has {sets} sets of values, but there are {number} samples"
        advice = f"make them as many, as in samples: {sets} of {sets}"
        yield placed.error(("samples",), what, advice)
    yield from _check_lengths(panel, placed)
    tokens = number * panel.max_tokens
    if panel.talk != "none" and tokens > MAX_GENERATED:
        what = f"{number} samples of {panel.max_tokens} tokens are {tokens} tokens"
        advice = f"a class would wait too long; {MAX_GENERATED} together are the most"
        yield placed.error(("max_tokens",), what, advice)
    if number > 1 and panel.temperature == 0 and not sets and panel.talk != "none":
        what = f"at temperature 0, all {number} samples are the same reply"
        yield placed.warning(("samples",), what, "raise the temperature or add vary")


def _check_lengths(panel: Panel, placed: Placed) -> Iterator[Problem]:
    node = placed.source.node.pairs.get("vary")
    rows = node.pairs.items() if node is not None else ()
    for name, row in rows:
        if len(row.items) not in {0, 1, len(panel.vary)}:
            what = f'"{name}" has {len(row.items)} values, others {len(panel.vary)}'
            yield placed.error(("vary", name), what, "give each as many, or one")


def _check_checks(panel: Panel, placed: Placed) -> Iterator[Problem]:
    if not any(map(decides, panel.checks)):
        first = panel.checks[0]
        if any(_is_soft(spec) for spec in each(panel.checks)):
            what = "this check may not be the only one: it says what is near, not right"
            advice = "add one that compares words, such as icontains"
        else:
            what = "no check decides here"
            advice = "leave out required: false on one of them"
        yield placed.at_check(first, what, advice)
    for spec in _all_checks(panel):
        yield from _check_spec(spec, panel, placed)


def decides(spec: CheckSpec) -> bool:
    """Return whether a run can only pass if something certain passes in this check."""
    if not spec.required or spec.weight == 0:
        return False
    if not spec.parts:
        return not _is_soft(spec)
    soft = sum(not decides(part) for part in spec.parts)
    if spec.name == "all-of":
        return soft < len(spec.parts)
    return soft < (spec.least if spec.name == AT_LEAST else 1)


def _is_soft(spec: CheckSpec) -> bool:
    return not spec.parts and not plugin.checks.get(spec.name).decides


def _check_spec(spec: CheckSpec, panel: Panel, placed: Placed) -> Iterator[Problem]:
    if spec.weight == 0:
        advice = "write required: false instead: it is told, and decides nothing"
        yield placed.at_check(spec, "a weight of 0 counts for nothing", advice)
    options = spec.options
    if options is None:
        return
    for key in ("threshold", "min"):
        given = key in options.model_fields_set and getattr(options, key, None) == 0
        if given and getattr(options, "max", None) is None:
            advice = f"raise {key}, or delete the check"
            yield placed.at_check(spec, f"with {key}: 0 everything passes", advice)
    if getattr(options, "whole_word", True) is False:
        yield from _check_short_words(spec, panel, placed)


def _check_short_words(
    spec: CheckSpec, panel: Panel, placed: Placed
) -> Iterator[Problem]:
    assert spec.options is not None  # noqa: S101 -- the caller looked
    short = plugin.checks.get(spec.name).SHORT
    for text in texts_in(getattr(spec.options, short, ()) if short else ()):
        filled = (fill(text, values) for values in panel.vary or ({},))
        for word in filled:
            if _SHORT_WORD.fullmatch(word):
                what = f'"{word}" is part of many longer words'
                yield placed.at_check(spec, what, "delete whole_word: false")
                return


def _check_shown(panel: Panel, placed: Placed) -> Iterator[Problem]:
    yield from _markdown_at(placed, ("task",), panel.task)
    for number, hint in enumerate(panel.hints):
        yield from _markdown_at(placed, ("hints", number, "text"), hint.text)


def _markdown_at(placed: Placed, loc: Loc, text: str) -> Iterator[Problem]:
    node = placed.source.node.find(loc)
    for line, message, advice in faults_of_markdown(text):
        at = node.block_line + line - 1 if node.block_line else node.line
        yield Problem(placed.source.path, at, message, advice)


def check_question(question: Question, placed: Placed) -> Iterator[Problem]:
    """Yield what is wrong inside one question."""
    yield from _markdown_at(placed, ("ask",), question.ask)
    if question.why is not None:
        yield from _markdown_at(placed, ("why",), question.why)
    wanted = _WANTED[question.kind]
    for key, (least, advice) in wanted.items():
        if len(getattr(question, key)) < least:
            what = f"a question of the kind {question.kind} needs {key}"
            yield placed.at_top(placed.error((key,), what, advice))
    for key in ("choices", "lines"):
        if getattr(question, key) and key not in wanted:
            what = f"a question of the kind {question.kind} has no {key}"
            yield placed.error((key,), what, f"delete {key}")
        for twice in _twice(getattr(question, key)):
            yield placed.error((key,), f'"{twice}" appears twice', "delete one")
    yield from _check_answer(question, placed)


_WANTED: Final[Mapping[str, Mapping[str, tuple[int, str]]]] = {
    "predict": {"choices": (2, "add choices: with at least two")},
    "choose": {"choices": (2, "add choices: with at least two")},
    "order": {"lines": (2, "add lines: with at least two, in the right order")},
    "reflect": {},
}


def _check_answer(question: Question, placed: Placed) -> Iterator[Problem]:
    if question.answer is None:
        if question.kind == "choose":
            what = "a question of the kind choose needs an answer"
            advice = "add answer: with the right choice"
            yield placed.at_top(placed.error(("answer",), what, advice))
    elif question.kind in {"order", "reflect"}:
        what = f"a question of the kind {question.kind} has no answer"
        advice = "delete answer; lines are written in the right order"
        yield placed.error(("answer",), what, advice)
    elif question.answer not in question.choices:
        advice = did_you_mean(question.answer, question.choices)
        yield placed.error(("answer",), "the answer is not one of the choices", advice)


def check_lesson(
    lesson: Lesson, source: Source, placed: Sequence[Placed]
) -> Iterator[Problem]:
    """Yield what is wrong between the parts of a lesson; `source` is its front."""
    first: dict[str, int] = {}
    for block in placed:
        if block.name in first:
            what = f'two blocks have the name "{block.name}"'
            advice = f"the first is on line {first[block.name]}"
            yield Problem(source.path, block.line, what, advice)
        first.setdefault(block.name, block.line)
    for number, entry in enumerate(lesson.info.read_more):
        if not _ADDRESS.fullmatch(entry):
            what = "further reading is a title and then an address"
            advice = "write it as Title https://…"
            yield source.problem(("read_more", number), what, advice)
    for key in ("after", "was"):
        ids: tuple[str, ...] = getattr(lesson.info, key)
        if lesson.id in ids:
            loc = (key, ids.index(lesson.id))
            yield source.problem(loc, "this is the lesson itself", "delete it")
    yield from _check_size(lesson, source)


def _check_size(lesson: Lesson, source: Source) -> Iterator[Problem]:
    panels = len(lesson.panels)
    if panels not in {2, 3}:
        seen = "no panel" if not panels else f"{panels} panel{'s'[: panels - 1]}"
        what = f"this lesson has {seen}"
        advice = "two or three make a lesson of five to eight minutes"
        yield replace(source.problem(("title",), what, advice), severity="warning")
    prose = [part.markdown for part in lesson.parts if hasattr(part, "markdown")]
    count = sum(len(words(text)) for text in prose)
    if count > MOST_WORDS:
        what = f"this lesson has {count} words of prose"
        advice = f"{MOST_WORDS} are enough; let the panels do the work"
        yield replace(source.problem(("title",), what, advice), severity="warning")
