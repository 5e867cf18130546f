"""Making, changing and deleting classes, and who looks after them."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, SelectField, StringField

from webapp.domain.people import classes, own_classes, roster
from webapp.errors import Conflict, InvalidInput
from webapp.web.context import instructor, instructor_required, services
from webapp.web.forms import LabForm

bp = Blueprint("own_classes", __name__, url_prefix="/teach/classes")


class NameForm(LabForm):
    """The name of a class."""

    name = StringField("Name of the class", description="2 to 80 characters, like 7b.")


class ColleagueForm(LabForm):
    """Another instructor."""

    colleague = SelectField("Instructor", validate_choice=False)


class DeleteForm(LabForm):
    """Delete a class, after saying so twice."""

    is_sure = BooleanField(
        "Yes, delete this class and its players. This cannot be undone."
    )
    name = StringField("Type the name of the class, so that it is not another one")


@bp.get("/new")
@instructor_required
def new() -> ResponseReturnValue:
    """Show the form for a new class."""
    return render_template("teach/class_new.html", form=NameForm())


@bp.post("/new")
@instructor_required
def make() -> ResponseReturnValue:
    """Make a class that the maker looks after."""
    form = NameForm()
    try:
        made = classes.add_class(
            services(), name=form.text("name"), teacher_id=instructor().id
        )
    except (Conflict, InvalidInput) as error:
        status = form.refuse("name", error)
        return render_template("teach/class_new.html", form=form), status
    flash(f"“{made.name}” is there. Now let your students in.", "success")
    return redirect(url_for("joining.projected", class_id=made.id), 303)


@bp.get("/<int:class_id>/settings")
@instructor_required
def change(class_id: int) -> ResponseReturnValue:
    """Show what can be changed in a class."""
    return _page(class_id)


@bp.post("/<int:class_id>/name")
@instructor_required
def rename(class_id: int) -> ResponseReturnValue:
    """Give a class another name."""
    form = NameForm()
    try:
        own_classes.rename(
            services(), actor=_actor(), class_id=class_id, name=form.text("name")
        )
    except (Conflict, InvalidInput) as error:
        status = form.refuse("name", error)
        return _page(class_id, name_form=form), status
    return _done(class_id, "The class has its new name.")


@bp.post("/<int:class_id>/instructors")
@instructor_required
def let_in(class_id: int) -> ResponseReturnValue:
    """Let another instructor look after a class, too."""
    form = ColleagueForm()
    number = form.text("colleague")
    try:
        own_classes.let_in(
            services(),
            actor=_actor(),
            class_id=class_id,
            player_id=int(number) if number.isdecimal() and len(number) < 11 else 0,
        )
    except InvalidInput as error:
        status = form.refuse("colleague", error)
        return _page(class_id, colleague_form=form), status
    return _done(class_id, "Now both of you look after this class.")


@bp.post("/<int:class_id>/instructors/<int:player_id>/remove")
@instructor_required
def put_out(class_id: int, player_id: int) -> ResponseReturnValue:
    """Let an instructor look after a class no longer."""
    own_classes.put_out(
        services(), actor=_actor(), class_id=class_id, player_id=player_id
    )
    if class_id in roster.taught(services(), actor=_actor()):
        return _done(class_id, "This instructor does not look after it any more.")
    flash("You do not look after this class any more.", "success")
    return redirect(url_for("teach.overview"), 303)


@bp.post("/<int:class_id>/delete")
@instructor_required
def delete(class_id: int) -> ResponseReturnValue:
    """Delete a class with its players."""
    form = DeleteForm()
    found = own_classes.info(services(), actor=_actor(), class_id=class_id)
    if not form.is_sure.data:
        form.is_sure.errors = ["Tick the box first: deleting cannot be undone."]
    if form.text("name") != found.name:
        form.name.errors = [f"Type the name as it is written here: {found.name}"]
    if form.errors:
        return _page(class_id, delete_form=form), 400
    own_classes.remove(services(), actor=_actor(), class_id=class_id)
    flash(f"“{found.name}” and everything in it have been deleted.", "success")
    return redirect(url_for("teach.overview"), 303)


def _actor() -> roster.Actor:
    return roster.actor_of(instructor())


def _done(class_id: int, message: str) -> ResponseReturnValue:
    flash(message, "success")
    return redirect(url_for("own_classes.change", class_id=class_id), 303)


def _page(
    class_id: int,
    *,
    name_form: NameForm | None = None,
    colleague_form: ColleagueForm | None = None,
    delete_form: DeleteForm | None = None,
) -> str:
    page = own_classes.settings_page(services(), actor=_actor(), class_id=class_id)
    colleague_form = colleague_form or ColleagueForm(formdata=None)
    colleague_form.colleague.choices = [
        (str(other.id), other.name) for other in page.others
    ]
    return render_template(
        "teach/class_settings.html",
        page=page,
        info=page.info,
        name_form=name_form or NameForm(formdata=None, data={"name": page.info.name}),
        colleague_form=colleague_form,
        delete_form=delete_form or DeleteForm(formdata=None),
    )
