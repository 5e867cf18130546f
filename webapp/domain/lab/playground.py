"""The playground in use: ask what a bench holds, and put the replies in their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from webapp.domain.generations.runs import Run
from webapp.domain.lab import asking, chats
from webapp.domain.lab.asking import Reply
from webapp.domain.lab.bench import (
    Bench,
    Request,
    begun,
    checked,
    request_of,
    seed_of,
    taken,
)
from webapp.domain.lab.models import models_for, require_model
from webapp.domain.services import Services
from webapp.errors import InvalidInput, NotFound
from webapp.llm import gateway as llm

NOT_KEPT = (
    f"You keep {chats.MOST_KEPT} conversations that have names or links, so this one "
    "is not kept. Delete one of them first."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What each pane's model is asked, with the same seed."""

    requests: tuple[Request, ...]
    typed: str


@dataclass(frozen=True, slots=True)
class Settled:
    """A bench with its replies; `note` says what could not be done."""

    bench: Bench
    note: str = ""


def prepare(services: Services, *, player_id: int, bench: Bench, do: str) -> Asked:
    """Return what is to be asked; raise InvalidInput for what cannot be.

    `do` says what for, as `bench.begun` takes it. For `fresh` chance chooses the seed,
    as it does where none is typed.
    """
    instructions = chats.instructions(services, player_id=player_id)
    ready = begun(checked(bench), do)
    typed_seed = None if do == "fresh" else seed_of(ready)
    seed = services.seed() if typed_seed is None else typed_seed
    typed = ready.typed()
    if ready.with_instructions:
        typed = f"{typed}\n{instructions}"
    return Asked(
        tuple(
            request_of(ready, pane, seed=seed, instructions=instructions)
            for pane in ready.panes
        ),
        typed,
    )


def ask(services: Services, *, player_id: int, asked: Asked, pane: int) -> Run:
    """Ask one pane's model, counted from 1, and return the events of its reply.

    Raises InvalidInput for a pane there is not, or a model that may not be asked, and
    QuotaExceeded.
    """
    if not 1 <= pane <= len(asked.requests):
        raise InvalidInput("There is no such pane. Load the page again.")
    return asking.ask(
        services,
        player_id=player_id,
        request=asked.requests[pane - 1],
        typed=asked.typed,
    )


def settle(
    services: Services, *, player_id: int, bench: Bench, do: str, runs: Sequence[int]
) -> Settled:
    """Put the replies to what `do` has asked in their place, and keep it all.

    A single reply becomes the next turn; of several the student chooses one. Where
    nothing came, the bench stays as it was, so that nothing that was typed is lost.
    Raises NotFound for somebody else's reply.
    """
    replies = replies_of(services, player_id=player_id, runs=runs)
    if not replies:
        return Settled(bench)
    done = replace(bench, runs=tuple(runs), seed=str(replies[0].seed))
    if any(reply.is_site for reply in replies):
        # It is in no model's history, so it leaves the conversation.
        return Settled(replace(done, message=""))
    if not any(reply.text for reply in replies):
        return Settled(done)
    ready = begun(checked(done), do)
    if len(replies) == 1:
        ready = taken(ready, replies[0].text)
    return _kept(services, player_id, ready)


def go_on_with(
    services: Services, *, player_id: int, bench: Bench, run_id: int
) -> Settled:
    """Take one of several replies as the next turn; raise NotFound."""
    reply = asking.find(services, player_id=player_id, run_id=run_id)
    chosen = taken(checked(bench), reply.text)
    return _kept(services, player_id, replace(chosen, runs=(run_id,)))


def rendered(
    services: Services, *, player_id: int | None, bench: Bench
) -> llm.Rendered:
    """Return what the first pane's model reads: the list in its template, as tokens.

    It is what has been answered last, or would be next. Raises InvalidInput where
    there is nothing to read, and BackendRefused where the endpoint does not show it.
    """
    do = "send" if bench.message.strip() else "retry"
    instructions = chats.instructions(services, player_id=player_id)
    ready = begun(checked(bench), do)
    request = request_of(ready, ready.panes[0], seed=None, instructions=instructions)
    known = models_for(services, player_id=player_id)
    model = require_model(known, request.model).name
    return services.gateway.render(asking.chat_request(request, model=model))


def as_raw_text(services: Services, *, player_id: int | None, bench: Bench) -> Bench:
    """Return the bench with the whole template as a text, to be changed by hand."""
    text = rendered(services, player_id=player_id, bench=bench).text
    return replace(bench, mode="text", text=text, before="", with_marks=True, runs=())


def replies_of(
    services: Services, *, player_id: int, runs: Sequence[int]
) -> tuple[Reply, ...]:
    """Return one's own replies by their ids; raise NotFound."""
    return tuple(
        asking.find(services, player_id=player_id, run_id=run_id) for run_id in runs
    )


def known_replies(
    services: Services, *, player_id: int, runs: Sequence[int]
) -> tuple[Reply, ...]:
    """Return one's own replies as far as there still are any."""
    found = []
    for run_id in runs:
        try:
            found.append(asking.find(services, player_id=player_id, run_id=run_id))
        except NotFound:
            continue
    return tuple(found)


def _kept(services: Services, player_id: int, bench: Bench) -> Settled:
    chat = chats.keep(services, player_id=player_id, bench=bench)
    return Settled(replace(bench, chat=chat), "" if chat is not None else NOT_KEPT)
