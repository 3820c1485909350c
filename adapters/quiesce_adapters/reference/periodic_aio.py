"""The periodic task of the reference, for asyncio and trio."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import quiesce
from quiesce_reference.aio import Periodic

WORLDS = ("asyncio", "trio")
PACKAGES = ["quiesce_reference"]
REQUIRES = ["quiesce_reference", "anyio"]
Work = Callable[[], Awaitable[object]]
Handler = Callable[[Exception], Awaitable[object]]


class Lived:
    """What both have in common: it is started at once, and stopped at the end."""

    _periodic: Periodic

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        with suppress(Exception):  # those who waited have heard of it
            async with self._periodic:
                self._periodic.start()
                yield

    async def stop(self) -> None:
        self._periodic.stop()

    async def wait(self) -> None:
        await self._periodic.wait()


@quiesce.adapter(
    "periodic",
    world=WORLDS,
    packages=PACKAGES,
    requires=REQUIRES,
    scope="anyio",
    name="reference.Periodic",
    lacks={"handler", "exit"},
    dialect={"overrun": "skip", "on_failure": "ends", "cancel_delivery": "cooperative"},
)
class Ending(Lived):
    """``Periodic``, which a failing run ends."""

    def __init__(self, period: int, work: Work, handler: Handler) -> None:
        del handler  # the error comes out of wait
        self._periodic = Periodic(period, work)


@quiesce.adapter(
    "periodic",
    world=WORLDS,
    packages=PACKAGES,
    requires=REQUIRES,
    scope="anyio",
    name="reference.Periodic_on_error",
    lacks={"exit"},
    dialect={"overrun": "run_once", "on_failure": "continues", "cancel_delivery": "cooperative"},
)
class Continuing(Lived):
    """``Periodic(overrun="run_once", on_error=...)``."""

    def __init__(self, period: int, work: Work, handler: Handler) -> None:
        self._periodic = Periodic(period, work, overrun="run_once", on_error=handler)
