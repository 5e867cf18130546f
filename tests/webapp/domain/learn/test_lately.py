"""Pages take what endpoints said lately, and wait for none."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest

from tests.kit.lessons import give_lessons, lesson, practise, simple_panel
from tests.kit.world import World
from webapp.domain.learn import course, lately, tokenizing, versions
from webapp.domain.learn.lately import Lately
from webapp.domain.learn.lesson import lesson_page
from webapp.domain.learn.practice import require_panel
from webapp.errors import BackendError
from webapp.llm.endpoints import LOCAL, Endpoint
from webapp.llm.gateway import Gateway

MODELS = ("warden", "keeper", "echo", "empty", "refuses", "garbage")
# Longer than any test: what is silent stays silent until it is let go.
SILENT_SECONDS = 300.0


class Silent:
    """Says a version once it is let go; fails before, if it shall."""

    def __init__(self) -> None:
        self.is_free = threading.Event()
        self.asked: list[str] = []
        self.error: BackendError | None = None

    def ask(self, name: str = "a") -> str:
        self.asked.append(name)
        if self.error is not None:
            raise self.error
        self.is_free.wait(SILENT_SECONDS)
        return f"version of {name}"


class Patience:
    """A clock that only waiting for answers moves: no machine is too slow for it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def event(self) -> threading.Event:
        """Return an event for which nobody really waits."""
        event = threading.Event()

        def wait(timeout: float | None = None) -> bool:
            self.seconds += 0.0 if event.is_set() else timeout or 0.0
            return event.is_set()

        event.wait = wait  # type: ignore[method-assign]
        return event


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> Patience:
    patience = Patience()
    clock = SimpleNamespace(monotonic=lambda: patience.seconds)
    threads = SimpleNamespace(Event=patience.event, Thread=threading.Thread)
    threads.Lock = threading.Lock
    monkeypatch.setattr(lately, "time", clock)
    monkeypatch.setattr(lately, "threading", threads)
    monkeypatch.setattr(lately, "LONGEST_SECONDS", SILENT_SECONDS)
    return patience


@pytest.fixture
def silent() -> Iterator[Silent]:
    silent = Silent()
    yield silent
    silent.is_free.set()


@pytest.fixture
def hanging(world: World, silent: Silent, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world whose endpoint takes every question and answers none."""
    local = {LOCAL: world.backend}
    gateway = Gateway(
        [Endpoint(LOCAL, "scripted", {name: name for name in MODELS})], backends=local
    )
    world.services = replace(world.services, gateway=gateway)
    monkeypatch.setattr(world.backend, "version", silent.ask)
    monkeypatch.setattr(world.backend, "tokens", lambda model, text: silent.ask())
    panels = [simple_panel(name=f"p-{model}", model=model) for model in MODELS]
    panels.append(simple_panel(name="pieces", show=("tokens",)))
    give_lessons(world, lesson(*panels))
    return world


def test_pages_of_lessons_wait_for_no_model(hanging: World, patience: Patience) -> None:
    for _ in range(4):
        assert course.course_page(hanging.services, None).total == 1
        page = lesson_page(hanging.services, None, "basics/zo")
    assert 0 < patience.seconds <= versions.PAGE_SECONDS
    assert {panel.badge for panel in page.panels} == {"unknown"}
    assert "may still be starting" in page.panels[0].badge_text


def test_the_pieces_of_a_prompt_keep_no_page_waiting(
    hanging: World, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "RUN_SECONDS", 0.0)
    ada = hanging.player()
    practise(hanging, ada, {}, ["hello"], panel="pieces")
    for _ in range(4):
        page = lesson_page(hanging.services, ada, "basics/zo")
    longest = versions.PAGE_SECONDS + tokenizing.PAGE_SECONDS
    assert 0 < patience.seconds <= longest
    assert page.panel("pieces").in_pieces == {}


def test_a_pass_is_not_called_one_of_another_model_before_it_is_known(
    hanging: World, silent: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "RUN_SECONDS", 0.0)
    ada = hanging.player()
    practise(hanging, ada, {}, ["hello"], panel="p-echo")
    seen = lesson_page(hanging.services, ada, "basics/zo").panel("p-echo")
    assert (seen.state, seen.passed_on_other, seen.badge) == ("passed", None, "unknown")


def test_a_model_that_wakes_up_is_known_at_the_next_page(
    hanging: World, silent: Silent
) -> None:
    first = lesson_page(hanging.services, None, "basics/zo").panel("p-echo")
    silent.is_free.set()
    eventually(
        lambda: (
            lesson_page(hanging.services, None, "basics/zo").panel("p-echo").badge
            == "unproven"
        )
    )
    assert first.badge == "unknown"
    assert silent.asked.count("echo") == 1
    panel = require_panel(
        hanging.services.content.current().lesson("basics/zo"), "p-echo"
    )
    found = versions.of_panel(hanging.services.gateway, panel)
    assert found == "version of echo"


def test_one_question_at_a_time_and_only_the_first_waits(
    silent: Silent, patience: Patience
) -> None:
    known: Lately[str, str] = Lately(good=60, again=60, most=10)
    asks = {"a": silent.ask}
    for _ in range(50):
        assert known.known(asks, patience=2.0) == {}
    assert patience.seconds == 2.0
    eventually(lambda: silent.asked == ["a"])
    silent.is_free.set()
    eventually(lambda: known.known(asks, patience=0) == {"a": "version of a"})
    assert silent.asked == ["a"]


def test_an_old_answer_is_given_while_a_new_one_is_on_its_way(
    silent: Silent,
) -> None:
    known: Lately[str, str] = Lately(good=0, again=0, most=10)
    assert known.known({"a": lambda: "old"}, patience=30) == {"a": "old"}
    assert known.known({"a": silent.ask}, patience=0.01) == {"a": "old"}
    silent.is_free.set()
    eventually(lambda: known.known({"a": silent.ask}, patience=1)["a"] != "old")


def test_who_fails_is_unknown_and_asked_again_later(
    silent: Silent, patience: Patience
) -> None:
    known: Lately[str, str] = Lately(good=60, again=5.0, most=10)
    silent.error = BackendError("gone")
    for _ in range(20):
        assert known.known({"a": silent.ask}, patience=0) == {}
    eventually(lambda: silent.asked == ["a"])
    eventually(lambda: known._heard["a"].asking is None)
    assert known.known({"a": silent.ask}, patience=0) == {}
    assert silent.asked == ["a"]
    silent.error = None
    silent.is_free.set()
    patience.seconds += 5.0
    eventually(lambda: known.known({"a": silent.ask}, patience=0))
    assert silent.asked == ["a", "a"]


def test_a_question_without_an_answer_is_given_up(
    silent: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lately, "LONGEST_SECONDS", 0.05)
    known: Lately[str, str] = Lately(good=60, again=0, most=10)
    eventually(
        lambda: (
            known.known({"a": silent.ask}, patience=0.1) == {} and len(silent.asked) > 1
        )
    )


def test_few_answers_are_kept() -> None:
    known: Lately[int, int] = Lately(good=60, again=0, most=3)
    for n in range(9):
        assert known.known({n: lambda n=n: n}, patience=30) == {n: n}  # type: ignore[misc]
    assert len(known._heard) <= 3


def test_pieces_are_asked_once_for_a_text(world: World) -> None:
    asked: list[str] = []
    tokens = world.backend.tokens

    def count(model: str, text: str):
        asked.append(text)
        return tokens(model, text)

    world.backend.tokens = count  # type: ignore[method-assign]
    gateway = world.services.gateway
    for _ in range(3):
        eventually(
            lambda: (
                tokenizing.of_texts(gateway, "warden", {"x": "two birds", "y": ""})
                == {"x": ("two ", "birds")}
            )
        )
    assert asked == ["two birds"]


def eventually(is_so) -> None:
    """Ask until it is so."""
    end = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)
