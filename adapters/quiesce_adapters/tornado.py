"""Adapter of tornado: ``PeriodicCallback``, on the asyncio event loop."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from tornado.ioloop import PeriodicCallback

import quiesce

MILLI = 1_000_000

# Where the errors of callbacks go. Without any handler they would be printed.
logging.getLogger("tornado.application").addHandler(logging.NullHandler())


@quiesce.adapter(
    "periodic",
    world="asyncio",
    distribution="tornado",
    name="tornado.PeriodicCallback",
    # stop returns nothing to wait for, and the error of a callback is logged.
    # It adds up floats.
    lacks={"wait", "handler", "exit", "reentrance_error", "nanoseconds"},
    # The documentation: invocations that a long one outlasts are skipped, also of coroutines.
    dialect={"overrun": "skip", "on_failure": "continues", "cancel_delivery": "cooperative"},
)
class Callback:
    """``PeriodicCallback`` of a coroutine function."""

    def __init__(self, period: int, work: Callable[[], Awaitable[None]], handler: object) -> None:
        del handler  # errors are logged
        self._callback = PeriodicCallback(work, period / MILLI)

    async def stop(self) -> None:
        self._callback.stop()

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        self._callback.start()
        yield
        self._callback.stop()
