"""Mutex of the reference, for async tasks."""

from collections.abc import Awaitable, Callable

import quiesce
from quiesce_reference.aio import Mutex

Work = Callable[[], Awaitable[object]]


@quiesce.adapter(
    "mutex",
    world=("asyncio", "trio"),
    packages=["quiesce_reference"],
    name="reference.Mutex",
    scope="anyio",
)
class AioMutex:
    """``Mutex``: anybody releases it, and waiters get it in order."""

    def __init__(self) -> None:
        self._mutex = Mutex()

    async def hold(self, work: Work) -> object:
        async with self._mutex:
            return await work()

    async def try_hold(self, work: Work) -> tuple[bool, object]:
        if not self._mutex.try_acquire():
            return False, None
        try:
            return True, await work()
        finally:
            self._mutex.release()

    async def acquire(self) -> None:
        await self._mutex.acquire()

    async def release(self) -> None:
        self._mutex.release()
