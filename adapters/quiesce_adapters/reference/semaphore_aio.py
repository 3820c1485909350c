"""The semaphore of the reference, for asyncio and trio."""

import quiesce
from quiesce_reference.aio import Semaphore

WORLDS = ("asyncio", "trio")
PACKAGES = ["quiesce_reference"]
REQUIRES = ["quiesce_reference", "anyio"]


@quiesce.adapter(
    "semaphore",
    world=WORLDS,
    packages=PACKAGES,
    requires=REQUIRES,
    scope="anyio",
    name="reference.Semaphore",
    lacks={"timeout"},  # a task is cancelled instead
)
class Units:
    """``Semaphore``."""

    def __init__(self, size: int) -> None:
        self._semaphore = Semaphore(size)

    async def acquire(self, n: int) -> None:
        await self._semaphore.acquire(n)

    async def try_acquire(self, n: int) -> bool:
        return self._semaphore.try_acquire(n)

    async def release(self, n: int) -> None:
        self._semaphore.release(n)
