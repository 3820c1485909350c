"""Known-bad mutexes: each a good one with a single planted defect.

The good ones conform: an owner's lock for asyncio that hands over directly, a lock for threads over
a condition that anybody may unlock, and one that counts how often its owner has it.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import quiesce

PATTERN = "mutex"
AIO = {
    "world": "asyncio",
    "lacks": {"anyone"},
    "dialect": {"ownership": "owner", "relock": "raises"},
}
THREADS = {"world": "threads"}
COUNTING = {
    "world": "threads",
    "lacks": {"anyone", "try"},
    "dialect": {"ownership": "owner", "relock": "counts"},
}

Work = Callable[[], Awaitable[object]]


@quiesce.adapter(PATTERN, name="mx_good_asyncio", **AIO)
class Mutex:
    def __init__(self) -> None:
        self.owner: object = None
        self.waiters: deque[tuple[Any, asyncio.Future[None]]] = deque()

    async def hold(self, work: Work) -> object:
        await self.lock()
        try:
            return await work()
        finally:
            self.unlock()

    async def try_hold(self, work: Work) -> tuple[bool, object]:
        if not self.try_lock():
            return False, None
        try:
            return True, await work()
        finally:
            self.unlock()

    async def release(self) -> None:
        self.unlock()

    def try_lock(self) -> bool:
        task = asyncio.current_task()
        if self.owner is task:
            self.locked_again()
        if self.owner is not None:
            return False
        self.owner = task
        return True

    async def lock(self) -> None:
        if self.try_lock():
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = asyncio.current_task(), turn
        self.waiters.append(waiter)
        try:
            await turn
        except asyncio.CancelledError:
            self.cancelled(waiter)
            raise

    def locked_again(self) -> None:
        raise RuntimeError("locked again by its owner")

    def cancelled(self, waiter: tuple[Any, asyncio.Future[None]]) -> None:
        if not waiter[1].cancelled():
            self.hand_over()
        elif waiter in self.waiters:
            self.waiters.remove(waiter)

    def unlock(self) -> None:
        if self.owner is None:
            self.unlocked_free()
        elif self.owner is asyncio.current_task():
            self.hand_over()
        else:
            self.unlocked_by_stranger()

    def unlocked_free(self) -> None:
        raise RuntimeError("not locked")

    def unlocked_by_stranger(self) -> None:
        raise RuntimeError("locked by somebody else")

    def hand_over(self) -> None:
        self.owner = None
        while self.waiters:
            task, turn = self.waiters.popleft()
            if not turn.done():
                self.owner = task
                turn.set_result(None)
                return


@quiesce.adapter(PATTERN, name="mx_no_exclusion", **AIO)
class NoExclusion(Mutex):
    """Lets a second caller in while somebody waits."""

    async def lock(self) -> None:
        if not self.waiters:
            await super().lock()


@quiesce.adapter(PATTERN, name="mx_error_keeps_lock", **AIO)
class ErrorKeepsLock(Mutex):
    async def hold(self, work: Work) -> object:
        await self.lock()
        try:
            value = await work()
        except asyncio.CancelledError:
            self.unlock()
            raise
        self.unlock()
        return value


@quiesce.adapter(PATTERN, name="mx_lost_wakeup_behind_cancelled", **AIO)
class LostWakeup(Mutex):
    """A cancelled waiter stays in the queue, and what is handed to it is lost."""

    def cancelled(self, waiter: tuple[Any, asyncio.Future[None]]) -> None:
        if not waiter[1].cancelled():
            self.hand_over()

    def hand_over(self) -> None:
        self.owner = None
        if self.waiters:
            task, turn = self.waiters.popleft()
            if not turn.done():
                self.owner = task
                turn.set_result(None)


@quiesce.adapter(PATTERN, name="mx_try_blocks", **AIO)
class TryBlocks(Mutex):
    async def try_hold(self, work: Work) -> tuple[bool, object]:
        return True, await self.hold(work)


@quiesce.adapter(PATTERN, name="mx_try_always_fails", **AIO)
class TryAlwaysFails(Mutex):
    """Once somebody has waited, a try fails for good."""

    contended = False

    async def lock(self) -> None:
        self.contended = self.contended or self.owner is not None
        await super().lock()

    async def try_hold(self, work: Work) -> tuple[bool, object]:
        if self.contended and self.owner is None:
            return False, None
        return await super().try_hold(work)


@quiesce.adapter(PATTERN, name="mx_unlock_free_ok", **AIO)
class UnlockFreeOk(Mutex):
    def unlocked_free(self) -> None:
        pass


@quiesce.adapter(PATTERN, name="mx_stranger_unlocks", **AIO)
class StrangerUnlocks(Mutex):
    def unlocked_by_stranger(self) -> None:
        self.hand_over()


@quiesce.adapter(PATTERN, name="mx_relock_blocks", **AIO)
class RelockBlocks(Mutex):
    def locked_again(self) -> None:
        pass


@quiesce.adapter(PATTERN, name="mx_last_comes_first", **AIO)
class LastComesFirst(Mutex):
    def hand_over(self) -> None:
        self.waiters.reverse()
        super().hand_over()
        self.waiters.reverse()


@quiesce.adapter(PATTERN, name="mx_cancelled_heir_keeps_lock", **AIO)
class HeirKeepsLock(Mutex):
    def cancelled(self, waiter: tuple[Any, asyncio.Future[None]]) -> None:
        if waiter in self.waiters:
            self.waiters.remove(waiter)


@quiesce.adapter(PATTERN, name="un_swallows_a_cancellation", **AIO)
class SwallowsCancellation(Mutex):
    async def lock(self) -> None:
        try:
            await super().lock()
        except asyncio.CancelledError:
            await self.lock()


@quiesce.adapter(PATTERN, name="un_hides_an_error", **AIO)
class HidesAnError(Mutex):
    async def hold(self, work: Work) -> object:
        try:
            return await super().hold(work)
        except RuntimeError:
            raise
        except Exception:
            return None


@quiesce.adapter(PATTERN, name="mx_good_threads", **THREADS)
class ThreadMutex:
    def __init__(self) -> None:
        self.changed = threading.Condition(threading.Lock())
        self.locked = False
        self.queue: deque[object] = deque()

    def hold(self, work: Callable[[], object]) -> object:
        self.acquire()
        try:
            return work()
        finally:
            self.release()

    def try_hold(self, work: Callable[[], object]) -> tuple[bool, object]:
        with self.changed:
            if self.locked:
                return False, None
            self.locked = True
        try:
            return True, work()
        finally:
            self.release()

    def acquire(self) -> None:
        with self.changed:
            if not self.locked:
                self.locked = True
                return
            turn = object()
            self.queue.append(turn)
            while turn in self.queue:
                self.changed.wait()

    def release(self) -> None:
        with self.changed:
            if not self.locked:
                raise RuntimeError("not locked")
            if self.queue:
                self.queue.popleft()  # it stays locked: that one has it now
                self.wake()
            else:
                self.locked = False

    def wake(self) -> None:
        self.changed.notify_all()


@quiesce.adapter(PATTERN, name="mx_check_then_take", **THREADS)
class CheckThenTake(ThreadMutex):
    """Looks and takes under two holds of its inner lock."""

    def acquire(self) -> None:
        with self.changed:
            locked = self.locked
        if locked:
            super().acquire()
        else:
            self.locked = True


@quiesce.adapter(PATTERN, name="mx_owner_alone_unlocks", **THREADS)
class OwnerAloneUnlocks(ThreadMutex):
    """Declared to be anybody's, and refuses all but its owner."""

    owner: int | None = None

    def acquire(self) -> None:
        super().acquire()
        self.owner = threading.get_ident()

    def release(self) -> None:
        if self.owner not in (None, threading.get_ident()):
            raise RuntimeError("locked by somebody else")
        super().release()
        self.owner = None


@quiesce.adapter(PATTERN, name="mx_loses_a_wakeup", **THREADS)
class LosesAWakeup(ThreadMutex):
    """Wakes one waiter, who may not be the next."""

    def wake(self) -> None:
        self.changed.notify()
        self.queue.reverse()


@quiesce.adapter(PATTERN, name="mx_good_counting", **COUNTING)
class CountingMutex(ThreadMutex):
    """Its owner may take it again, and gives it up as often."""

    owner: int | None = None
    depth = 0

    def acquire(self) -> None:
        if self.owner != threading.get_ident():
            super().acquire()
            self.owner = threading.get_ident()
        self.depth += 1

    def release(self) -> None:
        if self.owner != threading.get_ident():
            raise RuntimeError("not locked, or by somebody else")
        self.depth -= 1
        if self.is_last():
            self.owner, self.depth = None, 0
            super().release()

    def is_last(self) -> bool:
        return not self.depth


@quiesce.adapter(PATTERN, name="mx_inner_unlock_frees", **COUNTING)
class InnerUnlockFrees(CountingMutex):
    def is_last(self) -> bool:
        return True
