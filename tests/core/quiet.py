"""Small subjects for tests of the core: a limiter, and singleflights that are hard to judge."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import quiesce

LIMITER_LACKS = {
    "allow", "deadline", "reserve", "set_rate", "set_burst", "tokens", "weighted",
    "infinite_rate", "zero_rate", "zero_burst", "wait_cancel", "zero_tokens", "negative",
}  # fmt: skip
FLIGHT_LACKS = {"shared", "future", "forget", "exit", "reentrance_error", "errors_shared"}


@quiesce.adapter(
    "rate_limiter",
    world="asyncio",
    name="limiter",
    lacks=LIMITER_LACKS,
    dialect={"rate_algorithm": "token_bucket", "rate_cancel": "none", "rate_zero": "none"},
)
class Limiter:
    """One token after another, each due a fixed time after the last."""

    def __init__(self, rate: float, burst: int) -> None:
        self.gap = 1 / rate
        self.slack = (burst - 1) * self.gap
        self.due = 0.0

    async def wait(self, n: int) -> None:
        now = asyncio.get_running_loop().time()
        self.due = max(self.due, now - self.slack)
        due, self.due = self.due, self.due + n * self.gap
        if due > now:
            await asyncio.sleep(due - now)


runs = 0


@quiesce.adapter(
    "singleflight",
    world="asyncio",
    name="fickle",
    lacks=FLIGHT_LACKS,
    dialect={"sf_cancel": "none"},
)
class Fickle:
    """Breaks its promise once in the life of the process, which no trial can reproduce."""

    def __init__(self) -> None:
        global runs
        runs += 1
        self.breaks = runs == 4
        self.tasks: dict[str, asyncio.Future[object]] = {}

    async def do(self, key: str, work: Callable[[], Awaitable[object]]) -> object:
        while (running := self.tasks.get(key)) is not None and not self.breaks:
            await asyncio.wait([running])
            if not running.cancelled() and running.exception() is None:
                return running.result()
        own = self.tasks[key] = asyncio.get_running_loop().create_future()
        try:
            value = await work()
        except BaseException as error:
            self.end(key, own)
            own.set_exception(error)
            own.exception()
            raise
        self.end(key, own)
        own.set_result(value)
        return value

    def end(self, key: str, own: asyncio.Future[object]) -> None:
        if self.tasks.get(key) is own:
            del self.tasks[key]


@quiesce.adapter("singleflight", world="asyncio", name="steady", lacks=FLIGHT_LACKS)
class Nothing:
    """Not even a function is run: whatever is left of a pattern goes unexercised."""

    async def do(self, key: str, work: Callable[[], Awaitable[object]]) -> object:
        return await work()


@quiesce.adapter(
    "once",
    world="threads",
    name="heap_racer",
    lacks={"own_function", "value", "single_init", "reentrance_error", "release"},
    dialect={"once_error": "stored", "once_cancel": "none"},
)
class HeapRacer:
    """Claims the execution in one expression: whole under the GIL, torn without it."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.work = work
        self.claims: list[int] = []
        self.claim = iter([True]).__next__
        self.done = threading.Event()
        self.error: BaseException | None = None
