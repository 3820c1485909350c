"""The standard library: ``queue.Queue`` as a channel; from Python 3.13 on it can be closed."""

import queue
from typing import Any

import quiesce

CLOSES = hasattr(queue.Queue, "shutdown")
ShutDown: Any = getattr(queue, "ShutDown", ())  # nothing to catch before 3.13


@quiesce.adapter(
    "channel",
    world="threads",
    name="queue.Queue",
    packages=["queue"],
    lacks={"rendezvous", "iterate", "ends", *(() if CLOSES else ("close", "close_now"))},
    # The documentation: maxsize 0 is no bound, and nothing is said of who is served first.
    dialect={"handover": "barging", "close_twice": "noop"},
)
class Queue:
    """``queue.Queue``."""

    def __init__(self, capacity: int | None) -> None:
        self._queue: Any = queue.Queue[int](0 if capacity is None else capacity)

    def send(self, item: int) -> None:
        self._queue.put(item)

    def receive(self) -> tuple[bool, int | None]:
        try:
            return True, self._queue.get()
        except ShutDown:
            return False, None

    def try_send(self, item: int) -> bool:
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            return False
        return True

    def try_receive(self) -> tuple[bool, int | None] | None:
        try:
            return True, self._queue.get_nowait()
        except queue.Empty:
            return None
        except ShutDown:
            return False, None

    def occupancy(self) -> tuple[int, int | None]:
        return self._queue.qsize(), self._queue.maxsize or None

    def join(self) -> None:
        self._queue.join()

    def task_done(self) -> None:
        self._queue.task_done()

    if CLOSES:

        def close(self) -> None:
            self._queue.shutdown()

        def close_now(self) -> None:
            self._queue.shutdown(immediate=True)
