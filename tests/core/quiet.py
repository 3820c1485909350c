"""Small subjects for tests of the core: a limiter, and singleflights that are hard to judge."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import quiesce

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

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


class Flying:
    """One execution in the thread world."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.value: object = None
        self.error: BaseException | None = None


@quiesce.adapter(
    "singleflight",
    world="threads",
    name="heap_racer",
    lacks=FLIGHT_LACKS - {"errors_shared"},
    dialect={"sf_cancel": "none"},
)
class HeapRacer:
    """Looks a key up and registers it without a lock or a call: whole under a GIL only."""

    def __init__(self) -> None:
        self.flights: dict[str, Flying] = {}

    def do(self, key: str, work: Callable[[], object]) -> object:
        flights = self.flights
        own = Flying()
        if key in flights:
            flight = flights[key]
        else:
            flight = flights[key] = own
        if flight is own:
            try:
                own.value = work()
            except BaseException as error:
                own.error = error
            del flights[key]
            own.done.set()
        else:
            flight.done.wait()
        if flight.error is not None:
            raise flight.error
        return flight.value


broken = False


@quiesce.adapter(
    "singleflight",
    world="asyncio",
    name="fickle",
    lacks=FLIGHT_LACKS,
    dialect={"sf_cancel": "none"},
)
class Fickle:
    """Runs a second execution once in the life of its process, which nothing can reproduce."""

    def __init__(self) -> None:
        self.running: dict[str, asyncio.Future[object]] = {}

    async def do(self, key: str, work: Callable[[], Awaitable[object]]) -> object:
        global broken
        while (running := self.running.get(key)) is not None:
            if not broken:
                broken = True
                break
            await asyncio.wait([running])
            if running.exception() is None:
                return running.result()
        own = self.running[key] = asyncio.get_running_loop().create_future()
        try:
            value = await work()
        except Exception as error:
            self.running.pop(key, None)
            own.set_exception(error)
            own.exception()  # there may be nobody else
            raise
        self.running.pop(key, None)
        own.set_result(value)
        return value
