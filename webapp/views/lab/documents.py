"""Documents to ask about: brought, cut, searched by meaning, answered from."""

from __future__ import annotations

from pathlib import PurePath

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.domain.lab import documents, open_book
from webapp.domain.lab.pictures import picture
from webapp.domain.lab.starting_pages import IDEAS, PAGES, POISON
from webapp.errors import BackendError, Busy, Conflict, InvalidInput, QuotaExceeded
from webapp.web import context, seats
from webapp.web.context import player_id, player_required, services
from webapp.web.guests import needs_player
from webapp.web.uploads import takes_files

bp = Blueprint("lab_documents", __name__, url_prefix="/lab/documents")

# What is told beside the form, with all that was typed.
TOLD = (BackendError, Busy, Conflict, InvalidInput, QuotaExceeded)


@bp.get("")
def index() -> ResponseReturnValue:
    """Show one's documents, and where to ask; `?question=` is filled in."""
    return _index(question=request.args.get("question", ""))


@bp.post("")
@takes_files
@needs_player
def bring() -> ResponseReturnValue:
    """Take a file, or a text that was pasted."""
    try:
        name, text = _brought()
        with seats.seat():
            documents.bring(services(), player_id=player_id(), name=name, text=text)
    except TOLD as error:
        return _index(problem=error.message), error.status
    return redirect(url_for("lab_documents.index"), 303)


@bp.post("/begin")
@needs_player
def begin() -> ResponseReturnValue:
    """Put some pages there, or the note of a stranger."""
    is_poison = request.form.get("what") == "poison"
    try:
        with seats.seat():
            for page in (POISON,) if is_poison else PAGES:
                documents.bring(
                    services(), player_id=player_id(), name=page.name, text=page.text
                )
    except TOLD as error:
        return _index(problem=error.message), error.status
    return redirect(url_for("lab_documents.index"), 303)


@bp.post("/cut")
@player_required
def cut() -> ResponseReturnValue:
    """Cut all documents in another way."""
    form = request.form
    try:
        how = documents.read_cut(form.get("size", ""), form.get("overlap", ""))
        with seats.seat():
            documents.cut_again(services(), player_id=player_id(), how=how)
    except TOLD as error:
        return _index(problem=error.message), error.status
    return redirect(url_for("lab_documents.index", _anchor="cut-title"), 303)


@bp.post("/ask")
@needs_player
def ask() -> ResponseReturnValue:
    """Ask without the documents and with them."""
    form = request.form
    try:
        wanted = open_book.read_wanted(
            text=form.get("question", ""),
            model=form.get("model", ""),
            picked=form.get("picked", "").strip(),
        )
        with seats.seat():
            question_id = open_book.ask(
                services(), player_id=player_id(), wanted=wanted
            )
    except TOLD as error:
        page = _index(problem=error.message, question=form.get("question", ""))
        return page, error.status
    return redirect(url_for("lab_documents.asked", question_id=question_id), 303)


@bp.get("/asked/<int:question_id>")
@player_required
def asked(question_id: int) -> ResponseReturnValue:
    """Show a question, what was found, and what was answered."""
    return _asked(question_id)


@bp.post("/asked/<int:question_id>")
@player_required
def follow_up(question_id: int) -> ResponseReturnValue:
    """Ask what follows: alone, and with what was said before."""
    text = request.form.get("question", "")
    try:
        with seats.seat():
            next_id = open_book.follow_up(
                services(), player_id=player_id(), question_id=question_id, text=text
            )
    except TOLD as error:
        return _asked(question_id, problem=error.message, typed=text), error.status
    return redirect(url_for("lab_documents.asked", question_id=next_id), 303)


@bp.get("/<int:document_id>")
@player_required
def detail(document_id: int) -> ResponseReturnValue:
    """Show a document as it is cut."""
    found = documents.find(services(), player_id=player_id(), document_id=document_id)
    passages = documents.passages_of(services(), player_id=player_id())
    return render_template(
        "lab/document.html",
        document=found,
        passages=[each for each in passages if each.document.id == found.id],
    )


@bp.post("/<int:document_id>/delete")
@player_required
def delete(document_id: int) -> ResponseReturnValue:
    """Delete a document for good."""
    documents.delete_one(services(), player_id=player_id(), document_id=document_id)
    return redirect(url_for("lab_documents.index"), 303)


def _brought() -> tuple[str, str]:
    """Return name and text of what the form brings; raise InvalidInput."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return request.form.get("name", ""), request.form.get("pasted", "")
    if PurePath(file.filename).suffix.lower() not in documents.KINDS:
        raise InvalidInput("This is neither a .txt nor a .md file. Paste its text.")
    data = file.stream.read(documents.MOST_BYTES + 1)
    if len(data) > documents.MOST_BYTES:
        raise InvalidInput(
            f"The file is larger than {documents.MOST_BYTES // 1_000} KB. Bring a part "
            "of it."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(
            "The file is not UTF-8 text. Save it as UTF-8, or paste its text."
        ) from None
    return file.filename, text


def _index(*, problem: str = "", question: str = "") -> str:
    player = context.player()
    mine = documents.mine(services(), player_id=player.id) if player else ()
    passages = documents.passages_of(services(), player_id=player.id) if player else ()
    return render_template(
        "lab/documents.html",
        documents=mine,
        passages=passages,
        picture=picture(passages),
        cut=documents.Cut(mine[-1].size, mine[-1].overlap) if mine else documents.Cut(),
        earlier=open_book.earlier(services(), player_id=player.id) if player else (),
        ideas=IDEAS,
        models=open_book.MODELS,
        most_picked=open_book.MOST_PICKED,
        usual_picked=open_book.USUAL_PICKED,
        most_documents=documents.MOST_DOCUMENTS,
        most_bytes=documents.MOST_BYTES,
        sizes=documents.SIZES,
        question_chars=open_book.QUESTION_CHARS,
        problem=problem,
        question=question,
        typed=request.form,
    )


def _asked(question_id: int, *, problem: str = "", typed: str = "") -> str:
    found = open_book.find(services(), player_id=player_id(), question_id=question_id)
    passages = documents.passages_of(services(), player_id=player_id())
    return render_template(
        "lab/asked.html",
        asked=found,
        picture=picture(passages, found.vector or None),
        sampling=open_book.SAMPLING,
        question_chars=open_book.QUESTION_CHARS,
        problem=problem,
        typed=typed,
    )
