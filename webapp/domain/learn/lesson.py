"""A lesson as its page shows it: prose, panels and questions in their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal

from sqlalchemy.orm import Session

from webapp.content.index import Index
from webapp.content.lessons.schema import (
    Lesson,
    Panel,
    Prose,
    Question,
    Slot,
    StoredSample,
    system_is_none,
)
from webapp.domain.learn import (
    badges,
    course,
    filling,
    hints,
    history,
    progress,
    questions,
    tokenizing,
    versions,
)
from webapp.domain.learn.badges import Badge
from webapp.domain.learn.course import LessonLine
from webapp.domain.learn.hints import HintsView, SolutionView
from webapp.domain.learn.history import RunView
from webapp.domain.learn.progress import LessonState
from webapp.domain.learn.questions import QuestionView
from webapp.domain.people.rules import Rules
from webapp.domain.services import Services
from webapp.errors import NotFound
from webapp.rows import CLOSED, RUNNING, PanelState

PanelProgress = Literal["new", "failed", "passed", "helped"]
_TALKS: Final = {
    "chat": "chat",
    "complete": "goes on with the text",
    "none": "no model",
}


@dataclass(frozen=True, slots=True)
class ProseView:
    """Markdown between two blocks; the page makes HTML of it."""

    markdown: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a prompt: locked `text`, a `slot`, or a `hidden` value, by name."""

    kind: Literal["text", "slot", "hidden"]
    text: str


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message of the prompt as it is written. `role` is system, user, assistant,
    text (a text to go on with) or start (the beginning of the reply).
    """

    role: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class SlotView:
    """A part that the student edits. `kind` is text, choice or order.

    `items` are the lines of an order with their numbers, as they are ordered now.
    """

    name: str
    label: str
    kind: Literal["text", "choice", "order"]
    value: str
    start: str
    lines: int
    chars: int
    words: tuple[int, int] | None
    choices: tuple[str, ...]
    items: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class PanelView:
    """A panel as a player sees it.

    `sample` is a stored answer, until the first run. `run` is what the page shows: the
    one that was asked for, or the last. `previous` came before it. `solution` is there
    once it was opened or the panel passed; until then `may_see_solution` says whether
    it can be. `sent` is what was sent for the run, hidden values as such; `in_pieces`
    what was typed for it, by slot, as the model reads it. Both are empty where the
    panel does not show them. `reply_choices` are all that the model may reply, where it
    is held to them. `passed_on_other` says that the pass was with another model, or
    that the panel has changed since; it counts all the same.
    """

    name: str
    task: str
    voice: str
    talk: str
    model: str
    has_system: bool
    is_system_none: bool
    messages: tuple[MessageView, ...]
    slots: tuple[SlotView, ...]
    needed: int
    of: int
    expect: str
    show: tuple[str, ...]
    max_tokens: int
    temperature: float
    sample: StoredSample | None
    hints: HintsView
    solution: SolutionView | None
    may_see_solution: bool
    badge: Badge
    badge_text: str
    state: PanelProgress
    best: float
    passed_at: datetime | None
    passed_on_other: Literal["model", "panel"] | None
    run: RunView | None
    previous: RunView | None
    history: tuple[RunView, ...]
    running: int | None
    sent: tuple[MessageView, ...] = ()
    in_pieces: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reply_choices: tuple[str, ...] = ()

    @property
    def is_passed(self) -> bool:
        """Whether it is passed, with help or without."""
        return self.state in {"passed", "helped"}

    def slot(self, name: str) -> SlotView:
        """Return a slot by its name."""
        return next(slot for slot in self.slots if slot.name == name)


@dataclass(frozen=True, slots=True)
class GateView:
    """A gate that a lesson helps with: `id` is ladder/level.

    `is_open` says whether all gates before it are won.
    """

    id: str
    ladder: str
    level: str
    title: str
    is_won: bool
    is_open: bool


PartView = ProseView | PanelView | QuestionView


@dataclass(frozen=True, slots=True)
class LessonPage:
    """All that the page of a lesson shows."""

    id: str
    title: str
    idea: str
    minutes: int
    can_do: str
    track: str
    track_title: str
    number: int
    of: int
    state: LessonState
    parts: tuple[PartView, ...]
    after: tuple[LessonLine, ...]
    next: LessonLine | None
    previous: LessonLine | None
    gates: tuple[GateView, ...]
    read_more: tuple[str, ...]

    @property
    def panels(self) -> tuple[PanelView, ...]:
        """The panels, in their order."""
        return tuple(part for part in self.parts if isinstance(part, PanelView))

    def panel(self, name: str) -> PanelView:
        """Return a panel by its name; raise NotFound."""
        for panel in self.panels:
            if panel.name == name:
                return panel
        raise NotFound("There is no such panel in this lesson.")


def lesson_page(
    services: Services, player_id: int | None, lesson_id: str, run: int | None = None
) -> LessonPage:
    """Return a lesson as a player sees it; no model is asked.

    With `run` the panel of that run shows it, with what was typed then. Raises NotFound
    for an unknown lesson, or a run that is not this player's.
    """
    index = services.content.current()
    lesson = index.lesson(lesson_id)
    found = versions.of_page(services.gateway, lesson.panels)
    with services.db.read() as session:
        held = course.require_lesson(
            session, services, player_id=player_id, lesson=lesson
        )
        known = progress.reached(session, index, player_id)
        solved = course.solved_levels(session, player_id)
        wanted = _wanted(session, services, player_id, lesson, run)
        looker = _Looker(services, session, index, lesson, player_id, wanted, found)
        looked_up = tuple(looker.parts())
    # After the session: an endpoint may have to be asked.
    parts = tuple(_with_pieces(services, lesson, part) for part in looked_up)
    track = next(track for track in index.tracks if track.id == lesson.track)
    seen = [one for one in track.lessons if held.sees_lesson(one)]
    before, following = _beside(index, lesson, held)
    return LessonPage(
        id=lesson.id,
        title=lesson.info.title,
        idea=lesson.info.idea,
        minutes=lesson.info.minutes,
        can_do=lesson.info.can_do,
        track=track.id,
        track_title=track.info.title,
        number=[one.id for one in seen].index(lesson.id) + 1,
        of=len(seen),
        state=known.state(lesson),
        parts=parts,
        after=tuple(
            course.lesson_line(one, known)
            for one in _found(index, lesson.info.after)
            if held.sees_lesson(one) and not course.lesson_line(one, known).is_done
        ),
        next=course.lesson_line(following, known) if following else None,
        previous=course.lesson_line(before, known) if before else None,
        gates=tuple(_gates(index, lesson, solved, held)),
        read_more=lesson.info.read_more,
    )


def template(panel: Panel) -> tuple[MessageView, ...]:
    """Return the prompt of a panel as it is written, with its slots in their places."""
    raw = (
        [("text", panel.text or "")]
        if panel.talk == "complete"
        else list(filling.raw_messages(panel))
    )
    if panel.start_reply:
        raw.append(("start", panel.start_reply))
    hidden = frozenset(name for values in panel.vary for name in values)
    names = (*panel.slots, *hidden)
    return tuple(
        MessageView(
            role,
            tuple(
                Piece(
                    "text"
                    if kind == "text"
                    else "hidden"
                    if piece in hidden
                    else "slot",
                    piece,
                )
                for kind, piece in filling.pieces(text, names)
            ),
        )
        for role, text in raw
    )


def _only_typed(panel: Panel) -> Iterator[MessageView]:
    """Yield each slot that is in no prompt: what is typed there is only checked."""
    used = {piece.text for message in template(panel) for piece in message.pieces}
    for name in panel.slots:
        if name not in used:
            yield MessageView("typed", (Piece("slot", name),))


@dataclass(frozen=True, slots=True)
class _Looker:
    """Looks up what a page of a lesson shows, in one session."""

    services: Services
    session: Session
    index: Index
    lesson: Lesson
    player_id: int | None
    wanted: RunView | None
    versions: Mapping[str, str | None]

    def parts(self) -> Iterator[PartView]:
        """Yield the parts in their order."""
        for part in self.lesson.parts:
            match part:
                case Prose():
                    yield ProseView(part.markdown)
                case Question():
                    yield questions.question_view(
                        self.session,
                        player_id=self.player_id,
                        lesson=self.lesson,
                        question=part,
                    )
                case Panel():
                    yield self._panel(part)

    def _panel(self, panel: Panel) -> PanelView:
        runs = self._runs(panel)
        shown = self._shown(panel, runs)
        state = self._state(panel)
        version = self.versions[panel.name]
        badge = badges.badge_of(self.index, self.lesson, panel, version)
        is_passed = state is not None and state.passed_at is not None
        has_seen = state is not None and state.solution_seen_at is not None
        return PanelView(
            name=panel.name,
            task=panel.task,
            voice=voice(panel),
            talk=panel.talk,
            model=panel.model,
            has_system=panel.system is not None and not system_is_none(panel),
            is_system_none=system_is_none(panel),
            messages=(*template(panel), *_only_typed(panel)),
            slots=tuple(_slots(panel, shown)),
            needed=panel.samples.least,
            of=panel.samples.of if panel.talk != "none" else 1,
            expect=panel.expect,
            show=panel.show,
            max_tokens=panel.max_tokens,
            reply_choices=panel.choices,
            temperature=panel.temperature,
            sample=None if runs else panel.sample,
            hints=hints.hints_view(
                self.session,
                player_id=self.player_id,
                lesson=self.lesson,
                panel=panel,
                now=self.services.now(),
            ),
            solution=hints.solution_of(panel) if is_passed or has_seen else None,
            may_see_solution=self._may_see_solution(panel),
            badge=badge,
            badge_text=badges.WHAT_IT_SAYS[badge],
            state=_panel_progress(state),
            best=state.best if state else 0.0,
            passed_at=state.passed_at if state else None,
            passed_on_other=self._passed_on_other(panel, state, version),
            run=shown,
            previous=_previous(runs, shown),
            history=runs,
            running=next((run.id for run in runs if run.status == RUNNING), None),
            sent=_sent(panel, shown),
        )

    def _runs(self, panel: Panel) -> tuple[RunView, ...]:
        if self.player_id is None:
            return ()
        return history.last_runs(
            self.session, self.services, self.player_id, self.lesson, panel.name
        )

    def _shown(self, panel: Panel, runs: tuple[RunView, ...]) -> RunView | None:
        if self.wanted is not None and self.wanted.panel == panel.name:
            return self.wanted
        return runs[0] if runs else None

    def _state(self, panel: Panel) -> PanelState | None:
        if self.player_id is None:
            return None
        return progress.panel_state(
            self.session, self.player_id, self.lesson, panel.name
        )

    def _may_see_solution(self, panel: Panel) -> bool:
        return self.player_id is not None and hints.may_see_solution(
            self.session, self.player_id, self.lesson, panel.name
        )

    def _passed_on_other(
        self, panel: Panel, state: PanelState | None, version: str | None
    ) -> Literal["model", "panel"] | None:
        if state is None or state.passed_at is None:
            return None
        if state.passed_hash != self.index.panel_hash(self.lesson.id, panel.name):
            return "panel"
        # Where no version was told, none has changed as far as we know.
        unknown = {"", progress.IMPORTED}
        is_other = version and state.passed_version not in {version, *unknown}
        return "model" if is_other else None


def voice(panel: Panel) -> str:
    """Say who speaks in a panel, and how."""
    how = _TALKS[panel.talk]
    return how if panel.talk == "none" else f"{panel.model} · {how}"


def _wanted(
    session: Session,
    services: Services,
    player_id: int | None,
    lesson: Lesson,
    run: int | None,
) -> RunView | None:
    if run is None:
        return None
    if player_id is None:
        raise NotFound("There is no such run in your notebook.")
    row = history.require_run(session, player_id, run)
    view = history.run_view(row)
    if view.lesson_id not in progress.ids(lesson):
        raise NotFound("This run is of another lesson.")
    return view


def _slots(panel: Panel, shown: RunView | None) -> Iterator[SlotView]:
    start = filling.start_values(panel)
    for name, slot in panel.slots.items():
        value = start[name]
        if shown is not None and _still_fits(slot, shown.values.get(name)):
            value = shown.values[name]
        yield SlotView(
            name=name,
            label=slot.label or name.replace("_", " ").capitalize(),
            kind="order" if slot.items else "choice" if slot.choices else "text",
            value=value,
            start=start[name],
            lines=slot.lines,
            chars=slot.chars,
            words=slot.words,
            choices=slot.choices,
            items=tuple(
                (number, slot.items[number - 1])
                for number in (filling.order_of(value) if slot.items else ())
            ),
        )


def _still_fits(slot: Slot, value: str | None) -> bool:
    """Say whether what was typed once can be typed in the slot as it is now."""
    if value is None:
        return False
    if slot.items:
        wanted = list(range(1, len(slot.items) + 1))
        return value.replace(" ", "").isdigit() and (
            sorted(filling.order_of(value)) == wanted
        )
    return not slot.choices or value in slot.choices


def _panel_progress(state: PanelState | None) -> PanelProgress:
    if state is None or (state.passed_at is None and state.run_at is None):
        return "new"
    if state.passed_at is None:
        return "failed"
    return "helped" if state.is_helped else "passed"


def _sent(panel: Panel, run: RunView | None) -> tuple[MessageView, ...]:
    """Return the prompt with what was typed for a run, where the panel shows it."""
    if run is None or not {"request", "template"} & set(panel.show):
        return ()
    texts = _texts(panel, run)
    return tuple(
        MessageView(
            message.role,
            tuple(
                Piece("text", texts.get(piece.text, ""))
                if piece.kind == "slot"
                else piece
                for piece in message.pieces
            ),
        )
        for message in template(panel)
    )


def _with_pieces(services: Services, lesson: Lesson, part: PartView) -> PartView:
    """Add to a panel what was typed for its run in tokens, where it shows them."""
    if not isinstance(part, PanelView) or "tokens" not in part.show or not part.run:
        return part
    panel = next(one for one in lesson.panels if one.name == part.name)
    found = tokenizing.of_texts(services.gateway, panel.model, _texts(panel, part.run))
    return replace(part, in_pieces=found)


def _texts(panel: Panel, run: RunView) -> dict[str, str]:
    """Return what was typed for a run, as it was put into the prompt."""
    return {
        name: filling.ordered(slot, run.values[name])
        if slot.items
        else run.values[name]
        for name, slot in panel.slots.items()
        if _still_fits(slot, run.values.get(name))
    }


def _previous(runs: tuple[RunView, ...], shown: RunView | None) -> RunView | None:
    older = (run for run in runs if shown and run.id < shown.id and run.result)
    return next(older, None)


def _found(index: Index, lesson_ids: tuple[str, ...]) -> Iterator[Lesson]:
    found = (index.find_lesson(lesson_id) for lesson_id in lesson_ids)
    return (lesson for lesson in found if lesson is not None)


def _beside(
    index: Index, lesson: Lesson, held: Rules
) -> tuple[Lesson | None, Lesson | None]:
    """Return the lessons before and after one, of those that may be opened."""
    lessons = [
        one
        for track in index.tracks
        if held.track(track.id) != CLOSED
        for one in track.lessons
        if held.sees_lesson(one)
    ]
    at = [one.id for one in lessons].index(lesson.id)
    before, after = lessons[:at], lessons[at + 1 :]
    return (before[-1] if before else None, after[0] if after else None)


def _gates(
    index: Index, lesson: Lesson, solved: frozenset[str], held: Rules
) -> Iterator[GateView]:
    for gate in lesson.info.gates:
        ladder, _, level_id = gate.partition("/")
        try:
            level = index.level(level_id)
        except NotFound:
            continue
        if not held.sees_level(index, level_id):
            continue
        ruled = held.gate(level_id)
        is_open = ruled != CLOSED and not held.missing(index, level, solved)
        is_won = level_id in solved
        yield GateView(gate, ladder, level_id, level.title, is_won, is_open)
