"""An author's Markdown of a lesson as HTML: with folded blocks, notes and tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import nh3
from flask import has_request_context, request
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False})
    .enable(["table", "strikethrough"])
    .disable("image")
)
_TAGS: Final = {
    *("a", "blockquote", "br", "code", "del", "div", "em", "h2", "h3", "h4", "hr"),
    *("li", "ol", "p", "pre", "strong", "table", "tbody", "td", "th", "thead", "tr"),
    "ul",
}
_INLINE: Final = {"a", "code", "del", "em", "strong"}
_SCHEMES: Final = {"http", "https"}
# No class can be written in Markdown, so these are our own.
_ATTRIBUTES: Final = {
    "a": {"href", "title"},
    "div": {"class"},
    "ol": {"start"},
    "p": {"class"},
    "pre": {"tabindex"},
}
_CALLOUT = re.compile(r"\[!(note|tip|warning)\][ \t]*\n?", re.IGNORECASE)
_NAMES: Final = {"note": "Note", "tip": "Tip", "warning": "Careful"}
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_FOLD: Final = "???"
_INDENT: Final = "    "
_TABLE: Final = (
    '<div class="scroll-x" tabindex="0" role="region" aria-label="Table">'
    '<table class="table">'
)


@dataclass(slots=True)
class _Block:
    """Lines of Markdown; with a title they are folded under it."""

    title: str | None
    lines: list[str]


def lesson_markdown(text: str) -> Markup:
    """Render what stands between two panels: no HTML, no images, no foreign script."""
    return Markup("").join(_block_html(block) for block in _blocks(text))


def lesson_inline(text: str) -> Markup:
    """Render what stands in one line, such as a question: without paragraphs."""
    html = _MARKDOWN.renderInline(" ".join(text.split()))
    return Markup(  # noqa: S704 -- cleaned here
        nh3.clean(
            html,
            tags=_INLINE,
            attribute_filter=_within_site,
            url_schemes=_SCHEMES,
        )
    )


def _within_site(tag: str, name: str, value: str) -> str:
    """Return an attribute; a page of the site also where that has a prefix."""
    if (
        tag == "a"
        and name == "href"
        and value.startswith("/")
        and has_request_context()
    ):
        return request.script_root + value
    return value


def _block_html(block: _Block) -> Markup:
    body = _render("\n".join(block.lines))
    if block.title is None:
        return body
    return Markup(
        '<details class="fold"><summary>{}</summary><div class="fold__body">{}</div>'
        "</details>"
    ).format(escape(block.title), body)


def _render(text: str) -> Markup:
    tokens = _MARKDOWN.parse(text)
    _mark_callouts(tokens)
    html = nh3.clean(
        _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_within_site,
        url_schemes=_SCHEMES,
    )
    html = html.replace("<table>", _TABLE).replace("</table>", "</table></div>")
    # A head without a word is the corner of a table, and heads nothing.
    html = html.replace("<th></th>", "<td></td>")
    # What is wider than the window scrolls, also for those without a mouse.
    html = html.replace("<pre>", '<pre tabindex="0">')
    return Markup(html)  # noqa: S704 -- cleaned above


def _mark_callouts(tokens: list[Token]) -> None:
    """Turn quotations that begin with [!note] into notes."""
    opened: list[tuple[Token, bool]] = []
    for n, token in enumerate(tokens):
        if token.type == "blockquote_open":
            kind = _callout_kind(tokens[n + 1 : n + 3])
            opened.append((token, kind is not None))
            if kind:
                token.tag = "div"
                token.attrSet("class", f"callout callout--{kind}")
        elif token.type == "blockquote_close":
            _, is_callout = opened.pop()
            if is_callout:
                token.tag = "div"


def _callout_kind(following: list[Token]) -> str | None:
    """Return the kind that a quotation begins with, and write its name in its place."""
    if [token.type for token in following] != ["paragraph_open", "inline"]:
        return None
    inline = following[1]
    found = _CALLOUT.match(inline.content)
    if not found:
        return None
    kind = found[1].lower()
    inline.content = f"**{_NAMES[kind]}:** {inline.content[found.end() :]}"
    inline.children = _MARKDOWN.parseInline(inline.content)[0].children
    return kind


def _blocks(text: str) -> list[_Block]:
    """Split a text at its folded blocks: `??? Title`, up to `???` or the end.

    A block whose lines are indented ends with the first line that is not.
    """
    blocks = [_Block(None, [])]
    fence = ""
    for line in text.splitlines():
        now = blocks[-1]
        if not fence and line.startswith(_FOLD):
            title = line.removeprefix(_FOLD).strip()
            blocks.append(_Block(title or None, []))
            continue
        if now.title is not None and _ends_indented(now, line):
            blocks.append(now := _Block(None, []))
        fence = _fence_after(fence, line)
        now.lines.append(line)
    for block in blocks:
        if block.title is not None and _is_indented(block):
            block.lines = [line.removeprefix(_INDENT) for line in block.lines]
    return [block for block in blocks if block.title or any(block.lines)]


def _is_indented(block: _Block) -> bool:
    first = next((line for line in block.lines if line.strip()), "")
    return first.startswith(_INDENT)


def _ends_indented(block: _Block, line: str) -> bool:
    return bool(line.strip()) and _is_indented(block) and not line.startswith(_INDENT)


def _fence_after(fence: str, line: str) -> str:
    """Return the fence that is open after a line: "" outside of code."""
    found = _FENCE.match(line)
    if not found:
        return fence
    if not fence:
        return found[1]
    is_end = line.strip() == found[1] and found[1].startswith(fence)
    return "" if is_end else fence
