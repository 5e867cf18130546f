"""One prompt with a right answer, and how to tell whether another answer is right."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from finetune.data.words import Words

IsRight = Callable[[str], bool]
Turns = list[dict[str, Any]]


class Case(NamedTuple):
    """A prompt of one family; `turns` end with the user's message."""

    family: str
    turns: Turns
    answer: str
    is_right: IsRight

    def dialogue(self) -> Turns:
        """Return the turns with the answer, to learn from."""
        return [*self.turns, {"role": "assistant", "content": self.answer}]


def user(text: str) -> Turns:
    """Return a chat of one message."""
    return [{"role": "user", "content": text.strip()}]


def asked(text: str, system: str = "") -> Turns:
    """Return a chat of one message, after a system prompt if there is one."""
    start = [{"role": "system", "content": system.strip()}] if system.strip() else []
    return [*start, *user(text)]


def typed(template: str, words: Words) -> str:
    """Write a phrasing as people type it: at times in lower case, without a full stop.

    Before its slots are filled, so that what is quoted stays as it is.
    """
    rng = words.rng
    if rng.random() < 0.12:
        template = re.sub(
            r"(\{\w+\})|([^{}]+)", lambda m: m[1] or m[2].lower(), template
        )
    if rng.random() < 0.12 and template.endswith("."):
        template = template[:-1]
    return template


def placed(template: str, content: str, words: Words) -> Turns:
    """Put an instruction and what it is about into a chat: in any of the usual ways."""
    rng = words.rng
    draw = rng.random()
    if draw < 0.25:
        return asked(content, template)
    gap = rng.choice((" ", "\n", "\n\n"))
    if draw < 0.4:
        return user(f"{content}{gap}{template}")
    if draw < 0.5:
        return user(f"{template}{gap}Text: {content}")
    if template.endswith(".") and rng.random() < 0.3:
        template = template[:-1] + ":"
    return user(f"{template}{gap}{content}")


def bare(text: str) -> str:
    """Return a text without what does not matter: outer marks, spaces, a full stop."""
    return re.sub(r"\s+", " ", text).strip(" .\"'*")


def is_exactly(answer: str) -> IsRight:
    """A hit is the answer, but for a full stop, quotation marks or spaces."""
    wanted = bare(answer)
    return lambda reply: bare(reply) == wanted


def is_label(answer: str) -> IsRight:
    """A hit is the label alone, in any case."""
    wanted = bare(answer).casefold()
    return lambda reply: bare(reply).casefold() == wanted


def holds(*parts: str) -> IsRight:
    """A hit contains every part, in any case."""
    return lambda reply: all(part.casefold() in reply.casefold() for part in parts)


def is_line(is_right: IsRight, longest: int = 40) -> IsRight:
    """A hit is short, in one line, and right."""
    return lambda reply: (
        is_right(reply)
        and len(reply.split()) <= longest
        and len(reply.strip().splitlines()) == 1
    )


def joined(parts: Sequence[str], words: Words) -> str:
    """Write a choice as people do: a, b or c."""
    draw = words.rng.random()
    if draw < 0.55:
        return f"{', '.join(parts[:-1])} or {parts[-1]}"
    return words.rng.choice((" / ", ", ", "/", " or ")).join(parts)
