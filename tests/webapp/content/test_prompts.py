"""The secret stands in the prompt only where the author put it."""

from __future__ import annotations

import pytest

from tests.webapp.content.trees import ContentTree
from webapp.content.loader import load
from webapp.content.prompts import render_examples, render_system
from webapp.content.schema import Level
from webapp.errors import ContentError


def level_with(tree: ContentTree, system: str) -> Level:
    """Return the level of the tree with another system prompt and one example."""
    example = "  examples:\n    - {user: Hi, assistant: 'It is {{ secret }}.'}\n"
    tree.edit(tree.level, "  system: |", f"{example}  system: |")
    tree.edit(tree.level, "The password is {{ secret }}.", system)
    loaded = load((tree.root,))
    assert loaded.index is not None, loaded.problems
    return loaded.index.level("one")


@pytest.mark.parametrize(
    ("system", "text"),
    [
        ("It is {{ secret }}.", "It is lantern."),
        ("It is {{secret|upper}}.", "It is LANTERN."),
        ("It begins with {{ secret[0] }}.", "It begins with l."),
        ("It is {{ secret|reverse }}.", "It is nretnal."),
        ("It has {{ secret|length }} letters.", "It has 7 letters."),
        (
            "{% if secret %}There is one: {{ secret }}{% endif %}",
            "There is one: lantern",
        ),
        ('Say "{{ secret }}" & <b>', 'Say "lantern" & <b>'),
    ],
)
def test_what_authors_may_write(tree: ContentTree, system: str, text: str) -> None:
    level = level_with(tree, system)
    assert render_system(level, "lantern") == f"You keep a gate.\n{text}"


def test_examples(tree: ContentTree) -> None:
    level = level_with(tree, "It is {{ secret }}.")
    examples = render_examples(level, "lantern")
    assert [(e.user, e.assistant) for e in examples] == [("Hi", "It is lantern.")]


def test_a_secret_that_looks_like_a_template_is_text(tree: ContentTree) -> None:
    level = level_with(tree, "It is {{ secret }}.")
    assert render_system(level, "{{ 7 * 7 }}") == "You keep a gate.\nIt is {{ 7 * 7 }}."


def test_an_error_does_not_quote_the_secret(tree: ContentTree) -> None:
    level = level_with(tree, "It is {{ secret }}.")
    broken = level.model_copy(
        update={
            "defender": level.defender.model_copy(
                update={"system": "{{ secret[99].x }}"}
            )
        }
    )
    with pytest.raises(ContentError) as caught:
        render_system(broken, "lantern")
    assert caught.value.message == (
        "an author's text cannot be rendered (UndefinedError)"
    )
    assert "lantern" not in repr(caught.value.__cause__)
