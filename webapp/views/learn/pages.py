"""The page of a lesson in its own words, made from what the use case tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for

from webapp.domain.learn import daily
from webapp.domain.learn.history import RunView, SampleView
from webapp.domain.learn.lesson import (
    GateView,
    LessonPage,
    MessageView,
    PanelView,
    PartView,
    ProseView,
    SlotView,
)
from webapp.domain.learn.questions import QuestionView
from webapp.views.learn import fields
from webapp.views.learn.shown import (
    Box,
    Checked,
    Hint,
    Lesson,
    Link,
    Message,
    OldQuestion,
    Outcome,
    Panel,
    Piece,
    Prose,
    Question,
    Reply,
    Run,
    Told,
    WayOn,
)
from webapp.views.odds import Odds, Token
from webapp.web.rendering import lesson_url

# Browsers and chats shorten links that are longer.
LINK_CHARS = 600
# Of a long reply; the page stays small.
TOKENS_SHOWN = 20
_SINCE = {
    "model": "You passed this on another model; your pass still counts.",
    "panel": "This panel has changed since you passed it; your pass still counts.",
}


def lesson(page: LessonPage) -> Lesson:
    """Return the page of a lesson."""
    numbers = {panel.name: n for n, panel in enumerate(page.panels, start=1)}
    return Lesson(
        track=page.track,
        slug=page.id.partition("/")[2],
        track_title=page.track_title,
        title=page.title,
        idea=page.idea,
        minutes=page.minutes,
        can_do=page.can_do,
        state=page.state,
        parts=tuple(_part(part, numbers) for part in page.parts),
        on=_way_on(page),
        after=tuple(Link(line.title, lesson_url(line.id)) for line in page.after),
        gates=tuple(_gate_link(gate) for gate in page.gates),
        read_more=tuple(_further(text) for text in page.read_more),
        left=_left(page),
        is_first=page.number == 1,
    )


def old_question(asked: daily.OldQuestion) -> OldQuestion:
    """Return a question of an earlier lesson."""
    track, _, slug = asked.lesson_id.partition("/")
    return OldQuestion(track, slug, asked.lesson_title, question(asked.view))


def _part(part: PartView, numbers: Mapping[str, int]) -> Prose | Question | Panel:
    match part:
        case ProseView():
            return Prose(part.markdown)
        case QuestionView():
            return question(part)
        case PanelView():
            return _panel(part, numbers[part.name])


def _panel(view: PanelView, number: int) -> Panel:
    shown = run(view.run, view) if view.run else None
    return Panel(
        name=view.name,
        number=number,
        task=view.task,
        talk=view.talk,  # type: ignore[arg-type]
        model=view.model,
        messages=_messages(view.messages),
        reply_choices=view.reply_choices,
        has_no_system=view.is_system_none and view.talk == "chat",
        boxes=tuple(_box(slot) for slot in view.slots),
        needed=view.needed,
        of=view.of,
        state=view.state,
        warning=_warning(view),
        sample=view.sample,
        run=shown,
        compare=_compare(view, shown),
        history=tuple(run(one, view) for one in view.history),
        hints=tuple(
            Hint(hint.n, hint.title, hint.text or "")
            for hint in view.hints.hints
            if hint.text is not None
        ),
        next_hint=next(
            (
                Hint(hint.n, hint.title)
                for hint in view.hints.hints
                if hint.n == view.hints.next
            ),
            None,
        ),
        solution=view.solution.texts if view.solution else None,
        may_see_solution=view.may_see_solution,
        gallery=view.is_passed,
        shared=_shared(view),
        shows=frozenset(view.show),
        sent=_messages(view.sent),
        in_pieces=view.in_pieces,
    )


def _messages(views: tuple[MessageView, ...]) -> tuple[Message, ...]:
    return tuple(
        Message(view.role, tuple(Piece(one.kind, one.text) for one in view.pieces))
        for view in views
    )


def _shared(view: PanelView) -> dict[str, str]:
    """Return the arguments of a link with the prompt of the run; none if too long."""
    if view.run is None:
        return {}
    written = {slot.name: slot.value for slot in view.slots if not slot.items}
    if not written or sum(map(len, written.values())) > LINK_CHARS:
        return {}
    return fields.shared(view.name, written)


def _warning(view: PanelView) -> str:
    if view.passed_on_other:
        return _SINCE[view.passed_on_other]
    # Where no model is asked there is none that it could be new to.
    return "" if view.badge == "proven" or view.talk == "none" else view.badge_text


def _compare(view: PanelView, shown: Run | None) -> tuple[Run, ...]:
    if view.previous is None or shown is None:
        return ()
    return run(view.previous, view), shown


def _box(slot: SlotView) -> Box:
    return Box(
        name=slot.name,
        label=slot.label,
        lines=slot.lines,
        text="\n".join(text for _, text in slot.items) or slot.value,
        limit=_limit(slot),
        choices=slot.choices,
        items=tuple(text for _, text in slot.items),
    )


def _limit(slot: SlotView) -> str:
    if slot.words is None:
        return ""
    fewest, most = slot.words
    return f"at most {most} words" if fewest < 2 else f"{fewest} to {most} words"


def run(view: RunView, panel: PanelView) -> Run:
    """Return a run; lines in order are shown as text."""
    told = view.told
    orders = {slot.name: dict(slot.items) for slot in panel.slots if slot.items}
    return Run(
        id=view.id,
        created_at=view.created_at,
        status=view.status,
        values={
            name: _ordered(orders[name], value) if name in orders else value
            for name, value in view.values.items()
        },
        samples=tuple(_reply(n, one) for n, one in enumerate(view.samples, start=1)),
        outcome=told
        and Outcome(
            status=told.status,  # type: ignore[arg-type]
            title=told.title,
            message=told.message,
            why=told.why,
            next=told.next,
            help=told.help,
        ),
        error=view.error,
        answer=view.answer,
    )


def _ordered(items: Mapping[int, str], value: str) -> str:
    """Return lines by their numbers; as it is if the lines have changed since."""
    numbers = [int(number) for number in value.split() if number.isdecimal()]
    if not all(number in items for number in numbers):
        return value
    return "\n".join(items[number] for number in numbers)


def _reply(number: int, sample: SampleView) -> Reply:
    first = sample.first_failing
    span = first.span if first and first.of == "reply" else None
    return Reply(
        number=number,
        reply=sample.reply,
        status=sample.status or "ungraded",  # type: ignore[arg-type]
        message=sample.message,
        span=(span.start, span.end) if span else None,
        checks=tuple(Checked(check.status, check.message) for check in sample.checks),
        tokens=tuple(map(_token, sample.chances[:TOKENS_SHOWN])),
        has_more_tokens=len(sample.chances) > TOKENS_SHOWN,
    )


def _token(row: Sequence[Any]) -> Token:
    """Return a token of a reply as the page shows it, from how it is kept."""
    text, probability, listed = row
    odds = [Odds(other, share, is_picked=other == text) for other, share in listed]
    picked = Odds(text, probability, is_picked=True)
    if not any(one.is_picked for one in odds):
        odds.append(picked)
    rest = max(0.0, 1 - sum(one.probability for one in odds))
    return Token(picked, tuple(odds), Odds("", rest))


def question(view: QuestionView) -> Question:
    """Return a question, with what was answered and what that gets."""
    lines = view.lines
    if view.kind == "order" and isinstance(view.answer, list):
        lines = tuple(view.answer)
    return Question(
        name=view.name,
        kind=view.kind,  # type: ignore[arg-type]
        ask=view.ask,
        choices=view.choices,
        lines=lines,
        given=view.answer if isinstance(view.answer, str) else None,
        told=_told(view) if view.is_answered else None,
    )


def _told(view: QuestionView) -> Told:
    if view.is_right:
        return Told("success", "Yes.", view.why)
    if view.is_right is False:
        if view.right is None:
            return Told("warn", "Not that one. Try once more.", None)
        if isinstance(view.right, str):
            return Told("warn", f"Not that one. It is: {view.right}", view.why)
        return Told("warn", "Not that one. In the right order:", view.why, view.right)
    saved = "Saved in your notebook." if view.kind == "reflect" else None
    return Told("info", saved or "Kept. Now try it out.", view.why)


def _way_on(page: LessonPage) -> WayOn:
    """Return the one button: the next lesson, or a gate at the end of a track."""
    following = page.next
    ahead = next((one for one in page.gates if one.is_open and not one.is_won), None)
    is_last = following is None or not following.id.startswith(f"{page.track}/")
    if ahead is not None and is_last:
        words = f"Use it at {ahead.title}"
        url = _gate_link(ahead).url
        return WayOn(url, words, f"Go to {ahead.title} all the same")
    if following is not None:
        title = following.title
        return WayOn(lesson_url(following.id), f"Next: {title}", f"Skip to {title}")
    return WayOn(url_for("learn.course"), "Back to the course", "Back to the course")


def _left(page: LessonPage) -> str:
    open_ones = [n for n, panel in enumerate(page.panels, 1) if not panel.is_passed]
    if len(page.panels) < 2 or not open_ones:
        return "the panel" if open_ones else ""
    return " and ".join(f"part {n}" for n in open_ones)


def _further(text: str) -> Link:
    """Return further reading, which is written as a title and then the address."""
    title, _, address = text.rpartition(" ")
    if title and address.startswith(("https://", "http://")):
        return Link(title.rstrip(": "), address)
    return Link(text, "")


def _gate_link(gate: GateView) -> Link:
    """Return the way to a gate; to the map, where gates before it are still shut."""
    if gate.is_open:
        return Link(gate.title, url_for("keep.level", level_id=gate.level))
    return Link(f"{gate.title} (still shut)", url_for("keep.keep_map"))
