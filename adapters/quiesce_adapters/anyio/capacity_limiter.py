"""The capacity limiter of anyio."""

import anyio

import quiesce


@quiesce.adapter(
    "capacity_limiter",
    world=("asyncio", "trio"),
    name="anyio.CapacityLimiter",
    distribution="anyio",
    scope="anyio",
)
class CapacityLimiter:
    """``CapacityLimiter``, on behalf of named borrowers."""

    def __init__(self, total: int) -> None:
        self._limiter = anyio.CapacityLimiter(total)

    async def acquire(self, item: int) -> int:
        await self._limiter.acquire_on_behalf_of(item)
        return item

    async def try_acquire(self, borrower: int) -> bool:
        try:
            self._limiter.acquire_on_behalf_of_nowait(borrower)
        except anyio.WouldBlock:
            return False
        return True

    async def release(self, borrower: int) -> None:
        self._limiter.release_on_behalf_of(borrower)

    async def set_total(self, total: int) -> None:
        self._limiter.total_tokens = total
