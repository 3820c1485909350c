"""Adapter of discord.py: a loop of its extension for tasks."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import quiesce

with warnings.catch_warnings():  # for its voice part it imports audioop, up to Python 3.12
    warnings.simplefilter("ignore", DeprecationWarning)
    from discord.ext import tasks

SECOND = 1_000_000_000
LACKS = {"handler", "exit", "reentrance_error", "nanoseconds"}  # it reads datetime's clock
DIALECT = {"overrun": "run_once", "on_failure": "ends", "first_run": "at_once"}
Work = Callable[[], Coroutine[Any, Any, None]]


async def heard(*_: object) -> None:
    """The handler of errors; without one they are printed. The error ends the loop all the same."""


class Lived:
    """What both have in common: it is started at once, and cancelled at the end."""

    _task: asyncio.Task[None]

    def __init__(self, period: int, work: Work, handler: object) -> None:
        del handler  # the error comes out of the task
        self._loop: tasks.Loop[Any] = tasks.loop(seconds=period / SECOND)(work)
        self._loop.error(heard)

    async def wait(self) -> None:
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.result()

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        self._task = self._loop.start()
        yield
        self._loop.cancel()
        with suppress(Exception):  # or asyncio complains of an error that nobody waited for
            await self.wait()


@quiesce.adapter(
    "periodic",
    world="asyncio",
    distribution="discord.py",
    packages=["discord"],
    name="discord.py.stop",
    lacks=LACKS,
    # The documentation: stop lets the current iteration end.
    dialect={**DIALECT, "cancel_delivery": "cooperative"},
)
class Stopped(Lived):
    """``Loop.stop``."""

    async def stop(self) -> None:
        self._loop.stop()


@quiesce.adapter(
    "periodic",
    world="asyncio",
    distribution="discord.py",
    packages=["discord"],
    name="discord.py.cancel",
    lacks=LACKS,
    dialect={**DIALECT, "cancel_delivery": "edge"},
)
class Cancelled(Lived):
    """``Loop.cancel``."""

    async def stop(self) -> None:
        self._loop.cancel()
