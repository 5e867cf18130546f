"""The secret stands in the prompt only where the author put it."""

from __future__ import annotations

import time

import pytest

from tests.kit.clocks import patient
from tests.webapp.content.trees import ContentTree
from webapp.content.loader import load
from webapp.content.prompts import (
    common_characters,
    render_examples,
    render_system,
    widest_examples,
    widest_system,
)
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
        ("It is {{ secret|list|join(', ') }}.", "It is l, a, n, t, e, r, n."),
        ("It is {{ secret|upper|join('-') }}.", "It is L-A-N-T-E-R-N."),
        (
            "{% if secret[0] == 'l' %}L{% elif secret %}No{% else %}x{% endif %}",
            "L",
        ),
        ("{% if secret %}if end {{ secret }}{% endif %}" * 2, "if end lantern" * 2),
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


@pytest.mark.parametrize(
    ("system", "text"),
    [
        ("{{ secret }}", "पानी"),
        ("{{ secret[0] }}, {{ secret|last }}", "पा, नी"),
        ("{{ secret|length }}", "2"),
        ("{{ secret|reverse }}", "नीपा"),
        ("{{ secret|list|join(', ') }}", "पा, नी"),
        ("{{ secret|upper|join('-') }}", "पा-नी"),
        ("{% if secret == 'पानी' %}yes{% endif %}{{ secret[1:] }}", "yesनी"),
    ],
)
def test_filters_keep_vowel_signs_on_their_letters(
    tree: ContentTree, system: str, text: str
) -> None:
    level = level_with(tree, f"It is {{{{ secret }}}}. {system}")
    shown = render_system(level, "पानी")
    assert shown == f"You keep a gate.\nIt is पानी. {text}"


def test_examples(tree: ContentTree) -> None:
    level = level_with(tree, "It is {{ secret }}.")
    examples = render_examples(level, "lantern")
    assert [(e.user, e.assistant) for e in examples] == [("Hi", "It is lantern.")]


WORDS = ("abc", "lantern", "straße", "पानी", "\U00010380" * 30, "o" * 30, "Ǆ" * 9)


@pytest.mark.parametrize(
    "system",
    [
        "It is {{ secret }}.",
        'It is {{ secret|upper|join(", ") }}, {{ secret|reverse }}, {{ secret[0] }}.',
        "It has {{ secret|length }} letters.",
        "{% if secret|length > 5 %}"
        + "Be very careful. " * 9
        + "{% endif %}It is {{ secret }}.",
        "{% if secret[0] == 'a' %}A{% elif secret[1] == 'b' %}{{ secret }}"
        "{% else %}Be careful.{% endif %}",
        "{{ 'A long one, take care of it.' if secret|length > 8 else secret }}",
        "{{ secret[0] == 'l' and 'It begins with the letter l.' }}",
    ],
)
def test_the_widest_prompt_is_wider_than_with_any_password(
    tree: ContentTree, system: str
) -> None:
    level = level_with(tree, system)
    # No token is shorter than a byte, and the stand-in has one for each of its bytes.
    most = len(widest_system(level).encode())
    assert all(len(render_system(level, word).encode()) <= most for word in WORDS)
    most = len(widest_examples(level)[0].assistant.encode())
    (rendered,) = render_examples(level, "\U00010380" * 30)
    assert len(rendered.assistant.encode()) <= most


def test_words_that_depend_on_the_password_are_all_reserved(tree: ContentTree) -> None:
    level = level_with(
        tree, "{% if secret[0] == 'a' %}One{% else %}Two{% endif %}{{ secret }}"
    )
    widest = widest_system(level)
    # Every byte of it is a token, so that no text of the template has more.
    assert set(widest) == {"\U00020000"}
    assert len(widest.encode()) >= len(level.defender.system.encode()) + 120


LARGE = "; make it simpler: {{ secret }} is enough"
ONE_TEXT = "takes one text in quotes, of at most 20 characters; write {{ secret }}"


def nested_joins(depth: int) -> str:
    """Return a template whose result has 7 ** depth letters and more."""
    text = "secret"
    for _ in range(depth):
        text = f"secret|join({text})"
    return f"{{{{ {text} }}}}"


@pytest.mark.parametrize(
    ("system", "said"),
    [
        (
            f"{{{{ {'(' * 150}secret{')' * 150} }}}}",
            f"this tag has more than 40 parts{LARGE}",
        ),
        (f"{{{{ {'not ' * 900}secret }}}}", f"this tag has more than 40 parts{LARGE}"),
        (
            f"{{{{ secret{'|list|upper' * 12} }}}}",
            f"this tag has more than 40 parts{LARGE}",
        ),
        (
            f"{'{% if secret %}' * 90}x{'{% endif %}' * 90}",
            f"tags are nested more than 10 deep{LARGE}",
        ),
        (
            f"{'{% for x in secret %}' * 90}x{'{% endfor %}' * 90}",
            f"tags are nested more than 10 deep{LARGE}",
        ),
        ("{{ secret }}" * 201, f"the template has more than 200 tags{LARGE}"),
        (nested_joins(1), f'the filter "join" {ONE_TEXT}'),
        (f"{{{{ secret|join('{'x' * 21}') }}}}", f'the filter "join" {ONE_TEXT}'),
        ("{{ secret|join(5) }}", f'the filter "join" {ONE_TEXT}'),
        ("{{ secret|join('', 'a') }}", f'the filter "join" {ONE_TEXT}'),
        (
            "{{ secret|join('ab')|join('cd') }}",
            'the filter "join" may stand only once in an expression; '
            "write {{ secret }}",
        ),
        (
            "{{ secret|list|upper|list }}",
            'the filter "list" may stand only once in an expression; '
            "write {{ secret }}",
        ),
        (
            "{{ secret|join(*secret) }}",
            'the filter "join" takes plain values only; write {{ secret }}',
        ),
        (
            f"{{{{ secret[{'9' * 5000}] }}}}",
            "the template has a number that is too long; write {{ secret }}",
        ),
        (
            f"{{{{ '{'y' * 2000}'|list|join('{'x' * 20}') }}}}",
            "with a password in it, the text has 41,997 characters; "
            "at most 20,000 are allowed",
        ),
    ],
)
def test_what_would_cost_time_or_memory_is_refused(
    tree: ContentTree, system: str, said: str
) -> None:
    tree.edit(tree.level, "The password is {{ secret }}.", system)
    (first, *_) = tree.problems()
    assert first.partition(": ")[2] == said


@pytest.mark.parametrize("depth", [2, 12])
def test_joins_inside_joins_are_refused_unread(tree: ContentTree, depth: int) -> None:
    tree.edit(tree.level, "The password is {{ secret }}.", nested_joins(depth))
    started = time.monotonic()
    assert load((tree.root,)).index is None
    assert time.monotonic() - started < patient(1)


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


@pytest.mark.parametrize(
    ("system", "begins"),
    [
        ('The word is "{{ secret }}".', 'The word is "'),
        ("Hello. {% if secret|length > 5 %}Long.{% endif %} Bye.", "Hello."),
        ("Be kind. {# a note #} It is {{ secret }}.", "Be kind."),
        ("{{ secret }} is the word.", ""),
        ("No word at all, only {braces}.", "No word at all, only {braces}."),
    ],
)
@pytest.mark.parametrize("secret", ["lantern", "cat"])
def test_what_comes_before_the_first_tag_is_everybodys(
    tree: ContentTree, system: str, begins: str, secret: str
) -> None:
    level = level_with(tree, system)
    rendered = render_system(level, secret)
    found = rendered[: common_characters(level, rendered)]
    assert found == f"You keep a gate.\n{begins}".strip()


def test_a_prompt_that_does_not_begin_as_written_is_not_everybodys(
    tree: ContentTree,
) -> None:
    level = level_with(tree, "Be kind. {{ secret }}")
    assert common_characters(level, "Be cruel. lantern") == 0
