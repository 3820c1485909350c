"""The condition of anyio."""

from collections.abc import Awaitable, Callable

import anyio

import quiesce

Work = Callable[[], Awaitable[object]]


@quiesce.adapter(
    "condition",
    world=("asyncio", "trio"),
    name="anyio.Condition",
    distribution="anyio",
    scope="anyio",
    lacks={"timeout"},  # a task is cancelled instead
)
class Condition:
    """``Condition`` with the lock that it makes itself."""

    def __init__(self) -> None:
        self._condition = anyio.Condition()

    async def wait(self, work: Work) -> object:
        async with self._condition:
            await self._condition.wait()
            return await work()

    async def hold(self, work: Work) -> object:
        async with self._condition:
            return await work()

    async def notify(self, n: int) -> None:
        async with self._condition:
            self._condition.notify(n)

    async def notify_all(self) -> None:
        async with self._condition:
            self._condition.notify_all()

    async def notify_here(self, n: int) -> None:
        self._condition.notify(n)

    async def wait_here(self) -> None:
        await self._condition.wait()
