"""What was typed into the playground, from the fields of its form."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from werkzeug.datastructures import MultiDict

from webapp.domain.lab.bench import (
    MOST_PANES,
    Bench,
    Pane,
    Turn,
    mode_from,
    role_from,
    system_from,
)

Form = MultiDict[str, str]
# One more than a bench may hold, so that it can say that these are too many.
_MOST_TURNS = 200


def bench_of(form: Form) -> Bench:
    """Return the bench of a form; what it may hold is for the bench to say."""
    turns = zip(form.getlist("role"), form.getlist("said"), strict=False)
    return Bench(
        mode=mode_from(form.get("mode", "")),
        system=system_from(form.get("system", "")),
        system_text=_lines(form.get("system_text", "")),
        with_instructions="with_instructions" in form,
        is_brief="is_brief" in form,
        turns=tuple(
            Turn(role_from(role), _lines(said))
            for role, said in islice(turns, _MOST_TURNS)
        ),
        message=_lines(form.get("message", "")),
        text=_lines(form.get("text", "")),
        before=_lines(form.get("before", "")),
        with_marks="with_marks" in form,
        panes=_panes(form) or (Pane(),),
        max_tokens=form.get("max_tokens", ""),
        stop=_lines(form.get("stop", "")),
        seed=form.get("seed", ""),
        runs=numbers(form.getlist("run")),
        chat=form.get("chat", type=int),
    )


def edited(bench: Bench, what: str, place: str) -> Bench:
    """Return a bench after a button: a message more or less, a pane more or less.

    What is not known changes nothing.
    """
    n = int(place) if place.isascii() and place.isdecimal() and len(place) < 4 else 0
    match what:
        case "mode":
            return replace(bench, mode=mode_from(place), runs=())
        case "add":
            turn = Turn(role_from(place), "")
            return replace(bench, turns=(*bench.turns, turn), runs=())
        case "delete" if 1 <= n <= len(bench.turns):
            turns = bench.turns[: n - 1] + bench.turns[n:]
            return replace(bench, turns=turns, runs=())
        case "more-panes" if len(bench.panes) < MOST_PANES:
            return replace(bench, panes=(*bench.panes, bench.panes[-1]))
        case "fewer-panes" if 1 <= n <= len(bench.panes) and len(bench.panes) > 1:
            return replace(bench, panes=bench.panes[: n - 1] + bench.panes[n:])
        case _:
            return bench


def numbers(texts: list[str]) -> tuple[int, ...]:
    """Return the ids of replies, as far as they are numbers: one for each pane."""
    whole = (text for text in texts if text.isascii() and text.isdecimal())
    return tuple(int(text[:12]) for text in islice(whole, MOST_PANES))


def _panes(form: Form) -> tuple[Pane, ...]:
    columns = (
        form.getlist(f"pane_{name}")
        for name in ("model", "temperature", "top_p", "top_k")
    )
    rows = zip(*columns, strict=False)
    return tuple(Pane(*row) for row in islice(rows, MOST_PANES + 1))


def _lines(text: str) -> str:
    """Return a text with its lines ended as everywhere but in forms."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
