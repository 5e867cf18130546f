"""Practise a panel: one press of Generate, from the first sample to the outcome."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from sqlalchemy.orm import Session

from webapp.content.index import Index
from webapp.content.lessons.schema import Lesson, Panel
from webapp.domain.generations import runs
from webapp.domain.generations.replies import Record
from webapp.domain.learn import (
    course,
    events,
    judging,
    progress,
    speaking,
    telling,
    versions,
)
from webapp.domain.learn.filling import (
    PanelRequest,
    Typed,
    hidden_sets,
    own_words,
    request_of,
    typed,
)
from webapp.domain.learn.history import of_panel, require_run
from webapp.domain.learn.judging import Case, Tally, Verdict
from webapp.domain.quotas import Limit
from webapp.domain.safety.answers import answer_to
from webapp.domain.services import Services
from webapp.errors import Conflict, NotFound
from webapp.llm.events import Completion
from webapp.plugins.check import Chance, EarlierRun, PickedToken, Sample
from webapp.rows import FINISHED, IS_RUNNING, PANEL, STOPPED, Player, Practice
from webapp.settings import Settings

EARLIER: Final = 20
STILL_GOING: Final = (
    "Your other run of this panel is still going. Wait for it, or stop it."
)
HAS_CHANGED: Final = (
    "This panel has changed since that run, so it cannot be judged again. Press "
    "Generate instead."
)


@dataclass(slots=True)
class Played:
    """One sample of a run: what was asked, what came, and what it was judged to be."""

    sample: Sample
    seed: int
    ms: int
    prompt_tokens: int | None
    reply_tokens: int | None
    verdict: Verdict | None

    def as_row(self) -> dict[str, Any]:
        """Return it as it is stored with the run."""
        verdict = self.verdict
        return {
            "values": dict(self.sample.values),
            "seed": self.seed,
            "reply": self.sample.reply,
            "finish": self.sample.finish,
            "chances": [_chances_row(token) for token in self.sample.tokens],
            "tokens": self.reply_tokens,
            "ms": self.ms,
            "status": verdict.status if verdict else None,
            "mistake": verdict.mistake_text or None if verdict else None,
            "outcomes": [one.as_row() for one in verdict.judged] if verdict else [],
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will ask: a request with hidden values for each sample."""

    panel: Panel
    given: Typed
    hidden: tuple[Mapping[str, str], ...]
    requests: tuple[PanelRequest, ...]

    @property
    def pairs(self) -> list[tuple[Mapping[str, str], PanelRequest]]:
        """Hidden values and the request with them, for each sample."""
        return list(zip(self.hidden, self.requests, strict=True))


@dataclass(slots=True)
class _Practice(runs.Job[Practice]):
    """A run on its way: judged before, sample by sample, and at the end."""

    not_saved: ClassVar[str] = (
        "This run could not be saved, so it does not count. Please try again."
    )
    services: Services
    player_id: int
    lesson: Lesson
    plan: Plan
    earlier: tuple[EarlierRun, ...]
    version: str
    panel_hash: str
    record: Record = field(default_factory=Record)
    before: Verdict | None = None
    after: Verdict | None = None
    played: list[Played] = field(default_factory=list)
    tally: Tally = field(init=False)
    # Of the sample that is under way.
    _seed: int = 0
    _hidden: Mapping[str, str] = field(default_factory=dict)
    _is_open: bool = False

    def __post_init__(self) -> None:
        self.tally = judging.empty_tally(self.plan.panel.samples)

    def play(self) -> Iterator[events.Event]:
        """Judge what was typed, ask for samples until all is clear, judge the whole."""
        panel = self.plan.panel
        user = f"player-{self.player_id}"
        ask = speaking.PanelAsk(self.services.gateway, user)
        case = Case(panel, self.plan.given, ask, self.earlier)
        self.before = judging.judge_before(case, self.plan.pairs)
        yield events.Before.of(self.before)
        if panel.talk == "none":
            self.tally = Tally(1, 0, 0, 1, 1)
        else:
            for number, (hidden, request) in enumerate(self.plan.pairs, 1):
                yield from self._sample(case, number, hidden, request)
                # A run that does not count shows one reply, and costs no more.
                if self.before.status == "failed" or self.tally.decided:
                    break
        samples = tuple(one.sample for one in self.played)
        self.after = judging.judge_after(
            case, samples=samples, request=self.plan.requests[-1]
        )

    def finish(
        self, session: Session, generation_id: int, row: Practice | None, status: str
    ) -> Sequence[events.Event]:
        """Keep samples and outcome, and what the player has reached with them."""
        end = events.End(generation_id, status)
        self._keep_open_sample()
        if row is None:
            return (end,)
        row.samples = [one.as_row() for one in self.played]
        row.prompt_tokens = _total(one.prompt_tokens for one in self.played)
        row.reply_tokens = _total(one.reply_tokens for one in self.played)
        if status != FINISHED or self.before is None:
            return (end,)
        told = self.outcome(self.before, is_helped=row.is_helped)
        _keep(session, self.services, row, told)
        return (events.OutcomeEvent(told), end)

    def outcome(self, before: Verdict, *, is_helped: bool) -> telling.Told:
        """Put together what the run came to."""
        verdicts = [one.verdict for one in self.played if one.verdict is not None]
        return telling.outcome(
            self.plan.panel,
            before=before,
            samples=verdicts,
            tally=self.tally,
            after=self.after,
            is_helped=is_helped,
        )

    def _sample(
        self, case: Case, number: int, hidden: Mapping[str, str], request: PanelRequest
    ) -> Iterator[events.Event]:
        self.record = Record(reply=request.start_reply)
        self._hidden, self._seed = hidden, request.sampling.seed or 0
        self._is_open = True
        yield events.SampleBegins(number, self.tally.of, request.start_reply)
        stream = speaking.ask_model(
            self.services.gateway,
            self.plan.panel,
            request,
            user=f"player-{self.player_id}",
        )
        yield from speaking.hear(stream, self.record)
        self._is_open = False
        played = self._close_sample()
        verdict = judging.judge_sample(
            case,
            sample=played.sample,
            samples=tuple(one.sample for one in self.played),
            request=request,
        )
        played.verdict = verdict
        self.tally = self.tally.plus(verdict.status)
        yield events.JudgedSample.of(number, played.sample.reply, verdict, self.tally)

    def _close_sample(self, finish: str = "length") -> Played:
        """Take the reply that has come as a sample; without an end it was cut off."""
        done: Completion | None = self.record.completion
        if done is not None:
            finish = done.finish_reason
        sample = Sample(
            reply=self.record.reply,
            values=dict(self._hidden),
            finish=finish,
            tokens=speaking.tokens_of(self.record),
        )
        played = Played(
            sample,
            self._seed,
            done.ms if done else 0,
            done.prompt_tokens if done else None,
            done.completion_tokens if done else None,
            None,
        )
        self.played.append(played)
        return played

    def _keep_open_sample(self) -> None:
        """Keep what had come of a reply when it was stopped or broke off."""
        if self._is_open and self.record.reply:
            self._close_sample(STOPPED)
        self._is_open = False


def practise(
    services: Services,
    *,
    player_id: int,
    lesson_id: str,
    panel: str,
    values: Mapping[str, str],
) -> runs.Run:
    """Record a run of a panel and return its events.

    What needs a person is answered by the site, and no model reads it. Raises
    InvalidInput, NotFound, Conflict (one run of a panel at a time) or QuotaExceeded
    before anything is recorded.
    """
    index = services.content.current()
    lesson = index.lesson(lesson_id)
    rules = require_panel(lesson, panel)
    given = typed(rules, values)
    answer = answer_to(own_words(rules, given), index.help_texts)
    # Before the transaction: an endpoint may have to be asked.
    version = versions.of_panel(services.gateway, rules)
    seed = services.seed()

    def prepare(session: Session, player: Player) -> runs.Begun[Practice]:
        course.require_lesson(session, services, player_id=player.id, lesson=lesson)
        _require_free(session, player, lesson, rules)
        plan = plan_of(rules, given, seed, salt=secrets.token_hex(8))
        job = _Practice(
            services=services,
            player_id=player_id,
            lesson=lesson,
            plan=plan,
            earlier=earlier_runs(session, player_id, lesson, rules),
            version=version,
            panel_hash=index.panel_hash(lesson.id, rules.name),
        )
        state = progress.panel_state(session, player_id, lesson, rules.name)
        row = Practice(
            feature=PANEL,
            prompt=plan.requests[0].as_row,
            settings=_settings_row(rules, plan.requests[0]),
            seed=plan.requests[0].sampling.seed or 0,
            lesson_id=lesson.id,
            panel=rules.name,
            panel_hash=job.panel_hash,
            model_version=version,
            typed=dict(given.values),
            samples=[],
            is_helped=progress.is_helped_now(state, services.now()),
        )
        return runs.Begun(row, job)

    return runs.begin(
        services,
        player_id=player_id,
        what="runs",
        limits=_limits,
        model=rules.model,
        typed=own_words(rules, given),
        prepare=prepare,
        answer=answer,
    )


def check_again(services: Services, *, player_id: int, run_id: int) -> telling.Told:
    """Judge a kept run once more, without asking for new replies.

    For a run that could not be judged. Raises NotFound, or Conflict if it is not over
    or the panel has changed since.
    """
    index = services.content.current()
    with services.db.read() as session:
        row = require_run(session, player_id, run_id)
        lesson = index.lesson(row.lesson_id)
        panel = require_panel(lesson, row.panel)
        earlier = earlier_runs(session, player_id, lesson, panel, before=row.id)
    _require_same(index, lesson, panel, row)
    job, before = _again(services, player_id, lesson, panel, row, earlier)
    with services.db.write() as session:
        fresh = require_run(session, player_id, run_id, lock=True)
        fresh.samples = [one.as_row() for one in job.played]
        told = job.outcome(before, is_helped=fresh.is_helped)
        _keep(session, services, fresh, told)
    return told


def require_panel(lesson: Lesson, name: str) -> Panel:
    """Return a panel of a lesson; raise NotFound."""
    for panel in lesson.panels:
        if panel.name == name:
            return panel
    raise NotFound("There is no such panel in this lesson. Load the page again.")


def plan_of(panel: Panel, given: Typed, seed: int, *, salt: str = "") -> Plan:
    """Return what a run will ask: each sample has its own seed and hidden values."""
    count = panel.samples.of if panel.talk != "none" else 1
    first = panel.seed if panel.seed is not None else seed
    hidden = tuple(hidden_sets(panel, count, turn=seed if panel.seed is None else 0))
    requests = tuple(
        request_of(panel, given, values, seed=(first + number) % 2**31, salt=salt)
        for number, values in enumerate(hidden)
    )
    return Plan(panel, given, hidden, requests)


def earlier_runs(
    session: Session,
    player_id: int,
    lesson: Lesson,
    panel: Panel,
    *,
    before: int | None = None,
) -> tuple[EarlierRun, ...]:
    """Return the last runs of a panel that came to an end, newest first."""
    query = of_panel(player_id, lesson, panel.name).where(Practice.result.is_not(None))
    if before is not None:
        query = query.where(Practice.id < before)
    rows = session.scalars(query.order_by(Practice.id.desc()).limit(EARLIER))
    return tuple(
        EarlierRun(
            values={**row.typed},
            replies=tuple(sample["reply"] for sample in row.samples),
            is_passed=row.result == "passed",
        )
        for row in rows
    )


def _keep(
    session: Session, services: Services, row: Practice, told: telling.Told
) -> None:
    """Keep an outcome with its run, and what the player has reached with it."""
    is_first_time = row.result is None
    row.outcome = told.as_row()
    row.result = told.status
    lesson = services.content.current().lesson(row.lesson_id)
    progress.note_run(
        session,
        lesson,
        row,
        score=told.score,
        now=services.now(),
        is_first_time=is_first_time,
    )


def _chances_row(token: PickedToken) -> list[Any]:
    likeliest = [[one.text, round(one.probability, 5)] for one in token.likeliest]
    return [token.text, round(token.probability, 5), likeliest]


def _chances_of(row: Sequence[Any]) -> PickedToken:
    text, probability, likeliest = row
    return PickedToken(text, probability, tuple(Chance(*one) for one in likeliest))


def _total(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _again(
    services: Services,
    player_id: int,
    lesson: Lesson,
    panel: Panel,
    row: Practice,
    earlier: tuple[EarlierRun, ...],
) -> tuple[_Practice, Verdict]:
    """Return a job as it would be at the end of a run, and the verdict before it."""
    given = typed(panel, row.typed)
    hidden = tuple(sample["values"] for sample in row.samples) or ({},)
    requests = tuple(request_of(panel, given, one, seed=0) for one in hidden)
    plan = Plan(panel, given, hidden, requests)
    job = _Practice(
        services=services,
        player_id=player_id,
        lesson=lesson,
        plan=plan,
        earlier=earlier,
        version=row.model_version,
        panel_hash=row.panel_hash,
    )
    ask = speaking.PanelAsk(services.gateway, f"player-{player_id}")
    case = Case(panel, given, ask, earlier)
    before = judging.judge_before(case, plan.pairs)
    if panel.talk == "none":
        job.tally = Tally(1, 0, 0, 1, 1)
    for stored, request in zip(row.samples, requests, strict=False):
        tokens = tuple(map(_chances_of, stored["chances"]))
        sample = Sample(stored["reply"], stored["values"], stored["finish"], tokens)
        played = Played(
            sample, stored["seed"], stored["ms"], None, stored["tokens"], None
        )
        job.played.append(played)
        played.verdict = judging.judge_sample(
            case,
            sample=sample,
            samples=tuple(one.sample for one in job.played),
            request=request,
        )
        job.tally = job.tally.plus(played.verdict.status)
    job.after = judging.judge_after(
        case,
        samples=tuple(one.sample for one in job.played),
        request=requests[-1],
    )
    return job, before


def _require_same(index: Index, lesson: Lesson, panel: Panel, row: Practice) -> None:
    if row.status != FINISHED or row.result is None:
        raise Conflict("Only a run that came to its end can be judged again.")
    if row.panel_hash != index.panel_hash(lesson.id, panel.name):
        raise Conflict(HAS_CHANGED)


def _require_free(
    session: Session, player: Player, lesson: Lesson, panel: Panel
) -> None:
    running = of_panel(player.id, lesson, panel.name).where(IS_RUNNING)
    if session.scalar(running.limit(1)) is not None:
        raise Conflict(STILL_GOING, code="running")


def _settings_row(panel: Panel, request: PanelRequest) -> dict[str, Any]:
    return {
        **runs.sampling_row(request.sampling),
        "stop": list(panel.stop),
        "talk": panel.talk,
        "start_reply": request.start_reply,
        "samples": panel.samples.of,
        "needed": panel.samples.least,
    }


def _limits(settings: Settings) -> tuple[Limit, ...]:
    return (
        Limit("player", "minute", settings.practices_per_minute),
        Limit("player", "day", settings.practices_per_day),
        Limit("share", "hour", settings.class_practices_per_player),
        Limit("class", "hour", settings.class_practices_per_hour),
    )
