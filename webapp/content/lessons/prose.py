"""Refuses prose that would act on a page, or that is written in no form we know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from webapp.content.lessons.markdown import BIDI, Stretch, turns_text
from webapp.reading.plain_words import did_you_mean

CALLOUTS: Final = ("note", "tip", "warning")
FOLD: Final = "???"

# Line of the text, what is wrong, what to do.
Fault = tuple[int, str, str]

_CALLOUT: Final = re.compile(r"^ {0,3}>[ \t]*\[!([^\]\n]*)\]", re.MULTILINE)
_FENCE: Final = re.compile(r"^ {0,3}(`{3,}|~{3,})")
# Without one of these there is neither HTML nor an image, and every link is a safe one:
# what may be wrong is worth the time that parsing takes, and nothing else is.
_SUSPICIOUS: Final = re.compile(
    r"<(?!https?://)[A-Za-z/!?]|!\[|\]\((?!https?://|/[^/]|#)|\]:"
)
_SCHEME: Final = re.compile(r"^[\s\x00-\x1f]*([A-Za-z][A-Za-z0-9+.-]*):")
_SAFE: Final = ("http", "https")


def _accept(url: str) -> bool:
    """Keep every link in the tree, so that bad ones are told and not just dropped."""
    return True


# With HTML on, so that it is found; pages render with HTML off.
_MARKDOWN: Final = MarkdownIt("commonmark", {"html": True})
_MARKDOWN.validateLink = _accept  # type: ignore[method-assign]


def faults_of_prose(prose: Stretch) -> Iterator[Fault]:
    """Yield what may not stand in the prose of a lesson, at its line of the file."""
    first = prose.line - 1
    for line, message, advice in (
        *_faults_of_folds(prose.text),
        *_faults_of_callouts(prose.text),
        *faults_of_markdown(prose.text),
    ):
        yield first + line, message, advice


def faults_of_markdown(text: str) -> Iterator[Fault]:
    """Yield HTML, images and links that act, at their line of the text."""
    turned = BIDI.search(text)
    if turned is not None:
        yield text.count("\n", 0, turned.start()) + 1, *turns_text(turned[0])
    if _SUSPICIOUS.search(text):
        for token in _MARKDOWN.parse(text):
            yield from _faults_of(token)


def _faults_of(token: Token) -> Iterator[Fault]:
    line = token.map[0] + 1 if token.map else 1
    if token.type == "html_block":
        yield line, *_HTML
    for child in token.children or ():
        if child.type in {"softbreak", "hardbreak"}:
            line += 1
        elif child.type == "html_inline":
            yield line, *_HTML
        elif child.type == "image":
            yield line, "a lesson may not contain images", "describe it in words"
        elif child.type == "link_open":
            yield from _faults_of_link(line, str(child.attrGet("href") or ""))


_HTML: Final = (
    "a lesson may not contain HTML",
    "use Markdown, or put text that only looks like HTML between ` and `",
)


def _faults_of_link(line: int, address: str) -> Iterator[Fault]:
    scheme = _SCHEME.match(address)
    if scheme is not None and scheme[1].lower() not in _SAFE:
        what = f"a link may not begin with {scheme[1].lower()}:"
        yield line, what, "write an address that starts with https://"
    elif address.startswith("//"):
        advice = "write an address that starts with https://"
        yield line, "a link may not begin with //", advice


def _faults_of_folds(text: str) -> Iterator[Fault]:
    opened = 0
    for number, line in _lines_outside_code(text):
        if not line.startswith(FOLD):
            continue
        title = line[len(FOLD) :].strip()
        if title and opened:
            yield opened, *_OPEN_FOLD
        if title:
            opened = number
        elif opened:
            opened = 0
        else:
            yield (
                number,
                "this closes a folded block, but none is open",
                f"begin one with {FOLD} and its title",
            )
    if opened:
        yield opened, *_OPEN_FOLD


_OPEN_FOLD: Final = (
    "this folded block is not closed",
    f"write {FOLD} alone on a line after it, before any panel or question",
)


def _lines_outside_code(text: str) -> Iterator[tuple[int, str]]:
    mark = ""
    for number, line in enumerate(text.split("\n"), 1):
        fence = _FENCE.match(line)
        if fence is None:
            if not mark:
                yield number, line
        elif not mark:
            mark = fence[1]
        elif fence[1].startswith(mark):
            mark = ""


def _faults_of_callouts(text: str) -> Iterator[Fault]:
    for found in _CALLOUT.finditer(text):
        if found[1] not in CALLOUTS:
            line = text.count("\n", 0, found.start()) + 1
            advice = did_you_mean(found[1], CALLOUTS)
            yield line, f'unknown callout "{found[1]}"', advice
