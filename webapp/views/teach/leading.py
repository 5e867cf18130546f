"""Leading a class: what is open, the clock, a pause, masks, and the next season."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField

from webapp.domain.people import roster
from webapp.domain.play import leaderboard
from webapp.domain.teach import leading
from webapp.errors import Conflict, InvalidInput
from webapp.rows import GATE, HINTS, TRACK_RULE
from webapp.web.context import instructor, instructor_required, services
from webapp.web.forms import LabForm

bp = Blueprint("leading", __name__, url_prefix="/teach/classes/<int:class_id>")

# Where the page speaks of what a rule is about.
PLACES = {GATE: "gates", TRACK_RULE: "tracks", HINTS: "hints"}
DONE = {
    "": "It is as the content says again.",
    "open": "Your class finds it open.",
    "closed": "Your class finds it closed.",
}


class RuleForm(LabForm):
    """What holds for a gate, a track or the hints, and from when until when."""

    kind = StringField()
    thing = StringField()
    state = StringField()
    since = StringField("From")
    until = StringField("Until")

    def moment(self, field: str) -> datetime | None:
        """Return a moment in UTC; None where nothing was typed."""
        typed = self.text(field)
        if not typed:
            return None
        try:
            return datetime.strptime(typed[:16], "%Y-%m-%dT%H:%M").replace(tzinfo=UTC)
        except ValueError as error:
            raise InvalidInput(
                "Write a time as year, month, day, hour and minute: 2026-05-04T09:30."
            ) from error


class ClockForm(LabForm):
    """A clock for the class."""

    title = StringField(
        "What the time is for",
        description="Such as: Gates 1 to 3. You may leave it out.",
    )
    minutes = StringField("Minutes")


class LookForm(LabForm):
    """A sentence that everybody is to look at."""

    sentence = StringField(
        "What your class reads", description="One sentence. It is shown on every page."
    )


@bp.get("/lead")
@instructor_required
def lead(class_id: int) -> ResponseReturnValue:
    """Show what is open, the clock, and what else there is to lead with."""
    return _page(class_id)


@bp.post("/lead/rules")
@instructor_required
def set_rule(class_id: int) -> ResponseReturnValue:
    """Open or close something, now or at a time."""
    form = RuleForm()
    state = form.text("state")
    kind = form.text("kind")
    try:
        leading.set_rule(
            services(),
            actor=_actor(),
            class_id=class_id,
            kind=kind,
            thing=form.text("thing"),
            state=state,
            since=form.moment("since"),
            until=form.moment("until"),
        )
    except InvalidInput as error:
        return _page(class_id, problem=error.message), error.status
    return _done(class_id, DONE[state], anchor=PLACES[kind])


@bp.post("/lead/clock")
@instructor_required
def start_clock(class_id: int) -> ResponseReturnValue:
    """Start a clock."""
    form = ClockForm()
    minutes = form.text("minutes")
    try:
        leading.start_clock(
            services(),
            actor=_actor(),
            class_id=class_id,
            title=form.text("title"),
            minutes=int(minutes) if minutes.isascii() and minutes.isdigit() else 0,
        )
    except InvalidInput as error:
        field = "title" if len(form.text("title")) > leading.TITLE_CHARS else "minutes"
        status = form.refuse(field, error)
        return _page(class_id, clock_form=form), status
    return _done(class_id, "The clock is running.", anchor="clock")


@bp.post("/lead/clock/add")
@instructor_required
def add_minutes(class_id: int) -> ResponseReturnValue:
    """Give the clock more time."""
    return _simply(
        class_id,
        lambda: leading.add_minutes(services(), actor=_actor(), class_id=class_id),
        f"{leading.MORE_MINUTES} minutes more.",
        anchor="clock",
    )


@bp.post("/lead/clock/stop")
@instructor_required
def stop_clock(class_id: int) -> ResponseReturnValue:
    """Take the clock away."""
    return _simply(
        class_id,
        lambda: leading.stop_clock(services(), actor=_actor(), class_id=class_id),
        "The clock is gone.",
        anchor="clock",
    )


@bp.post("/lead/look")
@instructor_required
def look_here(class_id: int) -> ResponseReturnValue:
    """Pause play with a sentence."""
    form = LookForm()
    try:
        leading.look_here(
            services(),
            actor=_actor(),
            class_id=class_id,
            sentence=form.text("sentence"),
        )
    except InvalidInput as error:
        status = form.refuse("sentence", error)
        return _page(class_id, look_form=form), status
    return _done(class_id, "Play is paused, and everybody sees it.", anchor="look")


@bp.post("/lead/go-on")
@instructor_required
def go_on(class_id: int) -> ResponseReturnValue:
    """Let play go on."""
    return _simply(
        class_id,
        lambda: leading.go_on(services(), actor=_actor(), class_id=class_id),
        "Play goes on.",
        anchor="look",
    )


@bp.post("/lead/masks")
@instructor_required
def mask_rude(class_id: int) -> ResponseReturnValue:
    """Mask rude words in replies, or no longer."""
    is_on = request.form.get("on") == "1"
    return _simply(
        class_id,
        lambda: leading.mask_rude(
            services(), actor=_actor(), class_id=class_id, is_on=is_on
        ),
        "Rude words are masked." if is_on else "Replies are shown as they are.",
        anchor="words",
    )


@bp.post("/lead/season")
@instructor_required
def new_season(class_id: int) -> ResponseReturnValue:
    """Begin a new season, after saying so twice."""
    if request.form.get("is_sure") != "y":
        problem = "Tick the box first: a season that has ended cannot be opened again."
        return _page(class_id, problem=problem), 400
    info = leading.new_season(services(), actor=_actor(), class_id=class_id)
    return _done(class_id, f"Season {info.season} has begun.", anchor="season")


@bp.get("/seasons/<int:season>")
@instructor_required
def season(class_id: int, season: int) -> ResponseReturnValue:
    """Show the board of a past season."""
    info, board = leading.season_board(
        services(), actor=_actor(), class_id=class_id, season=season
    )
    return render_template(
        "teach/season.html",
        info=info,
        board=board,
        season=season,
        tie_breaks=leaderboard.TIE_BREAKS,
    )


def _actor() -> roster.Actor:
    return roster.actor_of(instructor())


def _simply(
    class_id: int, act: Callable[[], None], message: str, *, anchor: str
) -> ResponseReturnValue:
    try:
        act()
    except Conflict as error:
        return _page(class_id, problem=error.message), error.status
    return _done(class_id, message, anchor=anchor)


def _done(class_id: int, message: str, *, anchor: str) -> ResponseReturnValue:
    flash(message, "success")
    return redirect(url_for("leading.lead", class_id=class_id, _anchor=anchor), 303)


def _page(
    class_id: int,
    *,
    clock_form: ClockForm | None = None,
    look_form: LookForm | None = None,
    problem: str | None = None,
) -> str:
    page = leading.lead_page(services(), actor=_actor(), class_id=class_id)
    return render_template(
        "teach/lead.html",
        page=page,
        clock_form=clock_form or ClockForm(formdata=None, data={"minutes": "15"}),
        look_form=look_form or LookForm(formdata=None),
        more_minutes=leading.MORE_MINUTES,
        problem=problem,
    )
