"""Anti-patterns as subjects: each BAD one with its GOOD counterpart, as programs write them."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import quiesce

Work = Callable[[], object]
AsyncWork = Callable[[], Awaitable[object]]

LOCK = {"ownership": "any", "relock": "blocks", "handover": "barging", "fifo": "no"}


# A channel used as a mutex.


@quiesce.adapter(
    "mutex", world="threads", name="bad.channel_as_mutex", packages=["queue"], dialect=LOCK
)
class ChannelAsMutex:
    """A queue with room for one: who puts the token in is inside."""

    def __init__(self) -> None:
        self._tokens: queue.Queue[None] = queue.Queue(maxsize=1)

    def hold(self, work: Work) -> object:
        self._tokens.put(None)
        try:
            return work()
        finally:
            self._tokens.get()

    def try_hold(self, work: Work) -> tuple[bool, object]:
        try:
            self._tokens.put_nowait(None)
        except queue.Full:
            return False, None
        try:
            return True, work()
        finally:
            self._tokens.get()

    def acquire(self) -> None:
        self._tokens.put(None)

    def release(self) -> None:
        self._tokens.get()


@quiesce.adapter("mutex", world="threads", name="good.mutex", dialect=LOCK)
class Mutex:
    """What it stands for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def hold(self, work: Work) -> object:
        with self._lock:
            return work()

    def try_hold(self, work: Work) -> tuple[bool, object]:
        if not self._lock.acquire(blocking=False):
            return False, None
        try:
            return True, work()
        finally:
            self._lock.release()

    def acquire(self) -> None:
        self._lock.acquire()

    def release(self) -> None:
        self._lock.release()


# One task for each input, however many there are.

FAN_OUT = {"errors": "first"}


@quiesce.adapter(
    "fan_out", world="asyncio", name="bad.unbounded_spawn", lacks={"first_success"}, dialect=FAN_OUT
)
class UnboundedSpawn:
    """It takes a limit, and starts everything at once."""

    async def map_concurrent(
        self, function: Callable[[int], Awaitable[object]], items: Sequence[int], limit: int | None
    ) -> list[object]:
        tasks = [asyncio.ensure_future(function(item)) for item in items]
        return await results_of(tasks)


@quiesce.adapter(
    "fan_out", world="asyncio", name="good.bounded_spawn", lacks={"first_success"}, dialect=FAN_OUT
)
class BoundedSpawn:
    """A semaphore holds back the starts, so that tasks don't pile up either."""

    async def map_concurrent(
        self, function: Callable[[int], Awaitable[object]], items: Sequence[int], limit: int | None
    ) -> list[object]:
        places = asyncio.Semaphore(limit or len(items) or 1)
        tasks: list[asyncio.Future[object]] = []

        async def run(item: int) -> object:
            try:
                return await function(item)
            finally:
                places.release()

        try:
            for item in items:
                await places.acquire()
                if any(task.done() and task.exception() for task in tasks):
                    break
                tasks.append(asyncio.ensure_future(run(item)))
        except asyncio.CancelledError:
            await stop(tasks)
            raise
        return await results_of(tasks)


async def results_of(tasks: Sequence[asyncio.Future[object]]) -> list[object]:
    """All results, or the first error once everything has ended."""
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        await stop(tasks)
        raise


async def stop(tasks: Sequence[asyncio.Future[object]]) -> None:
    """Cancel the tasks and wait for their ends."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


# A loop without a way out.

PERIODIC = {"overrun": "skip", "on_failure": "ends", "cancel_delivery": "edge"}
SECOND = 1_000_000_000


@quiesce.adapter(
    "periodic",
    world="asyncio",
    name="bad.endless_loop",
    lacks={"wait", "errors", "handler", "exit", "reentrance_error"},
    dialect=PERIODIC,
)
class EndlessLoop:
    """It is started and forgotten; stop only says that the results are no longer wanted."""

    def __init__(self, period: int, work: AsyncWork, handler: object) -> None:
        self._period, self._work = period, work
        self._task = asyncio.ensure_future(self._loop())

    async def _loop(self) -> None:
        while True:
            await asyncio.sleep(self._period / SECOND)
            await self._work()

    async def stop(self) -> None:
        self._wanted = False


@quiesce.adapter(
    "periodic",
    world="asyncio",
    name="good.loop_with_a_way_out",
    lacks={"handler", "exit", "reentrance_error"},
    dialect=PERIODIC,
)
class LoopWithAWayOut(EndlessLoop):
    """A stop that ends it, and a wait for its end. A late run does not move the next."""

    async def _loop(self) -> None:
        loop = asyncio.get_running_loop()
        start = round(loop.time() * SECOND)
        while True:
            now = round(loop.time() * SECOND)
            due = start + ((now - start) // self._period + 1) * self._period
            await asyncio.sleep((due - now) / SECOND)
            await self._work()

    async def stop(self) -> None:
        self._task.cancel()

    async def wait(self) -> None:
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.result()

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        yield
        self._task.cancel()
        with suppress(Exception):  # those who waited have heard of it
            await self.wait()


# A counter that two threads count with.


class BadCounter:
    """A lost update: each reads the value, and writes what it was plus one."""

    def __init__(self) -> None:
        self.value = 0

    def tasks(self) -> Sequence[Callable[[], object]]:
        return self.bump, self.bump

    def bump(self) -> None:
        self.value = successor(self.value)

    def ok(self) -> bool:
        return self.value == 2


class GoodCounter(BadCounter):
    """The same under a lock."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def bump(self) -> None:
        with self._lock:
            super().bump()


def successor(value: int) -> int:
    """The next number. Between the read and the write a thread may be switched."""
    return value + 1
