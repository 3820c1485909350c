"""The capacity limiter of the reference, for asyncio and trio."""

import quiesce
from quiesce_reference.aio import CapacityLimiter

WORLDS = ("asyncio", "trio")
PACKAGES = ["quiesce_reference"]
REQUIRES = ["quiesce_reference", "anyio"]


@quiesce.adapter(
    "capacity_limiter",
    world=WORLDS,
    packages=PACKAGES,
    requires=REQUIRES,
    scope="anyio",
    name="reference.CapacityLimiter",
)
class Lending:
    """``CapacityLimiter``."""

    def __init__(self, total: int) -> None:
        self._limiter = CapacityLimiter(total)

    async def acquire(self, item: int) -> int:
        await self._limiter.acquire(item)
        return item

    async def try_acquire(self, borrower: int) -> bool:
        return self._limiter.try_acquire(borrower)

    async def release(self, borrower: int) -> None:
        self._limiter.release(borrower)

    async def set_total(self, total: int) -> None:
        self._limiter.total = total
