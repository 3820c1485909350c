"""Known-bad streams of a worker pool: each a good one with a single planted defect.

The good ones conform: ``wp_good_stream`` in asyncio and trio, and ``wp_good_stream_threads``.
Their seams are the methods that twins replace.
"""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel

import quiesce

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

PATTERN = "stream_pool"


class Entry:
    """An item until its outcome is taken."""

    def __init__(self, item: object) -> None:
        self.item = item
        self.value: object = None
        self.error: BaseException | None = None

    def answer(self) -> object:
        if self.error is not None:
            raise self.error
        return "item", self.value


class Books:
    """What both streams keep account of."""

    def __init__(
        self,
        workers: int,
        buffer: int,
        ordered: bool,
        source: Any,
        function: Callable[[object], Any],
    ) -> None:
        self.workers, self.buffer, self.ordered = workers, buffer, ordered
        self.source, self.function = source, function
        self.begun = self.exhausted = self.stopped = False
        self.failure: BaseException | None = None
        self.entries: list[Entry] = []  # in the order of the items
        self.queue: list[Entry] = []
        self.running: list[Entry] = []
        self.ready: list[Entry] = []

    def may_pull(self) -> bool:
        return self.stopped or len(self.entries) < self.workers + self.buffer

    def first(self) -> Entry | None:
        """The outcome that is due."""
        if self.ordered:
            due = self.entries[:1]
            return due[0] if due and due[0] in self.ready else None
        return self.ready[0] if self.ready else None

    def is_over(self) -> bool:
        return self.stopped or (self.exhausted and not self.entries)

    def is_due(self) -> bool:
        return self.first() is not None or self.is_over()

    def ended(self, entry: Entry) -> None:
        self.running.remove(entry)
        if not self.stopped:
            self.ready.append(entry)

    def failed(self, error: Exception) -> None:
        if not self.stopped:
            self.failure = error

    def end(self) -> object:
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure
        return "end"

    def remove(self, entry: Entry) -> None:
        self.entries.remove(entry)
        self.ready.remove(entry)

    def drop(self) -> None:
        self.stopped, self.failure = True, None
        self.entries.clear()
        self.queue.clear()
        self.ready.clear()


INTERRUPTING = {"cancel_running": "interrupted"}


@quiesce.adapter(PATTERN, world=("asyncio", "trio"), name="wp_good_stream", dialect=INTERRUPTING)
class Stream(Books):
    """A task that pulls, and one for each running job."""

    changed: anyio.Event

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        self.changed = anyio.Event()
        self.scopes: list[anyio.CancelScope] = []
        async with anyio.create_task_group() as self.tasks:
            yield
            self.leave()

    def change(self) -> None:
        while self.queue and len(self.running) < self.workers:
            entry = self.queue.pop(0)
            self.running.append(entry)
            self.tasks.start_soon(self.scoped, self.work, entry)
        self.changed.set()
        self.changed = anyio.Event()

    async def scoped(self, body: Callable[..., Awaitable[None]], *arguments: object) -> None:
        with anyio.CancelScope() as scope:
            self.scopes.append(scope)
            if not self.stopped:
                await body(*arguments)

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await self.changed.wait()

    async def feed(self) -> None:
        try:
            while True:
                await self.until(self.may_pull)
                if self.stopped:
                    return
                entry = Entry(await anext(self.source))
                self.entries.append(entry)
                self.queue.append(entry)
                self.change()
        except StopAsyncIteration:
            pass
        except Exception as error:
            self.failed(error)
        self.exhausted = True
        self.change()

    async def work(self, entry: Entry) -> None:
        try:
            entry.value = await self.function(entry.item)
        except Exception as error:
            entry.error = error
        self.ended(entry)
        self.change()

    def begin(self) -> None:
        if not self.begun and not self.stopped:
            self.begun = True
            self.tasks.start_soon(self.scoped, self.feed)

    async def next(self) -> object:
        self.begin()
        await self.until(self.is_due)
        return await self.take()

    async def take(self) -> object:
        entry = self.first()
        if entry is None:
            return self.end()
        self.remove(entry)
        self.change()
        return entry.answer()

    async def stop(self) -> None:
        self.leave()

    def leave(self) -> None:
        self.drop()
        for scope in self.scopes:
            scope.cancel()
        self.change()


def twin(name: str) -> Callable[[type[Stream]], type[Stream]]:
    return quiesce.adapter(PATTERN, world="asyncio", name=name, dialect=INTERRUPTING)


@twin("wp_eager_pull")
class EagerPull(Stream):
    """Has one item more in its hand."""

    def may_pull(self) -> bool:
        return self.stopped or len(self.entries) <= self.workers + self.buffer


@twin("wp_pulls_before_it_is_asked")
class PullsBeforeItIsAsked(Stream):
    """Begins as soon as it is made."""

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        async with super().lifespan():
            self.begin()
            yield


@twin("wp_first_worker_closes_results")
class FirstWorkerClosesResults(Stream):
    """The first worker without an item ends the stream, although others have one."""

    def is_over(self) -> bool:
        idle = not self.ready and len(self.running) < self.workers
        return self.stopped or (self.exhausted and not self.queue and idle)


@twin("wp_source_error_is_the_end")
class SourceErrorIsTheEnd(Stream):
    """Whatever the source raises, it is over."""

    def failed(self, error: Exception) -> None:
        pass


@twin("wp_ends_only_once")
class EndsOnlyOnce(Stream):
    """Tells the first who asks that it is over."""

    told = False

    def is_over(self) -> bool:
        return self.stopped or (not self.told and super().is_over())

    def end(self) -> object:
        self.told = True
        return super().end()


@twin("wp_forgets_the_order")
class ForgetsTheOrder(Stream):
    """Gives the next outcome that is ready, ordered or not."""

    def first(self) -> Entry | None:
        return self.ready[0] if self.ready else None


@twin("wp_keeps_the_order_unasked")
class KeepsTheOrderUnasked(Stream):
    """Waits for the slowest in front, ordered or not."""

    def first(self) -> Entry | None:
        return self.entries[0] if self.entries and self.entries[0] in self.ready else None


@twin("wp_outcome_twice")
class OutcomeTwice(Stream):
    """Two consumers look before either removes what he saw."""

    async def take(self) -> object:
        entry = self.first()
        await anyio.lowlevel.checkpoint()
        if entry in self.entries:
            return await super().take()
        return self.end() if entry is None else entry.answer()


@twin("wp_stream_hides_errors")
class HidesErrors(Stream):
    """A failing job's outcome is None."""

    def ended(self, entry: Entry) -> None:
        entry.error = None
        super().ended(entry)


@twin("wp_works_on_after_stop")
class WorksOnAfterStop(Stream):
    """A stop is the consumer's affair only."""

    left = False

    def is_over(self) -> bool:
        return self.left or super().is_over()

    async def next(self) -> object:
        if self.left:
            return "end"
        return await super().next()

    async def stop(self) -> None:
        if not self.begun:
            await super().stop()
        self.left = True
        self.ready.clear()
        self.change()


@twin("wp_second_stop_fails")
class SecondStopFails(Stream):
    """Has nothing left to stop, and says so by an error."""

    async def stop(self) -> None:
        if self.stopped:
            raise ValueError("already stopped")
        await super().stop()


@twin("wp_cancelled_consumer_loses_an_outcome")
class CancelledConsumerLosesAnOutcome(Stream):
    """A consumer leaves his order behind, and an outcome is made for nobody."""

    orders = 0

    async def next(self) -> object:
        try:
            return await super().next()
        except anyio.get_cancelled_exc_class():
            self.orders += 1
            raise

    def ended(self, entry: Entry) -> None:
        super().ended(entry)
        if self.orders and entry in self.ready:
            self.orders -= 1
            self.remove(entry)


GOES_ON = {"cancel_running": "runs_on"}


@quiesce.adapter(PATTERN, world="threads", name="wp_good_stream_threads", dialect=GOES_ON)
class ThreadStream(Books):
    """A thread that pulls and as many that work, all on one condition."""

    @contextmanager
    def lifespan(self) -> Iterator[None]:
        self.changed = threading.Condition()
        self.threads: list[threading.Thread] = []
        yield
        self.leave()
        for thread in self.threads:
            thread.join()

    def leave(self) -> None:
        self.stop()

    def feed(self) -> None:
        try:
            while self.wait_for_place():
                item = next(self.source)
                with self.changed:
                    if not self.stopped:
                        self.entries.append(Entry(item))
                        self.queue.append(self.entries[-1])
                    self.changed.notify_all()
        except StopIteration:
            pass
        except Exception as error:
            with self.changed:
                self.failed(error)
        with self.changed:
            self.exhausted = True
            self.changed.notify_all()

    def wait_for_place(self) -> bool:
        with self.changed:
            while not self.may_pull():
                self.changed.wait()
            return not self.stopped

    def work(self) -> None:
        while (entry := self.take_item()) is not None:
            try:
                entry.value = self.function(entry.item)
            except Exception as error:
                entry.error = error
            self.hand_out(entry)

    def take_item(self) -> Entry | None:
        with self.changed:
            while not self.queue:
                if self.stopped or self.exhausted:
                    return None
                self.changed.wait()
            self.running.append(self.queue.pop(0))
            return self.running[-1]

    def hand_out(self, entry: Entry) -> None:
        with self.changed:
            self.ended(entry)
            self.changed.notify_all()

    def next(self) -> object:
        with self.changed:
            if not self.begun and not self.stopped:
                self.begun = True
                bodies = [self.feed, *[self.work] * self.workers]
                self.threads += [threading.Thread(target=body) for body in bodies]
                for thread in self.threads:
                    thread.start()
            while not self.is_due():
                self.changed.wait()
            entry = self.first()
            if entry is None:
                return self.end()
            self.remove(entry)
            self.changed.notify_all()
        return entry.answer()

    def stop(self) -> None:
        with self.changed:
            self.drop()
            self.changed.notify_all()


def thread_twin(name: str) -> Callable[[type[ThreadStream]], type[ThreadStream]]:
    return quiesce.adapter(PATTERN, world="threads", name=name, dialect=GOES_ON)


class Unjoined(ThreadStream):
    """Its threads have to end by themselves."""

    @contextmanager
    def lifespan(self) -> Iterator[None]:
        self.changed = threading.Condition()
        self.threads = []
        yield
        self.leave()


@thread_twin("wp_result_sender_leak")
class ResultSenderLeak(Unjoined):
    """Workers wait until somebody has taken the outcome before."""

    def hand_out(self, entry: Entry) -> None:
        super().hand_out(entry)
        with self.changed:
            while entry in self.handed:
                self.changed.wait()

    @property
    def handed(self) -> list[Entry]:
        return self.entries

    def drop(self) -> None:
        self.stopped, self.failure = True, None
        self.queue.clear()


@thread_twin("wp_feeder_stuck_after_cancel")
class FeederStuckAfterCancel(Unjoined):
    """The feeder waits for a place and does not see that nobody is left to make one."""

    def may_pull(self) -> bool:
        return len(self.entries) < self.workers + self.buffer

    def drop(self) -> None:
        self.stopped, self.failure = True, None
        self.queue.clear()
        self.ready.clear()
