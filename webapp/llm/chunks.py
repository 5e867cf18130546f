"""Read the chunks of a streamed reply, as servers of many makes send them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import repeat
from typing import Any, cast

from webapp.llm.events import Chance, WrittenToken


@dataclass(frozen=True, slots=True)
class Said:
    """What a chunk adds to a reply; all of it may be empty."""

    text: str = ""
    thought: str = ""
    ended: str = ""
    tokens: tuple[WrittenToken, ...] = ()


def read_choice(choices: object) -> Said:
    """Read the first choice; raise ValueError for what no server means."""
    if choices is None or choices == []:
        return Said()
    try:
        choice = cast(Any, choices)[0]
        delta = choice.get("delta") or {}
        text, thought = _content(delta.get("content"))
        # Where a text is continued, there is no delta.
        text = text or delta.get("refusal") or choice.get("text") or ""
        thought = thought or _reasoning(delta)
        ended = choice.get("finish_reason") or ""
        tokens = _tokens(choice.get("logprobs") or {})
    except (AttributeError, LookupError, TypeError):
        raise ValueError("not a choice") from None
    if not isinstance(text, str) or not isinstance(ended, str):
        raise ValueError("not a text")
    return Said(text, thought, ended, tokens)


def read_usage(usage: object) -> tuple[int | None, int | None] | None:
    """Return the tokens of prompt and reply."""
    if not isinstance(usage, dict):
        return None
    counts = (usage.get("prompt_tokens"), usage.get("completion_tokens"))
    prompt, completion = (n if isinstance(n, int) else None for n in counts)
    return prompt, completion


def _tokens(logprobs: Any) -> tuple[WrittenToken, ...]:
    """Return the tokens of a chunk, as chats list them or as continued texts do.

    Our own sidecar lists those of a continued text in both ways.
    """
    if "content" in logprobs or "tokens" not in logprobs:
        return tuple(
            WrittenToken(
                str(one["token"]),
                float(one["logprob"]),
                tuple(
                    Chance(str(top["token"]), float(top["logprob"]), _id(top))
                    for top in one["top_logprobs"]
                ),
                _id(one),
            )
            for one in logprobs.get("content") or ()
        )
    tops = logprobs.get("top_logprobs") or repeat({})
    listed = zip(logprobs["tokens"], logprobs["token_logprobs"], tops, strict=False)
    return tuple(
        WrittenToken(str(text), float(logprob), _top(top.items()))
        for text, logprob, top in listed
    )


def _top(chances: Iterable[tuple[Any, Any]]) -> tuple[Chance, ...]:
    return tuple(Chance(str(text), float(logprob)) for text, logprob in chances)


def _id(entry: Any) -> int | None:
    number = entry.get("id")
    return number if isinstance(number, int) else None


def _content(content: Any) -> tuple[Any, str]:
    """Return text and thought; Mistral's models send a list of both."""
    if not isinstance(content, list):
        return content, ""
    texts = [part["text"] for part in content if part["type"] == "text"]
    thoughts = [
        thought["text"]
        for part in content
        if part["type"] == "thinking"
        for thought in part["thinking"]
    ]
    return "".join(texts), "".join(thoughts)


def _reasoning(delta: Any) -> str:
    """Return what a server with a reasoning parser keeps apart.

    vLLM, llama.cpp and DeepSeek call it reasoning_content; Ollama, OpenRouter and newer
    vLLM reasoning. Where both are there, they are the same.
    """
    for name in ("reasoning_content", "reasoning"):
        if isinstance(delta.get(name), str) and delta[name]:
            return str(delta[name])
    details = delta.get("reasoning_details") or []
    return "".join(str(d.get("text") or d.get("summary") or "") for d in details)
