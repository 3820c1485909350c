"""The lock of asyncio."""

import asyncio
from collections.abc import Awaitable, Callable

import quiesce


@quiesce.adapter(
    "mutex",
    world="asyncio",
    name="asyncio.Lock",
    lacks={"try"},
    # Documentation: acquiring is fair, "the coroutine that proceeds will be the first coroutine
    # that started waiting"; only release on an unlocked lock is an error, whoever calls it. That
    # a released lock is free until the first waiter runs stands in its source.
    dialect={"handover": "barging"},
)
class Lock:
    """``Lock``."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def hold(self, work: Callable[[], Awaitable[object]]) -> object:
        async with self._lock:
            return await work()

    async def acquire(self) -> None:
        await self._lock.acquire()

    async def release(self) -> None:
        self._lock.release()
