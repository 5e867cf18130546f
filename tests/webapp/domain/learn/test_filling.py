"""A panel filled in: texts are put in once, and nothing is invented."""

from __future__ import annotations

import pytest

from tests.kit.lessons import WORDS, simple_panel, zo_panel
from webapp.content.lessons.placeholders import fill
from webapp.content.lessons.schema import Slot
from webapp.domain.learn import filling
from webapp.domain.learn.lesson import template
from webapp.domain.learn.practice import plan_of


def test_braces_that_name_nothing_stay() -> None:
    text = '{"name": "{name}", "age": {age}} {Name} {{name}}'
    assert fill(text, {"name": "{age}"}) == (
        '{"name": "{age}", "age": {age}} {Name} {{age}}'
    )
    assert list(filling.pieces("a{b}c{d}", ("d",))) == [
        ("text", "a{b}c"),
        ("name", "d"),
    ]


@pytest.mark.parametrize(
    ("system", "default", "roles"),
    [
        (None, True, ["user"]),
        ("none", False, ["user"]),
        ("Be brief.", True, ["system", "user"]),
    ],
)
def test_a_system_prompt_is_sent_or_kept_out(
    system: str | None, default: bool, roles: list[str]
) -> None:
    panel = simple_panel(system=system)
    request = filling.request_of(panel, filling.typed(panel, {}), {}, seed=1)
    assert request.has_default_system is default
    assert [message["role"] for message in request.messages] == roles


def test_each_sample_has_its_own_seed_and_hidden_values() -> None:
    panel = zo_panel()
    plan = plan_of(panel, filling.typed(panel, {}), 2**31 - 2)
    assert len({request.sampling.seed for request in plan.requests}) == 5
    assert all(0 <= (r.sampling.seed or 0) < 2**31 for r in plan.requests)
    assert sorted(values["word"] for values in plan.hidden) == sorted(WORDS)
    fixed = plan_of(zo_panel(seed=40), filling.typed(panel, {}), 3)
    assert [r.sampling.seed for r in fixed.requests] == [40, 41, 42, 43, 44]
    assert fixed.hidden[0] == {"word": "lamp"}


def test_what_samples_have_in_common_ends_before_a_hidden_value() -> None:
    panel = zo_panel(system="Go on.", start_reply="-")
    given = filling.typed(panel, {"examples": "aa -> b"})
    request = filling.request_of(panel, given, {"word": "lamp"}, seed=1, salt="own")
    assert (request.public, request.salt) == (len("Go on.aa -> b\n"), "own")
    assert request.as_text == "system: Go on.\nuser: aa -> b\nlamp ->\nassistant: -"
    # Without a salt of the run's own, what was typed is shared with nobody.
    unsalted = filling.request_of(panel, given, {"word": "lamp"}, seed=1)
    assert unsalted.public == 0
    locked = zo_panel(messages=({"user": "Word: {word}\n{examples}"},))
    request = filling.request_of(locked, given, {"word": "lamp"}, seed=1, salt="own")
    assert (request.public, request.salt) == (len("Word: "), "")


@pytest.mark.parametrize(
    "typed", ["{word}", "{ask}", "{{ secret }}", "{% x %}", "<|im_start|>system", "\\n"]
)
def test_what_is_typed_is_put_in_as_it_is_wherever_it_goes(typed: str) -> None:
    places = {
        "system": "Now {ask}.",
        "start_reply": "So {ask}:",
        "messages": ({"user": "{word} {ask}"}, {"assistant": "{ask}"}, {"user": "?"}),
    }
    panel = simple_panel(vary=({"word": "lamp"},), **places)
    given = filling.typed(panel, {"ask": typed})
    request = filling.request_of(panel, given, {"word": "lamp"}, seed=1)
    assert [message["content"] for message in request.messages] == [
        f"Now {typed}.",
        f"lamp {typed}",
        typed,
        "?",
    ]
    assert request.start_reply == f"So {typed}:"
    text = simple_panel(talk="complete", messages=(), text="{ask} {word}")
    text = text.model_copy(update={"vary": panel.vary})
    request = filling.request_of(text, given, {"word": "lamp"}, seed=1)
    assert request.text == f"{typed} lamp"


def test_every_request_names_its_sampling() -> None:
    """Engines have habits of their own where nothing is said."""
    panel = simple_panel(temperature=0, top_p=1, max_tokens=7, stop=("\n",))
    plan = plan_of(panel, filling.typed(panel, {}), 7)
    for request in plan.requests:
        sampling = request.sampling
        assert (sampling.temperature, sampling.top_p) == (0, 1)
        assert (sampling.max_tokens, sampling.stop) == (7, ("\n",))
        assert sampling.seed is not None


def test_only_own_words_are_somebodys() -> None:
    panel = simple_panel(
        slots={
            "ask": Slot(start="Say something."),
            "tone": Slot(choices=("kind", "rude")),
            "order": Slot(items=("a", "b")),
        },
        messages=({"user": "{ask}{tone}{order}"},),
    )
    assert filling.own_words(panel, filling.typed(panel, {"tone": "rude"})) == ""
    assert filling.own_words(panel, filling.typed(panel, {"ask": "hi"})) == "hi"


def test_a_template_shows_slots_where_they_are() -> None:
    (message,) = template(zo_panel())
    assert [(piece.kind, piece.text) for piece in message.pieces] == [
        ("slot", "examples"),
        ("text", "\n"),
        ("hidden", "word"),
        ("text", " ->"),
    ]
