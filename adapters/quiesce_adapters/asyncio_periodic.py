"""Adapter of asyncio-periodic: ``Periodic``, whose stop ends the run that is under way."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from periodic import Periodic  # type: ignore[import-untyped] # no py.typed

import quiesce

SECOND = 1_000_000_000

# Where the errors of runs go. Without any handler they would be printed.
logging.getLogger("periodic").addHandler(logging.NullHandler())


@quiesce.adapter(
    "periodic",
    world="asyncio",
    distribution="asyncio-periodic",
    packages=["periodic"],
    name="asyncio-periodic",
    # The documentation: stop cancels the task at once, and offers no wait but in itself.
    lacks={"wait", "handler", "exit", "reentrance_error"},
    # The documentation: a call that finds the task running is skipped, and logged.
    dialect={"overrun": "skip", "on_failure": "continues", "cancel_delivery": "edge"},
)
class Skipping:
    """``Periodic``."""

    def __init__(self, period: int, work: Callable[[], Awaitable[object]], handler: object) -> None:
        del handler  # errors are logged
        self._periodic = Periodic(period / SECOND, work)

    async def stop(self) -> None:
        await self._periodic.stop()

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        await self._periodic.start()
        yield
        await self._periodic.stop()
