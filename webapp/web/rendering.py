"""What every template can use: filters, preferences and the state of the visitor."""

from __future__ import annotations

import math
from datetime import timedelta
from functools import lru_cache, partial
from typing import Any, Final

import nh3
from flask import Flask, request, url_for
from markdown_it import MarkdownIt
from markupsafe import Markup

from webapp.domain.models import cards
from webapp.domain.people import class_bar
from webapp.domain.train import words
from webapp.plugins.guard import guards
from webapp.reading.problems import Problem, shown_path
from webapp.web import context
from webapp.web.lesson_text import lesson_inline, lesson_markdown

THEMES: Final = ("auto", "light", "dark")
STATIC_SECONDS: Final = 300
STREAMS: Final = ("on", "off")
NUMBERS: Final = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).disable("image")
_TAGS = {
    "a",
    "blockquote",
    "code",
    "em",
    "h2",
    "h3",
    "li",
    "ol",
    "p",
    "pre",
    "strong",
    "ul",
}
# Cards are written by the commands that release models, and full of tables.
_CARD_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
)
_TABLE = (
    '<div class="scroll-x" tabindex="0" role="region" aria-label="Table {}">'
    '<table class="table">'
)
_CARD_TAGS = _TAGS | {"table", "tbody", "td", "th", "thead", "tr"}


def init_app(app: Flask) -> None:
    """Add filters and the values that the frame of every page needs."""
    if not context.services_of(app).settings.debug_pages:
        # Long enough for a lesson's pages, short enough after an update.
        app.config["SEND_FILE_MAX_AGE_DEFAULT"] = STATIC_SECONDS
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.add_template_filter(author_markdown)
    app.add_template_filter(card_markdown)
    app.add_template_filter(lesson_markdown)
    app.add_template_filter(lesson_inline)
    app.add_template_filter(card_url)
    app.add_template_filter(opening)
    app.add_template_filter(as_label)
    app.add_template_filter(guard_label)
    app.add_template_filter(count)
    app.add_template_filter(ordinal)
    app.add_template_filter(in_words)
    app.add_template_filter(span)
    app.add_template_filter(ago)
    app.add_template_filter(minutes)
    app.add_template_filter(percent)
    app.add_template_filter(heat_step)
    app.add_template_filter(problem_place)
    for say in (words.duration, words.large, words.bytes_words, words.off_by):
        app.add_template_filter(say)
    app.add_template_filter(words.perplexity_words)
    app.add_template_global(lesson_url)
    app.context_processor(_frame)


def author_markdown(text: str) -> Markup:
    """Render an author's Markdown: no HTML, no images, links without a referrer."""
    html = nh3.clean(_MARKDOWN.render(text), tags=_TAGS, url_schemes={"http", "https"})
    return Markup(html)  # noqa: S704 -- cleaned in the line above


# A card is long, and the same for everybody.
@lru_cache(maxsize=16)
def card_markdown(text: str) -> Markup:
    """Render the card of a model as an author's text, with tables that scroll."""
    html = nh3.clean(
        _CARD_MARKDOWN.render(text), tags=_CARD_TAGS, url_schemes={"http", "https"}
    )
    html, *tables = html.replace("</table>", "</table></div>").split("<table>")
    for number, rest in enumerate(tables, start=1):
        html += _TABLE.format(number) + rest
    # In a cell of a Markdown table there is no other way to begin a new line.
    return Markup(html.replace("&lt;br&gt;", "<br>"))  # noqa: S704 -- cleaned above


def card_url(model: str) -> str | None:
    """Return the address of a model's card; None if it was not released here."""
    name = model.rpartition("/")[2]
    if name not in cards.card_names(context.services()):
        return None
    return url_for("cards.card", name=name)


def lesson_url(lesson_id: str, **more: Any) -> str:
    """Return the address of a lesson's page."""
    track, _, slug = lesson_id.partition("/")
    return url_for("lessons.lesson", track=track, slug=slug, **more)


def opening(words: str) -> str:
    """Return words as they open a sentence: `the listener` → `The listener`."""
    return words[:1].upper() + words[1:]


def as_label(name: str) -> str:
    """Return the name of a field as a person reads it: `class_code` → `Class code`."""
    return opening(name.replace("_", " ").replace("-", " "))


def guard_label(name: str) -> str:
    """Return the one line in which a guard's class describes itself."""
    guard = dict(guards.items()).get(name)
    return (guard.__doc__ or "").strip().splitlines()[0] if guard else ""


def problem_place(problem: Problem) -> str:
    """Return file and line, as an author types them."""
    return f"{shown_path(problem.path)}:{problem.line}"


def count(number: int, one: str, many: str) -> str:
    """Return a number with its noun: `1 attempt`, `2,000 attempts`."""
    return f"{number:,} {one if number == 1 else many}"


def ordinal(number: int) -> str:
    """Return a rank as it is written: `1st`, `12th`, `1,023rd`."""
    is_teen = number % 100 in (11, 12, 13)
    ending = "th" if is_teen else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def in_words(number: int) -> str:
    """Return a number as it is written in a sentence: `eight`, but `13`."""
    return NUMBERS[number] if number < len(NUMBERS) else f"{number:,}"


def span(time: timedelta) -> str:
    """Return a time in its two largest units: `1 hour 12 minutes`, `3 days`."""
    minutes, seconds = divmod(int(time.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = (days, "day"), (hours, "hour"), (minutes, "minute"), (seconds, "second")
    first = next((n for n, (number, _) in enumerate(units) if number), 3)
    named = [count(number, unit, f"{unit}s") for number, unit in units]
    return " ".join(
        named[n] for n in (first, first + 1) if n == first or (n < 4 and units[n][0])
    )


def ago(time: timedelta) -> str:
    """Return how long something is past, in its largest unit: `4 minutes ago`."""
    seconds = int(time.total_seconds())
    if seconds < 60:
        return "just now"
    units = (86_400, "day"), (3_600, "hour"), (60, "minute")
    size, unit = next(one for one in units if seconds >= one[0])
    return f"{count(seconds // size, unit, f'{unit}s')} ago"


def minutes(time: timedelta) -> str:
    """Return a time in whole minutes: `12 minutes`."""
    return count(int(time.total_seconds()) // 60, "minute", "minutes")


def percent(share: float | None) -> str:
    """Return a share as a person reads it: `12.5 %`; a dash where there is none."""
    return "–" if share is None else f"{100 * share:.1f} %"


def heat_step(share: float | None) -> int:
    """Return the step of a share on the heat map: 0 for never, 4 for over 75 %."""
    return math.ceil(4 * (share or 0.0))


def _frame() -> dict[str, Any]:
    player = context.player()
    unread = context.unread_code()
    return {
        "player": player,
        "theme": _preference("theme", THEMES),
        "stream": _preference("stream", STREAMS),
        "new_code": unread and unread.text,
        # Looked up by whole pages alone.
        "class_bar": partial(class_bar.class_bar, context.services(), player),
        "is_content_stale": bool(
            player and player.is_instructor and context.services().content.stale
        ),
    }


def _preference(name: str, choices: tuple[str, ...]) -> str:
    chosen = request.cookies.get(name, "")
    return chosen if chosen in choices else choices[0]
