"""The bench of tokenizers: pieces, numbers, batches, and one of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, redirect, render_template, request, session
from flask.helpers import url_for
from flask.typing import ResponseReturnValue

from webapp.domain.lab import merging, tokenizers
from webapp.domain.lab.tokenizers import OWN, USUAL, Option
from webapp.errors import LabError
from webapp.views.lab.token_forms import (
    BatchForm,
    LearnForm,
    NumbersForm,
    PiecesForm,
    SentenceForm,
)
from webapp.web import context, seats
from webapp.web.context import services
from webapp.web.guests import needs_player
from webapp.web.uploads import takes_files

bp = Blueprint("lab_tokenizers", __name__, url_prefix="/lab/tokenizers")

SAMPLE: Final = "Unbelievable! 3901 pandas can't read CAFÉ menus 🦊"
SAMPLE_LINES: Final = "Hello!\nHow are you today?\nUnbelievably long sentences get cut."
SAMPLE_SENTENCE: Final = "The cat and the hat."
_KEPT: Final = 3
_KEY: Final = "tokenizers"


@dataclass(frozen=True, slots=True)
class Choices:
    """What somebody may choose; or why there is nothing."""

    options: tuple[Option, ...]
    away: str = ""

    @property
    def usual(self) -> list[str]:
        """The ones that are chosen at first."""
        names = [option.name for option in self.options]
        return [name for name in USUAL if name in names] or names[:1]


@bp.route("", methods=["GET", "POST"])
def pieces() -> ResponseReturnValue:
    """Cut a text. A link may bring text and tokenizers: no model is asked."""
    is_sent = request.method == "POST"
    form = PiecesForm() if is_sent else PiecesForm(formdata=request.args)
    if not is_sent and "typed" not in request.args:
        form.typed.data = SAMPLE
    choices = _choices(form.use.data)
    names = form.use.data if is_sent else form.use.data or choices.usual
    bench, problem, status = None, choices.away, 200
    if not problem:
        try:
            bench = tokenizers.cut(
                services(),
                text=form.typed.data or "",
                names=names,
                choices=choices.options,
                marks=form.marks.data,
            )
        except LabError as error:
            problem, status = error.message, error.status
    return _page(
        "pieces", status, form=form, options=choices.options, chosen=names,
        bench=bench, problem=problem,
    )  # fmt: skip


@bp.route("/numbers", methods=["GET", "POST"])
def numbers() -> ResponseReturnValue:
    """Read numbers with tokenizers, right or wrong."""
    is_sent = request.method == "POST"
    form = NumbersForm() if is_sent else NumbersForm(formdata=request.args)
    choices = _choices(form.use.data)
    names = form.use.data if is_sent else form.use.data or choices.usual
    readings: Sequence[tokenizers.Reading] = ()
    problem, status = choices.away, 200
    if not problem and (is_sent or form.numbers.data):
        try:
            readings = tokenizers.join(
                services(),
                ids=form.numbers.data or "",
                names=names,
                choices=choices.options,
            )
        except LabError as error:
            problem, status = error.message, error.status
    return _page(
        "numbers", status, form=form, options=choices.options, chosen=names,
        readings=readings, problem=problem,
    )  # fmt: skip


@bp.route("/batch", methods=["GET", "POST"])
def batch() -> ResponseReturnValue:
    """Make lines equally long."""
    is_sent = request.method == "POST"
    form = BatchForm() if is_sent else BatchForm(**_usual_batch())
    choices = _choices([form.use.data or ""])
    grid, problem, status = None, choices.away, 200
    if not problem:
        try:
            grid = tokenizers.batch(
                services(),
                lines=form.lines.data or "",
                name=form.use.data or "",
                choices=choices.options,
                marks=form.marks.data,
                padding=form.padding.data or "",
                truncation=form.truncation.data or "",
                longest=form.longest.data,
            )
        except LabError as error:
            problem, status = error.message, error.status
    names = [(option.name, option.title) for option in choices.options]
    return _page("batch", status, form=form, names=names, grid=grid, problem=problem)


@bp.get("/train")
def train() -> ResponseReturnValue:
    """Show how to learn a tokenizer from one's own text."""
    return _page("train", 200, form=LearnForm(size=1_000), problem="")


@bp.post("/train")
@takes_files
@needs_player
def learn() -> ResponseReturnValue:
    """Learn a tokenizer, and go to its page."""
    form = LearnForm()
    file = request.files.get("file")
    try:
        text = form.corpus.data or ""
        if file is not None and file.filename:
            content = file.stream.read(merging.TEXT_BYTES + 1)
            text = content.decode("utf-8-sig", "replace")
        with seats.seat():
            learned = merging.learn(services(), text=text, size=form.size.data)
    except LabError as error:
        if error.retry_after is not None:
            raise
        return _page("train", error.status, form=form, problem=error.message)
    _keep(learned)
    return redirect(url_for("lab_tokenizers.own", tokenizer_id=learned), 303)


@bp.route("/own/<tokenizer_id>", methods=["GET", "POST"])
def own(tokenizer_id: str) -> ResponseReturnValue:
    """Show what a tokenizer learned, and step through its merges."""
    form = SentenceForm() if request.method == "POST" else SentenceForm(formdata=None)
    sentence = form.sentence.data
    if request.method == "GET":
        sentence = form.sentence.data = SAMPLE_SENTENCE
    found = merging.find(services(), id=tokenizer_id)
    stepping, problem, status = None, "", 200
    try:
        stepping = merging.step_through(
            services(), own=found, sentence=sentence or "", step=form.step.data
        )
    except LabError as error:
        problem, status = error.message, error.status
    return _page(
        "own", status, form=form, own=found, stepping=stepping, problem=problem
    )


@bp.get("/own/<tokenizer_id>/tokenizer.json")
def download(tokenizer_id: str) -> ResponseReturnValue:
    """Hand out a tokenizer that was learned."""
    answer = Response(
        merging.file(services(), id=tokenizer_id), mimetype="application/json"
    )
    answer.headers["Content-Disposition"] = "attachment; filename=tokenizer.json"
    return answer


def _choices(wanted: Sequence[str] | None) -> Choices:
    """Return what may be chosen: also learned ones that a form or a link names."""
    player = context.player()
    asked = [name.removeprefix(OWN) for name in wanted or () if name.startswith(OWN)]
    ids = dict.fromkeys([*session.get(_KEY, ()), *asked[:_KEPT]])
    try:
        found = tokenizers.options(
            services(), player_id=player.id if player else None, own=list(ids)
        )
    except LabError as error:
        return Choices((), error.message)
    return Choices(found)


def _keep(tokenizer_id: str) -> None:
    """Remember the learned tokenizers of this browser, the newest first."""
    kept = [
        tokenizer_id,
        *(old for old in session.get(_KEY, ()) if old != tokenizer_id),
    ]
    session[_KEY] = kept[:_KEPT]


def _usual_batch() -> dict[str, Any]:
    return {
        "lines": SAMPLE_LINES,
        "use": "minilm",
        "longest": 8,
        "padding": "right",
        "truncation": "right",
        "marks": True,
    }


def _page(name: str, status: int, **shown: Any) -> tuple[str, int]:
    part = "_" if context.is_partial() else ""
    return render_template(f"lab/tokenizers/{part}{name}.html", **shown), status
