"""The lock of aiologic."""

from collections.abc import Awaitable, Callable

import aiologic

import quiesce

Work = Callable[[], Awaitable[object]]


@quiesce.adapter(
    "mutex",
    world=("asyncio", "trio"),
    name="aiologic.Lock",
    distribution="aiologic",
    lacks={"anyone"},
    # Its source: acquire and release by another task, or again by the same one, raise.
    dialect={"ownership": "owner", "relock": "raises"},
)
class Lock:
    """``Lock``."""

    def __init__(self) -> None:
        self._lock = aiologic.Lock()

    async def hold(self, work: Work) -> object:
        async with self._lock:
            return await work()

    async def try_hold(self, work: Work) -> tuple[bool, object]:
        if not await self._lock.async_acquire(blocking=False):
            return False, None
        try:
            return True, await work()
        finally:
            self._lock.async_release()

    async def release(self) -> None:
        self._lock.async_release()
