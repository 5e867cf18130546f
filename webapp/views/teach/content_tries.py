"""A draft as a form, as students see it, and one that is played."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.domain.writing import (
    files,
    lesson_form,
    level_form,
    previews,
    saving,
    trials,
    trying,
)
from webapp.domain.writing.lesson_form import FormPart
from webapp.domain.writing.level_form import GuardRow, HintRow, LevelFields
from webapp.domain.writing.previews import Draft
from webapp.domain.writing.saving import ChangedMeanwhile
from webapp.domain.writing.trying import Setting, Tried
from webapp.errors import BackendError, Conflict, InvalidInput, NotFound
from webapp.plugins.asking import Exchange
from webapp.views.learn import pages as lesson_pages
from webapp.views.teach import content_pages as pages
from webapp.views.teach.content_pages import author, author_required
from webapp.web import seats
from webapp.web.context import player_id, services

bp = Blueprint("content_tries", __name__, url_prefix="/teach/content")


@dataclass(frozen=True, slots=True)
class PlayPage:
    """A draft that is played: what was said before, and what came of the last."""

    name: str
    setting: Setting
    word: str
    message: str = ""
    before: tuple[Exchange, ...] = field(default_factory=tuple)
    tried: Tried | None = None
    problem: str = ""


@bp.get("/trials/<path:name>")
@author_required
def tried(name: str) -> ResponseReturnValue:
    """Show the trials of a level, or of the panels of a lesson."""
    trials.tend(services())
    try:
        things = previews.trial_things(
            services(), previews.open_draft(services(), name)
        )
    except Conflict as error:
        return pages.in_editor(name, error)
    found = [trials.latest(services(), thing) for thing in things]
    return render_template("teach/content/trials.html", name=name, found=found)


@bp.get("/form/<path:name>")
@author_required
def form(name: str) -> ResponseReturnValue:
    """Show the common fields of a level or lesson."""
    texts = _own_texts(name)
    text = texts.newest or ""
    try:
        if _is_lesson(name):
            return _lesson_page(name, lesson_form.read_form(text), seen=texts.seen)
        return _form_page(name, level_form.read_fields(text), seen=texts.seen)
    except InvalidInput as error:
        return pages.in_editor(name, error)


@bp.post("/form/<path:name>")
@author_required
def save_form(name: str) -> ResponseReturnValue:
    """Write the fields into the draft; all else in the file stays as it is."""
    newest, seen = _own_texts(name).newest or "", request.form.get("seen", "")
    try:
        if _is_lesson(name):
            text = lesson_form.write_form(newest, _typed())
        else:
            text = level_form.write_fields(newest, _fields())
        saving.save(services(), author=author(), name=name, text=text, seen=seen)
    except ChangedMeanwhile as error:
        both = saving.both(error)
        page = pages.file_page(name, text=error.yours, both=both)
        return render_template("teach/content/edit.html", page=page), error.status
    except InvalidInput as error:
        shown = _form_again(name, newest, seen=seen, problem=error.message)
        return shown, error.status
    flash("Saved as a draft. Players do not see it yet.", "success")
    return redirect(url_for("content.edit", name=name), 303)


@bp.get("/preview/<path:name>")
@author_required
def preview(name: str) -> ResponseReturnValue:
    """Show a draft as students would see it; nothing on it can be pressed."""
    if not previews.is_shown(name):
        raise NotFound("Only levels and lessons have a page that students see.")
    try:
        return _preview_page(name)
    except Conflict as error:
        return pages.in_editor(name, error)


def _preview_page(name: str) -> str:
    draft = previews.open_draft(services(), name)
    if files.kind_of(draft.path) == "lesson":
        page = lesson_pages.lesson(previews.lesson_page(services(), draft=draft))
        return render_template(
            "teach/content/lesson_preview.html",
            page=page,
            name=name,
            today=datetime.now(UTC).date(),
        )
    gate = previews.gate_page(services(), player_id=player_id(), draft=draft)
    return render_template("teach/content/gate_preview.html", page=gate, name=name)


@bp.get("/play/<path:name>")
@author_required
def play(name: str) -> ResponseReturnValue:
    """Offer to talk to a draft."""
    try:
        setting = trying.setting(services(), _playable(name))
    except Conflict as error:
        return pages.in_editor(name, error)
    return _play_page(PlayPage(name, setting, setting.word))


@bp.post("/play/<path:name>")
@author_required
def say(name: str) -> ResponseReturnValue:
    """Send a message to a draft, and show what the guards and the model made of it."""
    try:
        draft = _playable(name)
        setting = trying.setting(services(), draft)
    except Conflict as error:
        return pages.in_editor(name, error)
    word, message = request.form.get("word", ""), request.form.get("message", "")
    before = _exchanges()
    try:
        with seats.seat():
            tried = trying.say(
                services(),
                player_id=player_id(),
                draft=draft,
                word=word,
                message=message,
                before=before,
            )
    except (BackendError, InvalidInput) as error:
        page = PlayPage(name, setting, word, message, before, problem=error.message)
        return _play_page(page), error.status
    return _play_page(PlayPage(name, setting, word, "", before, tried))


def _play_page(page: PlayPage) -> str:
    return render_template("teach/content/play.html", page=page)


def _playable(name: str) -> Draft:
    if files.kind_of(files.parse_name(name)) != "level":
        raise NotFound("Only levels can be played.")
    return previews.open_draft(services(), name)


def _exchanges() -> tuple[Exchange, ...]:
    pairs = zip(
        request.form.getlist("said"), request.form.getlist("heard"), strict=False
    )
    return tuple(Exchange(said, heard) for said, heard in pairs)[-trying.MOST_TURNS :]


def _own_texts(name: str) -> files.Texts:
    path = files.parse_name(name)
    texts = files.texts_of(services(), path)
    if files.kind_of(path) not in {"level", "lesson"} or not texts.is_own:
        raise NotFound("There is a form for levels and lessons of your own only.")
    return texts


def _is_lesson(name: str) -> bool:
    return files.kind_of(files.parse_name(name)) == "lesson"


def _form_again(name: str, text: str, *, seen: str, problem: str) -> str:
    """Show the form with all that was typed."""
    if not _is_lesson(name):
        return _form_page(name, _fields(), seen=seen, problem=problem)
    parts = lesson_form.with_typed(lesson_form.read_form(text), _typed())
    return _lesson_page(name, parts, seen=seen, problem=problem)


def _lesson_page(
    name: str, parts: tuple[FormPart, ...], *, seen: str, problem: str = ""
) -> str:
    return render_template(
        "teach/content/lesson_form.html",
        name=name,
        parts=parts,
        seen=seen,
        problem=problem,
    )


def _typed() -> dict[str, str]:
    """Return what was typed into the fields of a lesson, by their ids."""
    return {key: typed.replace("\r\n", "\n") for key, typed in request.form.items()}


def _form_page(name: str, fields: LevelFields, *, seen: str, problem: str = "") -> str:
    return render_template(
        "teach/content/form.html",
        name=name,
        fields=fields,
        choices=level_form.choices(services()),
        seen=seen,
        problem=problem,
        more=level_form.MORE,
    )


def _fields() -> LevelFields:
    given = request.form

    def text(name: str) -> str:
        return given.get(name, "").replace("\r\n", "\n")

    return LevelFields(
        title=text("title").strip(),
        story=text("story"),
        system=text("system"),
        model=text("model").strip(),
        turns=text("turns"),
        words=text("words").strip(),
        points=text("points"),
        explain=text("explain"),
        input=_guards("input"),
        output=_guards("output"),
        hints=_hints(),
    )


def _guards(stage: str) -> tuple[GuardRow, ...]:
    names = request.form.getlist(f"{stage}-name")[: level_form.MOST_GUARDS]
    options = request.form.getlist(f"{stage}-options")
    pairs = zip(names, options, strict=False)
    return tuple(GuardRow(name, typed.strip()) for name, typed in pairs)


def _hints() -> tuple[HintRow, ...]:
    lists = [request.form.getlist(f"hint-{part}") for part in ("cost", "title", "text")]
    rows = zip(*lists, strict=False)
    return tuple(
        HintRow(cost.strip(), title.strip(), text.replace("\r\n", "\n").strip())
        for cost, title, text in rows
    )[: level_form.MOST_HINTS]
