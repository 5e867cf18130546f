"""Joining, signing in, coming back; and everything about your own player."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

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

from webapp.domain.learn import carrying, keeping
from webapp.domain.learn.keeping import KeptRun
from webapp.domain.people import access, accounts, classes, joining
from webapp.domain.people.classes import ClassInfo
from webapp.domain.play import notebook
from webapp.domain.play.notebook import Entry
from webapp.errors import InvalidInput, LabError
from webapp.views.people.forms import (
    CODE_FAULTS,
    AliasForm,
    ClassForm,
    CodeForm,
    DeleteForm,
    JoinForm,
    LoginForm,
    PasswordForm,
    RecoverForm,
)
from webapp.web import context, limits
from webapp.web.context import player_required, services
from webapp.web.forms import ActionForm
from webapp.web.protection import account
from webapp.web.seals import form_mark
from webapp.web.uploads import takes_files

bp = Blueprint("people", __name__)


@bp.get("/join")
def join() -> ResponseReturnValue:
    """Show the ways in; a link from an instructor brings the class code along."""
    code = request.args.get("code", "")
    form = JoinForm(data={"class_code": code})
    return render_template(
        "people/join.html", form=form, next=_next(), found=_class_of(code)
    )


@bp.post("/join")
def join_now() -> ResponseReturnValue:
    """Join under a nickname."""
    form = JoinForm()
    try:
        with limits.sign_up(), limits.code_try():
            newcomer = joining.join(
                services(),
                form=form_mark(),
                name=form.text("name"),
                class_code=form.text("class_code"),
            )
    except LabError as error:
        field = "class_code" if error.code in CODE_FAULTS else "name"
        status = form.refuse(field, error)
        return render_template("people/join.html", form=form, next=_next()), status
    context.become(newcomer.player_id, code_seed=newcomer.code_seed)
    return redirect(_next(), 303)


@bp.get("/login")
def login() -> ResponseReturnValue:
    """Show the sign-in form."""
    return render_template("people/login.html", form=LoginForm(), next=_next())


@bp.post("/login")
def login_now() -> ResponseReturnValue:
    """Sign in with a password."""
    form = LoginForm()
    try:
        with limits.sign_in_try(account()):
            proven = accounts.sign_in(
                services(),
                name=form.text("name"),
                password=str(form.password.data or ""),
                class_code=form.text("class_code"),
            )
    except LabError as error:
        status = form.refuse("password", error)
        return render_template("people/login.html", form=form, next=_next()), status
    context.become(proven.player_id, stamp=proven.stamp)
    return redirect(_next(), 303)


@bp.get("/recover")
def recover() -> ResponseReturnValue:
    """Show the form for a recovery code."""
    return render_template("people/recover.html", form=RecoverForm(), next=_next())


@bp.post("/recover")
def recover_now() -> ResponseReturnValue:
    """Come back with a recovery code."""
    form = RecoverForm()
    try:
        with limits.code_try():
            player_id = accounts.recover(
                services(),
                code=form.text("code"),
                new_password=str(form.new.data or "") or None,
            )
    except LabError as error:
        field = "code" if error.code == "wrong_code" else "new"
        status = form.refuse(field, error)
        return render_template("people/recover.html", form=form, next=_next()), status
    context.become(player_id)
    return redirect(_next(), 303)


@bp.post("/logout")
def logout() -> ResponseReturnValue:
    """Sign this browser out; others stay signed in."""
    context.sign_out()
    flash("You are signed out.", "info")
    return redirect(url_for("welcome.home"), 303)


@bp.post("/logout/everywhere")
@player_required
def logout_everywhere() -> ResponseReturnValue:
    """Sign out every browser, and end the API token."""
    access.end_all(services(), player_id=context.player_id())
    context.sign_out()
    flash("You are signed out everywhere, and your API token has ended.", "info")
    return redirect(url_for("welcome.home"), 303)


@bp.get("/me")
@player_required
def me() -> ResponseReturnValue:
    """Show the player's own page."""
    return _me_page()


@bp.post("/me/alias")
@player_required
def alias() -> ResponseReturnValue:
    """Choose the name on the leaderboard."""
    form = AliasForm()
    try:
        accounts.set_alias(
            services(),
            player_id=context.player_id(),
            alias=form.text("alias"),
            is_listed=bool(form.is_listed.data),
        )
    except LabError as error:
        status = form.refuse("alias", error)
        return _me_page(alias_form=form), status
    return _done("Saved. The leaderboard shows it at once.")


@bp.post("/me/password")
@player_required
def password() -> ResponseReturnValue:
    """Set or change the password."""
    form = PasswordForm()
    try:
        with limits.own_try():
            code = accounts.set_password(
                services(),
                player_id=context.player_id(),
                new=str(form.new.data or ""),
                proof=str(form.current.data or ""),
            )
    except LabError as error:
        field = "current" if error.code == "wrong_password" else "new"
        status = form.refuse(field, error)
        return _me_page(password_form=form), status
    shown = code or context.unread_code()
    context.sign_in(context.player_id(), code_seed=shown and shown.seed)
    return _done(
        "Your password is set. Other browsers have been signed out, and an API token "
        "you had has ended."
        + (" Your old recovery code has ended: here is a new one." if code else "")
    )


@bp.post("/me/class")
@player_required
def join_class() -> ResponseReturnValue:
    """Move to the class of a join code."""
    form = ClassForm()
    try:
        with limits.own_try():
            name = accounts.join_class(
                services(), player_id=context.player_id(), code=form.text("code")
            )
    except LabError as error:
        status = form.refuse("code", error)
        return _me_page(class_form=form), status
    return _done(f"You are now in “{name}”.")


@bp.post("/me/recovery-code")
@player_required
def recovery_code() -> ResponseReturnValue:
    """Replace the recovery code."""
    form = CodeForm()
    try:
        with limits.own_try():
            code = accounts.rotate_recovery_code(
                services(),
                player_id=context.player_id(),
                proof=str(form.current.data or ""),
            )
    except LabError as error:
        status = form.refuse("current", error)
        return _me_page(code_form=form), status
    context.sign_in(context.player_id(), code_seed=code.seed)
    return _done(
        "Here is your new code. Other browsers have been signed out, and an API token "
        "you had has ended."
    )


@bp.post("/me/recovery-code/kept")
@player_required
def recovery_code_kept() -> ResponseReturnValue:
    """Stop showing the recovery code: the player has it."""
    context.put_code_away()
    target = context.safe_next(request.form.get("next"), url_for("keep.keep_map"))
    return redirect(target, 303)


@bp.post("/me/token")
@player_required
def token() -> ResponseReturnValue:
    """Make an API token and show it, this once."""
    fresh = accounts.create_token(services(), player_id=context.player_id())
    return _me_page(token=fresh)


@bp.get("/me/export.json")
@player_required
def export() -> ResponseReturnValue:
    """Give the player all that is kept about them."""
    number = context.player_id()
    profile = accounts.profile(services(), player_id=number)
    attempts = notebook.export(services(), player_id=number)
    runs = keeping.export(services(), player_id=number)
    return Response(
        _written(profile, {"attempts": attempts, "runs": runs}),
        mimetype="application/json",
        headers={"Content-Disposition": "attachment; filename=wordkeep-me.json"},
    )


@bp.get("/me/progress.json")
@player_required
def progress_file() -> ResponseReturnValue:
    """Give the player their progress in lessons as a file to bring back later."""
    text = carrying.export(services(), player_id=context.player_id())
    return Response(
        text,
        mimetype="application/json",
        headers={"Content-Disposition": "attachment; filename=wordkeep-progress.json"},
    )


@bp.post("/me/progress")
@takes_files
@player_required
def bring_progress() -> ResponseReturnValue:
    """Take the progress of a file over."""
    file = request.files.get("file")
    try:
        if file is None or not file.filename:
            raise InvalidInput("Choose the file with your progress.")
        brought = carrying.bring_back(
            services(),
            player_id=context.player_id(),
            data=file.stream.read(carrying.MOST_BYTES + 1),
        )
    except InvalidInput as error:
        return _me_page(progress_problem=error), error.status
    return _done(brought.message)


@bp.post("/me/delete")
@player_required
def delete() -> ResponseReturnValue:
    """Delete the player and everything kept about them."""
    form = DeleteForm()
    if not form.is_sure.data:
        form.is_sure.errors = ["Tick the box first: deleting cannot be undone."]
        return _me_page(delete_form=form), 400
    accounts.delete_player(services(), player_id=context.player_id())
    context.sign_out()
    flash("Your player and everything you wrote have been deleted.", "success")
    return redirect(url_for("welcome.home"), 303)


def _written(
    profile: dict[str, Any], lists: Mapping[str, Iterable[Entry | KeptRun]]
) -> Iterator[str]:
    """Yield a profile and long lists as one JSON object, never all in memory."""
    yield json.dumps(profile, ensure_ascii=False, indent=1).removesuffix("\n}")
    for name, items in lists.items():
        yield f',\n "{name}": ['
        for number, item in enumerate(items):
            line = json.dumps(item.as_dict(), ensure_ascii=False)
            yield f"{',' if number else ''}\n  {line}"
        yield "\n ]"
    yield "\n}\n"


def _class_of(code: str) -> ClassInfo | None:
    """Return the class that a link leads to; None if it leads to none."""
    if not code.strip():
        return None
    try:
        with limits.code_try():
            return classes.by_code(services(), code=code)
    except InvalidInput:
        return None


def _next() -> str:
    return context.safe_next(request.values.get("next"), url_for("keep.keep_map"))


def _done(message: str) -> ResponseReturnValue:
    flash(message, "success")
    return redirect(url_for("people.me"), 303)


def _me_page(
    *,
    alias_form: AliasForm | None = None,
    password_form: PasswordForm | None = None,
    code_form: CodeForm | None = None,
    class_form: ClassForm | None = None,
    delete_form: DeleteForm | None = None,
    token: str | None = None,
    progress_problem: LabError | None = None,
) -> str:
    player = context.player()
    password_form = password_form or PasswordForm(formdata=None)
    code_form = code_form or CodeForm(formdata=None)
    if player and not player.has_password:
        password_form.current.label.text = "Your recovery code"
        code_form.current.label.text = "The code so far"
    # A form that was not sent is empty except for what is already stored.
    stored = {"alias": player.alias, "is_listed": player.is_listed} if player else {}
    return render_template(
        "people/me.html",
        alias_form=alias_form or AliasForm(formdata=None, data=stored),
        password_form=password_form,
        code_form=code_form,
        class_form=class_form or ClassForm(formdata=None),
        delete_form=delete_form or DeleteForm(formdata=None),
        action_form=ActionForm(formdata=None),
        token=token,
        progress_problem=progress_problem,
    )
