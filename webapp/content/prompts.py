"""Puts the secret into the author's texts, at the last moment, in a sandbox.

Only what an author needs is allowed: `{{ secret }}`, a few filters and `if`. Loops,
arithmetic and calls are refused when the level is read, so no prompt can hang the
site. A player's text never comes here.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from webapp.content.schema import Level, PromptExample
from webapp.errors import ContentError

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


def has_secret(source: str) -> bool:
    """Return whether an author's text gives the secret away to the model."""
    return any(name.name == "secret" for name in _parse(source).find_all(nodes.Name))


def find_mistakes(source: str) -> Iterator[tuple[int, str, str]]:
    """Yield (line of the text, message, suggestion) for all that will not render."""
    try:
        tree = _parse(source)
    except TemplateError as error:
        line = getattr(error, "lineno", None) or 1
        yield (
            line,
            f"the template is broken: {(error.message or '').rstrip('.')}",
            "write {{ secret }}",
        )
        return
    wrong = list(_refused(tree))
    yield from wrong
    if wrong:
        return
    try:
        _render(source, _SAMPLE)
    except ContentError as error:
        yield 1, error.message, "write {{ secret }}"


def _refused(tree: nodes.Template) -> Iterator[tuple[int, str, str]]:
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
        elif not isinstance(node, _ALLOWED):
            kind = type(node).__name__.lower()
            yield (
                line,
                f'"{kind}" is not allowed in a template',
                "use {{ secret }}, a filter or if",
            )


def _parse(source: str) -> nodes.Template:
    return _ENVIRONMENT.parse(source)


@lru_cache(maxsize=512)
def _compile(source: str) -> Template:
    return _ENVIRONMENT.from_string(source)


def _render(source: str, secret_text: str) -> str:
    try:
        return _compile(source).render(secret=secret_text).strip()
    except (TemplateError, TypeError, ValueError, IndexError) as error:
        # Not the error's own text: it could quote the secret.
        kind = type(error).__name__
        raise ContentError(f"an author's text cannot be rendered ({kind})") from None
