"""Calls of tools: which one, with what, written as the prompt says."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from finetune.data.phrases import Phrases, Split, Texts, fill, read_phrases
from finetune.data.scribe.cases import Case, IsRight, asked, is_label, user
from finetune.data.scribe.shapes import filled
from finetune.data.words import Words, is_kept

_FILE = Path(__file__).with_suffix(".yaml")
_AS_JSON = 0.25
_MADE_NAMES = 0.25


class Tool(Phrases):
    """What `tools.yaml` says of a tool; `takes` are slots and names of arguments."""

    names: Texts
    takes: tuple[tuple[str, str], ...]
    about: str
    asks: Texts


class Call(Phrases):
    """How a call is written."""

    form: str
    quotes: bool


class ToolPhrases(Phrases):
    """What `tools.yaml` holds."""

    tools: dict[str, Tool]
    none_asks: Texts
    none_said: Texts
    calls: tuple[Call, ...]
    prompts: Split
    one_tool: Split
    none_rule: Split


@cache
def phrases() -> ToolPhrases:
    """Read the phrasings once; raise PiecesError if the file is wrong."""
    return read_phrases(_FILE, ToolPhrases)


class Named(NamedTuple):
    """A tool under the name that a prompt gives it."""

    name: str
    tool: Tool

    def signature(self) -> str:
        """Return the name and what it takes."""
        return f"{self.name}({', '.join(arg for _, arg in self.tool.takes)})"


def tool_call(words: Words) -> Case:
    """A request for one of some tools, or for none of them."""
    rng = words.rng
    kinds = rng.sample(list(phrases().tools), rng.choice((1, 2, 2, 3, 3, 4)))
    tools = [_named(phrases().tools[kind], words) for kind in kinds]
    if len({tool.name for tool in tools}) < len(tools):
        return tool_call(words)
    wanted = rng.choice(tools)
    is_json = rng.random() < _AS_JSON
    call = rng.choice(phrases().calls)
    example = _example(
        wanted if rng.random() < 0.3 else tools[0], call, is_json=is_json
    )
    split = phrases().one_tool if len(tools) == 1 else phrases().prompts
    signatures = [tool.signature() for tool in tools]
    is_told = rng.random() < 0.4
    lines = [
        f"{name} {tool.tool.about}" if is_told else name
        for name, tool in zip(signatures, tools, strict=True)
    ]
    mark = rng.choice(("", "- "))
    prompt = filled(
        split, words,
        tools="\n".join(mark + line for line in lines),
        line=", ".join(lines) if len(lines) != 2 else " and ".join(lines),
        example=example,
    )  # fmt: skip
    said = rng.choice(phrases().none_said)
    has_none = rng.random() < 0.5
    if has_none:
        prompt = f"{prompt} {filled(phrases().none_rule, words, said=said)}"
    if has_none and rng.random() < 0.4:
        ask = words.fill(rng.choice(phrases().none_asks))[0]
        return Case("no tool fits", _asked(prompt, ask, words), said, is_label(said))
    ask, values = _request(wanted.tool, words)
    answer = _written(wanted, values, call, is_json=is_json)
    return Case("tool call", _asked(prompt, ask, words), answer, _is_call(answer))


def _asked(prompt: str, ask: str, words: Words) -> list[dict[str, str]]:
    if words.rng.random() < 0.55:
        return asked(ask, prompt)
    return user(words.rng.choice((f"{prompt}\n{ask}", f"{prompt}\n\nRequest: {ask}",
                                  f"{prompt}\nQuestion: {ask}")))  # fmt: skip


def _named(tool: Tool, words: Words) -> Named:
    if words.rng.random() < _MADE_NAMES:
        return Named(words.made_up(2), tool)
    own = [n for n in tool.names if is_kept(n + "!") == words.is_heldout]
    return Named(words.rng.choice(own or list(tool.names)), tool)


def _request(tool: Tool, words: Words) -> tuple[str, list[str]]:
    own = words.side(tool.asks)
    text, drawn = words.fill(words.rng.choice(own))
    return text, [drawn[slot] for slot, _ in tool.takes]


def _example(named: Named, call: Call, *, is_json: bool) -> str:
    """Write the form with the names of the arguments where values will be."""
    if is_json:
        names = [name for _, name in named.tool.takes]
        return json.dumps({"tool": named.name, **dict.fromkeys(names, "...")})
    quote = '"' if call.quotes else ""
    args = ", ".join(f"{quote}{arg}{quote}" for _, arg in named.tool.takes)
    return fill(call.form, name=named.name, args=args)


def _written(named: Named, values: list[str], call: Call, *, is_json: bool) -> str:
    if is_json:
        names = [name for _, name in named.tool.takes]
        given = dict(zip(names, values, strict=True))
        return json.dumps({"tool": named.name, **given}, ensure_ascii=False)
    quote = '"' if call.quotes else ""
    args = ", ".join(f"{quote}{value}{quote}" for value in values)
    return fill(call.form, name=named.name, args=args)


def _is_call(answer: str) -> IsRight:
    """A hit is the call, but for quotation marks, spaces and a last full stop."""

    def flat(text: str) -> str:
        return re.sub(r"[\s\"'`]|\.$", "", text.strip()).casefold()

    return lambda reply: flat(reply) == flat(answer)
