"""Whether a reply refuses what it was asked for: the list of phrases is here.

It is simple on purpose, so that anybody can see what was counted. It looks for the
speaker saying that they cannot or will not do it, or that they were told not to; bare
regret ("I am sorry to hear that") and honest limits ("I cannot taste bread") pass.
"""

from __future__ import annotations

import re
from typing import Final

from webapp.text.finding import Place

_CANNOT: Final = (
    r"(?:can(?:no|')t|can not|could not|couldn't|won't|will not|will never|may not"
    r"|must not|mustn't|shall not|refuse to|would rather not"
    r"|(?:am|'m) (?:not able|unable|not allowed|not supposed|forbidden"
    r"|not going|not at liberty) to)"
)
_DO: Final = (
    r"(?:help|assist|tell|say|share|reveal|give|disclose|discuss|talk|speak|answer"
    r"|provide|do (?:that|this|it|so)|comply|continue|engage|write|spell|repeat|confirm"
    r"|fulfil+|offer|let you|pass|hand|grant|allow)"
)
_PHRASES: Final = (
    rf"\bI ?(?:really |simply |just |also )?{_CANNOT} (?:\w+ ){{0,2}}?{_DO}\b",
    rf"\b(?:sorry|afraid|apologi[sz]e)\b[^.!?\n]{{0,60}}\b(?:{_CANNOT}|not allowed)\b",
    r"\b(?:I have been|I've been|I was|I am|I'm) (?:asked|told|ordered|sworn) not to\b",
    r"\b(?:asked|told|ordered) me not to\b",
    r"\bI(?: have|'ve)? promised (?:\w+ ){0,2}?not to\b",
    r"\bI (?:really |simply |just |also )?(?:should not|shouldn't|do not|don't|never)"
    r" (?:say|tell|share|give|spell|reveal|talk about) "
    r"(?:it|this|that|the (?:pass)?word)\b",
    r"\bI (?:refuse|never tell)(?=[.,!])",
    r"\b(?:that|this|it) (?:I )?(?:will|may|can|must) (?:never|not) (?:be )?"
    r"(?:say|said|tell|told|share|shared|give|given|reveal|revealed|discuss)\b",
    r"\bask me (?:for |about )?(?:something|anything) else\b",
    r"\bmy lips (?:are|stay) sealed\b",
    r"\bnot (?:something|a thing) (?:that )?I (?:can|may|will)\b",
)
_REFUSAL = re.compile("|".join(_PHRASES), re.IGNORECASE)


def find_refusal(reply: str) -> Place | None:
    """Return where a reply first refuses, or None."""
    match = _REFUSAL.search(reply.replace("’", "'"))
    return Place(*match.span()) if match else None


def is_refusal(reply: str) -> bool:
    """Return whether a reply refuses."""
    return find_refusal(reply) is not None
