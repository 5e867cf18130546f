"""The playground: talk to models, and see and change all that they are sent."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.domain.generations.events import Event, Start
from webapp.domain.lab import asking, chats, playground, sent
from webapp.domain.lab.bench import Bench
from webapp.domain.lab.models import models_for
from webapp.domain.lab.playground import Asked, Settled
from webapp.domain.lab.prices import prices
from webapp.domain.lab.starters import Starter, starter
from webapp.errors import BackendError, Forbidden, InvalidInput, LabError, NotFound
from webapp.llm.gateway import Rendered
from webapp.views.lab import fields
from webapp.views.lab.shown import BenchPage, codes, shown_replies
from webapp.web import context, seats, sse
from webapp.web.context import player_id, player_required, services
from webapp.web.faults import stream_fault
from webapp.web.guests import needs_player

bp = Blueprint("playground", __name__, url_prefix="/lab/playground")


@bp.get("")
def bench() -> ResponseReturnValue:
    """Show the playground; nothing is asked of a model for that.

    `?chat=` opens a conversation of one's own, `?shared=` one behind a link, `?start=`
    a way to begin. Each only fills the page.
    """
    chat = request.args.get("chat", type=int)
    key = request.args.get("shared", "")
    player = context.player()
    if (key or chat is not None) and player is None:
        target = request.script_root + request.full_path
        return redirect(url_for("people.join", next=target), 303)
    if key and player is not None:
        kept = chats.shared(services(), player_id=player.id, key=key)
        return _page(kept.bench, title=kept.line.title)
    if chat is not None and player is not None:
        kept = chats.find(services(), player_id=player.id, chat_id=chat)
        return _page(kept.bench, title=kept.line.title)
    begun = starter(request.args.get("start", ""))
    fresh = begun.bench if begun else Bench()
    return _page(replace(fresh, seed=str(services().seed())), starter=begun)


@bp.post("/edit")
def edit() -> ResponseReturnValue:
    """Change the page by one of its buttons; no model is asked."""
    found = fields.bench_of(request.form)
    what, _, place = request.form.get("do", "").partition(".")
    try:
        if what == "took":
            return _settled(_took(found, place))
        if what == "keep":
            (run_id,) = fields.numbers([place]) or (0,)
            return _settled(_go_on(found, run_id))
        if what == "render":
            return _page(found, rendered=_template(found))
        if what == "raw":
            return _page(
                playground.as_raw_text(services(), player_id=_seen_by(), bench=found)
            )
    except (InvalidInput, BackendError) as error:
        return _page(found, problem=error.message), error.status
    return _page(fields.edited(found, what, place))


@bp.post("/replies")
@needs_player
def replies() -> ResponseReturnValue:
    """Ask the models: one pane as a stream if that is asked for, else all, and back."""
    found = fields.bench_of(request.form)
    do = request.form.get("do", "send")
    ids: list[int] = []
    try:
        _save_instructions(found)
        asked = playground.prepare(
            services(), player_id=player_id(), bench=found, do=do
        )
        if sse.is_wanted():
            return sse.answer(_going(asked, request.form.get("pane", 1, type=int)))
        for pane in range(1, len(asked.requests) + 1):
            ids.append(_to_end(asked, pane))
    except LabError as error:
        if sse.is_wanted():
            return stream_fault(error)
        if isinstance(error, Forbidden | NotFound):
            raise
        wait = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
        kept = replace(found, runs=tuple(ids))
        return _page(kept, problem=error.message), error.status, wait
    return _settled(
        playground.settle(
            services(), player_id=player_id(), bench=found, do=do, runs=ids
        )
    )


@bp.post("/replies/<int:run_id>/stop")
@player_required
def stop(run_id: int) -> ResponseReturnValue:
    """Let the model stop; the stream of the reply tells when that is done."""
    asking.stop(services(), player_id=player_id(), run_id=run_id)
    return "", 204


@bp.post("/instructions")
@needs_player
def instructions() -> ResponseReturnValue:
    """Keep what the player wants models to know, and switch it on."""
    found = fields.bench_of(request.form)
    text = request.form.get("instructions", "")
    try:
        chats.set_instructions(services(), player_id=player_id(), text=text)
    except InvalidInput as error:
        return _page(found, problem=error.message, instructions=text), error.status
    return _page(replace(found, with_instructions=bool(text.strip())))


def _save_instructions(found: Bench) -> None:
    """Keep what stands in the box before it is sent: it may be new, or a starter's."""
    text = request.form.get("instructions", "")
    if found.with_instructions and text.strip():
        chats.set_instructions(services(), player_id=player_id(), text=text)


def _going(asked: Asked, pane: int) -> Generator[Event]:
    # The reader may leave; the reply goes on, and keeps its seat until it ends.
    return seats.handed_on(
        lambda give_back: asking.keep_going(
            services(),
            playground.ask(services(), player_id=player_id(), asked=asked, pane=pane),
            at_end=give_back,
        )
    )


def _to_end(asked: Asked, pane: int) -> int:
    with seats.seat():
        run = playground.ask(services(), player_id=player_id(), asked=asked, pane=pane)
        with closing(run):
            return next(event.id for event in list(run) if isinstance(event, Start))


def _took(found: Bench, do: str) -> Settled:
    if context.player() is None:
        return Settled(found)
    return playground.settle(
        services(), player_id=player_id(), bench=found, do=do, runs=found.runs
    )


def _go_on(found: Bench, run_id: int) -> Settled:
    if context.player() is None:
        return Settled(found)
    return playground.go_on_with(
        services(), player_id=player_id(), bench=found, run_id=run_id
    )


def _settled(settled: Settled) -> ResponseReturnValue:
    """Show the bench at its own address, where it can be opened again."""
    kept = settled.bench
    if context.is_partial() or kept.chat is None or not kept.runs or settled.note:
        return _page(kept, note=settled.note)
    return redirect(url_for("playground.bench", chat=kept.chat), 303)


def _seen_by() -> int | None:
    player = context.player()
    return player.id if player else None


def _template(found: Bench) -> Rendered:
    return playground.rendered(services(), player_id=_seen_by(), bench=found)


def _page(
    found: Bench,
    *,
    starter: Starter | None = None,
    instructions: str | None = None,
    **more: Any,
) -> str:
    seen_by = _seen_by()
    models = models_for(services(), player_id=seen_by)
    filled = _with_models(found, [model.name for model in models])
    table = prices(services())
    own = chats.instructions(services(), player_id=seen_by)
    offered = own or (starter.instructions if starter else "")
    page = BenchPage(
        bench=filled,
        models=models,
        replies=shown_replies(_replies(found), models, table),
        lists=sent.lists(filled, own),
        codes=codes(filled, own, url_for("api_lab.chat", _external=True)),
        instructions=offered if instructions is None else instructions,
        address=url_for("playground.bench", chat=found.chat),
        starter=starter,
        has_prices=bool(table.lines),
        **more,
    )
    part = "lab/_bench.html" if context.is_partial() else "lab/playground.html"
    return render_template(part, page=page)


def _replies(found: Bench) -> tuple[asking.Reply, ...]:
    seen_by = _seen_by()
    if seen_by is None:
        return ()
    return playground.known_replies(services(), player_id=seen_by, runs=found.runs)


def _with_models(found: Bench, names: list[str]) -> Bench:
    """Let panes without a model, or with one that is gone, have the usual one."""
    usual = names[0] if names else ""
    panes = (
        pane if pane.model in names else replace(pane, model=usual)
        for pane in found.panes
    )
    return replace(found, panes=tuple(panes))
