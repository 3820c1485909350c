"""The semaphores of asyncio."""

import asyncio

import quiesce

# One unit at a time, taken and given back. ``locked`` is documented to say whether an acquire
# would have to wait, so a try can be built from it.
LACKS = {"weighted", "release_many", "timeout"}


@quiesce.adapter(
    "semaphore",
    world="asyncio",
    name="asyncio.Semaphore",
    lacks={*LACKS, "bounded"},
)
class Semaphore:
    """``Semaphore``."""

    def __init__(self, size: int) -> None:
        self._semaphore = asyncio.Semaphore(size)

    async def acquire(self, _n: int) -> None:
        await self._semaphore.acquire()

    async def try_acquire(self, _n: int) -> bool:
        if self._semaphore.locked():
            return False
        return await self._semaphore.acquire()

    async def release(self, _n: int) -> None:
        self._semaphore.release()


@quiesce.adapter("semaphore", world="asyncio", name="asyncio.BoundedSemaphore", lacks=LACKS)
class BoundedSemaphore(Semaphore):
    """``BoundedSemaphore``."""

    def __init__(self, size: int) -> None:
        self._semaphore = asyncio.BoundedSemaphore(size)
