"""What of a conversation fits into a model's context, whatever the password is.

The prompt is measured with a stand-in that takes at least as many tokens as any
password, and the longest reply is reserved. So nothing that is too long says anything
about a password, and no reply is cut short by what the prompt took.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypedDict

from webapp.content.prompts import widest_examples, widest_system
from webapp.content.schema import Level, PromptExample
from webapp.errors import BackendTooLong, InvalidInput
from webapp.llm import gateway as llm
from webapp.plugins.asking import Exchange, Message
from webapp.settings import Settings

# More than any context takes in; the request that measures it has a limit as well.
_MOST_CHARS: Final = 100_000


def heard(level: Level, message: str) -> str:
    """Return what the model reads of a message: a document stands on its page."""
    return message if level.document is None else level.document.filled(message)


def messages(
    system: str,
    examples: Iterable[PromptExample],
    history: tuple[Exchange, ...],
    message: str,
) -> list[Message]:
    """Return the chat that a model is sent: instructions, examples, what was said."""
    chat: list[Message] = [{"role": "system", "content": system}]
    pairs = [(example.user, example.assistant) for example in examples]
    pairs += [(exchange.message, exchange.reply) for exchange in history]
    for user, assistant in pairs:
        chat.append({"role": "user", "content": user})
        chat.append({"role": "assistant", "content": assistant})
    chat.append({"role": "user", "content": message})
    return chat


def most_chars(level: Level, settings: Settings) -> int:
    """Return how many characters a message at a level may have."""
    return min(level.defender.message_chars, settings.message_chars)


def message_room(level: Level, gateway: llm.Gateway) -> int | None:
    """Return the most tokens of a message, or None while the model cannot be asked."""
    size = gateway.fixed_size(**_prompt(level, (), ""))
    return None if size is None else max(0, _left(level, size))


def message_tokens(level: Level, gateway: llm.Gateway, message: str) -> int | None:
    """Return how many tokens a message takes, or None while nobody can say.

    Where a server does not tell, it is the most that they can be.
    """
    empty = gateway.fixed_size(**_prompt(level, (), ""))
    size = gateway.brief_size(**_prompt(level, (), message))
    return None if empty is None or size is None else size.tokens - empty.tokens


def check_message(level: Level, gateway: llm.Gateway, message: str) -> None:
    """Raise InvalidInput that says by how much a message is too long.

    Raises BackendTooLong if no message has room at this level. While the model cannot
    be asked, the message passes: the attempt itself will say why.
    """
    empty = gateway.fixed_size(**_prompt(level, (), ""))
    size = gateway.brief_size(**_prompt(level, (), message))
    if empty is not None and size is not None:
        _require_room(level, empty, size)


def _require_room(level: Level, empty: llm.Size, size: llm.Size) -> None:
    """Raise what `check_message` raises, by the prompt without and with a message."""
    if _left(level, size) >= 0:
        return
    tokens, most = size.tokens - empty.tokens, _left(level, empty)
    if most < 1:
        raise BackendTooLong(
            "The instructions of this gate leave its model no room for a message. "
            "Tell your instructor."
        )
    raise InvalidInput(
        f"The message takes {tokens:,} tokens; {most:,} fit here. A token is a piece "
        "of a word. Many languages take more of them than English does."
    )


def remembered(
    level: Level, gateway: llm.Gateway, history: tuple[Exchange, ...], message: str
) -> tuple[Exchange, ...]:
    """Return the latest exchanges that have room beside a message.

    Raises InvalidInput or BackendTooLong if the message has none even alone, and
    BackendError when the model cannot be asked.
    """

    def size_with(latest: int) -> llm.Size:
        heard = history[len(history) - latest :]
        return gateway.measure(**_prompt(level, heard, message))

    fits, too_many = 0, _worth_measuring(history) + 1
    if _left(level, size_with(too_many - 1)) >= 0:
        return history[len(history) - too_many + 1 :]
    empty = gateway.measure(**_prompt(level, (), ""))
    _require_room(level, empty, size_with(0))
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if _left(level, size_with(middle)) >= 0:
            fits = middle
        else:
            too_many = middle
    return history[len(history) - fits :]


def _worth_measuring(history: tuple[Exchange, ...]) -> int:
    """Return how many of the latest exchanges are worth measuring."""
    chars = 0
    for number, exchange in enumerate(reversed(history)):
        chars += len(exchange.message) + len(exchange.reply)
        if chars > _MOST_CHARS:
            return number
    return len(history)


def _left(level: Level, size: llm.Size) -> int:
    """Return how many tokens are left when the longest reply is reserved."""
    return size.context - size.tokens - level.defender.max_tokens


class _Prompt(TypedDict):
    model: str
    messages: list[Message]
    raw_tokens: bool


def _prompt(level: Level, history: tuple[Exchange, ...], message: str) -> _Prompt:
    """Return a prompt of the level that is as long as it can be with any password."""
    system, examples = widest_system(level), widest_examples(level)
    return _Prompt(
        model=level.defender.model,
        messages=messages(system, examples, history, heard(level, message)),
        raw_tokens=level.defender.raw_tokens,
    )
