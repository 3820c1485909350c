"""Known-bad pipelines: each a good one with a single planted defect.

``pl_good``, ``pl_good_unordered`` and ``pl_good_ahead`` conform in threads, ``pl_good_tasks``
in asyncio and trio. Their seams are the methods that twins replace.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio

import quiesce

PATTERN = "pipeline"
ASYNC = ("asyncio", "trio")

Function = Callable[[Any], object]
AsyncFunction = Callable[[Any], Awaitable[object]]


class Belt:
    """What is handed from one stage to the next; ``room`` results may wait unheld."""

    def __init__(self, producers: int, room: int) -> None:
        self.producers = producers
        self.room = room
        self.items: list[object] = []
        self.put = 0
        self.taken = 0

    def holds(self, number: int) -> bool:
        """Whether the producer of that result has to hold it still."""
        return number >= self.taken + self.room


@quiesce.adapter(PATTERN, world="threads", name="pl_good")
class Pipeline:
    """A thread for the feeder and each worker, and one condition."""

    def __init__(
        self, source: Iterable[object], first: Function, second: Function, workers: int, buffer: int
    ) -> None:
        self.source = source
        self.belts = [Belt(1, 0), Belt(workers, buffer), Belt(workers, buffer)]
        self.changed = threading.Condition()
        self.error: BaseException | None = None
        self.stopped = False
        self.threads = [threading.Thread(target=self.run, args=(self.feed, self.belts[0]))]
        for number, function in enumerate((first, second)):
            for _ in range(workers):
                arguments = (self.work, self.belts[number + 1], self.belts[number], function)
                self.threads.append(threading.Thread(target=self.run, args=arguments))
        self.running = len(self.threads)

    @contextmanager
    def lifespan(self) -> Iterator[None]:
        for thread in self.threads:
            thread.start()
        yield
        with self.changed:
            self.stop()
        for thread in self.threads:
            thread.join()

    def run(self, body: Callable[..., None], into: Belt, *arguments: Any) -> None:
        try:
            body(into, *arguments)
        except BaseException as error:
            with self.changed:
                self.failed(error)
        with self.changed:
            self.running -= 1
            self.leave(into)
            self.changed.notify_all()

    def failed(self, error: BaseException) -> None:
        if self.error is None:
            self.error = error
            self.stop()

    def leave(self, belt: Belt) -> None:
        belt.producers -= 1

    def feed(self, into: Belt) -> None:
        for item in self.source:
            self.put(into, item, None)
            if self.stopped:
                return

    def work(self, into: Belt, before: Belt, function: Function) -> None:
        while (taken := self.take(before)) is not None:
            number, item = taken
            self.put(into, self.call(function, item), number)

    def call(self, function: Function, item: object) -> object:
        return function(item)

    def take(self, belt: Belt) -> tuple[int, object] | None:
        with self.changed:
            while True:
                if self.refuses(belt):
                    return None
                if belt.items:
                    belt.taken += 1
                    self.changed.notify_all()
                    return belt.taken - 1, belt.items.pop(0)
                if self.is_over(belt):
                    return None
                self.changed.wait()

    def refuses(self, belt: Belt) -> bool:
        return self.stopped

    def is_over(self, belt: Belt) -> bool:
        return not belt.producers

    def put(self, belt: Belt, item: object, turn: int | None) -> None:
        with self.changed:
            while self.is_early(belt, turn) and not self.stopped:
                self.changed.wait()
            if self.drops(belt):
                return
            number, belt.put = belt.put, belt.put + 1
            belt.items.append(item)
            self.changed.notify_all()
            while self.holds(belt, number):
                self.changed.wait()

    def is_early(self, belt: Belt, turn: int | None) -> bool:
        return turn is not None and belt.put != turn

    def drops(self, belt: Belt) -> bool:
        return self.stopped

    def holds(self, belt: Belt, number: int) -> bool:
        return belt.holds(number) and not self.stopped

    def receive(self) -> tuple[object, ...]:
        taken = self.take(self.belts[-1])
        if taken is not None:
            return (taken[1],)
        if self.error is not None:
            raise self.error
        return ()

    def stop(self) -> None:
        self.stopped = True
        self.clear()
        self.changed.notify_all()

    def clear(self) -> None:
        for belt in self.belts:
            belt.items.clear()

    def cancel(self) -> None:
        with self.changed:
            self.stop()

    def wait(self) -> None:
        with self.changed:
            while self.is_busy():
                self.changed.wait()
        self.tell()

    def is_busy(self) -> bool:
        return self.running > 0

    def tell(self) -> None:
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        self.cancel()
        with self.changed:
            while self.running:
                self.changed.wait()


@quiesce.adapter(PATTERN, world="threads", name="pl_good_unordered", dialect={"ordered": "no"})
class Unordered(Pipeline):
    """Results leave as they are done."""

    def is_early(self, belt: Belt, turn: int | None) -> bool:
        return False


@quiesce.adapter(PATTERN, world="threads", name="pl_reorder")
class Reorder(Unordered):
    """It declares to keep the order."""


@quiesce.adapter(PATTERN, world="threads", name="pl_item_in_hand_dropped")
class DropsItem(Pipeline):
    """A result of the last stage that finds nobody and no room is dropped."""

    def holds(self, belt: Belt, number: int) -> bool:
        with self.changed:
            if belt is self.belts[-1] and belt.holds(number) and belt.items:
                belt.items.pop()
                belt.taken += 1
        return super().holds(belt, number)


@quiesce.adapter(PATTERN, world="threads", name="pl_works_twice")
class WorksTwice(Pipeline):
    """A result that looks empty is asked for again."""

    def call(self, function: Function, item: object) -> object:
        return function(item) or function(item)


@quiesce.adapter(PATTERN, world="threads", name="pl_unbounded_buffer")
class Unbounded(Pipeline):
    """Results of the last stage pile up."""

    def holds(self, belt: Belt, number: int) -> bool:
        return belt is not self.belts[-1] and super().holds(belt, number)


@quiesce.adapter(PATTERN, world="threads", name="pl_read_ahead")
class ReadAhead(Pipeline):
    """The feeder does not wait until its item is taken."""

    def holds(self, belt: Belt, number: int) -> bool:
        return super().holds(belt, number if belt is not self.belts[0] else number - 1)


@quiesce.adapter(PATTERN, world="threads", name="pl_good_ahead", dialect={"ahead": "1"})
class DeclaredAhead(ReadAhead):
    """The same, declared."""


@quiesce.adapter(PATTERN, world="threads", name="pl_end_not_forwarded")
class EndNotForwarded(Pipeline):
    """The last stage ends without a word."""

    def leave(self, belt: Belt) -> None:
        if belt is not self.belts[-1]:
            super().leave(belt)


@quiesce.adapter(PATTERN, world="threads", name="pl_two_workers_end_twice")
class EndsTwice(Pipeline):
    """Whichever worker ends first ends the stage's output."""

    def leave(self, belt: Belt) -> None:
        belt.producers = 0


@quiesce.adapter(PATTERN, world="threads", name="pl_end_before_last_item")
class EndsBefore(Pipeline):
    """The source's end is the end for everybody."""

    def is_over(self, belt: Belt) -> bool:
        return not self.belts[0].producers


@quiesce.adapter(PATTERN, world="threads", name="pl_send_ignores_cancel")
class SendIgnoresCancel(Pipeline):
    """Who holds a result holds it for ever."""

    def holds(self, belt: Belt, number: int) -> bool:
        return belt.holds(number)

    @contextmanager
    def lifespan(self) -> Iterator[None]:
        for thread in self.threads:
            thread.start()
        yield
        with self.changed:
            self.stop()


@quiesce.adapter(PATTERN, world="threads", name="pl_error_as_end")
class ErrorAsEnd(Pipeline):
    """A stage that fails has simply ended."""

    def failed(self, error: BaseException) -> None:
        self.stop()


@quiesce.adapter(PATTERN, world="threads", name="pl_delivers_after_cancel")
class DeliversAfterCancel(Pipeline):
    """What has passed all stages can be received after a cancellation."""

    def clear(self) -> None:
        for belt in self.belts[:-1]:
            belt.items.clear()

    def refuses(self, belt: Belt) -> bool:
        if belt is self.belts[-1]:
            return (self.stopped and not belt.items) or self.error is not None
        return super().refuses(belt)


@quiesce.adapter(PATTERN, world="threads", name="pl_works_on_after_cancel")
class WorksOn(Pipeline):
    """A cancellation stops the feeder; what is under way is worked on."""

    def clear(self) -> None:
        pass

    def refuses(self, belt: Belt) -> bool:
        return self.stopped and belt is not self.belts[1]

    def drops(self, belt: Belt) -> bool:
        return self.stopped and belt is not self.belts[1]


@quiesce.adapter(PATTERN, world="threads", name="pl_wait_hides_the_error")
class WaitHidesTheError(Pipeline):
    """Waiting says that it is over, not how."""

    def tell(self) -> None:
        pass


@quiesce.adapter(PATTERN, world="threads", name="pl_wait_is_early")
class WaitIsEarly(Pipeline):
    """Waiting is for the feeder only."""

    def is_busy(self) -> bool:
        return self.belts[0].producers > 0


@quiesce.adapter(PATTERN, world="threads", name="pl_hangs_without_items")
class HangsWithoutItems(Pipeline):
    """Only a stage that has worked ends its output."""

    def leave(self, belt: Belt) -> None:
        if self.belts[0].put or self.stopped:
            super().leave(belt)


@quiesce.adapter(PATTERN, world="threads", name="pl_cancel_waits")
class CancelWaits(Pipeline):
    """Cancelling and waiting are one."""

    def cancel(self) -> None:
        super().cancel()
        with self.changed:
            while self.running:
                self.changed.wait()


@quiesce.adapter(PATTERN, world="threads", name="pl_cancels_once")
class CancelsOnce(Pipeline):
    """A second cancellation waits for an end that was told already."""

    def cancel(self) -> None:
        if self.stopped and self.error is None:
            threading.Event().wait()
        super().cancel()


@quiesce.adapter(PATTERN, world=ASYNC, name="pl_good_tasks")
class Tasks:
    """A task for the feeder and each worker, all of them in the lifespan's group."""

    def __init__(
        self,
        source: AsyncIterable[object],
        first: AsyncFunction,
        second: AsyncFunction,
        workers: int,
        buffer: int,
    ) -> None:
        self.source = source
        self.functions = (first, second)
        self.workers = workers
        self.belts = [Belt(1, 0), Belt(workers, buffer), Belt(workers, buffer)]
        self.scopes = [anyio.CancelScope() for _ in range(1 + 2 * workers)]
        self.running = len(self.scopes)
        self.error: Exception | None = None
        self.stopped = False
        self.changed = anyio.Event()

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            scopes = iter(self.scopes)
            tasks.start_soon(self.run, next(scopes), self.feed, self.belts[0])
            for number, function in enumerate(self.functions):
                for _ in range(self.workers):
                    into, before = self.belts[number + 1], self.belts[number]
                    tasks.start_soon(self.run, next(scopes), self.work, into, before, function)
            yield
            await Tasks.close(self)
            tasks.cancel_scope.cancel()

    async def run(
        self, scope: anyio.CancelScope, body: Callable[..., Awaitable[None]], into: Belt, *rest: Any
    ) -> None:
        try:
            with scope:
                await body(into, *rest)
                into.producers -= 1
        except Exception as error:
            if self.error is None:
                self.error = error
                self.failed()
        finally:
            self.running -= 1
            self.wake()

    def failed(self) -> None:
        self.stop()

    def wake(self) -> None:
        self.changed.set()
        self.changed = anyio.Event()

    async def feed(self, into: Belt) -> None:
        async for item in self.source:
            await self.put(into, item, None)
            if self.pulls_no_more():
                return

    def pulls_no_more(self) -> bool:
        return self.stopped

    async def work(self, into: Belt, before: Belt, function: AsyncFunction) -> None:
        while (taken := await self.take(before)) is not None:
            number, item = taken
            await self.put(into, await function(item), number)

    async def take(self, belt: Belt) -> tuple[int, object] | None:
        while not self.stopped and self.error is None:
            if belt.items:
                belt.taken += 1
                self.wake()
                return belt.taken - 1, belt.items.pop(0)
            if not belt.producers:
                return None
            await self.changed.wait()
        return None

    async def put(self, belt: Belt, item: object, turn: int | None) -> None:
        while turn is not None and belt.put != turn:
            await self.changed.wait()
        number, belt.put = belt.put, belt.put + 1
        belt.items.append(item)
        self.wake()
        while belt.holds(number):
            await self.changed.wait()

    async def receive(self) -> tuple[object, ...]:
        taken = await self.take(self.belts[-1])
        if taken is not None:
            return (taken[1],)
        if self.error is not None:
            raise self.error
        return ()

    def stop(self) -> None:
        self.stopped = True
        for scope in self.cancelled():
            scope.cancel()
        self.wake()

    def cancelled(self) -> list[anyio.CancelScope]:
        return self.scopes

    async def cancel(self) -> None:
        self.stop()

    async def wait(self) -> None:
        while self.running:
            await self.changed.wait()
        if self.error is not None:
            raise self.error

    async def close(self) -> None:
        Tasks.stop(self)
        while self.running:
            await self.changed.wait()


@quiesce.adapter(PATTERN, world="asyncio", name="pl_only_first_stage_cancelled")
class OnlyFirstStage(Tasks):
    """A cancellation reaches the feeder and the first stage."""

    async def cancel(self) -> None:
        self.stopped = True
        for scope in self.scopes[: 1 + self.workers]:
            scope.cancel()
        self.wake()


@quiesce.adapter(PATTERN, world="asyncio", name="pl_pulls_after_cancel")
class PullsAfterCancel(Tasks):
    """A feeder that was just let go pulls once more: it hears of it at its next wait."""

    def pulls_no_more(self) -> bool:
        return False


@quiesce.adapter(PATTERN, world=ASYNC, name="pl_early_exit_leak")
class EarlyExitLeak(Tasks):
    """Who leaves early leaves the stages to themselves."""

    async def close(self) -> None:
        self.stopped = True
        self.wake()


@quiesce.adapter(PATTERN, world="trio", name="pl_goes_on_after_a_failure")
class GoesOn(Tasks):
    """A failure ends the stage that failed, and who receives."""

    def failed(self) -> None:
        self.wake()
