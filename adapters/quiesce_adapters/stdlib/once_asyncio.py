"""A once that programs build from asyncio alone: a lock and a flag."""

import asyncio
from collections.abc import Callable, Coroutine

import quiesce

Work = Callable[[], Coroutine[object, object, object]]


@quiesce.adapter(
    "once",
    world="asyncio",
    name="asyncio.lock",
    lacks={"own_function", "reentrance_error", "release"},
    # The flag is set by success only; a cancelled or failed caller leaves the lock to the next.
    dialect={"once_error": "retry", "once_cancel": "retry"},
)
class LockAndFlag:
    """The work runs under a lock, unless a flag says that it is done."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._lock = asyncio.Lock()
        self._done = False
        self._value: object = None

    async def call(self) -> object:
        async with self._lock:
            if not self._done:
                self._value = await self._work()
                self._done = True
        return self._value
