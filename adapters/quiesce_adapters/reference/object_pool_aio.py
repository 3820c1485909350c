"""The object pool of the reference, for asyncio and trio."""

from collections.abc import Awaitable, Callable

import quiesce
from quiesce_reference.aio import ObjectPool

WORLDS = ("asyncio", "trio")
Task = Callable[[object], Awaitable[object]]


@quiesce.adapter(
    "object_pool",
    world=WORLDS,
    packages=["quiesce_reference"],
    requires=["quiesce_reference", "anyio"],
    scope="anyio",
    name="reference.ObjectPool",
    dialect={"fifo": "yes"},
)
class Pool:
    """``ObjectPool``, with a reset hook."""

    def __init__(
        self, bound: int | None, make: Callable[[], Awaitable[object]], reset: Task
    ) -> None:
        self._pool = ObjectPool(make, reset=reset, bound=bound)

    async def get(self) -> object:
        return await self._pool.get()

    async def put(self, lent: object) -> None:
        await self._pool.put(lent)

    async def put_none(self) -> None:
        await self._pool.put(None)

    async def put_stranger(self) -> None:
        await self._pool.put(object())

    async def use(self, task: Task) -> object:
        async with self._pool.use() as lent:
            return await task(lent)

    def trim(self) -> None:
        self._pool.trim()

    async def close(self) -> None:
        self._pool.close()
