"""The forms of the site. They parse; the use cases decide what is right."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    PasswordField,
    SearchField,
    StringField,
    TextAreaField,
)

from webapp.errors import LabError

NICKNAME_HINT = "What others see. 2 to 24 characters; no need for your real name."
CODE_HINT = "From your instructor. Leave it empty to play on your own."


class LabForm(FlaskForm):  # type: ignore[misc]
    """Parent of all forms: knows how to show the error of a use case."""

    def refuse(self, field: str, error: LabError) -> int:
        """Put an error at a field; return the HTTP status of the answer."""
        self[field].errors = [*self[field].errors, error.message]
        return error.status

    def text(self, field: str) -> str:
        """Return what was typed into a field, without the ends' blanks."""
        return str(self[field].data or "").strip()


class ActionForm(LabForm):
    """A form with nothing but a button."""


class PlayForm(LabForm):
    """Start at once; the message is the first thing said to the warden."""

    name = StringField("Nickname, if you like")
    message = StringField("Say something to the warden")


class JoinForm(LabForm):
    """Join under a nickname, in a class if there is a code."""

    name = StringField("Nickname", description=NICKNAME_HINT)
    class_code = StringField("Class code (optional)", description=CODE_HINT)


class LoginForm(LabForm):
    """Come back with a password."""

    name = StringField("Nickname")
    password = PasswordField("Password")
    class_code = StringField(
        "Class code (optional)", description="Only if another class has your name too."
    )


class RecoverForm(LabForm):
    """Come back with a recovery code."""

    code = StringField(
        "Recovery code", description="16 letters and digits, as in BCDF-2345-GHJK-6789."
    )


class AliasForm(LabForm):
    """How the leaderboard names the player, if at all."""

    alias = StringField(
        "Name on the leaderboard", description="Empty: your nickname is shown."
    )
    is_listed = BooleanField("Show me on the leaderboard")


class PasswordForm(LabForm):
    """Set or change a password."""

    current = PasswordField("Present password")
    new = PasswordField(
        "New password",
        description="At least 8 characters. All other browsers sign out.",
    )


class ClassForm(LabForm):
    """Move to a class."""

    code = StringField("Class code", description="Your progress comes with you.")


class DeleteForm(LabForm):
    """Delete everything, after saying so twice."""

    is_sure = BooleanField("Yes, delete my player and all I wrote. There is no undo.")


class MessageForm(LabForm):
    """A message to the warden."""

    message = TextAreaField("Your message to the warden")


class GuessForm(LabForm):
    """A guess at the password."""

    guess = StringField("Your guess")


class NoteForm(LabForm):
    """A note on an attempt."""

    note = TextAreaField("My note")


class SearchForm(LabForm):
    """What to look for in the notebook. It changes nothing, so it needs no token."""

    class Meta:
        csrf = False

    q = SearchField("Search")
