"""A class from a list of names, and the cards of its players."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, FileField, HiddenField, TextAreaField

from webapp.domain.people import cards, importing, own_classes, roster, sheets
from webapp.domain.people.cards import Card
from webapp.domain.people.importing import Imported, Plan
from webapp.errors import Conflict, InvalidInput
from webapp.web.context import instructor, instructor_required, services
from webapp.web.forms import LabForm
from webapp.web.qr_codes import qr_code
from webapp.web.seals import form_mark

bp = Blueprint("importing", __name__, url_prefix="/teach/classes/<int:class_id>")

CARDS_ON_PAGE = 10


class ListForm(LabForm):
    """A list of names, pasted or in a file."""

    names = TextAreaField(
        "Names, one in each line",
        description="Nicknames are enough: what you write here is kept.",
    )
    file = FileField(
        "Or a file (CSV or text)",
        description="From a spreadsheet: the column called name, nickname or student, "
        "otherwise the first one. At most 1,000 lines.",
    )


class NamesForm(LabForm):
    """The names that were shown before, to be made players."""

    names = HiddenField()


class AllCardsForm(LabForm):
    """New codes for everybody, after saying so twice."""

    is_sure = BooleanField("Yes, sign everybody out and end all old codes.")


@bp.get("/import")
@instructor_required
def bring(class_id: int) -> ResponseReturnValue:
    """Show the form for a list."""
    return _list_page(class_id, ListForm())


@bp.post("/import")
@instructor_required
def look(class_id: int) -> ResponseReturnValue:
    """Say what would come of a list; nothing is made yet."""
    form = ListForm()
    file = request.files.get("file")
    is_file = file is not None and bool(file.filename)
    try:
        sheet = sheets.read(
            file.read() if file is not None and is_file else form.text("names")
        )
    except InvalidInput as error:
        status = form.refuse("file" if is_file else "names", error)
        return _list_page(class_id, form), status
    plan = importing.plan(services(), actor=_actor(), class_id=class_id, sheet=sheet)
    # So that a file can be corrected here, too.
    form.names.data = "\n".join(line.name for line in plan.lines)
    return _list_page(class_id, form, plan)


@bp.post("/import/add")
@instructor_required
def add(class_id: int) -> ResponseReturnValue:
    """Make the players, and show their cards."""
    form = NamesForm()
    names = form.text("names").splitlines()[: sheets.MOST_LINES]
    try:
        made = importing.add(
            services(),
            actor=_actor(),
            class_id=class_id,
            names=names,
            form=form_mark(),
        )
    except (Conflict, InvalidInput) as error:
        again = ListForm(formdata=None, data={"names": form.text("names")})
        status = again.refuse("names", error)
        return _list_page(class_id, again), status
    return _cards_page(class_id, made.cards, made)


@bp.get("/cards")
@instructor_required
def choose(class_id: int) -> ResponseReturnValue:
    """Show whom new cards can be printed for."""
    return _choice_page(class_id, AllCardsForm())


@bp.post("/cards")
@instructor_required
def print_some(class_id: int) -> ResponseReturnValue:
    """Give new codes to players who have not come yet, and show their cards."""
    chosen = [
        int(number)
        for number in request.form.getlist("player")
        if number.isdecimal() and len(number) < 10
    ]
    made = cards.renew(
        services(),
        actor=_actor(),
        class_id=class_id,
        form=form_mark(),
        chosen=chosen,
    )
    return _cards_page(class_id, made)


@bp.post("/cards/all")
@instructor_required
def print_all(class_id: int) -> ResponseReturnValue:
    """Give everybody a new code, and show the cards."""
    form = AllCardsForm()
    if not form.is_sure.data:
        form.is_sure.errors = ["Tick the box first: everybody will be signed out."]
        return _choice_page(class_id, form), 400
    made = cards.renew(
        services(), actor=_actor(), class_id=class_id, form=form_mark(), chosen=None
    )
    return _cards_page(class_id, made)


def _actor() -> roster.Actor:
    return roster.actor_of(instructor())


def _list_page(class_id: int, form: ListForm, plan: Plan | None = None) -> str:
    info = own_classes.info(services(), actor=_actor(), class_id=class_id)
    names = "\n".join(line.name for line in plan.good) if plan else ""
    return render_template(
        "teach/import.html",
        info=info,
        form=form,
        plan=plan,
        names_form=NamesForm(formdata=None, data={"names": names}),
    )


def _choice_page(class_id: int, form: AllCardsForm) -> str:
    page = roster.class_page(services(), actor=_actor(), class_id=class_id)
    return render_template("teach/cards.html", page=page, info=page.info, form=form)


def _cards_page(
    class_id: int, made: tuple[Card, ...], imported: Imported | None = None
) -> str:
    info = own_classes.info(services(), actor=_actor(), class_id=class_id)
    address = url_for("people.recover", _external=True)
    # Behind the number sign: browsers do not send it, so no log has the code.
    drawn = [(card, qr_code(f"{address}#{card.code}", mask=0)) for card in made]
    sheets_of_paper = [
        drawn[start : start + CARDS_ON_PAGE]
        for start in range(0, len(drawn), CARDS_ON_PAGE)
    ]
    return render_template(
        "teach/cards_print.html",
        info=info,
        pages=sheets_of_paper,
        number=len(made),
        bad=imported.bad if imported else (),
        address=request.host + url_for("people.recover"),
    )
