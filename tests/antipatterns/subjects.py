"""Anti-patterns as subjects: each BAD one with its GOOD counterpart, as programs write them."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable, Sequence

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
