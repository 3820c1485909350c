"""The standard library: ``asyncio.Queue`` as a channel; from Python 3.13 on it can be closed."""

import asyncio
from typing import Any

import quiesce

CLOSES = hasattr(asyncio.Queue, "shutdown")
ShutDown: Any = getattr(asyncio, "QueueShutDown", ())  # nothing to catch before 3.13


@quiesce.adapter(
    "channel",
    world="asyncio",
    name="asyncio.Queue",
    lacks={"rendezvous", "iterate", "ends", *(() if CLOSES else ("close", "close_now"))},
    # The documentation: maxsize 0 is no bound, and nothing is said of who is served first.
    dialect={"handover": "barging", "close_twice": "noop"},
)
class Queue:
    """``asyncio.Queue``."""

    def __init__(self, capacity: int | None) -> None:
        self._queue: Any = asyncio.Queue[int](0 if capacity is None else capacity)

    async def send(self, item: int) -> None:
        await self._queue.put(item)

    async def receive(self) -> tuple[bool, int | None]:
        try:
            return True, await self._queue.get()
        except ShutDown:
            return False, None

    async def try_send(self, item: int) -> bool:
        try:
            self._queue.put_nowait(item)
        except asyncio.QueueFull:
            return False
        return True

    async def try_receive(self) -> tuple[bool, int | None] | None:
        try:
            return True, self._queue.get_nowait()
        except asyncio.QueueEmpty:
            return None
        except ShutDown:
            return False, None

    async def occupancy(self) -> tuple[int, int | None]:
        return self._queue.qsize(), self._queue.maxsize or None

    async def join(self) -> None:
        await self._queue.join()

    async def task_done(self) -> None:
        self._queue.task_done()

    if CLOSES:

        async def close(self) -> None:
            self._queue.shutdown()

        async def close_now(self) -> None:
            self._queue.shutdown(immediate=True)
