"""A wait group that programs build from a queue of asyncio: see ``wait_group_queue``."""

import asyncio

import quiesce

NANOSECONDS = 1_000_000_000


@quiesce.adapter(
    "wait_group",
    world="asyncio",
    name="asyncio.Queue.join",
    # put_nowait counts one item at a time, and nothing is said of a join that wakes up when new
    # items have been put.
    lacks={"delta", "go", "rounds", "stop"},
)
class Queue:
    """``Queue.join``."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[None] = asyncio.Queue()

    def add(self, n: int) -> None:
        for _ in range(n):
            self._queue.put_nowait(None)

    def done(self) -> None:
        self._queue.task_done()

    async def wait(self) -> None:
        await self._queue.join()

    async def wait_within(self, timeout: int) -> bool:
        try:
            async with asyncio.timeout(timeout / NANOSECONDS):
                await self._queue.join()
        except TimeoutError:
            return False
        return True
