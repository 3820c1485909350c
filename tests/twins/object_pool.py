"""Known-bad object pools: each a good one with a single planted defect.

The good ones come first, for asyncio and for threads, and conform. Their seams are the methods
that twins replace.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import quiesce

PATTERN = "object_pool"
AIO = {"world": "asyncio"}
THREADS = {"world": "threads", "lacks": {"reset", "bound", "scoped", "close", "trim", "checked"}}

Make = Callable[[], Awaitable[object]]
Task = Callable[[object], Awaitable[object]]


class Turn:
    """One caller's place in the queue."""

    def __init__(self) -> None:
        self.came: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.objects: list[object] = []


@quiesce.adapter(PATTERN, name="op_good_asyncio", **AIO)
class Pool:
    def __init__(self, bound: int | None, make: Make, reset: Task) -> None:
        self.bound, self.make, self.reset = bound, make, reset
        self.idle: list[object] = []
        self.lent: list[object] = []
        self.between = 0
        self.waiting: deque[Turn] = deque()
        self.closed = False

    async def get(self) -> object:
        if self.closed:
            raise RuntimeError("closed")
        turn = Turn()
        self.queue(turn)
        self.admit()
        if not turn.came.done():
            try:
                await turn.came
            except asyncio.CancelledError:
                self.withdraw(turn)
                raise
        if not turn.came.result():
            raise RuntimeError("closed")
        return await self.serve(turn)

    async def serve(self, turn: Turn) -> object:
        if turn.objects:
            return turn.objects.pop()
        try:
            made = await self.make()
        except Exception:
            self.factory_failed()
            raise
        except BaseException:
            self.between -= 1
            self.admit()
            raise
        self.between -= 1
        self.lent.append(made)
        return made

    async def put(self, lent: object) -> None:
        if lent not in self.lent:
            return self.refuse(lent)
        self.lent.remove(lent)
        if self.closed:
            return self.late(lent)
        return await self.take_back(lent)

    async def take_back(self, lent: object) -> None:
        self.between += 1
        try:
            await self.reset(lent)
        except BaseException:
            self.reset_failed(lent)
            raise
        self.between -= 1
        if not self.closed:
            self.idle.append(lent)
        self.admit()

    async def put_none(self) -> None:
        pass

    async def put_stranger(self) -> None:
        await self.put(object())

    async def use(self, task: Task) -> object:
        lent = await self.get()
        try:
            return await task(lent)
        finally:
            await self.put(lent)

    def trim(self) -> None:
        self.idle.clear()

    async def close(self) -> None:
        self.closed = True
        self.idle.clear()
        for turn in self.waiting:
            self.turn_away(turn)
        self.waiting.clear()

    def queue(self, turn: Turn) -> None:
        self.waiting.append(turn)

    def refuse(self, lent: object) -> None:
        raise ValueError("not lent")

    def late(self, lent: object) -> None:
        pass

    def turn_away(self, turn: Turn) -> None:
        if not turn.came.done():
            turn.came.set_result(False)

    def factory_failed(self) -> None:
        self.between -= 1
        self.admit()

    def reset_failed(self, lent: object) -> None:
        self.between -= 1
        self.admit()

    def full(self) -> bool:
        return self.bound is not None and len(self.lent) + self.between >= self.bound

    def admit(self) -> None:
        while self.waiting and not self.full():
            turn = self.waiting.popleft()
            if turn.came.done():
                continue
            if self.idle:
                turn.objects.append(self.take_idle())
                self.lent.extend(turn.objects)
            else:
                self.between += 1
            turn.came.set_result(True)

    def take_idle(self) -> object:
        return self.idle.pop()

    def withdraw(self, turn: Turn) -> None:
        if turn in self.waiting:
            self.waiting.remove(turn)
        elif turn.objects:
            lent = turn.objects.pop()
            self.lent.remove(lent)
            self.idle.append(lent)
        elif turn.came.done() and not turn.came.cancelled() and turn.came.result():
            self.between -= 1
        self.admit()


@quiesce.adapter(PATTERN, name="op_good_threads", **THREADS)
class ThreadPool:
    """Unbounded, without any extras."""

    def __init__(self, bound: int | None, make: Callable[[], object], reset: Any) -> None:
        self.make = make
        self.lock = threading.Lock()
        self.idle: list[object] = []

    def get(self) -> object:
        with self.lock:
            if self.idle:
                return self.idle.pop()
        return self.make()

    def put(self, lent: object) -> None:
        with self.lock:
            self.idle.append(lent)

    def put_none(self) -> None:
        pass


@quiesce.adapter(PATTERN, name="op_steal_race", **THREADS)
class StealRace(ThreadPool):
    def get(self) -> object:
        if self.idle:
            return self.steal()
        return self.make()

    def steal(self) -> object:
        lent = self.idle[-1]
        self.forget(lent)
        return lent

    def forget(self, lent: object) -> None:
        self.idle = [other for other in self.idle if other is not lent]


@quiesce.adapter(PATTERN, name="op_get_keeps_entry", **AIO)
class GetKeepsEntry(Pool):
    def take_idle(self) -> object:
        return self.idle[-1]


@quiesce.adapter(PATTERN, name="op_makes_in_vain", **AIO)
class MakesInVain(Pool):
    async def serve(self, turn: Turn) -> object:
        if turn.objects:
            task = asyncio.ensure_future(self.make())
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            await asyncio.sleep(0)
        return await super().serve(turn)


@quiesce.adapter(PATTERN, name="op_stores_none", **AIO)
class StoresNone(Pool):
    async def put_none(self) -> None:
        self.idle.append(None)


@quiesce.adapter(PATTERN, name="op_no_reset", **AIO)
class NoReset(Pool):
    async def take_back(self, lent: object) -> None:
        self.idle.append(lent)
        self.admit()


@quiesce.adapter(PATTERN, name="op_resets_twice", **AIO)
class ResetsTwice(Pool):
    def __init__(self, bound: int | None, make: Make, reset: Task) -> None:
        async def twice(lent: object) -> None:
            await reset(lent)
            await reset(lent)

        super().__init__(bound, make, twice)


@quiesce.adapter(PATTERN, name="op_reset_on_get", **AIO)
class ResetOnGet(Pool):
    async def take_back(self, lent: object) -> None:
        self.idle.append(lent)
        self.admit()

    async def serve(self, turn: Turn) -> object:
        if turn.objects:
            await self.reset(turn.objects[0])
        return await super().serve(turn)


@quiesce.adapter(PATTERN, name="op_reset_error_pooled", **AIO)
class ResetErrorPooled(Pool):
    def reset_failed(self, lent: object) -> None:
        self.idle.append(lent)
        super().reset_failed(lent)


@quiesce.adapter(PATTERN, name="op_double_put_ok", **AIO)
class DoublePutOk(Pool):
    def refuse(self, lent: object) -> None:
        if lent not in self.idle:
            super().refuse(lent)
        self.idle.append(lent)


@quiesce.adapter(PATTERN, name="op_takes_strangers", **AIO)
class TakesStrangers(Pool):
    async def put_stranger(self) -> None:
        self.idle.append(object())


@quiesce.adapter(PATTERN, name="op_unbounded_idle", **AIO)
class UnboundedIdle(Pool):
    def trim(self) -> None:
        pass


@quiesce.adapter(PATTERN, name="op_factory_failure_eats_slot", **AIO)
class FactoryFailureEatsSlot(Pool):
    def factory_failed(self) -> None:
        pass


@quiesce.adapter(PATTERN, name="op_one_too_many", **AIO)
class OneTooMany(Pool):
    def full(self) -> bool:
        return self.bound is not None and len(self.lent) + self.between > self.bound


@quiesce.adapter(PATTERN, name="op_last_come_first_served", **AIO)
class LastComeFirstServed(Pool):
    def queue(self, turn: Turn) -> None:
        self.waiting.appendleft(turn)


@quiesce.adapter(PATTERN, name="op_cancelled_get_loses_object", **AIO)
class CancelledGetLosesObject(Pool):
    def withdraw(self, turn: Turn) -> None:
        if turn in self.waiting:
            self.waiting.remove(turn)
            self.between += 1


@quiesce.adapter(PATTERN, name="op_no_return_on_cancel", **AIO)
class NoReturnOnCancel(Pool):
    async def use(self, task: Task) -> object:
        lent = await self.get()
        try:
            value = await task(lent)
        except Exception:
            await self.put(lent)
            raise
        await self.put(lent)
        return value


@quiesce.adapter(PATTERN, name="op_returns_twice", **AIO)
class ReturnsTwice(Pool):
    async def use(self, task: Task) -> object:
        value = await super().use(task)
        if self.idle:
            self.idle.append(self.idle[-1])
        return value


@quiesce.adapter(PATTERN, name="op_put_after_close_revives", **AIO)
class PutAfterCloseRevives(Pool):
    def late(self, lent: object) -> None:
        self.closed = False
        self.idle.append(lent)


@quiesce.adapter(PATTERN, name="op_close_strands_waiters", **AIO)
class CloseStrandsWaiters(Pool):
    def turn_away(self, turn: Turn) -> None:
        pass


@quiesce.adapter(PATTERN, name="op_close_twice_fails", **AIO)
class CloseTwiceFails(Pool):
    async def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        await super().close()
