"""The playground as its page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from webapp.domain.lab import asking, sent
from webapp.domain.lab.bench import BRIEF, Bench, Request, begun, request_of, seed_of
from webapp.domain.lab.models import LabModel
from webapp.domain.lab.prices import Cost, Prices
from webapp.domain.lab.sent import SentList
from webapp.domain.lab.starters import STARTERS, Starter
from webapp.errors import LabError
from webapp.llm.gateway import Rendered
from webapp.web import programs

# A single reply of a small model costs too little to say anything.
MANY: Final = 10_000


@dataclass(frozen=True, slots=True)
class ShownReply:
    """A reply and what it took. `cost` is None where the table has no price."""

    reply: asking.Reply
    title: str
    cost: Cost | None

    @property
    def how(self) -> str:
        """What tells panes with the same model apart."""
        settings = self.reply.settings
        cuts = [f"temperature {settings['temperature']:g}"]
        if settings["top_p"] < 1:
            cuts.append(f"top-p {settings['top_p']:g}")
        if settings["top_k"]:
            cuts.append(f"top-k {settings['top_k']}")
        return ", ".join(cuts)

    @property
    def many(self) -> str:
        """What very many such replies cost."""
        return str(self.cost.times(MANY)) if self.cost else ""


@dataclass(frozen=True, slots=True)
class Code:
    """A request of one pane for programs."""

    title: str
    json: str
    curl: str
    python: str


@dataclass(frozen=True, slots=True)
class BenchPage:
    """All that the page needs. `address` is where it can be opened again."""

    bench: Bench
    models: tuple[LabModel, ...]
    replies: tuple[ShownReply, ...]
    lists: tuple[SentList, ...]
    codes: tuple[Code, ...]
    instructions: str
    address: str
    title: str = ""
    problem: str = ""
    note: str = ""
    starter: Starter | None = None
    has_prices: bool = False
    rendered: Rendered | None = None
    starters: tuple[Starter, ...] = STARTERS
    brief: str = BRIEF
    many: int = MANY

    @property
    def has_base(self) -> bool:
        """Whether one of the panes has a model that was never tuned to chat."""
        bases = {model.name for model in self.models if model.is_base}
        return any(pane.model in bases for pane in self.bench.panes)

    @property
    def is_sharing(self) -> bool:
        """Whether the replies of several models wait for a choice."""
        return len(self.replies) > 1


def shown_replies(
    replies: Sequence[asking.Reply], models: Sequence[LabModel], prices: Prices
) -> tuple[ShownReply, ...]:
    """Return replies with the titles of their models and what they cost."""
    titles = {model.name: model.title for model in models}
    return tuple(
        ShownReply(
            reply,
            titles.get(reply.model.removesuffix(" (scripted)"), reply.model),
            None
            if reply.is_site
            else prices.cost(
                reply.model, read=reply.prompt_tokens, written=reply.reply_tokens
            ),
        )
        for reply in replies
    )


def codes(bench: Bench, instructions: str, url: str) -> tuple[Code, ...]:
    """Return the last request, or the next one, of each pane; none if there is none."""
    found = []
    for number, pane in enumerate(bench.panes, start=1):
        request = _request(bench, number, instructions)
        if request is None:
            return ()
        body = sent.body(request)
        found.append(
            Code(
                title=pane.model,
                json=sent.pretty(body),
                curl=programs.curl(url, body),
                python=programs.python(url, body, shown="reply"),
            )
        )
    return tuple(found)


def _request(bench: Bench, pane: int, instructions: str) -> Request | None:
    # What has been answered can be sent again: then it brings the same reply.
    do = "send" if bench.message.strip() else "retry"
    try:
        ready = begun(bench, do)
        seed = seed_of(ready)
        return request_of(
            ready, ready.panes[pane - 1], seed=seed, instructions=instructions
        )
    except LabError:
        return None
