"""Read-write lock of the reference, for async tasks."""

from collections.abc import Awaitable, Callable

import quiesce
from quiesce_reference.aio import RWLock

Work = Callable[[], Awaitable[object]]


@quiesce.adapter(
    "rwlock",
    world=("asyncio", "trio"),
    packages=["quiesce_reference"],
    name="reference.RWLock",
    scope="anyio",
)
class AioRWLock:
    """``RWLock``."""

    def __init__(self) -> None:
        self._lock = RWLock()

    async def read(self, work: Work) -> object:
        async with self._lock.reading():
            return await work()

    async def write(self, work: Work) -> object:
        async with self._lock.writing():
            return await work()

    async def try_read(self, work: Work) -> tuple[bool, object]:
        if not self._lock.try_acquire_read():
            return False, None
        try:
            return True, await work()
        finally:
            self._lock.release_read()

    async def try_write(self, work: Work) -> tuple[bool, object]:
        if not self._lock.try_acquire_write():
            return False, None
        try:
            return True, await work()
        finally:
            self._lock.release_write()

    async def release_read(self) -> None:
        self._lock.release_read()

    async def release_write(self) -> None:
        self._lock.release_write()
