"""The semaphore of anyio."""

import anyio

import quiesce


@quiesce.adapter(
    "semaphore",
    world=("asyncio", "trio"),
    name="anyio.Semaphore",
    distribution="anyio",
    scope="anyio",
    # One unit at a time, taken and given back.
    lacks={"weighted", "release_many", "timeout"},
)
class Semaphore:
    """``Semaphore`` with a ``max_value``."""

    def __init__(self, size: int) -> None:
        self._semaphore = anyio.Semaphore(size, max_value=size)

    async def acquire(self, _n: int) -> None:
        await self._semaphore.acquire()

    async def try_acquire(self, _n: int) -> bool:
        try:
            self._semaphore.acquire_nowait()
        except anyio.WouldBlock:
            return False
        return True

    async def release(self, _n: int) -> None:
        self._semaphore.release()
