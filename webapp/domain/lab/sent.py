"""What was sent, as others can read it: lists, a request, and a whole file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from webapp.domain.lab.bench import Bench, Request, Turn, messages_of
from webapp.plugins.asking import Message

NAMES: Final = {"user": "You", "assistant": "The model", "system": "System"}


@dataclass(frozen=True, slots=True)
class SentList:
    """The list that was sent, or will be, for one of the replies."""

    title: str
    messages: tuple[Message, ...]

    @property
    def as_json(self) -> str:
        """The list as it goes over the wire, made readable."""
        return pretty(self.messages)


def lists(bench: Bench, instructions: str) -> tuple[SentList, ...]:
    """Return each list that the conversation has taken, the one for now last."""
    found: list[SentList] = []
    for place, turn in enumerate(bench.turns):
        if turn.role == "assistant" and place:
            title = f"For reply {len(found) + 1}"
            sent = messages_of(bench, bench.turns[:place], instructions)
            found.append(SentList(title, sent))
    turns = bench.turns
    if bench.message.strip():
        turns = (*turns, Turn("user", bench.message))
    if turns and turns[-1].role == "user":
        sent = messages_of(bench, turns, instructions)
        found.append(SentList("For the next reply", sent))
    return tuple(found)


def body(request: Request) -> dict[str, Any]:
    """Return a request as the site's own API takes it; every sampler is named."""
    messages = list(request.messages)
    if request.start_reply:
        messages.append({"role": "assistant", "content": request.start_reply})
    how = request.sampling
    prompt = {"prompt": request.text} if request.text is not None else {}
    return {
        "model": request.model,
        **(prompt or {"messages": messages, "default_system": request.default_system}),
        **({"raw_tokens": True} if request.raw_tokens else {}),
        "temperature": how.temperature,
        "top_p": how.top_p,
        "top_k": how.top_k,
        "max_tokens": how.max_tokens,
        **({} if how.seed is None else {"seed": how.seed}),
        **({"stop": list(how.stop)} if how.stop else {}),
    }


def pretty(value: object) -> str:
    """Return JSON for people."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def as_file(title: str, bench: Bench, instructions: str) -> str:
    """Return a conversation as JSON for a file: the messages, and how it was asked."""
    row = bench.as_row()
    said: dict[str, Any] = (
        {"text": bench.text}
        if bench.mode == "text"
        else {"messages": messages_of(bench, bench.turns, instructions)}
    )
    settings = {name: row[name] for name in ("panes", "max_tokens", "stop", "seed")}
    return pretty({"title": title, **said, "settings": settings})


def as_markdown(title: str, bench: Bench, instructions: str) -> str:
    """Return a conversation as Markdown; what was said stands in quotes."""
    if bench.mode == "text":
        return f"# {title}\n\n{_quoted(bench.text)}\n"
    parts = [
        f"**{NAMES[message['role']]}**\n\n{_quoted(message['content'])}"
        for message in messages_of(bench, bench.turns, instructions)
    ]
    return "\n\n".join([f"# {title}", *parts]) + "\n"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))
