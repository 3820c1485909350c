"""culsans: a queue for threads and tasks alike, here for tasks."""

import culsans

import quiesce


@quiesce.adapter(
    "channel",
    world=("asyncio", "trio"),
    name="culsans.Queue",
    distribution="culsans",
    lacks={"rendezvous", "iterate", "ends"},
    # README: as queue.Queue and asyncio.Queue, shutdown included; nothing of who is served first.
    dialect={"handover": "barging", "close_twice": "noop"},
)
class Queue:
    """``culsans.Queue``."""

    def __init__(self, capacity: int | None) -> None:
        self._queue = culsans.Queue[int](0 if capacity is None else capacity)

    async def send(self, item: int) -> None:
        await self._queue.async_put(item)

    async def receive(self) -> tuple[bool, int | None]:
        try:
            return True, await self._queue.async_get()
        except culsans.QueueShutDown:
            return False, None

    async def try_send(self, item: int) -> bool:
        try:
            self._queue.put_nowait(item)
        except culsans.QueueFull:
            return False
        return True

    async def try_receive(self) -> tuple[bool, int | None] | None:
        try:
            return True, self._queue.get_nowait()
        except culsans.QueueEmpty:
            return None
        except culsans.QueueShutDown:
            return False, None

    async def close(self) -> None:
        self._queue.shutdown()

    async def close_now(self) -> None:
        self._queue.shutdown(immediate=True)

    async def occupancy(self) -> tuple[int, int | None]:
        return self._queue.qsize(), self._queue.maxsize or None

    async def join(self) -> None:
        await self._queue.async_join()

    async def task_done(self) -> None:
        self._queue.task_done()
