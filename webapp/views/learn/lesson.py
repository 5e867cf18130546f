"""Lessons: their text, what is tried in their panels, and what their questions get."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.domain.generations.events import ErrorEvent, Start
from webapp.domain.learn import daily, following, hints, practice, questions
from webapp.domain.learn import lesson as lessons
from webapp.errors import Conflict, Forbidden, InvalidInput, LabError, NotFound
from webapp.views.learn import fields, pages
from webapp.views.learn.shown import Lesson, OldQuestion
from webapp.web import context, seats, sse
from webapp.web.context import player_id, services
from webapp.web.faults import stream_fault
from webapp.web.guests import needs_player

bp = Blueprint("lessons", __name__, url_prefix="/learn")


@bp.get("/<track>/<slug>")
def lesson(track: str, slug: str) -> ResponseReturnValue:
    """Show a lesson; nothing is asked of a model for that.

    `?run=` shows an earlier run of one's own. `?panel=NAME&s.SLOT=text` is a link that
    somebody shared: it fills boxes and runs nothing.
    """
    page = _page(track, slug, run=request.args.get("run", type=int))
    if (page.track, page.slug) != (track, slug):
        # The lesson has been renamed.
        target = url_for("lessons.lesson", track=page.track, slug=page.slug)
        return redirect(target, 308)
    shared = request.args.get("panel", "")
    return _shown(page.with_texts(shared, fields.texts(request.args)))


@bp.get("/<track>/<slug>/end")
def end(track: str, slug: str) -> ResponseReturnValue:
    """Show how far the lesson is, after something was passed on its open page."""
    return render_template("learn/_end.html", page=_page(track, slug))


@bp.get("/<track>/<slug>/<panel>/after")
def after(track: str, slug: str, panel: str) -> ResponseReturnValue:
    """Show what a panel has below its run, after that is over."""
    return _after(_page(track, slug), panel)


@bp.post("/<track>/<slug>/<panel>/runs")
@needs_player
def runs(track: str, slug: str, panel: str) -> ResponseReturnValue:
    """Run a panel: as a stream if asked for, else to the end and back."""
    try:
        # The reader may leave; the run goes on, and keeps its seat until it ends.
        happening = seats.handed_on(
            lambda give_back: following.keep_going(
                services(),
                practice.practise(
                    services(),
                    player_id=player_id(),
                    lesson_id=f"{track}/{slug}",
                    panel=panel,
                    values=_typed(track, slug, panel),
                ),
                at_end=give_back,
            )
        )
    except LabError as error:
        return _refuse(track, slug, panel, error)
    if sse.is_wanted():
        return sse.answer(happening)
    with closing(happening):
        events = list(happening)
    failures = [event for event in events if isinstance(event, ErrorEvent)]
    if failures:
        failed = LabError(failures[0].message, code=failures[0].code)
        failed.status = failures[0].status
        return _refuse(track, slug, panel, failed)
    number = next(event.id for event in events if isinstance(event, Start))
    return _back(track, slug, f"run-{number}", run=number)


@bp.get("/<track>/<slug>/<panel>/runs/<int:run_id>/events")
@needs_player
def run_events(track: str, slug: str, panel: str, run_id: int) -> ResponseReturnValue:
    """Stream a run from its start, for a page that was opened meanwhile."""
    return sse.answer(
        seats.seated(
            lambda: following.follow(services(), player_id=player_id(), run_id=run_id)
        )
    )


@bp.post("/<track>/<slug>/<panel>/runs/<int:run_id>/stop")
@needs_player
def stop_run(track: str, slug: str, panel: str, run_id: int) -> ResponseReturnValue:
    """Let the model stop; the stream of the run tells when that is done."""
    following.stop(services(), player_id=player_id(), run_id=run_id)
    return "", 204


@bp.post("/<track>/<slug>/<panel>/runs/<int:run_id>/check")
@needs_player
def check_again(track: str, slug: str, panel: str, run_id: int) -> ResponseReturnValue:
    """Judge a run once more that could not be judged; no reply is asked for."""
    with seats.seat():
        practice.check_again(services(), player_id=player_id(), run_id=run_id)
    return _back(track, slug, f"run-{run_id}", run=run_id)


@bp.post("/<track>/<slug>/<panel>/hints")
@needs_player
def take_hint(track: str, slug: str, panel: str) -> ResponseReturnValue:
    """Open the next hint."""
    number = request.form.get("n", 0, type=int)
    take = partial(hints.take_hint, n=number)
    return _reveal(track, slug, panel, take, opened_hint=number)


@bp.post("/<track>/<slug>/<panel>/solution")
@needs_player
def show_solution(track: str, slug: str, panel: str) -> ResponseReturnValue:
    """Show a solution beside one's own prompt."""
    return _reveal(track, slug, panel, hints.show_solution)


@bp.post("/<track>/<slug>/questions/<name>")
@needs_player
def answer(track: str, slug: str, name: str) -> ResponseReturnValue:
    """Take the answer to a question."""
    problem = site_answer = None
    try:
        outcome = questions.answer(
            services(),
            player_id=player_id(),
            lesson_id=f"{track}/{slug}",
            question=name,
            **fields.given(request.form),
        )
        site_answer = outcome.site_answer
    except InvalidInput as error:
        problem = error.message
    page = _page(track, slug)
    if not context.is_partial():
        if problem is None and site_answer is None:
            return _back(track, slug, f"question-{name}")
        # There is something to say that a page which is opened again would not know.
        return _shown(
            page, told_question=name, problem=problem, site_answer=site_answer
        )
    return render_template(
        "learn/_question.html",
        page=page,
        question=page.question(name),
        problem=problem,
        site_answer=site_answer,
        is_old=bool(request.form.get("old")),
    )


def _page(track: str, slug: str, *, run: int | None = None) -> Lesson:
    player = context.player()
    found = lessons.lesson_page(
        services(), player.id if player else None, f"{track}/{slug}", run=run
    )
    return pages.lesson(found)


def _shown(page: Lesson, **more: Any) -> str:
    return render_template(
        "learn/lesson.html", page=page, today=_today(), old=_old(page), **more
    )


def _old(page: Lesson) -> tuple[OldQuestion, ...]:
    """Return old questions, which are asked before the first lesson of a track."""
    player = context.player()
    if player is None or not page.is_first:
        return ()
    found = daily.old_questions(services(), player_id=player.id, track_id=page.track)
    return tuple(map(pages.old_question, found))


def _after(
    page: Lesson,
    name: str,
    *,
    problem: str | None = None,
    opened_hint: int | None = None,
) -> str:
    return render_template(
        "learn/_after.html",
        page=page,
        panel=page.panel(name),
        problem=problem,
        opened_hint=opened_hint,
        today=_today(),
    )


def _reveal(
    track: str,
    slug: str,
    panel: str,
    open_it: Callable[..., object],
    *,
    opened_hint: int | None = None,
) -> ResponseReturnValue:
    """Open a hint or a solution; what is typed in the boxes stays as it is."""
    problem = None
    try:
        open_it(
            services(), player_id=player_id(), lesson_id=f"{track}/{slug}", panel=panel
        )
    except (Conflict, Forbidden) as error:
        problem = error.message
    page = _page(track, slug)
    opened = None if problem else opened_hint
    if context.is_partial():
        return _after(page, panel, problem=problem, opened_hint=opened)
    page = page.with_texts(panel, _typed(track, slug, panel))
    return _shown(page, told_panel=panel, problem=problem, opened_hint=opened)


def _typed(track: str, slug: str, panel: str) -> dict[str, str]:
    lesson = services().content.current().lesson(f"{track}/{slug}")
    return fields.values(request.form, fields.find_panel(lesson, panel))


def _refuse(track: str, slug: str, panel: str, error: LabError) -> ResponseReturnValue:
    """Say why nothing was run, and keep what was typed."""
    if sse.is_wanted():
        return stream_fault(error)
    if isinstance(error, Forbidden | NotFound):
        raise error
    wait = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
    page = _page(track, slug).with_texts(panel, fields.texts(request.form))
    return _shown(page, told_panel=panel, error=error), error.status, wait


def _back(
    track: str, slug: str, anchor: str, run: int | None = None
) -> ResponseReturnValue:
    target = url_for("lessons.lesson", track=track, slug=slug, run=run, _anchor=anchor)
    return redirect(target, 303)


def _today() -> object:
    return datetime.now(UTC).date()
