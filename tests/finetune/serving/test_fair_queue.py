"""Slots go round between users, however many requests each of them sends."""

from __future__ import annotations

import threading
import time

import pytest

from finetune.serving.engine.fair_queue import FairQueue, Ticket
from finetune.serving.errors import ApiError
from tests.kit.clocks import patient


def served(queue: FairQueue, tickets: list[Ticket]) -> list[str]:
    """Let everyone through, one at a time; return the users in the order served."""
    order = []
    left = list(tickets)
    while left:
        (now,) = [ticket for ticket in left if ticket.is_granted]
        order.append(now.user)
        left.remove(now)
        now.leave()
    return order


def test_free_slots_are_given_at_once():
    queue = FairQueue(slots=2, waiting=0)
    one, two = queue.enter("a"), queue.enter("a")
    assert (one.is_granted, two.is_granted) == (True, True)
    assert (queue.running, queue.waiting) == (2, 0)


def test_users_take_turns():
    queue = FairQueue(slots=1, waiting=20)
    tickets = [queue.enter(user) for user in "aaaabbc"]
    assert served(queue, tickets) == ["a", "b", "c", "a", "b", "a", "a"]


def test_equal_users_are_served_in_the_order_they_came():
    queue = FairQueue(slots=1, waiting=20)
    assert served(queue, [queue.enter(user) for user in "dcab"]) == list("dcab")


def test_a_user_who_comes_back_again_and_again_starves_nobody():
    queue = FairQueue(slots=1, waiting=20)
    current = queue.enter("busy")
    patient = [queue.enter("patient") for _ in range(3)]
    order = []
    for _ in range(6):
        back = queue.enter("busy")
        order.append(current.user)
        current.leave()
        waiting = [back, *patient]
        (current,) = [ticket for ticket in waiting if ticket.is_granted]
        patient = [ticket for ticket in patient if ticket is not current]
        if back is not current:
            back.leave()
    assert order == ["busy", "patient", "patient", "busy", "patient", "busy"]


def test_positions_follow_the_turns():
    queue = FairQueue(slots=1, waiting=20)
    first = queue.enter("a")
    second, third = queue.enter("a"), queue.enter("a")
    assert [t.position for t in (first, second, third)] == [0, 1, 2]
    other = queue.enter("b")
    assert [t.position for t in (other, second, third)] == [1, 2, 3]
    first.leave()
    assert [t.position for t in (other, second, third)] == [0, 1, 2]
    second.leave()
    assert third.position == 1


def test_a_full_room_refuses_whoever_holds_no_less_than_others():
    queue = FairQueue(slots=1, waiting=2)
    for user in "abc":
        queue.enter(user)
    with pytest.raises(ApiError) as refused:
        queue.enter("d")
    assert (refused.value.status, refused.value.code) == (429, "queue_full")
    with pytest.raises(ApiError):
        queue.enter("b")
    assert (queue.running, queue.waiting) == (1, 2)


def test_the_user_who_fills_the_room_gives_way():
    queue = FairQueue(slots=1, waiting=3)
    running, first, second, third = (queue.enter("greedy") for _ in range(4))
    modest = queue.enter("modest")
    with pytest.raises(ApiError) as refused:
        third.wait(0)
    assert refused.value.code == "queue_full"
    assert second.wait(0) is False
    # The turn that was lost does not count: the next request stands right behind.
    later = queue.enter("other")
    assert queue.waiting == 3
    assert served(queue, [running, first, modest, later]) == [
        "greedy",
        "modest",
        "other",
        "greedy",
    ]


def test_leaving_twice_frees_one_slot():
    queue = FairQueue(slots=1, waiting=5)
    first, second, third = (queue.enter("a") for _ in range(3))
    first.leave()
    first.leave()
    assert (second.is_granted, third.is_granted) == (True, False)
    third.leave()
    third.leave()
    assert (queue.running, queue.waiting) == (1, 0)


def test_waiting_ends_when_the_slot_comes_and_not_before():
    queue = FairQueue(slots=1, waiting=5)
    first, second = queue.enter("a"), queue.enter("b")
    started = time.monotonic()
    assert second.wait(0.1) is False
    assert time.monotonic() - started >= 0.1
    threading.Timer(0.05, first.leave).start()
    assert second.wait(10) is True
    assert time.monotonic() - started < patient(5)


def test_waiting_ends_when_the_position_changes():
    queue = FairQueue(slots=1, waiting=5)
    _, second, third = queue.enter("a"), queue.enter("b"), queue.enter("c")
    threading.Timer(0.05, second.leave).start()
    started = time.monotonic()
    assert third.wait(10) is False
    assert third.position == 1
    assert time.monotonic() - started < patient(5)


def test_a_closed_queue_refuses_all_but_the_running():
    queue = FairQueue(slots=1, waiting=5)
    running, waiting = queue.enter("a"), queue.enter("b")
    queue.close()
    with pytest.raises(ApiError) as refused:
        waiting.wait(10)
    assert (refused.value.status, refused.value.code) == (503, "stopping")
    with pytest.raises(ApiError):
        queue.enter("c")
    assert running.wait(0) is True
    assert (queue.running, queue.waiting) == (1, 0)


def test_the_memory_of_past_users_does_not_grow():
    queue = FairQueue(slots=1, waiting=5)
    for number in range(500):
        queue.enter(f"user {number}").leave()
    assert len(queue._next_turn) <= 1


def test_many_threads_never_use_more_than_the_slots():
    queue = FairQueue(slots=3, waiting=1000)
    most = 0
    done = []
    lock = threading.Lock()

    def play(user: str) -> None:
        nonlocal most
        for _ in range(20):
            ticket = queue.enter(user)
            while not ticket.wait(0.05):
                pass
            with lock:
                most = max(most, queue.running)
                done.append(user)
            time.sleep(0.001)
            ticket.leave()

    threads = [threading.Thread(target=play, args=(f"u{n % 4}",)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 3
    assert len(done) == 320
    assert (queue.running, queue.waiting) == (0, 0)
