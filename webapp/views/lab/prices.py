"""What tokens cost: a table for instructors to write."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.domain.lab import prices as table
from webapp.errors import InvalidInput
from webapp.web.context import instructor_required, services

bp = Blueprint("prices", __name__, url_prefix="/teach/prices")

# Empty lines at the end, to write more into.
SPARE = 3


@bp.get("")
@instructor_required
def prices() -> ResponseReturnValue:
    """Show the table with room for more."""
    found = table.prices(services())
    lines = [(one.pattern, f"{one.read}", f"{one.written}") for one in found.lines]
    return _page(found.currency, lines)


@bp.post("")
@instructor_required
def save() -> ResponseReturnValue:
    """Keep the table."""
    currency = request.form.get("currency", "")
    columns = (request.form.getlist(name) for name in ("pattern", "read", "written"))
    lines = list(zip(*columns, strict=False))
    try:
        table.set_prices(services(), currency=currency, lines=lines)
    except InvalidInput as error:
        return _page(currency, lines, problem=error.message), error.status
    flash("The prices are saved.", "success")
    return redirect(url_for("prices.prices"), 303)


def _page(currency: str, lines: Sequence[Sequence[str]], *, problem: str = "") -> str:
    written = [line for line in lines if any(part.strip() for part in line)]
    room = min(SPARE, table.MOST_LINES - len(written))
    return render_template(
        "lab/prices.html",
        currency=currency,
        lines=[*written, *[("", "", "")] * max(0, room)],
        problem=problem,
    )
