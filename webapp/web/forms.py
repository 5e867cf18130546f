"""What all forms share. They parse; the use cases decide what is right.

Each form lies beside the page that uses it.
"""

from __future__ import annotations

from flask_wtf import FlaskForm

from webapp.errors import LabError


class LabForm(FlaskForm):  # type: ignore[misc]
    """Parent of all forms: knows how to show the error of a use case."""

    def refuse(self, field: str, error: LabError) -> int:
        """Put an error at a field; return the HTTP status of the answer.

        A limit that is used up has a page of its own, with the time to wait.
        """
        if error.retry_after is not None:
            raise error
        self[field].errors = [*self[field].errors, error.message]
        return error.status

    def text(self, field: str) -> str:
        """Return what was typed into a field, without blanks at its ends."""
        return str(self[field].data or "").strip()


class ActionForm(LabForm):
    """A form with nothing but a button."""
