"""The semaphore of trio."""

import trio

import quiesce


@quiesce.adapter(
    "semaphore",
    world="trio",
    name="trio.Semaphore",
    distribution="trio",
    # One unit at a time, taken and given back.
    lacks={"weighted", "release_many", "timeout"},
)
class Semaphore:
    """``Semaphore`` with a ``max_value``."""

    def __init__(self, size: int) -> None:
        self._semaphore = trio.Semaphore(size, max_value=size)

    async def acquire(self, _n: int) -> None:
        await self._semaphore.acquire()

    async def try_acquire(self, _n: int) -> bool:
        try:
            self._semaphore.acquire_nowait()
        except trio.WouldBlock:
            return False
        return True

    async def release(self, _n: int) -> None:
        self._semaphore.release()
