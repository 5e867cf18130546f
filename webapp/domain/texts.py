"""Text that people type or models say, as the database and the pages can hold it."""

from __future__ import annotations

import unicodedata

from webapp.errors import InvalidInput


def require_text(text: str, *, what: str) -> str:
    """Return `text` with plain line ends; raise InvalidInput for what is not text.

    Right-to-left and invisible letters are welcome; control characters are not text.
    """
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    for position, char in enumerate(plain, start=1):
        if unicodedata.category(char) in {"Cc", "Cs"} and char not in "\n\t":
            raise InvalidInput(
                f"Character {position} of the {what} is U+{ord(char):04X}, which is "
                "not text. Remove it and send it again."
            )
    return plain


def clean_message(message: str, *, limit: int) -> str:
    """Return the message as it is played; raise InvalidInput that says what to do."""
    if not message.strip():
        raise InvalidInput("The message is empty. Write something to the warden.")
    # Browsers send a line end as two characters and count it as one.
    size = len(message) - message.count("\r\n")
    if size > limit:
        raise InvalidInput(
            f"The message has {size:,} characters; the limit here is {limit:,}."
        )
    return require_text(message, what="message")


def storable(text: str) -> str:
    """Return what a model said without the two things no database takes."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def fenced(text: str) -> str:
    """Return a text as a block of Markdown that it cannot break out of."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}"
