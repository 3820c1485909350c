"""Known-bad fan-ins: each a good one with a single planted defect.

``fo_good_merge`` conforms in threads, ``fo_good_merge_tasks`` in asyncio and trio, and
``fo_good_merge_buffered`` has room for one item. Their seams are the methods that twins
replace.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio

import quiesce

PATTERN = "fan_in"
ASYNC = ("asyncio", "trio")

Source = Iterable[object]
AsyncSource = AsyncIterable[object]


@quiesce.adapter(PATTERN, world="threads", name="fo_good_merge")
class Merge:
    """A thread for each source, and one condition."""

    def __init__(self, first: Source, second: Source) -> None:
        self.sources = (first, second)
        self.changed = threading.Condition()
        self.held: list[tuple[int, object]] = []  # who holds it, and the item
        self.ended: list[int] = []
        self.error: BaseException | None = None
        self.stopped = False
        self.threads = [threading.Thread(target=self.forward, args=(i,)) for i in (0, 1)]

    @contextmanager
    def lifespan(self) -> Iterator[None]:
        for thread in self.threads:
            thread.start()
        try:
            yield
        finally:
            self.close()

    def forward(self, number: int) -> None:
        try:
            for item in self.sources[number]:
                if not self.give(number, item):
                    break
        except BaseException as error:
            with self.changed:
                self.failed(error)
        with self.changed:
            self.ended.append(number)
            self.changed.notify_all()

    def failed(self, error: BaseException) -> None:
        if self.error is None and not self.stopped:
            self.error = error
            self.stop()

    def give(self, number: int, item: object) -> bool:
        with self.changed:
            if self.stopped:
                return False
            if self.accepts():
                self.held.append((number, item))
                self.changed.notify_all()
            while self.waits((number, item)):
                self.changed.wait()
            return not self.stopped

    def accepts(self) -> bool:
        return True

    def waits(self, entry: tuple[int, object]) -> bool:
        return entry in self.held and not self.stopped

    def receive(self) -> tuple[object, ...]:
        with self.changed:
            while True:
                if self.error is not None:
                    raise self.error
                if (place := self.next()) is not None:
                    _, item = self.held.pop(place)
                    self.changed.notify_all()
                    return (item,)
                if self.stopped or self.over():
                    return self.end()
                self.changed.wait()

    def next(self) -> int | None:
        """Where the next item stands in ``held``."""
        return 0 if self.held else None

    def over(self) -> bool:
        return len(self.ended) == 2

    def end(self) -> tuple[object, ...]:
        return ()

    def stop(self) -> None:
        self.stopped = True
        self.held.clear()
        self.changed.notify_all()

    def close(self) -> None:
        with self.changed:
            self.stop()
        self.join()

    def join(self) -> None:
        for thread in self.threads:
            thread.join()


@quiesce.adapter(PATTERN, world="threads", name="fo_good_merge_buffered", dialect={"buffer": "1"})
class Buffered(Merge):
    """An item may wait while its forwarder reads on."""

    def waits(self, entry: tuple[int, object]) -> bool:
        return super().waits(entry) and self.held[0] != entry


@quiesce.adapter(PATTERN, world="threads", name="fo_drop_when_full")
class DropWhenFull(Merge):
    """An item that comes while another waits is dropped."""

    def accepts(self) -> bool:
        return not self.held


@quiesce.adapter(PATTERN, world="threads", name="fo_reads_ahead")
class ReadsAhead(Merge):
    """Items pile up without bound."""

    def waits(self, entry: tuple[int, object]) -> bool:
        return False


@quiesce.adapter(PATTERN, world="threads", name="fo_end_at_first_source")
class EndAtFirstSource(Merge):
    """The first end is taken for the end of all."""

    def over(self) -> bool:
        return len(self.ended) > 0


@quiesce.adapter(PATTERN, world="threads", name="fo_end_told_once")
class EndToldOnce(Merge):
    """The end is a marker like an item: whoever comes later waits for ever."""

    is_told = False

    def over(self) -> bool:
        return super().over() and not self.is_told

    def end(self) -> tuple[object, ...]:
        self.is_told = True
        return ()


@quiesce.adapter(PATTERN, world="threads", name="fo_round_robin_blocks")
class RoundRobin(Merge):
    """The sources take turns, whether they have something or not."""

    turn = 0

    def next(self) -> int | None:
        for place, (number, _) in enumerate(self.held):
            if number == self.turn or 1 - number in self.ended:
                self.turn = 1 - number
                return place
        return None


@quiesce.adapter(PATTERN, world="threads", name="fo_error_as_end")
class ErrorAsEnd(Merge):
    """A source that fails has simply ended."""

    def failed(self, error: BaseException) -> None:
        pass


@quiesce.adapter(PATTERN, world="threads", name="fo_leaves_too_early")
class LeavesTooEarly(Merge):
    """Leaving tells the forwarders, and does not wait for them."""

    @contextmanager
    def lifespan(self) -> Iterator[None]:
        with super().lifespan():
            yield
        super().join()

    def join(self) -> None:
        pass


@quiesce.adapter(PATTERN, world="threads", name="fo_closes_once")
class ClosesOnce(Merge):
    """Leaving a second time waits for an end that was told already."""

    def close(self) -> None:
        if self.stopped and self.error is None:
            self.join()
            threading.Event().wait()
        super().close()

    @contextmanager
    def lifespan(self) -> Iterator[None]:
        for thread in self.threads:
            thread.start()
        yield
        super().close()


@quiesce.adapter(PATTERN, world=ASYNC, name="fo_good_merge_tasks")
class MergeTasks:
    """A task for each source, all of them in the lifespan's group."""

    def __init__(self, first: AsyncSource, second: AsyncSource) -> None:
        self.sources = (first, second)
        self.changed = anyio.Event()
        self.held: list[object] = []
        self.ended = 0
        self.error: Exception | None = None
        self.stopped = False
        self.scopes = [anyio.CancelScope() for _ in self.sources]

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            for source, scope in zip(self.sources, self.scopes, strict=True):
                tasks.start_soon(self.forward, source, scope)
            yield
            await self.close()
            tasks.cancel_scope.cancel()

    async def forward(self, source: AsyncSource, scope: anyio.CancelScope) -> None:
        try:
            with scope:
                async for item in source:
                    self.held.append(item)
                    self.wake()
                    while item in self.held:
                        await self.changed.wait()
        except Exception as error:
            if self.error is None:
                self.error = error
                self.stop()
        finally:
            self.ended += 1
            self.wake()

    def wake(self) -> None:
        self.changed.set()
        self.changed = anyio.Event()

    async def receive(self) -> tuple[object, ...]:
        while True:
            if self.error is not None:
                raise self.error
            if self.held and not self.stopped:
                return await self.take()
            if self.stopped or self.ended == 2:
                return ()
            await self.changed.wait()

    async def take(self) -> tuple[object, ...]:
        item = self.held.pop(0)
        self.wake()
        return (item,)

    def stop(self) -> None:
        self.stopped = True
        for scope in self.scopes:
            scope.cancel()
        self.wake()

    async def close(self) -> None:
        self.stop()
        while self.ended < 2:
            await self.changed.wait()


@quiesce.adapter(PATTERN, world=ASYNC, name="fo_forwarder_leak")
class ForwarderLeak(MergeTasks):
    """Leaving tells nobody but the readers."""

    async def close(self) -> None:
        self.stopped = True
        self.wake()


@quiesce.adapter(PATTERN, world="asyncio", name="fo_loses_a_cancelled_receivers_item")
class LosesAnItem(MergeTasks):
    """A checkpoint between taking an item and returning it."""

    async def take(self) -> tuple[object, ...]:
        taken = await super().take()
        await anyio.sleep(0)
        return taken
