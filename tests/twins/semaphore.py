"""Known-bad semaphores: each a good one with a single planted defect.

The good ones conform: ``sm_good`` in asyncio and trio, ``sm_good_threads``, and two that make no
promise about order. Their seams are the methods that twins replace.
"""

from __future__ import annotations

import threading
from typing import Any, ClassVar

import anyio
import anyio.lowlevel

import quiesce

PATTERN = "semaphore"
AIO: dict[str, Any] = {"world": "asyncio", "lacks": {"timeout"}, "scope": "anyio"}
THREADS: dict[str, Any] = {"world": "threads"}


class Waiter:
    """An acquire that waits."""

    def __init__(self, n: int, event: Any) -> None:
        self.n = n
        self.event = event


class Count:
    """What semaphores of tasks and of threads share."""

    def __init__(self, size: int) -> None:
        self.size = self.free = size
        self.waiters: list[Waiter] = []

    def fits(self, n: int) -> bool:
        return n <= self.free and not self.waiters

    def try_fits(self, n: int) -> bool:
        return self.fits(n)

    def too_big(self, n: int) -> bool:
        return n > self.size

    def take(self, n: int) -> None:
        self.free -= n

    def give_back(self, n: int) -> None:
        if self.free + n > self.size:
            raise ValueError("released too often")
        self.free += n
        self.let_in()

    def let_in(self) -> None:
        while self.waiters and self.waiters[0].n <= self.free:
            self.grant(self.waiters[0])

    def grant(self, waiter: Waiter) -> None:
        self.waiters.remove(waiter)
        self.take(waiter.n)
        waiter.event.set()

    def gave_up(self, waiter: Waiter) -> None:
        if waiter in self.waiters:
            self.waiters.remove(waiter)
            self.let_in()


@quiesce.adapter(
    PATTERN, world=("asyncio", "trio"), name="sm_good", lacks={"timeout"}, scope="anyio"
)
class Semaphore(Count):
    """A semaphore of tasks."""

    async def acquire(self, n: int) -> None:
        await anyio.lowlevel.checkpoint_if_cancelled()
        if self.fits(n):
            self.take(n)
            return
        if self.too_big(n):
            await anyio.sleep_forever()
        waiter = Waiter(n, anyio.Event())
        self.waiters.append(waiter)
        try:
            await waiter.event.wait()
        except BaseException:
            if waiter.event.is_set():
                self.came_too_late(waiter)
            else:
                self.gave_up(waiter)
            raise
        self.woken(waiter)

    def came_too_late(self, waiter: Waiter) -> None:
        self.free = min(self.size, self.free + waiter.n)
        self.let_in()

    def woken(self, waiter: Waiter) -> None:
        pass

    async def try_acquire(self, n: int) -> bool:
        if not self.try_fits(n):
            return False
        self.take(n)
        return True

    async def release(self, n: int) -> None:
        self.give_back(n)


@quiesce.adapter(PATTERN, name="sm_over_grant_in_handover", **AIO)
class OverGrant(Semaphore):
    """Whoever is woken takes the units only when it runs."""

    def grant(self, waiter: Waiter) -> None:
        self.waiters.remove(waiter)
        waiter.event.set()

    def let_in(self) -> None:
        coming = 0
        while self.waiters and self.waiters[0].n <= self.free - coming:
            coming += self.waiters[0].n
            self.grant(self.waiters[0])

    def woken(self, waiter: Waiter) -> None:
        self.take(waiter.n)

    def came_too_late(self, waiter: Waiter) -> None:
        self.let_in()


@quiesce.adapter(PATTERN, name="sm_last_unit_waits", **AIO)
class LastUnitWaits(Semaphore):
    def fits(self, n: int) -> bool:
        return n < self.free and not self.waiters

    def try_fits(self, n: int) -> bool:
        return super().fits(n)


@quiesce.adapter(PATTERN, name="sm_newcomer_barges", **AIO)
class NewcomerBarges(Semaphore):
    def fits(self, n: int) -> bool:
        return n <= self.free

    def try_fits(self, n: int) -> bool:
        return super().fits(n) and not self.waiters


@quiesce.adapter(PATTERN, name="sm_try_barges", **AIO)
class TryBarges(Semaphore):
    def try_fits(self, n: int) -> bool:
        return n <= self.free


@quiesce.adapter(PATTERN, name="sm_small_overtakes", **AIO)
class SmallOvertakes(Semaphore):
    def let_in(self) -> None:
        for waiter in [*self.waiters]:
            if waiter.n <= self.free:
                self.grant(waiter)


@quiesce.adapter(PATTERN, name="sm_lifo", **AIO)
class Lifo(Semaphore):
    def let_in(self) -> None:
        for waiter in self.waiters[::-1]:
            if waiter.n <= self.free:
                self.grant(waiter)


@quiesce.adapter(PATTERN, name="sm_too_big_queues", **AIO)
class TooBigQueues(Semaphore):
    def too_big(self, n: int) -> bool:
        return False


@quiesce.adapter(PATTERN, name="sm_release_too_often_ok", **AIO)
class ReleaseTooOften(Semaphore):
    def give_back(self, n: int) -> None:
        self.free += n
        self.let_in()


@quiesce.adapter(PATTERN, name="sm_release_wakes_one", **AIO)
class WakesOne(Semaphore):
    def let_in(self) -> None:
        if self.waiters and self.waiters[0].n <= self.free:
            self.grant(self.waiters[0])


@quiesce.adapter(PATTERN, name="sm_cancel_head_silent", **AIO)
class HeadSilent(Semaphore):
    def gave_up(self, waiter: Waiter) -> None:
        self.waiters.remove(waiter)


@quiesce.adapter(PATTERN, name="sm_cancelled_stays", **AIO)
class CancelledStays(Semaphore):
    def gave_up(self, waiter: Waiter) -> None:
        pass


@quiesce.adapter(PATTERN, name="sm_late_grant_leaks", **AIO)
class LateGrantLeaks(Semaphore):
    def came_too_late(self, waiter: Waiter) -> None:
        pass


@quiesce.adapter(PATTERN, name="sm_shared_count", **AIO)
class SharedCount(Semaphore):
    """All semaphores of one size and one run of the loop are the same one."""

    counts: ClassVar[dict[Any, Count]] = {}

    def __init__(self, size: int) -> None:
        super().__init__(size)
        run = anyio.lowlevel.current_token()
        self.counts = {key: each for key, each in type(self).counts.items() if key[0] == run}
        self.__dict__ = self.counts.setdefault((run, size), self).__dict__
        type(self).counts = self.counts


@quiesce.adapter(PATTERN, name="sm_good_threads", **THREADS)
class Threaded(Count):
    """A semaphore of threads."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.lock = threading.Lock()

    def acquire(self, n: int) -> None:
        self.wait(n, None)

    def acquire_within(self, n: int, timeout: int) -> bool:
        return self.wait(n, timeout / 1e9)

    def wait(self, n: int, timeout: float | None) -> bool:
        with self.lock:
            if self.fits(n):
                self.take(n)
                return True
            waiter = Waiter(n, threading.Event())
            if not self.too_big(n):
                self.waiters.append(waiter)
        if waiter.event.wait(timeout):
            return True
        with self.lock:
            if waiter.event.is_set():
                return True
            self.gave_up(waiter)
        return False

    def try_acquire(self, n: int) -> bool:
        with self.lock:
            if not self.try_fits(n):
                return False
            self.take(n)
        return True

    def release(self, n: int) -> None:
        with self.lock:
            self.give_back(n)


@quiesce.adapter(PATTERN, name="sm_over_grant_in_handover_threads", **THREADS)
class OverGrantThreads(Threaded):
    """A try looks and takes without the lock: two may see the same last unit."""

    def try_acquire(self, n: int) -> bool:
        if not self.try_fits(n):
            return False
        left = self.free - n
        self.free = left
        return True


@quiesce.adapter(PATTERN, name="sm_timed_out_head_silent", **THREADS)
class TimedOutHeadSilent(Threaded):
    def gave_up(self, waiter: Waiter) -> None:
        if waiter in self.waiters:
            self.waiters.remove(waiter)


@quiesce.adapter(
    PATTERN,
    name="sm_good_barging_threads",
    world="threads",
    lacks={"weighted"},
    dialect={"fifo": "no", "handover": "barging"},
)
class Barging(Threaded):
    """Whoever is woken has to look again; newcomers may be faster."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.changed = threading.Condition(self.lock)

    def wait(self, n: int, timeout: float | None) -> bool:
        with self.changed:
            if not self.changed.wait_for(lambda: n <= self.free, timeout):
                return False
            self.take(n)
        return True

    def let_in(self) -> None:
        self.changed.notify(self.free)


@quiesce.adapter(
    PATTERN,
    name="sm_loses_a_wakeup_threads",
    world="threads",
    lacks={"weighted"},
    dialect={"fifo": "no", "handover": "barging"},
)
class LosesAWakeup(Barging):
    """Somebody is woken only if no unit was free before."""

    def give_back(self, n: int) -> None:
        empty = self.free == 0
        if self.free + n > self.size:
            raise ValueError("released too often")
        self.free += n
        if empty:
            self.changed.notify(1)
