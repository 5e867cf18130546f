"""Who may use the engine next: a bounded waiting room that is fair between users.

Start-time fair queueing: each ticket gets a turn, one after its user's last one, but
never before the turn that is being served. The lowest turn goes first, so users take
turns however many requests each of them has sent. When the room is full, the user who
fills it loses the newest ticket, not the newcomer.
"""

from __future__ import annotations

import threading
from itertools import count

from finetune.serving.errors import ApiError, queue_full, stopping


class Ticket:
    """A place in the queue and then, from `is_granted` on, a slot of the engine."""

    def __init__(self, queue: FairQueue, user: str, turn: int, arrival: int) -> None:
        self.user = user
        self.turn = turn
        self.arrival = arrival
        self.position = 0
        self.is_granted = False
        self.refusal: ApiError | None = None
        self._queue = queue
        self.changed = threading.Condition(queue.lock)

    def wait(self, seconds: float) -> bool:
        """Wait for a slot or a new position; return whether the slot is granted.

        Raises the refusal if the ticket lost its place.
        """
        with self._queue.lock:
            seen = self.position
            self.changed.wait_for(
                lambda: self.is_granted or self.refusal or self.position != seen,
                timeout=seconds,
            )
            if self.refusal is not None:
                raise self.refusal
            return self.is_granted

    def leave(self) -> None:
        """Give back the slot, or the place in the queue. Harmless when repeated."""
        self._queue.leave(self)


class FairQueue:
    """`slots` tickets are granted at a time, and at most `waiting` more may wait."""

    def __init__(self, *, slots: int, waiting: int) -> None:
        # Protects everything below and the fields of all tickets.
        self.lock = threading.Lock()
        self._slots = slots
        self._room = waiting
        self._waiting: list[Ticket] = []
        self._granted: set[Ticket] = set()
        # For users who are ahead of the present turn.
        self._next_turn: dict[str, int] = {}
        self._turn = 0
        self._arrivals = count()
        self._is_closed = False

    @property
    def running(self) -> int:
        """Return how many slots are in use."""
        return len(self._granted)

    @property
    def waiting(self) -> int:
        """Return how many requests wait."""
        return len(self._waiting)

    def enter(self, user: str) -> Ticket:
        """Take a ticket; raise ApiError 429 if there is no room to wait."""
        with self.lock:
            if self._is_closed:
                raise stopping()
            has_room = len(self._waiting) < self._room
            if len(self._granted) >= self._slots and not has_room:
                self._make_room(user)
            turn = max(self._turn, self._next_turn.get(user, 0))
            ticket = Ticket(self, user, turn, next(self._arrivals))
            self._next_turn[user] = turn + 1
            self._waiting.append(ticket)
            self._waiting.sort(key=lambda one: (one.turn, one.arrival))
            self._advance()
            return ticket

    def leave(self, ticket: Ticket) -> None:
        """Free what a ticket holds and let the next one in."""
        with self.lock:
            if ticket in self._granted:
                self._granted.remove(ticket)
            elif ticket in self._waiting:
                self._drop(ticket)
            else:
                return
            self._advance()

    def close(self) -> None:
        """Refuse all who wait and all who come later; running requests go on."""
        with self.lock:
            self._is_closed = True
            for ticket in self._waiting:
                self._refuse(ticket, stopping())
            self._waiting.clear()

    def _make_room(self, user: str) -> None:
        held: dict[str, list[Ticket]] = {}
        for ticket in self._waiting:
            held.setdefault(ticket.user, []).append(ticket)
        most = max(held.values(), key=len, default=[])
        if len(most) <= len(held.get(user, [])) + 1:
            raise queue_full()
        self._drop(most[-1])
        self._refuse(most[-1], queue_full())

    def _drop(self, ticket: Ticket) -> None:
        """Take a ticket out; a turn that was not used is not counted."""
        self._waiting.remove(ticket)
        if self._next_turn.get(ticket.user) == ticket.turn + 1:
            self._next_turn[ticket.user] = ticket.turn

    def _refuse(self, ticket: Ticket, refusal: ApiError) -> None:
        ticket.refusal = refusal
        ticket.changed.notify_all()

    def _advance(self) -> None:
        while self._waiting and len(self._granted) < self._slots:
            ticket = self._waiting.pop(0)
            self._turn = ticket.turn
            self._granted.add(ticket)
            ticket.is_granted = True
            ticket.position = 0
            ticket.changed.notify_all()
        for position, ticket in enumerate(self._waiting, start=1):
            if ticket.position != position:
                ticket.position = position
                ticket.changed.notify_all()
        # Who is neither ahead of the others nor here starts level with them anyway.
        here = {ticket.user for ticket in (*self._granted, *self._waiting)}
        self._next_turn = {
            user: turn
            for user, turn in self._next_turn.items()
            if turn > self._turn and (user in here or self._waiting)
        }
