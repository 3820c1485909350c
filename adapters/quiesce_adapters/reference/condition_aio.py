"""The condition of the reference, for asyncio and trio."""

from collections.abc import Awaitable, Callable

import quiesce
from quiesce_reference.aio import Condition

WORLDS = ("asyncio", "trio")
PACKAGES = ["quiesce_reference"]
REQUIRES = ["quiesce_reference", "anyio"]

Work = Callable[[], Awaitable[object]]


@quiesce.adapter(
    "condition",
    world=WORLDS,
    packages=PACKAGES,
    requires=REQUIRES,
    scope="anyio",
    name="reference.Condition",
    lacks={"timeout"},  # a task is cancelled instead
)
class Waiting:
    """``Condition``."""

    def __init__(self) -> None:
        self._condition = Condition()

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
