"""The forms of the pages about people."""

from __future__ import annotations

from typing import Final

from wtforms import BooleanField, PasswordField, StringField

from webapp.web.forms import LabForm

NICKNAME_HINT = "What others see. 2 to 24 characters; no need for your real name."
CODE_HINT = "From your instructor. Leave it empty to play on your own."

# The errors that belong to the field with the class code.
CODE_FAULTS: Final = frozenset({"join_code", "join_closed"})


class JoinForm(LabForm):
    """Join under a nickname, in a class if there is a code."""

    name = StringField("Nickname", description=NICKNAME_HINT)
    class_code = StringField("Class code (optional)", description=CODE_HINT)


class LoginForm(LabForm):
    """Come back with a password."""

    name = StringField("Nickname")
    password = PasswordField("Password")
    class_code = StringField(
        "Class code (optional)",
        description="Only if another class has your nickname too.",
    )


class RecoverForm(LabForm):
    """Come back with a recovery code."""

    code = StringField(
        "Recovery code",
        description="16 letters and digits, such as BCDF-2345-GHJK-6789.",
    )
    new = PasswordField(
        "New password (optional)",
        description="If somebody else may know your password, choose a new one here.",
    )


class AliasForm(LabForm):
    """How the leaderboard names the player, if at all."""

    alias = StringField(
        "Name on the leaderboard", description="Leave it empty to show your nickname."
    )
    is_listed = BooleanField("Show me on the leaderboard")


class PasswordForm(LabForm):
    """Set or change a password."""

    current = PasswordField("Current password, or your recovery code")
    new = PasswordField(
        "New password",
        description="At least 8 characters. Your other browsers are signed out.",
    )


class CodeForm(LabForm):
    """Ask for a new recovery code."""

    current = PasswordField(
        "Your password, or the code so far",
        description="So that nobody else can do this in your browser.",
    )


class ClassForm(LabForm):
    """Move to a class."""

    code = StringField("Class code", description="Your progress comes with you.")


class DeleteForm(LabForm):
    """Delete everything, after saying so twice."""

    is_sure = BooleanField(
        "Yes, delete my player and all I wrote. This cannot be undone."
    )
