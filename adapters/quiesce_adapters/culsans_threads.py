"""culsans: a queue for threads and tasks alike, here for threads."""

import culsans

import quiesce


@quiesce.adapter(
    "channel",
    world="threads",
    name="culsans.Queue",
    distribution="culsans",
    packages=["culsans", "aiologic"],
    lacks={"rendezvous", "iterate", "ends"},
    # README: as queue.Queue and asyncio.Queue, shutdown included; nothing of who is served first.
    dialect={"handover": "barging", "close_twice": "noop"},
)
class Queue:
    """``culsans.Queue``."""

    def __init__(self, capacity: int | None) -> None:
        self._queue = culsans.Queue[int](0 if capacity is None else capacity)

    def send(self, item: int) -> None:
        self._queue.sync_put(item)

    def receive(self) -> tuple[bool, int | None]:
        try:
            return True, self._queue.sync_get()
        except culsans.QueueShutDown:
            return False, None

    def try_send(self, item: int) -> bool:
        try:
            self._queue.put_nowait(item)
        except culsans.QueueFull:
            return False
        return True

    def try_receive(self) -> tuple[bool, int | None] | None:
        try:
            return True, self._queue.get_nowait()
        except culsans.QueueEmpty:
            return None
        except culsans.QueueShutDown:
            return False, None

    def close(self) -> None:
        self._queue.shutdown()

    def close_now(self) -> None:
        self._queue.shutdown(immediate=True)

    def occupancy(self) -> tuple[int, int | None]:
        return self._queue.qsize(), self._queue.maxsize or None

    def join(self) -> None:
        self._queue.sync_join()

    def task_done(self) -> None:
        self._queue.task_done()
