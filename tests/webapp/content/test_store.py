"""Edits go live within two seconds; a mistake keeps the last good version."""

from __future__ import annotations

import os
import threading
import time

import pytest

from tests.kit.clocks import patient
from tests.webapp.content.trees import ContentTree
from webapp.content.store import ContentStore
from webapp.errors import ContentError


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        # Far from the time of the files, which are new by the real clock.
        self.now = time.time() + 1000

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock that the test moves."""
    return Clock()


@pytest.fixture
def store(tree: ContentTree, clock: Clock) -> ContentStore:
    """Return a store of the tree that looks once a second."""
    return ContentStore((tree.root,), clock=clock)


def title(store: ContentStore) -> str:
    """Return the title of the only level."""
    return store.current().level("one").title


def shown(tree: ContentTree, store: ContentStore) -> list[str]:
    """Return the problems of the store as they are printed."""
    return [tree.shown(problem) for problem in store.problems()]


def test_an_edit_is_live_at_the_next_look(
    tree: ContentTree, store: ContentStore, clock: Clock
) -> None:
    before = store.current()
    tree.edit(tree.level, "title: The Gate", "title: My Gate")
    clock.now += 0.9
    assert store.current() is before
    clock.now += 0.2
    assert title(store) == "My Gate"
    assert before.level("one").title == "The Gate"


def test_the_files_are_not_read_again_without_an_edit(
    store: ContentStore, clock: Clock
) -> None:
    before = store.current()
    clock.now += 10
    assert store.current() is before


def test_a_mistake_keeps_the_last_good_version(
    tree: ContentTree, store: ContentStore, clock: Clock
) -> None:
    good = store.current()
    tree.edit(tree.level, "points: 100", "points: many")
    clock.now += 1.1
    assert store.current() is good
    assert store.stale
    assert shown(tree, store) == [
        'game/keep/one.yaml:12: "points" must be a whole number; '
        "write digits without quotes"
    ]
    tree.edit(tree.level, "points: many", "points: 150")
    clock.now += 1.1
    assert store.current().level("one").points == 150
    assert not store.stale
    assert store.problems() == []


def test_a_deleted_and_restored_file(
    tree: ContentTree, store: ContentStore, clock: Clock
) -> None:
    text = tree.ladder.read_text()
    tree.ladder.unlink()
    clock.now += 1.1
    assert (title(store), store.stale) == ("The Gate", True)
    tree.ladder.write_text(text)
    clock.now += 1.1
    assert (title(store), store.stale) == ("The Gate", False)


def test_a_file_that_is_still_being_written_waits_a_moment(
    tree: ContentTree, store: ContentStore, clock: Clock
) -> None:
    tree.edit(tree.level, "explain: It works.", "explain: It wo")
    clock.now += 1.1
    os.utime(tree.level, (clock.now, clock.now))
    assert store.current().level("one").explain == "It works."
    tree.edit(tree.level, "explain: It wo", "explain: It works well.")
    os.utime(tree.level, (clock.now + 0.1, clock.now + 0.1))
    clock.now += 0.5
    assert store.current().level("one").explain == "It works well."


def test_a_file_dated_in_the_future_is_read_at_the_second_look(
    tree: ContentTree, store: ContentStore, clock: Clock
) -> None:
    tree.edit(tree.level, "title: The Gate", "title: My Gate")
    os.utime(tree.level, (clock.now + 9999, clock.now + 9999))
    clock.now += 1.1
    assert title(store) == "The Gate"
    clock.now += 0.4
    assert title(store) == "My Gate"


def test_a_clock_that_was_set_back_does_not_stop_edits(
    tree: ContentTree, store: ContentStore, clock: Clock
) -> None:
    tree.edit(tree.level, "title: The Gate", "title: My Gate")
    clock.now -= 500
    assert title(store) == "My Gate"


def test_a_start_without_valid_content_says_why(
    tree: ContentTree, clock: Clock
) -> None:
    tree.edit(tree.level, "points: 100", "points: many")
    with pytest.raises(ContentError) as caught:
        ContentStore((tree.root,), clock=clock)
    assert caught.value.message == (
        "The content cannot be used: "
        f'{tree.level}:12: "points" must be a whole number; '
        "write digits without quotes"
    )


def test_many_threads_share_one_reading(
    tree: ContentTree, store: ContentStore, clock: Clock
) -> None:
    tree.edit(tree.level, "title: The Gate", "title: My Gate")
    clock.now += 1.1
    seen: list[str] = []
    threads = [
        threading.Thread(target=lambda: seen.append(title(store))) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Nobody waits: who comes while the files are read gets the version before.
    assert set(seen) <= {"The Gate", "My Gate"}
    assert len(seen) == 16
    assert title(store) == "My Gate"


def test_the_real_clock_makes_an_edit_live_within_two_seconds(
    tree: ContentTree,
) -> None:
    store = ContentStore((tree.root,))
    tree.edit(tree.level, "title: The Gate", "title: My Gate")
    started = time.monotonic()
    while title(store) != "My Gate" and time.monotonic() - started < 5:
        time.sleep(0.05)
    assert title(store) == "My Gate"
    assert time.monotonic() - started < patient(2)


def test_a_link_to_itself_keeps_the_last_good_version_until_it_is_gone(
    tree: ContentTree, store: ContentStore, clock: Clock
) -> None:
    good = store.current()
    loop = tree.keep / "two.yaml"
    loop.symlink_to(loop)
    clock.now += 1.1
    assert (store.current(), store.stale) == (good, True)
    assert shown(tree, store) == [
        "game/keep/two.yaml:1: this link leads to itself; delete it"
    ]
    loop.unlink()
    clock.now += 1.1
    assert store.problems() == []
    assert not store.stale


@pytest.mark.parametrize("error", [MemoryError(), RecursionError(), OSError(5, "x")])
def test_any_failure_keeps_the_last_good_version(
    tree: ContentTree,
    store: ContentStore,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    good = store.current()

    def fail(*given: object) -> None:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr("webapp.content.loader.check_ladders", fail)
        tree.edit(tree.level, "title: The Gate", "title: My Gate")
        clock.now += 1.1
        assert (store.current(), store.stale) == (good, True)
        (problem,) = store.problems()
        assert f"({type(error).__name__})" in problem.message
        with pytest.raises(ContentError, match="could not be read"):
            ContentStore((tree.root,), clock=clock)
    tree.edit(tree.level, "title: My Gate", "title: Our Gate")
    clock.now += 1.1
    assert title(store) == "Our Gate"
