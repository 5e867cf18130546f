"""The tools bench: functions, the call that a model writes, a yes or a no, the answer.

Functions run in the browser alone: what comes here of them is their description, and
the result that somebody sends back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, jsonify, render_template, request, send_file
from flask import session as cookie
from flask.typing import ResponseReturnValue

from webapp.domain.lab import pyodide, tool_calls, weather
from webapp.domain.lab.tool_calls import Called, Reply, Said
from webapp.domain.lab.tool_starters import STARTERS, Starter, starter
from webapp.domain.lab.tools import read_tools
from webapp.errors import InvalidInput, LabError
from webapp.settings import PROJECT
from webapp.web import context, seats
from webapp.web.context import player_id, services
from webapp.web.guests import needs_player

bp = Blueprint("lab_tools", __name__, url_prefix="/lab/tools")

WORKER: Final = PROJECT / "webapp" / "static" / "js" / "lab-python.js"
KEPT_SECONDS: Final = 86_400
_SAID: Final[Mapping[str, Said]] = {"yes": "yes", "no": "no", "none": "none"}
_PAST: Final = "lab_weather"


@dataclass(frozen=True, slots=True)
class Page:
    """What is in the boxes of the bench, and what came of them so far."""

    starter: Starter
    code: str
    tools: str
    question: str
    has_none: bool = True
    is_held: bool = True
    is_told: bool = False
    temperature: str = "0"
    seed: str = "1"
    result: str = ""
    called: Called | None = None
    call_problem: str = ""
    answer: Reply | None = None
    answer_problem: str = ""


@bp.get("")
def bench() -> ResponseReturnValue:
    """Show the bench to anybody, with functions to begin with; nothing is asked."""
    chosen = starter(request.args.get("starter", ""))
    page = Page(chosen, chosen.code, chosen.tools_text, chosen.questions[0])
    return _whole(page)


@bp.post("/call")
@needs_player
def call() -> ResponseReturnValue:
    """Ask the model which tool to call."""
    called, problem, status = None, "", 200
    try:
        wanted = _wanted(request.form)
        with seats.seat():
            called = tool_calls.ask_for_call(
                services(), player_id=player_id(), wanted=wanted
            )
    except LabError as error:
        problem, status = error.message, error.status
    page = _typed(request.form, called=called, call_problem=problem)
    if context.is_partial():
        return render_template("lab/_tool_call.html", page=page), status
    return _whole(page), status


@bp.post("/answer")
@needs_player
def answer() -> ResponseReturnValue:
    """Give the model the result of a call, or a no, and ask for its answer."""
    reply, problem, status = None, "", 200
    said = _SAID.get(request.form.get("said", ""), "yes")
    try:
        question = tool_calls.read_question(request.form.get("question", ""))
        result = ""
        if said == "yes":
            result = tool_calls.read_result(request.form.get("result", ""))
        with seats.seat():
            reply = tool_calls.ask_for_answer(
                services(),
                player_id=player_id(),
                question=question,
                result=result,
                said=said,
            )
    except LabError as error:
        problem, status = error.message, error.status
    page = _typed(request.form, answer=reply, answer_problem=problem)
    if context.is_partial():
        return render_template("lab/_tool_answer.html", page=page), status
    return _whole(page), status


@bp.post("/python")
@needs_player
def fetch_python() -> ResponseReturnValue:
    """Get Python for the browser onto this site, once for all."""
    problem, status = "", 200
    try:
        with seats.seat():
            pyodide.fetch(services().settings)
    except LabError as error:
        problem, status = error.message, error.status
    if context.is_partial():
        part = render_template(
            "lab/_tool_python.html", has_python=_has_python(), python_problem=problem
        )
        return part, status
    page = _typed(request.form)
    return _whole(page, python_problem=problem), status


@bp.get("/python/<file>")
def python_file(file: str) -> ResponseReturnValue:
    """Send a file of it; its worker may reach these files and no others."""
    if file == "worker.js":
        response = send_file(WORKER, mimetype="text/javascript", max_age=0)
        response.headers["Content-Security-Policy"] = _worker_policy()
        return response
    path = pyodide.file(services().settings, file)
    return send_file(path, mimetype=pyodide.TYPES[file], max_age=KEPT_SECONDS)


@bp.get("/weather")
def pretend_weather() -> ResponseReturnValue:
    """Answer as a service that is often too busy; the cookie counts the calls."""
    player = context.player()
    calls, until = cookie.get(_PAST, (0, 0.0))
    report = weather.ask(
        city=request.args.get("city", ""),
        seed=player.id if player else 0,
        past=weather.Past(calls, until),
        now=services().now(),
    )
    cookie[_PAST] = (report.past.calls, report.past.busy_until)
    response = jsonify(report.body)
    response.status_code = report.status
    if report.retry_after is not None:
        response.headers["Retry-After"] = str(report.retry_after)
    return response


def _worker_policy() -> str:
    """Return what the worker may load: Python's own files, from this folder."""
    folder = f"{request.host_url.rstrip('/')}{request.script_root}/lab/tools/python/"
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {folder} 'wasm-unsafe-eval'",
            f"connect-src {folder}",
        )
    )


def _wanted(form: Mapping[str, str]) -> tool_calls.Wanted:
    return tool_calls.Wanted(
        question=tool_calls.read_question(form.get("question", "")),
        tools=read_tools(form.get("tools", "")),
        has_none=bool(form.get("has_none")),
        is_held=bool(form.get("is_held")),
        is_told=bool(form.get("is_told")),
        temperature=_number(form, "temperature", 2),
        seed=int(_number(form, "seed", 2**31 - 1)),
    )


def _number(form: Mapping[str, str], name: str, most: int) -> float:
    text = form.get(name, "").strip().replace(",", ".") or "0"
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= most:
        raise InvalidInput(f"The {name} must be a number from 0 to {most:,}.")
    return number


def _typed(form: Mapping[str, str], **more: Any) -> Page:
    """Return the page with what stood in its boxes."""
    chosen = starter(form.get("starter", ""))
    return Page(
        starter=chosen,
        code=form.get("code", chosen.code),
        tools=form.get("tools", chosen.tools_text),
        question=form.get("question", ""),
        has_none=bool(form.get("has_none")),
        is_held=bool(form.get("is_held")),
        is_told=bool(form.get("is_told")),
        temperature=form.get("temperature", "0"),
        seed=form.get("seed", "1"),
        result=form.get("result", ""),
        **more,
    )


def _whole(page: Page, *, python_problem: str = "") -> str:
    return render_template(
        "lab/tools.html",
        page=page,
        starters=STARTERS,
        has_python=_has_python(),
        python_problem=python_problem,
    )


def _has_python() -> bool:
    return pyodide.is_there(services().settings)
