"""aiorwlock: a read-write lock for asyncio."""

from collections.abc import Awaitable, Callable

import aiorwlock

import quiesce

Work = Callable[[], Awaitable[object]]


@quiesce.adapter(
    "rwlock",
    world="asyncio",
    distribution="aiorwlock",
    # There is no try, and only the task that holds a lock can release it.
    lacks={"try", "anyone"},
    # Its source: "wake up write waiters first".
    dialect={"after_write": "any"},
)
class RWLock:
    """``RWLock``, with its reader and its writer lock."""

    def __init__(self) -> None:
        self._lock = aiorwlock.RWLock()

    async def read(self, work: Work) -> object:
        async with self._lock.reader:
            return await work()

    async def write(self, work: Work) -> object:
        async with self._lock.writer:
            return await work()
