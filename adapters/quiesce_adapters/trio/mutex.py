"""The locks of trio."""

from collections.abc import Awaitable, Callable

import trio

import quiesce

# Documentation: release raises RuntimeError if the calling task does not hold the lock; all that
# wait are fair, the one that has waited longest is next. Its source: so does a second acquire.
OWNED = {"ownership": "owner", "relock": "raises"}
Work = Callable[[], Awaitable[object]]


@quiesce.adapter(
    "mutex",
    world="trio",
    name="trio.Lock",
    distribution="trio",
    lacks={"anyone"},
    dialect=OWNED,
)
class Lock:
    """``Lock``."""

    def __init__(self) -> None:
        self._lock = self.make()

    def make(self) -> trio.Lock | trio.StrictFIFOLock:
        return trio.Lock()

    async def hold(self, work: Work) -> object:
        async with self._lock:
            return await work()

    async def try_hold(self, work: Work) -> tuple[bool, object]:
        try:
            self._lock.acquire_nowait()
        except trio.WouldBlock:
            return False, None
        try:
            return True, await work()
        finally:
            self._lock.release()

    async def release(self) -> None:
        self._lock.release()


@quiesce.adapter(
    "mutex",
    world="trio",
    name="trio.StrictFIFOLock",
    distribution="trio",
    lacks={"anyone"},
    dialect=OWNED,
)
class StrictFIFOLock(Lock):
    """``StrictFIFOLock``, which guarantees the order for good."""

    def make(self) -> trio.Lock | trio.StrictFIFOLock:
        return trio.StrictFIFOLock()
