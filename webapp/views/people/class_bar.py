"""The bar that a class sees below the header, for pages that are open already."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from webapp.domain.people import class_bar
from webapp.web import context
from webapp.web.context import services

bp = Blueprint("class_bar", __name__)


@bp.get("/class/now")
def now() -> ResponseReturnValue:
    """Show the bar as it is now; 304 if the page has it so, 204 without a class."""
    bar = class_bar.class_bar(services(), context.player())
    if bar is None:
        return Response(status=204)
    response = make_response(render_template("_class_now.html", bar=bar))
    response.set_etag(bar.version)
    response.headers["Cache-Control"] = "private, no-cache"
    return response.make_conditional(request)
