"""Two models compared on the same prompts: begun, watched, read, graded by hand."""

from __future__ import annotations

import time
from typing import Any, Final

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from webapp.domain.train import (
    compared,
    comparing,
    correcting,
    forms,
    learned,
    models,
    preferring,
    prompting,
    winners,
)
from webapp.domain.train.compared import SIDES
from webapp.domain.train.sides import MOST_ROWS, USUAL_ROWS, read_rows, sides
from webapp.errors import BackendError, Conflict, InvalidInput, LabError, NotFound
from webapp.rows import GRADES
from webapp.views.train.tables import csv_of, marked
from webapp.web import context, seats
from webapp.web.context import player_id, player_required, services
from webapp.web.guests import needs_player
from webapp.web.seals import form_mark

bp = Blueprint("train_compared", __name__, url_prefix="/train")

# Without a script a press of the button asks for as long as a page may take.
PATIENCE_SECONDS: Final = 8.0
KEPT_BACK, OWN = "kept", "own"


@bp.get("/models/<name>/compare")
def new(name: str) -> ResponseReturnValue:
    """Ask which two models to compare, and on what."""
    return _new(name)


@bp.post("/models/<name>/compare")
@needs_player
def begin(name: str) -> ResponseReturnValue:
    """Begin a comparison; its page asks the models."""
    form = request.form
    try:
        rows, source = _rows(name)
        wanted = prompting.read_wanted(
            prompt=rows[0].prompt,
            tokens=form.get("tokens", ""),
            temperature=form.get("temperature", ""),
            seed=form.get("seed", ""),
            is_chat=False,
            system="",
        )
        comparison_id = comparing.begin(
            services(),
            player_id=player_id(),
            name=name,
            between=tuple(form.get(side, "") for side in SIDES),
            rows=rows,
            source=source,
            wanted=wanted,
            form=form_mark(),
        )
    except (InvalidInput, Conflict) as error:
        return _new(name, problem=error.message), error.status
    return redirect(url_for("train_compared.detail", comparison_id=comparison_id), 303)


@bp.get("/compared/<int:comparison_id>")
@player_required
def detail(comparison_id: int) -> ResponseReturnValue:
    """Show a comparison, as far as it is."""
    return _page(comparison_id)


@bp.post("/compared/<int:comparison_id>")
@player_required
def go_on(comparison_id: int) -> ResponseReturnValue:
    """Ask what is next: one row for a part of the page, some rows for all of it."""
    until = time.monotonic() + (0 if context.is_partial() else PATIENCE_SECONDS)
    problem, wait = "", None
    try:
        with seats.seat():
            while True:
                problem = comparing.ask_next(
                    services(), player_id=player_id(), comparison_id=comparison_id
                )
                seen = _find(comparison_id)
                if seen.is_over or problem or time.monotonic() >= until:
                    break
    except NotFound:
        raise
    except LabError as error:
        problem, wait = error.message, error.retry_after
    if context.is_partial():
        return render_template(
            "train/_compared.html", **_values(comparison_id, problem, wait)
        )
    if problem:
        flash(problem, "danger")
    return redirect(url_for("train_compared.detail", comparison_id=comparison_id), 303)


@bp.post("/compared/<int:comparison_id>/again")
@player_required
def again(comparison_id: int) -> ResponseReturnValue:
    """Ask those again that could not be asked."""
    comparing.ask_again(services(), player_id=player_id(), comparison_id=comparison_id)
    return redirect(url_for("train_compared.detail", comparison_id=comparison_id), 303)


@bp.post("/compared/<int:comparison_id>/judge")
@player_required
def ask_judge(comparison_id: int) -> ResponseReturnValue:
    """Have a judge model say whose replies are better; the page asks it."""
    typed = request.form.get("rubric", "")
    try:
        preferring.begin(
            services(),
            player_id=player_id(),
            comparison_id=comparison_id,
            rubric=typed,
        )
    except (InvalidInput, Conflict) as error:
        page = _page(comparison_id, problem=error.message, rubric=typed)
        return page, error.status
    return redirect(url_for("train_compared.detail", comparison_id=comparison_id), 303)


@bp.post("/compared/<int:comparison_id>/judge/stop")
@player_required
def stop_judge(comparison_id: int) -> ResponseReturnValue:
    """Ask the judge no more, and keep what it has said."""
    preferring.stop(services(), player_id=player_id(), comparison_id=comparison_id)
    page = url_for("train_compared.detail", comparison_id=comparison_id)
    return redirect(f"{page}#judge", 303)


@bp.get("/compared/<int:comparison_id>/sheet")
@player_required
def sheet(comparison_id: int) -> ResponseReturnValue:
    """Show the sheet for grading by hand; it can be printed."""
    return _sheet(comparison_id)


@bp.post("/compared/<int:comparison_id>/sheet")
@player_required
def save_sheet(comparison_id: int) -> ResponseReturnValue:
    """Keep grades and notes."""
    form = request.form
    seen = _find(comparison_id)
    try:
        comparing.grade(
            services(),
            player_id=player_id(),
            comparison_id=comparison_id,
            grades={
                (row.place, side): form.get(f"{side}-{row.place}", "")
                for row in seen.rows
                for side in SIDES
            },
            notes={
                row.place: form[f"note-{row.place}"]
                for row in seen.rows
                if f"note-{row.place}" in form
            },
        )
    except InvalidInput as error:
        return _sheet(comparison_id, problem=error.message), error.status
    flash("Your grades are saved.", "success")
    return redirect(url_for("train_compared.sheet", comparison_id=comparison_id), 303)


@bp.get("/compared/<int:comparison_id>/table.csv")
@player_required
def table(comparison_id: int) -> ResponseReturnValue:
    """Give all of it as a table for a spreadsheet."""
    seen = _find(comparison_id)
    name = f"compared-{seen.run.name or seen.id}-{seen.id}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(csv_of(seen), mimetype="text/csv", headers=headers)


@bp.get("/compared/<int:comparison_id>/correct")
@player_required
def correct(comparison_id: int) -> ResponseReturnValue:
    """Show the prompts with a box each for what should have been written."""
    return _correct(comparison_id)


@bp.post("/compared/<int:comparison_id>/correct")
@player_required
def save_corrected(comparison_id: int) -> ResponseReturnValue:
    """Make a set of data of the rows that are marked."""
    form = request.form
    seen = _find(comparison_id)
    try:
        data_id = correcting.make(
            services(),
            player_id=player_id(),
            seen=seen,
            corrected={
                row.place: form.get(f"answer-{row.place}", "")
                for row in seen.rows
                if form.get(f"mark-{row.place}")
            },
            with_learned=bool(form.get("learned")),
        )
    except (BackendError, InvalidInput, Conflict) as error:
        return _correct(comparison_id, problem=error.message), error.status
    return redirect(url_for("train_data.detail", data_id=data_id), 303)


@bp.post("/compared/<int:comparison_id>/better")
@player_required
def save_better(comparison_id: int) -> ResponseReturnValue:
    """Make a set of data of the replies that were found better."""
    try:
        data_id = winners.make_of_comparison(
            services(), player_id=player_id(), seen=_find(comparison_id)
        )
    except (BackendError, InvalidInput, Conflict) as error:
        return _page(comparison_id, problem=error.message), error.status
    return redirect(url_for("train_data.detail", data_id=data_id), 303)


@bp.post("/compared/<int:comparison_id>/delete")
@player_required
def delete(comparison_id: int) -> ResponseReturnValue:
    """Delete it for good."""
    name = comparing.delete_one(
        services(), player_id=player_id(), comparison_id=comparison_id
    )
    flash("Deleted.", "success")
    return redirect(url_for("train_compared.new", name=name), 303)


def _rows(name: str) -> tuple[tuple[learned.Row, ...], str]:
    """Return the rows that the form asks for, and where they are from."""
    form = request.form
    if form.get("source") != KEPT_BACK:
        return read_rows(form.get("rows", "")), OWN
    page = models.page(services(), player_id=player_id(), name=name)
    if not page.is_own:
        raise InvalidInput("Only its owner can take rows of its data. Write your own.")
    text = form.get("count", "").strip() or str(USUAL_ROWS)
    count = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    if not 1 <= count <= MOST_ROWS:
        raise InvalidInput(f"The number of rows is a whole number up to {MOST_ROWS}.")
    try:
        rows = learned.kept_back(services(), page.run, count=count)
    except LabError:
        rows = ()
    if not rows:
        raise InvalidInput(
            "The trainer cannot give rows of this data just now. Write or paste some of"
            " your own below."
        )
    return rows, KEPT_BACK


def _find(comparison_id: int) -> compared.ComparisonView:
    return comparing.find(
        services(), player_id=player_id(), comparison_id=comparison_id
    )


def _new(name: str, *, problem: str = "") -> str:
    player = context.player()
    seen_by = player.id if player else None
    models.promptable(services(), player_id=seen_by, name=name)
    page = models.page(services(), player_id=seen_by, name=name)
    found = sides(services(), player_id=seen_by, run=page.run)
    others = [side.model for side in found if side.model != name]
    return render_template(
        "train/compare_new.html",
        page=page,
        run=page.run,
        sides=found,
        # The base and the model, or the model and any other.
        usual=(others[0] if others else name, name),
        typed=request.form,
        problem=problem,
        most=MOST_ROWS,
        usual_rows=USUAL_ROWS,
        usual_tokens=prompting.USUAL_TOKENS,
        most_tokens=prompting.MOST_TOKENS,
        earlier=()
        if seen_by is None
        else comparing.of_model(services(), player_id=seen_by, run=page.run),
    )


def _page(comparison_id: int, *, problem: str = "", rubric: str = "") -> str:
    values = _values(comparison_id, problem, None, rubric=rubric)
    return render_template("train/compared.html", **values)


def _values(
    comparison_id: int, problem: str, wait: int | None, *, rubric: str = ""
) -> dict[str, Any]:
    seen = _find(comparison_id)
    order = request.args.get("order", "")
    counted = compared.errors(seen)
    return {
        "seen": seen,
        "rows": seen.worst_first if order == "worst" else seen.rows,
        "order": order,
        "totals": compared.totals(seen),
        "errors": counted,
        "examples": {each.kind: compared.examples(seen, each.kind) for each in counted},
        "grades": GRADES,
        "marked": marked,
        "typed": rubric,
        "preferred": compared.preferred(seen),
        "better": winners.of_comparison(seen),
        "form": forms.count(seen),
        "judge": services().gateway.judge(),
        "usual_rubric": preferring.USUAL_RUBRIC,
        "rubric_chars": preferring.RUBRIC_CHARS,
        "problem": problem,
        "wait": wait,
    }


def _correct(comparison_id: int, *, problem: str = "") -> str:
    seen = _find(comparison_id)
    return render_template(
        "train/correct.html",
        seen=seen,
        can_learn=correcting.has_rows(services(), player_id=player_id(), seen=seen),
        typed=request.form,
        problem=problem,
        least=correcting.FEWEST,
        chars=correcting.MOST_CHARS,
    )


def _sheet(comparison_id: int, *, problem: str = "") -> str:
    return render_template(
        "train/sheet.html",
        seen=_find(comparison_id),
        grades=GRADES,
        names=SIDES,
        typed=request.form,
        problem=problem,
        note_chars=comparing.NOTE_CHARS,
    )
