"""The lock of anyio."""

from collections.abc import Awaitable, Callable

import anyio

import quiesce

Work = Callable[[], Awaitable[object]]


@quiesce.adapter(
    "mutex",
    world=("asyncio", "trio"),
    name="anyio.Lock",
    distribution="anyio",
    scope="anyio",
    lacks={"anyone"},
    # Its source: release and acquire look at the task that owns the lock, and raise.
    dialect={"ownership": "owner", "relock": "raises"},
)
class Lock:
    """``Lock``."""

    def __init__(self) -> None:
        self._lock = anyio.Lock()

    async def hold(self, work: Work) -> object:
        async with self._lock:
            return await work()

    async def try_hold(self, work: Work) -> tuple[bool, object]:
        try:
            self._lock.acquire_nowait()
        except anyio.WouldBlock:
            return False, None
        try:
            return True, await work()
        finally:
            self._lock.release()

    async def release(self) -> None:
        self._lock.release()
