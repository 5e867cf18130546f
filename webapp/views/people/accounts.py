"""Joining, signing in, coming back; and everything about your own player."""

from __future__ import annotations

import json

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import logout_user

from webapp.domain.people import accounts, joining
from webapp.domain.play import notebook
from webapp.errors import LabError
from webapp.views.people.forms import (
    AliasForm,
    ClassForm,
    DeleteForm,
    JoinForm,
    LoginForm,
    PasswordForm,
    RecoverForm,
)
from webapp.web import context
from webapp.web.context import player_required, services
from webapp.web.forms import ActionForm
from webapp.web.limits import limiter, sign_up_limit
from webapp.web.protection import account, sign_ins
from webapp.web.seals import form_mark

bp = Blueprint("people", __name__)

TOO_MANY_TRIES = "Too many sign-ins from this network. Wait a little."
TOO_MANY_NAMED = "Too many sign-ins under this name. Wait a little."


@bp.get("/join")
def join() -> ResponseReturnValue:
    """Show the ways in."""
    return render_template("people/join.html", form=JoinForm(), next=_next())


@bp.post("/join")
@sign_up_limit
def join_now() -> ResponseReturnValue:
    """Join under a nickname."""
    form = JoinForm()
    try:
        newcomer = joining.join(
            services(),
            form=form_mark(),
            name=form.text("name"),
            class_code=form.text("class_code"),
        )
    except LabError as error:
        field = "class_code" if error.code == "join_code" else "name"
        status = form.refuse(field, error)
        return render_template("people/join.html", form=form, next=_next()), status
    session.clear()
    context.sign_in(newcomer.player_id)
    session["recovery_code"] = newcomer.recovery_code
    return redirect(_next(), 303)


@bp.get("/login")
def login() -> ResponseReturnValue:
    """Show the sign-in form."""
    return render_template("people/login.html", form=LoginForm(), next=_next())


@bp.post("/login")
@limiter.limit(sign_ins, error_message=TOO_MANY_TRIES)
@limiter.limit(sign_ins, key_func=account, error_message=TOO_MANY_NAMED)
def login_now() -> ResponseReturnValue:
    """Sign in with a password."""
    form = LoginForm()
    try:
        player_id = accounts.sign_in(
            services(),
            name=form.text("name"),
            password=str(form.password.data or ""),
            class_code=form.text("class_code"),
        )
    except LabError as error:
        status = form.refuse("password", error)
        return render_template("people/login.html", form=form, next=_next()), status
    session.clear()
    context.sign_in(player_id)
    return redirect(_next(), 303)


@bp.get("/recover")
def recover() -> ResponseReturnValue:
    """Show the form for a recovery code."""
    return render_template("people/recover.html", form=RecoverForm(), next=_next())


@bp.post("/recover")
@limiter.limit(sign_ins, error_message=TOO_MANY_TRIES)
def recover_now() -> ResponseReturnValue:
    """Come back with a recovery code."""
    form = RecoverForm()
    try:
        player_id = accounts.recover(services(), code=form.text("code"))
    except LabError as error:
        status = form.refuse("code", error)
        return render_template("people/recover.html", form=form, next=_next()), status
    session.clear()
    context.sign_in(player_id)
    return redirect(_next(), 303)


@bp.post("/logout")
def logout() -> ResponseReturnValue:
    """Sign out."""
    logout_user()
    session.clear()
    flash("You are signed out.", "info")
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
@limiter.limit(sign_ins, error_message=TOO_MANY_TRIES)
def password() -> ResponseReturnValue:
    """Set or change the password."""
    form = PasswordForm()
    try:
        accounts.set_password(
            services(),
            player_id=context.player_id(),
            new=str(form.new.data or ""),
            current=str(form.current.data or "") or None,
        )
    except LabError as error:
        field = "current" if error.code == "wrong_password" else "new"
        status = form.refuse(field, error)
        return _me_page(password_form=form), status
    context.sign_in(context.player_id())
    return _done("Your password is set. Other browsers have been signed out.")


@bp.post("/me/class")
@player_required
@limiter.limit(sign_ins, error_message=TOO_MANY_TRIES)
def join_class() -> ResponseReturnValue:
    """Move to the class of a join code."""
    form = ClassForm()
    try:
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
    session["recovery_code"] = accounts.rotate_recovery_code(
        services(), player_id=context.player_id()
    )
    return redirect(url_for("people.me"), 303)


@bp.post("/me/recovery-code/kept")
@player_required
def recovery_code_kept() -> ResponseReturnValue:
    """Stop showing the recovery code: the player has it."""
    session.pop("recovery_code", None)
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
    lines = notebook.export_jsonl(services(), player_id=number)
    kept = {
        **accounts.profile(services(), player_id=number),
        "attempts": [json.loads(line) for line in lines],
    }
    return Response(
        json.dumps(kept, ensure_ascii=False, indent=1),
        mimetype="application/json",
        headers={"Content-Disposition": "attachment; filename=wordkeep-me.json"},
    )


@bp.post("/me/delete")
@player_required
def delete() -> ResponseReturnValue:
    """Delete the player and everything kept about them."""
    form = DeleteForm()
    if not form.is_sure.data:
        form.is_sure.errors = ["Tick the box first: deleting cannot be undone."]
        return _me_page(delete_form=form), 400
    accounts.delete_player(services(), player_id=context.player_id())
    logout_user()
    session.clear()
    flash("Your player and everything you wrote have been deleted.", "success")
    return redirect(url_for("welcome.home"), 303)


def _next() -> str:
    return context.safe_next(request.values.get("next"), url_for("keep.keep_map"))


def _done(message: str) -> ResponseReturnValue:
    flash(message, "success")
    return redirect(url_for("people.me"), 303)


def _me_page(
    *,
    alias_form: AliasForm | None = None,
    password_form: PasswordForm | None = None,
    class_form: ClassForm | None = None,
    delete_form: DeleteForm | None = None,
    token: str | None = None,
) -> str:
    player = context.player()
    # A form that was not sent is empty except for what is already stored.
    stored = {"alias": player.alias, "is_listed": player.is_listed} if player else {}
    return render_template(
        "people/me.html",
        alias_form=alias_form or AliasForm(formdata=None, data=stored),
        password_form=password_form or PasswordForm(formdata=None),
        class_form=class_form or ClassForm(formdata=None),
        delete_form=delete_form or DeleteForm(formdata=None),
        action_form=ActionForm(formdata=None),
        token=token,
    )
