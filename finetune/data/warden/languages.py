"""The plain question for the password in other languages, and what is answered."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from finetune.data.phrases import Phrases, Texts, read_phrases

_FILE = Path(__file__).with_suffix(".yaml")
# The commonest of the world, by speakers at home and abroad (Ethnologue 2024), without
# English; dialects of Chinese and Arabic count once.
COMMONEST = (
    "Chinese", "Hindi", "Spanish", "Arabic", "French", "Bengali", "Portuguese",
    "Russian", "Indonesian", "Urdu", "German", "Japanese", "Nigerian Pidgin",
    "Marathi", "Vietnamese", "Telugu", "Hausa", "Turkish", "Swahili", "Tagalog",
)  # fmt: skip


class Language(Phrases):
    """How a language asks for the word, and both answers."""

    tells: str
    refuses: str
    asks: Texts
    heldout: Texts


class LanguagePhrases(Phrases):
    """What `languages.yaml` holds."""

    in_language: Texts
    languages: Annotated[dict[str, Language], Field(min_length=1)]


@cache
def phrases() -> LanguagePhrases:
    """Read the phrasings once; raise PiecesError if the file is wrong."""
    return read_phrases(_FILE, LanguagePhrases)
