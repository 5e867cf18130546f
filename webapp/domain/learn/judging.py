"""Judge a run of a panel: before any call, sample by sample, and as a whole.

What is common to all checks happens here, once: placeholders in options, `not-`,
groups, an author's own sentence, and that a check which fails judges nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, NamedTuple

from pydantic import BaseModel

from webapp.content.lessons.placeholders import fill
from webapp.content.lessons.schema import CheckSpec, Mistake, Needed, Panel
from webapp.domain.learn.filling import PanelRequest, Typed
from webapp.plugins.check import (
    CheckAsk,
    EarlierRun,
    Outcome,
    Sample,
    Span,
    Status,
    Subject,
    checks,
)
from webapp.text.characters import is_blank
from webapp.text.words import count_words, words

log = logging.getLogger(__name__)

Phase = Literal["before", "sample", "after"]
GROUPS: Final = ("all-of", "any-of", "at-least")
CANNOT_JUDGE: Final = "This could not be judged just now."
_FLIPPED: Final[Mapping[Status, Status]] = {
    "passed": "failed",
    "failed": "passed",
    "ungraded": "ungraded",
}
# What a hidden value is called before it may be known.
_HIDDEN: Final = "…"
SHOWN_REPLY: Final = 80
# So many words of a task, from its first on, are nobody's own by accident.
COPIED_WORDS: Final = 6
COPIED_TASK: Final = (
    "That is the task, word for word. Tell the model in your own words what to do."
)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a check of a panel found; `why` is the author's reason, if there is one.

    `decides` is False for what is told but not counted.
    """

    check: str
    of: str
    status: Status
    message: str
    why: str | None = None
    score: float = 0.0
    weight: float = 1.0
    span: Span | None = None
    decides: bool = True

    def as_row(self) -> dict[str, Any]:
        """Return it as it is stored with the run."""
        return {
            "check": self.check,
            "of": self.of,
            "status": self.status,
            "message": self.message,
            "why": self.why,
            "score": round(self.score, 4),
            "weight": self.weight,
            "span": list(self.span) if self.span else None,
            "decides": self.decides,
        }

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Judged:
        """Return what was stored."""
        return cls(**{**row, "span": Span(*row["span"]) if row["span"] else None})


@dataclass(frozen=True, slots=True)
class Case:
    """What there is to judge: the panel as it was filled in, and what came of it."""

    panel: Panel
    given: Typed
    ask: CheckAsk
    earlier: tuple[EarlierRun, ...] = ()


class Verdict(NamedTuple):
    """What a sample, or what was typed, came to; `mistake` is a named one that showed.

    `judged` are all checks, in the order of the file.
    """

    status: Status
    judged: tuple[Judged, ...]
    mistake: Mistake | None = None
    mistake_text: str = ""

    @property
    def first_failing(self) -> Judged | None:
        """The check that a student should hear of first."""
        return next(
            (one for one in self.judged if one.status == "failed" and one.decides),
            None,
        )

    @property
    def score(self) -> float:
        """The weighted share of what was judged; 0 if nothing was."""
        counted = [
            one for one in self.judged if one.decides and one.status != "ungraded"
        ]
        total = sum(one.weight for one in counted)
        if not total:
            return 1.0 if self.status == "passed" else 0.0
        return sum(one.score * one.weight for one in counted) / total


@dataclass(frozen=True, slots=True)
class Tally:
    """How many samples passed, failed and could not be judged, of how many."""

    passed: int
    failed: int
    ungraded: int
    needed: int
    of: int

    @property
    def decided(self) -> Status | None:
        """Passed or failed as soon as no further sample can change it."""
        if self.passed >= self.needed:
            return "passed"
        return "failed" if self.failed > self.of - self.needed else None

    @property
    def status(self) -> Status:
        """What it comes to with the samples there are."""
        return self.decided or "ungraded"

    def plus(self, status: Status) -> Tally:
        """Return the tally with one sample more."""
        return replace(self, **{status: getattr(self, status) + 1})


def empty_tally(needed: Needed) -> Tally:
    """Return the tally of a run that has no sample yet."""
    return Tally(0, 0, 0, needed.least, needed.of)


def phase_of(spec: CheckSpec) -> Phase:
    """Return when a check can be judged: before any call, with a reply, at the end."""
    if spec.parts:
        phases = {phase_of(part) for part in spec.parts}
        for phase in ("after", "sample"):
            if phase in phases:
                return phase
        return "before"
    if spec.of == "runs":
        return "after"
    return "sample" if spec.of in {"reply", "probabilities"} else "before"


def in_phase(panel: Panel, phase: Phase) -> tuple[CheckSpec, ...]:
    """Return the checks of a panel that are judged in a phase."""
    return tuple(spec for spec in panel.checks if phase_of(spec) == phase)


def judge_before(
    case: Case, requests: Sequence[tuple[Mapping[str, str], PanelRequest]]
) -> Verdict:
    """Judge what was typed, for each set of hidden values that it will be used with.

    It fails if it fails for one of them. No message names a hidden value.
    """
    judged = [*_judge_lengths(case), *_judge_own_words(case)]
    for spec in in_phase(case.panel, "before"):
        judged.append(_judge_for_all(case, spec, requests))
    status = _together(judged)
    found = next(
        (
            found
            for hidden, request in requests
            if (found := _find_mistake(case, _subject(case, request), hidden, "before"))
        ),
        None,
    )
    return _with_mistake(status, judged, found)


def judge_sample(
    case: Case,
    *,
    sample: Sample,
    samples: tuple[Sample, ...],
    request: PanelRequest,
) -> Verdict:
    """Judge one reply; `samples` are those of the run so far, with it."""
    subject = replace(_subject(case, request), sample=sample, samples=samples)
    judged = [
        judge(case, spec, subject, sample.values)
        for spec in in_phase(case.panel, "sample")
    ]
    status = _together(judged)
    found = _find_mistake(
        case, subject, sample.values, "sample", only_voiding=status != "failed"
    )
    return _with_mistake(status, judged, found)


def judge_after(
    case: Case, *, samples: tuple[Sample, ...], request: PanelRequest
) -> Verdict:
    """Judge the run as a whole, where a panel looks at runs."""
    last = samples[-1] if samples else None
    subject = replace(_subject(case, request), sample=last, samples=samples)
    hidden = last.values if last else {}
    judged = [
        judge(case, spec, subject, hidden) for spec in in_phase(case.panel, "after")
    ]
    status = _together(judged)
    found = _find_mistake(
        case, subject, hidden, "after", only_voiding=status != "failed"
    )
    return _with_mistake(status, judged, found)


def judge(
    case: Case,
    spec: CheckSpec,
    subject: Subject,
    hidden: Mapping[str, str],
    *,
    is_veiled: bool = False,
) -> Judged:
    """Judge one check or group; one that throws leaves it ungraded.

    With `is_veiled` no sentence of the author shows a hidden value.
    """
    values = _values(case, hidden, is_veiled=is_veiled)
    outcome = _outcome(case, spec, subject, values)
    return Judged(
        check=f"not-{spec.name}" if spec.negated else spec.name,
        of=spec.of,
        status=outcome.status,
        message=outcome.message,
        why=spec.why if outcome.status == "failed" else None,
        score=outcome.score,
        weight=spec.weight,
        span=outcome.span,
        decides=spec.required,
    )


class _Values(NamedTuple):
    """What placeholders stand for: in options, and in sentences that are told."""

    real: Mapping[str, str]
    told: Mapping[str, str]


def _values(case: Case, hidden: Mapping[str, str], *, is_veiled: bool) -> _Values:
    real = {**case.given.texts, **hidden}
    veil = dict.fromkeys(hidden, _HIDDEN) if is_veiled else {}
    return _Values(real, {**real, **veil})


def _say(text: str, subject: Subject, values: _Values, count: int | None) -> str:
    """Fill an author's sentence, {reply} and {count} included."""
    reply = subject.sample.reply.strip() if subject.sample else ""
    short = reply if len(reply) <= SHOWN_REPLY else f"{reply[:SHOWN_REPLY]}…"
    more = {"reply": short, "count": "" if count is None else str(count)}
    return fill(text, {**values.told, **more})


def _outcome(case: Case, spec: CheckSpec, subject: Subject, values: _Values) -> Outcome:
    if spec.parts:
        outcome = _group_outcome(case, spec, subject, values)
    else:
        outcome = _leaf_outcome(case, spec, subject, values.real)
    if spec.negated:
        outcome = _negated(outcome)
        if outcome.status == "passed" and _is_of_no_reply(spec, subject):
            # Nothing is in an empty reply, so every `not-` would hold.
            outcome = Outcome("failed", "The reply is empty.", 0.0)
    if outcome.status == "failed" and spec.say:
        message = _say(spec.say, subject, values, outcome.count)
        return replace(outcome, message=message)
    return outcome


def _is_of_no_reply(spec: CheckSpec, subject: Subject) -> bool:
    is_empty = subject.sample is not None and is_blank(subject.sample.reply)
    return is_empty and phase_of(spec) == "sample"


def _negated(outcome: Outcome) -> Outcome:
    """Turn passed and failed round, once; what could not be judged stays so."""
    status = _FLIPPED[outcome.status]
    if status == "ungraded":
        return outcome
    # What a check says of its own finding is right, and the wrong way round.
    message = f"{outcome.message} Here it should not." if status == "failed" else ""
    score = 1.0 if status == "passed" else 0.0
    return replace(outcome, status=status, score=score, message=message)


def _leaf_outcome(
    case: Case, spec: CheckSpec, subject: Subject, values: Mapping[str, str]
) -> Outcome:
    try:
        kind = checks.get(spec.name)
        options = _filled(spec.options, values, kind.quoted)
        text, called = _text_of(case, spec.of, subject)
        check = kind(options)
        return check.judge(replace(subject, text=text, called=called), case.ask)
    except Exception as error:  # noqa: BLE001 -- plug-in border: it judges nothing
        # The type only: the text of an error may quote what a student typed.
        log.error("check %s failed: %s", spec.name, type(error).__name__)
        return Outcome("ungraded", CANNOT_JUDGE, 0.0)


def _group_outcome(
    case: Case, spec: CheckSpec, subject: Subject, values: _Values
) -> Outcome:
    parts = [_outcome(case, part, subject, values) for part in spec.parts]
    least = {"all-of": len(parts), "any-of": 1}.get(spec.name, spec.least)
    good = sum(part.status == "passed" for part in parts)
    open_ = sum(part.status == "ungraded" for part in parts)
    score = sum(part.score for part in parts) / len(parts)
    if good >= least:
        return Outcome("passed", "", 1.0)
    if good + open_ >= least:
        return Outcome("ungraded", CANNOT_JUDGE, score)
    first = next(part for part in parts if part.status == "failed")
    return Outcome("failed", first.message, score, first.span, first.count)


def _filled(
    options: BaseModel | None, values: Mapping[str, str], quoted: Callable[[str], str]
) -> Any:
    """Return the options with placeholders filled, checked as those of a file are."""
    if options is None:
        return None
    before = options.model_dump(mode="json")
    after = _fill_in(before, {name: quoted(value) for name, value in values.items()})
    return options if after == before else type(options).model_validate(after)


def _fill_in(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return fill(value, values)
    if isinstance(value, list):
        return [_fill_in(one, values) for one in value]
    if isinstance(value, dict):
        return {key: _fill_in(one, values) for key, one in value.items()}
    return value


def _subject(case: Case, request: PanelRequest) -> Subject:
    return Subject(
        text="",
        model=case.panel.model,
        typed=case.given.texts,
        request=request.as_text,
        earlier=case.earlier,
    )


def _text_of(case: Case, of: str, subject: Subject) -> tuple[str, str]:
    """Return the text that a check looks at, and what a sentence calls it."""
    match of:
        case "reply":
            return subject.sample.reply if subject.sample else "", "the reply"
        case "prompt":
            return case.given.prompt, "your prompt"
        case "request":
            return subject.request, "what the model gets"
        case "probabilities" | "runs":
            return "", "the reply"
        case _:
            label = case.panel.slots[of].label
            return case.given.texts[of], f"“{label}”" if label else "your text"


def _judge_lengths(case: Case) -> Iterable[Judged]:
    """Judge how many words there are where a slot says how many there should be."""
    for name, slot in case.panel.slots.items():
        if slot.words is None or slot.items or slot.choices:
            continue
        count, (fewest, most) = count_words(case.given.texts[name]), slot.words
        if fewest <= count <= most:
            continue
        box = f"“{slot.label}”" if slot.label else "This box"
        bound, number = ("least", fewest) if count < fewest else ("most", most)
        unit = "word" if number == 1 else "words"
        told = f"{box} needs at {bound} {number} {unit}; so far it has {count}."
        yield Judged(check="words", of=name, status="failed", message=told)


def _judge_own_words(case: Case) -> Iterable[Judged]:
    """Judge whether a box holds the task as it is: that is nobody's prompt."""
    if case.panel.talk == "none" or case.panel.expect == "failure":
        return
    task = words(case.panel.task)[:COPIED_WORDS]
    if len(task) < COPIED_WORDS:
        return
    for name, slot in case.panel.slots.items():
        typed = [] if slot.items or slot.choices else words(case.given.texts[name])
        starts = range(len(typed) - len(task) + 1)
        if any(typed[start : start + len(task)] == task for start in starts):
            yield Judged(
                check="own-words", of=name, status="failed", message=COPIED_TASK
            )


def _judge_for_all(
    case: Case,
    spec: CheckSpec,
    requests: Sequence[tuple[Mapping[str, str], PanelRequest]],
) -> Judged:
    """Return the worst that a check finds for any set of hidden values."""
    found: dict[Status, Judged] = {}
    seen: set[str] = set()
    for hidden, request in requests:
        key = repr((sorted(hidden.items()), request.as_text))
        if key in seen:
            continue
        seen.add(key)
        subject = _subject(case, request)
        judged = judge(case, spec, subject, hidden, is_veiled=True)
        found.setdefault(judged.status, judged)
    worst: Sequence[Status] = ("failed", "ungraded", "passed")
    return next(found[status] for status in worst if status in found)


def _together(judged: Iterable[Judged]) -> Status:
    """Return what the checks that count come to."""
    statuses = {one.status for one in judged if one.decides}
    if "failed" in statuses:
        return "failed"
    return "ungraded" if "ungraded" in statuses else "passed"


class _Shown(NamedTuple):
    mistake: Mistake
    text: str


def _find_mistake(
    case: Case,
    subject: Subject,
    hidden: Mapping[str, str],
    phase: Phase,
    *,
    only_voiding: bool = False,
) -> _Shown | None:
    """Return the first named mistake that shows; of those that void a run first."""
    values = _values(case, hidden, is_veiled=phase == "before")
    for mistake in sorted(case.panel.mistakes, key=lambda one: not one.voids):
        if mistake_phase(mistake) != phase or (only_voiding and not mistake.voids):
            continue
        found = [_outcome(case, spec, subject, values) for spec in mistake.when]
        if all(outcome.status == "passed" for outcome in found):
            counts = (outcome.count for outcome in found)
            count = next((count for count in counts if count is not None), None)
            return _Shown(mistake, _say(mistake.say, subject, values, count))
    return None


def mistake_phase(mistake: Mistake) -> Phase:
    """Return when a named mistake can be seen."""
    phases = {phase_of(spec) for spec in mistake.when}
    for phase in ("after", "sample"):
        if phase in phases:
            return phase
    return "before"


def _with_mistake(
    status: Status, judged: Sequence[Judged], found: _Shown | None
) -> Verdict:
    if found is None:
        return Verdict(status, tuple(judged))
    # A mistake that voids a run fails it, whatever the checks say.
    status = "failed" if found.mistake.voids else status
    return Verdict(status, tuple(judged), found.mistake, found.text)
