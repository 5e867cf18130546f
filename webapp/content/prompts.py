"""Puts the secret into the author's texts, at the last moment, in a sandbox.

Only what an author needs is allowed: `{{ secret }}`, a few filters and `if`. Loops,
arithmetic, calls and what is large or grows are refused when the level is read, so
no prompt can hang the site. A player's text never comes here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, SupportsIndex

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from webapp.content.schema import Level, PromptExample
from webapp.content.wordlist import MAX_LETTERS
from webapp.errors import ContentError
from webapp.text.characters import characters, count_characters

FILTERS: Final = (
    "capitalize",
    "first",
    "join",
    "last",
    "length",
    "list",
    "lower",
    "reverse",
    "title",
    "upper",
)

Mistake = tuple[int, str, str]

_ALLOWED: Final = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Filter,
    nodes.Getitem,
    nodes.Slice,
    nodes.Neg,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
)
# Autoescaping would turn quotation marks into &#34;: this is text for a model.
_ENVIRONMENT: Final = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined,
    autoescape=False,
)
_SAMPLE: Final = "lantern"
_CHOICES: Final = (nodes.If, nodes.CondExpr, nodes.Compare, nodes.And, nodes.Or)
_TAG: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)
# A rare character of four bytes: models spell it out, with a token for each byte.
_WIDE: Final = "\U00020000"
_WIDEST: Final = _WIDE * MAX_LETTERS
_FIRST_TAG: Final = re.compile(r"\{[{%#]")
_PLACEHOLDER: Final = re.compile(r"\{\{-?\s*secret\b")
# Far more than a prompt needs, and far less than what costs time or memory.
MAX_TAGS: Final = 200
MAX_PARTS: Final = 40
MAX_DEPTH: Final = 10
MAX_JOINT: Final = 20
MAX_RESULT: Final = 20_000
# What they make is longer than what they are given.
_GROWING: Final = frozenset({"join", "list"})
_MIDDLE: Final = frozenset({"else", "elif"})
_BETWEEN: Final = frozenset({"data", "whitespace", "comment"})


class _Word(str):
    """A word whose parts, to filters, are the characters that a reader sees.

    So `join("-")` and `reverse` leave vowel signs on their letters.
    """

    __slots__ = ()

    def __len__(self) -> int:
        return count_characters(str(self))

    def __iter__(self) -> Iterator[str]:
        return iter(characters(str(self)))

    def __getitem__(self, key: SupportsIndex | slice) -> str:
        return "".join(characters(str(self))[key])

    def upper(self) -> _Word:
        return _Word(str(self).upper())

    def lower(self) -> _Word:
        return _Word(str(self).lower())

    def capitalize(self) -> _Word:
        return _Word(str(self).capitalize())


def render_system(level: Level, secret_text: str) -> str:
    """Return the system prompt that the model sees, with the secret in it."""
    return _render(level.defender.system, secret_text)


def render_examples(level: Level, secret_text: str) -> tuple[PromptExample, ...]:
    """Return the worked examples that the model sees, with the secret in them."""
    return tuple(
        PromptExample(
            user=_render(example.user, secret_text),
            assistant=_render(example.assistant, secret_text),
        )
        for example in level.defender.examples
    )


def common_characters(level: Level, system: str) -> int:
    """Return how many characters begin the system prompt of every player.

    They are the author's words before the first tag, so no secret can be among them.
    """
    fixed = _FIRST_TAG.split(level.defender.system, maxsplit=1)[0].strip()
    return len(fixed) if system.startswith(fixed) else 0


def widest_system(level: Level) -> str:
    """Return a text that takes as many tokens as the system prompt ever can."""
    return _widest(level.defender.system)


def widest_examples(level: Level) -> tuple[PromptExample, ...]:
    """Return examples that take as many tokens as the worked examples ever can."""
    return tuple(
        PromptExample.model_construct(
            user=_widest(example.user), assistant=_widest(example.assistant)
        )
        for example in level.defender.examples
    )


def has_secret(source: str) -> bool:
    """Return whether an author's text gives the secret away to the model."""
    return any(name.name == "secret" for name in _parse(source).find_all(nodes.Name))


def placeholder_line(text: str) -> int | None:
    """Return the line of a text on which the placeholder of the secret stands."""
    found = _PLACEHOLDER.search(text)
    return None if found is None else text.count("\n", 0, found.start()) + 1


def find_mistakes(source: str) -> Iterator[Mistake]:
    """Yield (line of the text, message, suggestion) for all that will not render."""
    try:
        # Before it is parsed: the parser goes as deep as the author did.
        large = _oversized(source)
        wrong = [large] if large else list(_refused(_parse(source)))
    except TemplateError as error:
        line = getattr(error, "lineno", None) or 1
        yield (
            line,
            f"the template is broken: {(error.message or '').rstrip('.')}",
            "write {{ secret }}",
        )
        return
    except ValueError:
        yield 1, "the template has a number that is too long", "write {{ secret }}"
        return
    yield from wrong
    if wrong:
        return
    try:
        size = len(_render(source, _SAMPLE))
    except ContentError as error:
        yield 1, error.message, "write {{ secret }}"
        return
    if size > MAX_RESULT:
        what = f"with a password in it, the text has {size:,} characters"
        yield 1, what, f"at most {MAX_RESULT:,} are allowed"


def _oversized(source: str) -> Mistake | None:
    """Return what makes a template too large, before anything is built from it."""
    tags = parts = depth = 0
    is_block = False
    for line, kind, word in _ENVIRONMENT.lex(source):
        if kind in {"variable_begin", "block_begin"}:
            tags, parts, is_block = tags + 1, 0, kind == "block_begin"
        elif kind not in _BETWEEN:
            parts += 1
        if parts == 1 and kind == "name" and is_block and word not in _MIDDLE:
            depth += -1 if word.startswith("end") else 1
        if tags > MAX_TAGS:
            what = f"the template has more than {MAX_TAGS} tags"
        elif parts > MAX_PARTS + 1:
            what = f"this tag has more than {MAX_PARTS} parts"
        elif depth > MAX_DEPTH:
            what = f"tags are nested more than {MAX_DEPTH} deep"
        else:
            continue
        return line, what, "make it simpler: {{ secret }} is enough"
    return None


def _refused(tree: nodes.Template) -> Iterator[Mistake]:
    for node in tree.find_all(nodes.Node):
        line = node.lineno or 1
        if isinstance(node, nodes.Name) and node.name != "secret":
            yield (
                line,
                f'unknown name "{node.name}" in a template',
                "the only name is secret",
            )
        elif isinstance(node, nodes.Filter) and node.name not in FILTERS:
            known = ", ".join(FILTERS)
            yield line, f'the filter "{node.name}" is not allowed', f"use {known}"
        elif isinstance(node, nodes.Filter) and (wrong := _grows(node)):
            yield line, f'the filter "{node.name}" {wrong}', "write {{ secret }}"
        elif not isinstance(node, _ALLOWED):
            kind = type(node).__name__.lower()
            yield (
                line,
                f'"{kind}" is not allowed in a template',
                "use {{ secret }}, a filter or if",
            )


def _grows(node: nodes.Filter) -> str:
    """Return what would let a filter make much out of little; empty if nothing."""
    if node.kwargs or node.dyn_args or node.dyn_kwargs:
        return "takes plain values only"
    if node.name in _GROWING and any(
        inner.name == node.name for inner in node.find_all(nodes.Filter)
    ):
        return "may stand only once in an expression"
    if node.name != "join":
        return ""
    is_short = all(
        isinstance(value, nodes.Const)
        and isinstance(value.value, str)
        and len(value.value) <= MAX_JOINT
        for value in node.args
    )
    if len(node.args) > 1 or not is_short:
        return f"takes one text in quotes, of at most {MAX_JOINT} characters"
    return ""


@lru_cache(maxsize=512)
def _widest(source: str) -> str:
    if not any(isinstance(n, _CHOICES) for n in _parse(source).find_all(nodes.Node)):
        return _render(source, _WIDEST)
    # Which words it chooses depends on the password: as if it chose all of them.
    chosen = "".join(_render(tag, _WIDEST) for tag in _TAG.findall(source))
    return _WIDE * -(-len((source + chosen).encode()) // len(_WIDE.encode()))


def _parse(source: str) -> nodes.Template:
    return _ENVIRONMENT.parse(source)


@lru_cache(maxsize=512)
def _compile(source: str) -> Template:
    return _ENVIRONMENT.from_string(source)


def _render(source: str, secret_text: str) -> str:
    try:
        return _compile(source).render(secret=_Word(secret_text)).strip()
    except (TemplateError, TypeError, ValueError, IndexError) as error:
        # Not the error's own text: it could quote the secret.
        kind = type(error).__name__
        raise ContentError(f"an author's text cannot be rendered ({kind})") from None
