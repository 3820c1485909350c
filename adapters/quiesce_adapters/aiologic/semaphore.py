"""The semaphore of aiologic, in its bounded form."""

import aiologic

import quiesce


@quiesce.adapter(
    "semaphore",
    world=("asyncio", "trio"),
    name="aiologic.BoundedSemaphore",
    distribution="aiologic",
    # One unit at a time is taken.
    lacks={"weighted", "release_many", "timeout"},
)
class Semaphore:
    """``BoundedSemaphore``."""

    def __init__(self, size: int) -> None:
        self._semaphore = aiologic.BoundedSemaphore(size)

    async def acquire(self, _n: int) -> None:
        await self._semaphore.async_acquire()

    async def try_acquire(self, _n: int) -> bool:
        return bool(await self._semaphore.async_acquire(blocking=False))

    async def release(self, _n: int) -> None:
        self._semaphore.async_release()
