"""Nicknames for guests: two friendly words and a number."""

from __future__ import annotations

import secrets
from typing import Final

MOODS: Final = (
    "agile",
    "amiable",
    "brisk",
    "candid",
    "chipper",
    "dapper",
    "deft",
    "eager",
    "earnest",
    "genial",
    "jaunty",
    "jolly",
    "limber",
    "lively",
    "mellow",
    "merry",
    "nimble",
    "patient",
    "peppy",
    "plucky",
    "quiet",
    "spry",
    "sunny",
    "wry",
)
ANIMALS: Final = (
    "avocet",
    "bittern",
    "chaffinch",
    "curlew",
    "dunlin",
    "dunnock",
    "fieldfare",
    "gadwall",
    "godwit",
    "goldcrest",
    "kestrel",
    "lapwing",
    "linnet",
    "martlet",
    "nuthatch",
    "ouzel",
    "pipit",
    "plover",
    "redshank",
    "siskin",
    "stonechat",
    "whimbrel",
    "whinchat",
    "wigeon",
)


def guest_name() -> str:
    """Return a nickname such as `quiet-lapwing-42`."""
    number = secrets.randbelow(990) + 10
    return f"{secrets.choice(MOODS)}-{secrets.choice(ANIMALS)}-{number}"
