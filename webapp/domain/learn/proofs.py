"""Play the proofs of panels: does the solution work, and does nothing else?

A proof is statistical: each entry is asked for many samples, and the chance that a run
passes with it follows from the rate. Beside what the author names, ways to cheat are
tried on every panel: the mutants.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean
from typing import Any, Final, Literal

from webapp.content.index import Index
from webapp.content.lessons.placeholders import fill
from webapp.content.lessons.proven import ProvenRow, Verdict
from webapp.content.lessons.schema import CheckSpec, Lesson, Mistake, Panel
from webapp.domain.generations.pace import FULL_PACE, STREAMS, Pace
from webapp.domain.generations.replies import Record
from webapp.domain.learn import filling, judging, speaking
from webapp.domain.learn.filling import Typed
from webapp.domain.learn.judging import Case
from webapp.domain.learn.practice import Plan
from webapp.errors import InvalidInput
from webapp.llm.gateway import Gateway
from webapp.plugins.check import EarlierRun, Sample

Kind = Literal["solved_by", "not_solved_by", "mistake", "mutant"]
SAMPLES: Final = 20
# The least chance that a run with the solution passes, and the most with anything else.
SOLVED_CHANCE: Final = 0.9
OTHER_CHANCE: Final = 0.1
# What must not solve a panel is asked so often before a miss is believed.
FIRST_PLAYS: Final = 8
REPLIES_SHOWN: Final = 3
# Checks whose options say what the reply should be.
_ANSWERS: Final = (
    "equals",
    "contains",
    "icontains",
    "contains-all",
    "icontains-all",
    "contains-any",
    "icontains-any",
    "starts-with",
    "ends-with",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to type, and what must come of it; `name` tells mutants apart."""

    kind: Kind
    name: str
    values: Mapping[str, str]
    mistake: Mistake | None = None


@dataclass(frozen=True, slots=True)
class EntryResult:
    """How an entry went: `hits` of `plays` samples; `chance` is that of a whole run.

    `plays` is 0 where what was typed does not count, so that no model was asked.
    `replies` are some that went wrong: that did not pass where they must, or passed
    where they must not; if none did, some that did not pass. `is_told` says whether a
    named mistake showed. `rates` are those of the sets of hidden values.
    """

    entry: Entry
    hits: int
    plays: int
    chance: float
    replies: tuple[str, ...]
    note: str
    is_told: bool = False
    rates: tuple[float, ...] = (0.0,)

    @property
    def rate(self) -> float:
        """The share of samples that passed."""
        return self.hits / self.plays if self.plays else 0.0

    @property
    def is_as_it_should_be(self) -> bool:
        """Whether the chance is on the right side of its bound."""
        if self.entry.kind == "solved_by":
            return self.chance >= SOLVED_CHANCE
        is_told = self.is_told or self.entry.kind != "mistake"
        return is_told and self.chance <= OTHER_CHANCE


@dataclass(frozen=True, slots=True)
class PanelResult:
    """What the proof of a panel came to on one version of a model."""

    lesson_id: str
    panel: Panel
    panel_hash: str
    version: str
    entries: tuple[EntryResult, ...]

    @property
    def verdict(self) -> Verdict:
        """Broken if the solution is too weak, too easy if something else works."""
        of_solutions = [one for one in self.entries if one.entry.kind == "solved_by"]
        if not all(one.is_as_it_should_be for one in of_solutions):
            return "broken"
        others = (one for one in self.entries if one.entry.kind != "solved_by")
        return "too easy" if any(o.chance > OTHER_CHANCE for o in others) else "proven"

    @property
    def holds(self) -> bool:
        """Whether everything is as it should be, the named mistakes as well."""
        return all(one.is_as_it_should_be for one in self.entries)

    @property
    def advice(self) -> tuple[str, ...]:
        """What an author may do about what does not hold."""
        return tuple(_advice(self.panel, self.entries))

    def row(self, *, plays: int, made_at: datetime) -> ProvenRow:
        """Return what is published of it."""

        def rates(kind: Kind) -> tuple[float, ...]:
            found = (one for one in self.entries if one.entry.kind == kind)
            return tuple(round(one.rate, 3) for one in found)

        return ProvenRow(
            panel=f"{self.lesson_id}#{self.panel.name}",
            panel_hash=self.panel_hash,
            model=self.panel.model,
            model_version=self.version,
            verdict=self.verdict,
            plays=plays,
            solved_by=rates("solved_by"),
            not_solved_by=rates("not_solved_by"),
            mistakes=rates("mistake"),
            mutants={
                one.entry.name: round(one.rate, 3)
                for one in self.entries
                if one.entry.kind == "mutant"
            },
            made_at=made_at,
        )


def play_panels(
    index: Index,
    gateway: Gateway,
    *,
    lessons: tuple[Lesson, ...],
    samples: int = SAMPLES,
    seed: int = 0,
    pace: Pace = FULL_PACE,
) -> Iterator[PanelResult]:
    """Play the proof of every panel of these lessons.

    Seeds depend on `seed` alone, so a second run plays the same. Raises BackendError if
    a model fails.
    """
    for lesson in lessons:
        for panel in lesson.panels:
            yield play_panel(
                index,
                gateway,
                lesson_id=lesson.id,
                panel=panel,
                samples=samples,
                seed=seed,
                pace=pace,
            )


def play_panel(
    index: Index,
    gateway: Gateway,
    *,
    lesson_id: str,
    panel: Panel,
    samples: int = SAMPLES,
    seed: int = 0,
    pace: Pace = FULL_PACE,
) -> PanelResult:
    """Play the proof of one panel, as `play_panels` does."""
    return PanelResult(
        lesson_id,
        panel,
        index.panel_hash(lesson_id, panel.name),
        "" if panel.talk == "none" else gateway.version(panel.model),
        tuple(
            play_entry(panel, gateway, entry, samples=samples, seed=seed, pace=pace)
            for entry in entries(panel)
        ),
    )


def entries(panel: Panel) -> Iterator[Entry]:
    """Yield all that is played: what the author names, then the mutants."""
    proof = panel.proof
    seen: list[Mapping[str, str]] = []
    named: tuple[tuple[Kind, tuple[dict[str, str], ...]], ...] = (
        ("solved_by", proof.solved_by),
        ("not_solved_by", proof.not_solved_by),
    )
    for kind, listed in named:
        for number, values in enumerate(listed, 1):
            seen.append(values)
            yield Entry(kind, f"{kind} {number}", values)
    for number, mistake in enumerate(panel.mistakes, 1):
        seen.append(mistake.example)
        yield Entry("mistake", f"mistake {number}", mistake.example, mistake)
    # Where a failure is to be seen, it may be seen with any prompt.
    if panel.expect == "failure":
        return
    for name, values in mutants(panel).items():
        if values not in seen:
            seen.append(values)
            yield Entry("mutant", name, values)


def mutants(panel: Panel) -> dict[str, dict[str, str]]:
    """Return ways to get round a panel without its idea, by name."""
    start = filling.start_values(panel)
    found = {"untouched": start}
    open_slots = [
        name
        for name, slot in panel.slots.items()
        if not slot.items and not slot.choices
    ]
    if not open_slots:
        return found

    def typed_in(text: str) -> dict[str, str]:
        return start | {name: text[: panel.slots[name].chars] for name in open_slots}

    found["empty"] = typed_in("")
    found["the task"] = typed_in(panel.task)
    answers = expected(panel)
    if answers:
        found["the answers"] = typed_in("\n".join(answers))
        found["say it"] = typed_in(f"Say {answers[0]}")
    if panel.sample is not None:
        found["the stored reply"] = typed_in(panel.sample.text)
    return found


def expected(panel: Panel) -> list[str]:
    """Return the texts that the checks of a reply look for, hidden values filled in."""
    texts: dict[str, None] = {}
    for values in panel.vary or ({},):
        for spec in _leaves(panel.checks):
            if spec.negated or spec.of != "reply" or spec.name not in _ANSWERS:
                continue
            options = spec.options.model_dump(mode="json") if spec.options else {}
            for text in _texts(options):
                texts[fill(text, values)] = None
    return list(texts)


def play_entry(
    panel: Panel,
    gateway: Gateway,
    entry: Entry,
    *,
    samples: int,
    seed: int,
    pace: Pace = FULL_PACE,
) -> EntryResult:
    """Play an entry as a student's typing would be, for many samples at once."""
    try:
        given = filling.typed(panel, entry.values)
    except InvalidInput as error:
        return EntryResult(entry, 0, 0, 0.0, (), error.message)
    plan = _plan(panel, given, samples, seed)
    ask = speaking.PanelAsk(gateway, "proof")
    case = Case(panel, given, ask, _earlier(panel))
    before = judging.judge_before(case, plan.pairs)
    is_told = _is(entry.mistake, before.mistake)
    if before.status != "passed":
        first = before.first_failing
        note = before.mistake_text or (first.message if first else before.status)
        return EntryResult(entry, 0, 0, 0.0, (), f"does not count: {note}", is_told)
    if panel.talk == "none":
        after = judging.judge_after(case, samples=(), request=plan.requests[0])
        hit = after.status == "passed"
        return EntryResult(entry, int(hit), 1, float(hit), (), "", is_told)
    heard: list[Sample] = []
    verdicts: list[judging.Verdict] = []
    for part in _parts(panel, entry, samples):
        new = _hear(panel, gateway, plan, part, pace)
        heard += new
        verdicts += [
            judging.judge_sample(case, sample=one, samples=(one,), request=request)
            for one, request in zip(new, plan.requests[part.start :], strict=False)
        ]
        if not any(verdict.status == "passed" for verdict in verdicts):
            break
    passed = [verdict.status == "passed" for verdict in verdicts]
    rates = _rates(passed, max(1, len(panel.vary)))
    is_told = is_told or any(_is(entry.mistake, one.mistake) for one in verdicts)
    of_run = run_chance(panel.samples.least, panel.samples.of, rates)
    ungraded = sum(verdict.status == "ungraded" for verdict in verdicts)
    return EntryResult(
        entry,
        sum(passed),
        len(heard),
        of_run * _after_share(case, plan, heard),
        _shown(entry, heard, verdicts),
        f"{ungraded} could not be judged" if ungraded else "",
        is_told,
        rates,
    )


def _shown(
    entry: Entry, heard: list[Sample], verdicts: list[judging.Verdict]
) -> tuple[str, ...]:
    """Return the replies that tell an author most, each once."""
    passed: dict[str, None] = {}
    others: dict[str, None] = {}
    for sample, verdict in zip(heard, verdicts, strict=True):
        (passed if verdict.status == "passed" else others)[sample.reply] = None
    is_wanted = entry.kind == "solved_by"
    return tuple(others if is_wanted or not passed else passed)[:REPLIES_SHOWN]


def run_chance(least: int, of: int, rates: Sequence[float]) -> float:
    """Return the chance that at least `least` of `of` samples pass.

    `rates` are those of the sets of hidden values. A run takes them in turns, from any
    of them on, and one may be far harder than another: a prompt that never works for
    two of six cannot pass five of six.
    """
    chances = []
    for turn in range(len(rates)):
        by_hits = [1.0] + [0.0] * of
        for number in range(of):
            rate = rates[(turn + number) % len(rates)]
            by_hits = [
                (1 - rate) * chance + (rate * by_hits[hits - 1] if hits else 0.0)
                for hits, chance in enumerate(by_hits)
            ]
        chances.append(sum(by_hits[least:]))
    return fmean(chances)


def _rates(passed: Sequence[bool], sets: int) -> tuple[float, ...]:
    """Return the rate of each set of hidden values, which were played in turns."""
    whole = fmean(passed)
    parts = (passed[start::sets] for start in range(sets))
    return tuple(fmean(part) if part else whole for part in parts)


def lower_bound(hits: int, plays: int) -> float:
    """Return the lower end of the 95 % interval (Wilson) of a rate."""
    if not plays:
        return 0.0
    z, rate = 1.96, hits / plays
    middle = rate + z * z / (2 * plays)
    spread = z * math.sqrt(rate * (1 - rate) / plays + z * z / (4 * plays * plays))
    return max(0.0, (middle - spread) / (1 + z * z / plays))


def _plan(panel: Panel, given: Typed, samples: int, seed: int) -> Plan:
    hidden = tuple(filling.hidden_sets(panel, samples))
    requests = tuple(
        filling.request_of(panel, given, values, seed=seed + number, salt="proofs")
        for number, values in enumerate(hidden)
    )
    return Plan(panel, given, hidden, requests)


def _parts(panel: Panel, entry: Entry, samples: int) -> Iterator[range]:
    """Yield which samples are asked for together; without a hit no more are asked for.

    What must not solve a panel need not be asked to the end to see that it does not: at
    the least rate that is too much for 3 of 5, eight misses come once in ten. Where one
    hit decides, all are asked.
    """
    is_short = entry.kind != "solved_by" and panel.samples.least > 1
    first = min(samples, FIRST_PLAYS) if is_short else samples
    yield range(first)
    if first < samples:
        yield range(first, samples)


def _hear(
    panel: Panel, gateway: Gateway, plan: Plan, part: range, pace: Pace
) -> list[Sample]:
    def play(number: int) -> Sample:
        request, record = plan.requests[number], Record()
        record.reply = request.start_reply
        user = f"proof-{number % STREAMS}"
        stream = speaking.ask_model(gateway, panel, request, user=user)
        for _ in speaking.hear(stream, record):
            pass
        done = record.completion
        return Sample(
            record.reply,
            plan.hidden[number],
            done.finish_reason if done else "length",
            speaking.tokens_of(record),
        )

    return pace.all(play, part)


def _after_share(case: Case, plan: Plan, heard: list[Sample]) -> float:
    """Return the share of whole runs that pass the checks of runs."""
    if not judging.in_phase(case.panel, "after"):
        return 1.0
    size = case.panel.samples.of
    runs = [heard[at : at + size] for at in range(0, len(heard) - size + 1, size)]
    passed = sum(
        judging.judge_after(case, samples=tuple(run), request=plan.requests[0]).status
        == "passed"
        for run in runs or [heard]
    )
    return passed / max(1, len(runs))


def _earlier(panel: Panel) -> tuple[EarlierRun, ...]:
    """Return the run that everybody could have made before: with nothing changed."""
    return (EarlierRun(filling.start_values(panel), (), False),)


def _is(wanted: Mistake | None, shown: Mistake | None) -> bool:
    return wanted is not None and shown == wanted


def _leaves(specs: tuple[CheckSpec, ...]) -> Iterator[CheckSpec]:
    for spec in specs:
        if spec.parts:
            yield from _leaves(tuple(_in_group(part, spec) for part in spec.parts))
        else:
            yield spec


def _in_group(part: CheckSpec, group: CheckSpec) -> CheckSpec:
    """Return a part as it counts in its group: negated if one of them is."""
    return part.model_copy(update={"negated": part.negated != group.negated})


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)


def _advice(panel: Panel, results: tuple[EntryResult, ...]) -> Iterator[str]:
    least, of = panel.samples.least, panel.samples.of
    for one in results:
        if one.is_as_it_should_be:
            continue
        name, chance = one.entry.name, f"{100 * one.chance:.0f} %"
        if one.entry.kind == "solved_by":
            fits = max(
                (k for k in range(1, of + 1) if run_chance(k, of, one.rates) >= 0.9),
                default=0,
            )
            would = f" {fits} of {of} would fit." if fits else ""
            yield (
                f"{name}: a run of {least} of {of} passes {chance} of the time; it "
                f"must be 90 %.{would}"
            )
        elif one.chance > OTHER_CHANCE:
            yield f"{name}: it passes {chance} of the time; it may be 10 % at most."
        else:
            yield f"{name}: the example does not show this mistake."
