"""The standard library: ``queue.SimpleQueue`` as a channel without bound and close.

The pure Python one, which runs where the C version is missing: a deque and a semaphore.
"""

import queue

import quiesce


@quiesce.adapter(
    "channel",
    world="threads",
    name="queue.SimpleQueue",
    packages=["queue"],
    lacks={"rendezvous", "bounded", "iterate", "ends", "close", "close_now", "join", "try_send"},
    # The documentation: it lacks task tracking, and nothing is said of who is served first.
    dialect={"handover": "barging"},
)
class SimpleQueue:
    """``queue.SimpleQueue``."""

    def __init__(self, capacity: None) -> None:
        self._queue = queue.SimpleQueue[int]()
        self._capacity = capacity

    def send(self, item: int) -> None:
        self._queue.put(item)

    def receive(self) -> tuple[bool, int | None]:
        return True, self._queue.get()

    def try_receive(self) -> tuple[bool, int | None] | None:
        try:
            return True, self._queue.get_nowait()
        except queue.Empty:
            return None

    def occupancy(self) -> tuple[int, int | None]:
        return self._queue.qsize(), self._capacity
