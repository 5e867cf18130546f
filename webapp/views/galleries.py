"""The galleries of a class, that of each gate, votes, and pictures to share."""

from __future__ import annotations

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

from webapp.domain.people.roster import actor_of
from webapp.domain.play import gallery as gates
from webapp.domain.play import keep
from webapp.domain.teach import galleries
from webapp.domain.teach.galleries import OpenGallery, Place
from webapp.errors import Conflict, InvalidInput
from webapp.text.wrapping import wrapped
from webapp.web import context
from webapp.web.context import (
    instructor,
    instructor_required,
    player_id,
    player_required,
    services,
)

bp = Blueprint("galleries", __name__, url_prefix="/gallery")

# What fits on a picture: characters in a line, and lines of a prompt and of a reply.
COLUMNS, PROMPT_LINES, REPLY_LINES = 54, 6, 4


@bp.get("")
@player_required
def index() -> ResponseReturnValue:
    """List the galleries that are open to the player, or for an instructor to see."""
    viewer = context.player()
    if viewer is not None and viewer.is_instructor:
        found = galleries.open_to_staff(services(), actor=actor_of(viewer))
    else:
        found = galleries.open_to_player(services(), player_id=player_id())
    return render_template(
        "gallery/index.html",
        galleries=[(one, _url(one)) for one in found],
    )


@bp.get("/gates/<level_id>")
@player_required
def gate(level_id: str) -> ResponseReturnValue:
    """Show what was handed in at a gate; an instructor sees hidden pieces as well."""
    return _gate(level_id)


@bp.post("/gates/<level_id>")
@player_required
def hand_in(level_id: str) -> ResponseReturnValue:
    """Hand in a message of one's own to the warden of a gate."""
    try:
        place = gates.hand_in(
            services(),
            player_id=player_id(),
            attempt_id=request.form.get("attempt", 0, type=int),
            note=request.form.get("note", ""),
        )
    except (Conflict, InvalidInput) as error:
        return _gate(level_id, problem=error.message), error.status
    return redirect(url_for("galleries.gate", level_id=place), 303)


@bp.post("/gates/<level_id>/take-back")
@player_required
def take_back(level_id: str) -> ResponseReturnValue:
    """Take one's own piece out again."""
    gates.take_back(services(), player_id=player_id(), level_id=level_id)
    return redirect(url_for("galleries.gate", level_id=level_id), 303)


@bp.post("/pieces/<int:piece_id>/vote")
@player_required
def vote(piece_id: int) -> ResponseReturnValue:
    """Vote for a piece, or take the vote back."""
    place = galleries.vote(
        services(),
        player_id=player_id(),
        piece_id=piece_id,
        is_liked=bool(request.form.get("liked")),
    )
    return _back(place, piece_id)


@bp.post("/pieces/<int:piece_id>/hide")
@instructor_required
def hide(piece_id: int) -> ResponseReturnValue:
    """Hide a piece from the class, or show it again."""
    is_hidden = bool(request.form.get("hidden"))
    place = galleries.hide(
        services(),
        actor=actor_of(instructor()),
        piece_id=piece_id,
        is_hidden=is_hidden,
    )
    shown = "Your class no longer sees this piece." if is_hidden else "It is back."
    flash(shown, "success")
    return _back(place, piece_id)


@bp.get("/picture")
@player_required
def picture() -> ResponseReturnValue:
    """Show a picture to save and share: of a piece, or of what one has reached."""
    piece_id = request.args.get("piece", type=int)
    has_name = bool(request.args.get("name"))
    name = 1 if has_name else None
    if piece_id is None:
        address = url_for("galleries.result_picture", name=name)
    else:
        # It says at once if there is no such piece of one's own.
        galleries.piece_picture(services(), player_id=player_id(), piece_id=piece_id)
        address = url_for("galleries.piece_picture", piece_id=piece_id, name=name)
    return render_template(
        "gallery/picture.html", address=address, piece_id=piece_id, has_name=has_name
    )


@bp.get("/pieces/<int:piece_id>/picture.svg")
@player_required
def piece_picture(piece_id: int) -> ResponseReturnValue:
    """Draw a piece of one's own."""
    shown = galleries.piece_picture(
        services(),
        player_id=player_id(),
        piece_id=piece_id,
        has_name=bool(request.args.get("name")),
    )
    return _svg(
        "gallery/piece.svg",
        shown=shown,
        wrote=wrapped(shown.wrote, columns=COLUMNS, lines=PROMPT_LINES),
        came=wrapped(shown.came, columns=COLUMNS, lines=REPLY_LINES),
    )


@bp.get("/result.svg")
@player_required
def result_picture() -> ResponseReturnValue:
    """Draw what the player has reached."""
    has_name = bool(request.args.get("name"))
    shown = galleries.result_picture(
        services(), player_id=player_id(), has_name=has_name
    )
    return _svg("gallery/result.svg", shown=shown)


def _gate(level_id: str, problem: str | None = None) -> str:
    viewer = context.player()
    if viewer is not None and viewer.is_instructor:
        found = gates.taught_gallery(
            services(), actor=actor_of(viewer), level_id=level_id
        )
    else:
        found = gates.class_gallery(
            services(), player_id=player_id(), level_id=level_id
        )
    cards = keep.level_states(services(), player_id=player_id())
    card = next(one for one in cards if one.id == level_id)
    choices: tuple[gates.Choice, ...] = ()
    if card.state == "solved":
        choices = gates.choices(services(), player_id=player_id(), level_id=level_id)
    return render_template(
        "gallery/gate.html",
        card=card,
        pieces=found,
        choices=choices,
        chosen=request.values.get("attempt", type=int),
        has_own=any(one.piece.is_own for one in found),
        problem=problem,
    )


def _url(place: OpenGallery | Place) -> str:
    if not place.panel:
        return url_for("galleries.gate", level_id=place.thing)
    track, _, slug = place.thing.partition("/")
    return url_for("gallery.pieces", track=track, slug=slug, panel=place.panel)


def _back(place: Place, piece_id: int) -> ResponseReturnValue:
    return redirect(f"{_url(place)}#piece-{piece_id}", 303)


def _svg(template: str, **values: object) -> Response:
    return Response(render_template(template, **values), mimetype="image/svg+xml")
