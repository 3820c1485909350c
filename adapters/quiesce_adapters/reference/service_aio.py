"""The service of the reference, for asyncio and trio."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import quiesce
from quiesce_reference.aio import Service

WORLDS = ("asyncio", "trio")
PACKAGES = ["quiesce_reference"]
REQUIRES = ["quiesce_reference", "anyio"]
Work = Callable[[], Awaitable[object]]


@quiesce.adapter(
    "service",
    world=WORLDS,
    packages=PACKAGES,
    requires=REQUIRES,
    scope="anyio",
    name="reference.Service",
    lacks={"token", "exit"},  # stop cancels the body
    dialect={"cancel_delivery": "level", "start_twice": "refused", "reuse": "refused"},
)
class Background:
    """``Service``."""

    def __init__(self, work: Work, cleanup: Work) -> None:
        self._service = Service(work, cleanup=cleanup)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        with suppress(Exception):  # those who waited have heard of it
            async with self._service:
                yield

    async def start(self) -> None:
        self._service.start()

    async def start_stop(self) -> None:
        self._service.start()
        self._service.stop()

    async def stop(self) -> None:
        self._service.stop()

    async def wait(self) -> None:
        await self._service.wait()
