"""Known-bad capacity limiters: each a good one with a single planted defect.

The good ones conform: ``cl_good`` in asyncio and trio, and ``cl_good_threads``. Their seams are
the methods that twins replace.
"""

from __future__ import annotations

import threading
from typing import Any

import anyio
import anyio.lowlevel

import quiesce

PATTERN = "capacity_limiter"
AIO: dict[str, Any] = {"world": "asyncio", "scope": "anyio"}


class Waiter:
    """An acquire that waits."""

    def __init__(self, borrower: int, event: Any) -> None:
        self.borrower = borrower
        self.event = event


class Units:
    """What limiters of tasks and of threads share."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.borrowers: set[int] = set()
        self.waiters: list[Waiter] = []

    def has_room(self) -> bool:
        return len(self.borrowers) < self.total

    def fits(self) -> bool:
        return self.has_room() and not self.waiters

    def check(self, borrower: int) -> None:
        if borrower in self.borrowers:
            raise RuntimeError("it has a unit already")

    def borrow(self, borrower: int) -> bool:
        self.check(borrower)
        if not (self.has_room() and not self.waiters):
            return False
        self.borrowers.add(borrower)
        return True

    def give_back(self, borrower: int) -> None:
        if borrower not in self.borrowers:
            raise RuntimeError("it has no unit")
        self.borrowers.remove(borrower)
        self.let_in()

    def let_in(self) -> None:
        while self.waiters and self.has_room():
            self.grant(self.waiters[0])

    def grant(self, waiter: Waiter) -> None:
        self.waiters.remove(waiter)
        self.borrowers.add(waiter.borrower)
        waiter.event.set()

    def change(self, total: int) -> None:
        self.total = total
        self.let_in()


@quiesce.adapter(PATTERN, world=("asyncio", "trio"), name="cl_good", scope="anyio")
class Limiter(Units):
    """A limiter of tasks."""

    async def acquire(self, item: int) -> int:
        await anyio.lowlevel.checkpoint_if_cancelled()
        if self.fits():
            self.borrowers.add(item)
            return item
        waiter = Waiter(item, anyio.Event())
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
        return item

    def came_too_late(self, waiter: Waiter) -> None:
        self.borrowers.discard(waiter.borrower)
        self.let_in()

    def gave_up(self, waiter: Waiter) -> None:
        self.waiters.remove(waiter)

    def woken(self, waiter: Waiter) -> None:
        pass

    async def try_acquire(self, borrower: int) -> bool:
        return self.borrow(borrower)

    async def release(self, borrower: int) -> None:
        self.give_back(borrower)

    async def set_total(self, total: int) -> None:
        self.change(total)


@quiesce.adapter(PATTERN, name="cl_raise_wakes_nobody", **AIO)
class RaiseWakesNobody(Limiter):
    def change(self, total: int) -> None:
        self.total = total


@quiesce.adapter(PATTERN, name="cl_raise_wakes_one_too_many", **AIO)
class RaiseWakesTooMany(Limiter):
    """It wakes as many as the total grew by, though fewer units are free."""

    def change(self, total: int) -> None:
        grown, self.total = total - self.total, total
        for waiter in self.waiters[: max(0, grown)]:
            self.grant(waiter)


@quiesce.adapter(PATTERN, name="cl_lowering_revokes", **AIO)
class LoweringRevokes(Limiter):
    """Whoever came last loses its unit."""

    def change(self, total: int) -> None:
        self.borrowers = set(sorted(self.borrowers)[:total])
        super().change(total)


@quiesce.adapter(PATTERN, name="cl_over_grant_in_handover", **AIO)
class OverGrant(Limiter):
    """Whoever is woken borrows only when it runs."""

    def let_in(self) -> None:
        room = self.total - len(self.borrowers)
        for waiter in self.waiters[: max(0, room)]:
            self.waiters.remove(waiter)
            waiter.event.set()

    def woken(self, waiter: Waiter) -> None:
        self.borrowers.add(waiter.borrower)


@quiesce.adapter(PATTERN, name="cl_release_grants_above_total", **AIO)
class ReleaseGrantsAboveTotal(Limiter):
    """A release hands its unit on, also if the total was lowered meanwhile."""

    def give_back(self, borrower: int) -> None:
        if borrower not in self.borrowers:
            raise RuntimeError("it has no unit")
        self.borrowers.remove(borrower)
        if self.waiters:
            self.grant(self.waiters[0])


@quiesce.adapter(PATTERN, name="cl_second_unit_ok", **AIO)
class SecondUnit(Limiter):
    def check(self, borrower: int) -> None:
        pass


@quiesce.adapter(PATTERN, name="cl_release_unborrowed_ok", **AIO)
class ReleaseUnborrowed(Limiter):
    def give_back(self, borrower: int) -> None:
        self.borrowers.discard(borrower)
        self.let_in()


@quiesce.adapter(PATTERN, name="cl_last_unit_waits", **AIO)
class LastUnitWaits(Limiter):
    def fits(self) -> bool:
        return len(self.borrowers) + 1 < self.total and not self.waiters


@quiesce.adapter(PATTERN, name="cl_lifo", **AIO)
class Lifo(Limiter):
    def let_in(self) -> None:
        while self.waiters and self.has_room():
            self.grant(self.waiters[-1])


@quiesce.adapter(PATTERN, name="cl_late_grant_leaks", **AIO)
class LateGrantLeaks(Limiter):
    def came_too_late(self, waiter: Waiter) -> None:
        pass


@quiesce.adapter(PATTERN, name="cl_cancelled_stays", **AIO)
class CancelledStays(Limiter):
    def gave_up(self, waiter: Waiter) -> None:
        pass


@quiesce.adapter(PATTERN, world="threads", name="cl_good_threads")
class Threaded(Units):
    """A limiter of threads."""

    def __init__(self, total: int) -> None:
        super().__init__(total)
        self.lock = threading.Lock()

    def acquire(self, item: int) -> int:
        with self.lock:
            if self.borrow(item):
                return item
            waiter = Waiter(item, threading.Event())
            self.waiters.append(waiter)
        waiter.event.wait()
        return item

    def try_acquire(self, borrower: int) -> bool:
        with self.lock:
            return self.borrow(borrower)

    def release(self, borrower: int) -> None:
        with self.lock:
            self.give_back(borrower)

    def set_total(self, total: int) -> None:
        with self.lock:
            self.change(total)


@quiesce.adapter(PATTERN, world="threads", name="cl_unlocked_release_threads")
class UnlockedRelease(Threaded):
    """A release and a newcomer may pass each other by."""

    def release(self, borrower: int) -> None:
        waiting = list(self.waiters)
        with self.lock:
            if borrower not in self.borrowers:
                raise RuntimeError("it has no unit")
            self.borrowers.remove(borrower)
            if waiting:
                self.let_in()
