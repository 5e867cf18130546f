"""A call of the API: one function whose signature says what it takes and gives.

Its annotations are read once, at start, and serve three purposes: the request is
checked against them, the answer is written by them, and the OpenAPI document is made
from them. So the three cannot disagree.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from types import UnionType
from typing import Any, Final, get_args, get_origin

from flask import Blueprint, Response, request
from pydantic import TypeAdapter

from webapp.api.records import Given
from webapp.api.requests import read_body, read_query
from webapp.domain.people.accounts import PlayerInfo
from webapp.web.context import caller

View = Callable[..., Any]
# What any request may be answered with, whatever it asks for.
ALWAYS: Final = frozenset({400, 421, 431, 500, 503})


@dataclass(frozen=True, slots=True)
class Operation:
    """One call, as its view declares it."""

    method: str
    rule: str
    name: str
    summary: str
    description: str
    status: int
    body: type[Given] | None
    query: type[Given] | None
    answer: TypeAdapter[Any]
    needs_token: bool
    problems: tuple[int, ...]
    streams: bool

    def respond(self, value: object, status: int | None = None) -> Response:
        """Return an answer as JSON."""
        body = self.answer.dump_json(value, by_alias=True)
        return Response(body, status or self.status, mimetype="application/json")


def unless_known(response: Response) -> Response:
    """Return an answer, or 304 without a body to a caller who has it already.

    `If-Match` is meant for changes, and no call takes it.
    """
    response.add_etag()
    asked = dict(request.environ)
    asked.pop("HTTP_IF_MATCH", None)
    response.make_conditional(asked)
    return response


class Api:
    """A blueprint of calls."""

    def __init__(self, name: str) -> None:
        self.blueprint = Blueprint(f"api_{name}", __name__)
        self.operations: list[Operation] = []

    def get(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Return a decorator for a call that reads."""
        return self._call("GET", rule, **options)

    def post(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Return a decorator for a call that changes something."""
        return self._call("POST", rule, **options)

    def _call(
        self,
        method: str,
        rule: str,
        *,
        status: int = 200,
        problems: tuple[int, ...] = (),
        streams: bool = False,
    ) -> Callable[[View], View]:
        """`problems` are statuses that the view's own rules add to the usual ones."""

        def add(view: View) -> View:
            operation = _read(
                method, rule, view, status=status, problems=problems, streams=streams
            )
            self.operations.append(operation)
            self.blueprint.add_url_rule(
                rule, view.__name__, _handler(view, operation), methods=[method]
            )
            return view

        return add


def _handler(view: View, operation: Operation) -> View:
    @wraps(view)
    def handle(**path: Any) -> Response:
        given = dict(path)
        if operation.needs_token:
            given["player"] = caller()
        if operation.query is not None:
            given["query"] = read_query(operation.query)
        if operation.body is not None:
            given["body"] = read_body(operation.body)
        answer = view(**given)
        return answer if isinstance(answer, Response) else operation.respond(answer)

    return handle


def _read(
    method: str,
    rule: str,
    view: View,
    *,
    status: int,
    problems: tuple[int, ...],
    streams: bool,
) -> Operation:
    hints = typing.get_type_hints(inspect.unwrap(view))
    summary, _, description = (inspect.getdoc(view) or "").partition("\n")
    body, query = hints.get("body"), hints.get("query")
    needs_token = hints.get("player") is PlayerInfo
    usual = set(ALWAYS)
    usual |= {401} if needs_token else set()
    usual |= {413, 415} if body else set()
    usual |= {403, 404} if "<level_id>" in rule else set()
    return Operation(
        method=method,
        rule=rule,
        name=view.__name__,
        summary=summary.rstrip("."),
        description=" ".join(description.split()),
        status=status,
        body=body,
        query=query,
        answer=TypeAdapter(_plain_answer(hints["return"])),
        needs_token=needs_token,
        problems=tuple(sorted(usual | set(problems))),
        streams=streams,
    )


def _plain_answer(hint: Any) -> Any:
    """Return what a view gives apart from a ready response."""
    if get_origin(hint) in (UnionType, typing.Union):
        return next(part for part in get_args(hint) if part is not Response)
    return hint
