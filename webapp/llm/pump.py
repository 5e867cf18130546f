"""Read a blocking source in a thread, so that silence can be noticed."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

from webapp.llm.cancel import Cancel, current
from webapp.llm.events import BackendEvent, Silence

# A closed browser often shows only at the second write, and Stop has a second in all.
BEAT_SECONDS = 0.25

T = TypeVar("T")
Source = Callable[[Cancel], Generator[BackendEvent]]


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None


Inbox = queue.SimpleQueue[BackendEvent | _End]


def pump(source: Source, *, name: str) -> Generator[BackendEvent | Silence]:
    """Yield what the source yields, and a Silence whenever it says nothing.

    Closing this iterator ends the source, even while it waits for the network.
    """
    cancel, inbox = Cancel(), Inbox()
    threading.Thread(
        target=_read, args=(source, cancel, inbox), name=name, daemon=True
    ).start()
    try:
        while True:
            try:
                item = inbox.get(timeout=BEAT_SECONDS)
            except queue.Empty:
                yield Silence()
                continue
            if not isinstance(item, _End):
                yield item
            elif item.error is not None:
                raise item.error
            else:
                return
    finally:
        cancel.pull()


def within(seconds: float, call: Callable[[], T], *, name: str) -> T:
    """Return what a blocking call returns; cut it and raise TimeoutError if late.

    The timeouts of an HTTP client restart with every byte; this one does not.
    """
    cancel = Cancel()
    answer: queue.SimpleQueue[T | _End] = queue.SimpleQueue()

    def run() -> None:
        current.set(cancel)
        try:
            answer.put(call())
        except BaseException as error:  # noqa: BLE001 -- raised again below
            answer.put(_End(error))

    threading.Thread(target=run, name=name, daemon=True).start()
    try:
        result = answer.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    finally:
        cancel.pull()
    if isinstance(result, _End):
        raise result.error or RuntimeError("a call ended without a result")
    return result


def _read(source: Source, cancel: Cancel, inbox: Inbox) -> None:
    current.set(cancel)
    error: BaseException | None = None
    try:
        with closing(source(cancel)) as items:
            for item in items:
                if cancel.is_pulled:
                    break
                inbox.put(item)
    except BaseException as caught:  # noqa: BLE001 -- raised again in the reader
        error = caught
    inbox.put(_End(error))
