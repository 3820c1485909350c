"""A stream: a lazily pulled source, a function for each item, and the outcomes one at a time.

The twin of the stream for threads. Here a stop also cancels what runs for the stream, the pull
that is under way included.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar, final

import anyio
import anyio.lowlevel

from quiesce_reference.errors import PoolClosedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Awaitable, Callable

    from quiesce_reference.aio.worker_pool import Job, WorkerPool

__all__ = ["Stream"]

T = TypeVar("T")
CLOSED: Final = "the pool was closed before the stream's source was at its end"


@final
class _Entry(Generic[T]):
    """An item on its way to the consumer."""

    __slots__ = ("has_ended", "job")

    def __init__(self) -> None:
        self.job: Job[T] | None = None  # once the pool has it
        self.has_ended = False


@final
class Stream(Generic[T]):
    """An async iterator over the outcomes of one function for each item of a source.

    Made by ``WorkerPool.stream``. The first ``anext`` begins to pull. At most ``places``
    items have been pulled, or are being pulled, whose outcomes nobody has taken; the pool's own
    bound holds as well, so the next one waits in the stream's hand. Any number of tasks may
    take outcomes, each is taken once. Cancelling one who waits loses nothing.

    ``anext`` raises the error of the function for its item, and the stream goes on with the
    next. If the source fails, its error comes after the outcomes of the items before; then
    the stream ends. It ends for all who wait, and stays ended.

    Leave it early through ``stop`` or an ``async with`` block, or just stop taking outcomes:
    closing the pool ends the pulling, and cancels a pull that is under way. What was pulled can
    still be taken; then ``anext`` raises PoolClosedError once, where a source's error would
    come.

    Clauses: WP-07, WP-12, WP-17, WP-18, UN-01, UN-04, UN-05.
    """

    def __init__(
        self,
        pool: WorkerPool,
        fn: Callable[[Any], Awaitable[T]],
        source: AsyncIterable[Any],
        *,
        places: int,
        ordered: bool,
    ) -> None:
        self._pool, self._fn, self._source = pool, fn, source
        self._places, self._ordered = places, ordered
        self._scope = anyio.CancelScope()  # around the feeder
        self._begun = False
        self._stopped = False
        self._exhausted = False
        self._failure: BaseException | None = None  # the source's, until somebody has it
        self._entries: deque[_Entry[T]] = deque()  # in the order of the items
        self._ready: deque[_Entry[T]] = deque()  # those that have ended, in that order
        # Set and replaced at each change: whoever waits looks again.
        self._changed = anyio.Event()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """Wait for the next outcome, and return the value or raise the error."""
        await anyio.lowlevel.checkpoint_if_cancelled()
        if not self._begun and not self._stopped:
            self._pool._enlist(self)
            self._begun = True
        while (entry := self._take()) is None:
            if self._stopped or (self._exhausted and not self._entries):
                failure, self._failure = self._failure, None
                raise StopAsyncIteration if failure is None else failure
            await self._changed.wait()
        # No checkpoint between taking and returning: the outcome can't be lost.
        self._change()
        assert entry.job is not None
        try:
            return await entry.job.result()
        except StopAsyncIteration as error:  # the function's own: it must not look like the end
            msg = "the stream's function raised StopAsyncIteration"
            raise RuntimeError(msg) from error

    def stop(self) -> None:
        """End the stream: cancel its jobs and the pull that is under way; don't wait for them.

        Who waits for an outcome sees the end. Stopping again, or after the end, does nothing.

        Clauses: WP-12, UN-07.
        """
        self._stopped = True
        self._failure = None
        dropped = [entry.job for entry in self._entries if entry.job is not None]
        self._entries.clear()
        self._ready.clear()
        self._scope.cancel()
        for job in dropped:
            job.cancel()
        self._change()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop()

    def _change(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    def _take(self) -> _Entry[T] | None:
        """The next outcome, if it is there."""
        if self._ordered:
            if not self._entries or not self._entries[0].has_ended:
                return None
            return self._entries.popleft()
        if not self._ready:
            return None
        entry = self._ready.popleft()
        self._entries.remove(entry)
        return entry

    def _end_pulling(self) -> None:
        """The pool is closed."""
        self._scope.cancel()

    async def _feed(self) -> None:
        """Pull the source as there are places; the body of the stream's task."""
        # What stands unless the feeder gets further: the pool was closed.
        failure: BaseException | None = PoolClosedError(CLOSED)
        try:
            with self._scope:
                await self._pull()
                failure = None
        except Exception as error:
            failure = error
        finally:
            # The entry that never got an item, or was refused by the pool.
            for entry in [entry for entry in self._entries if entry.job is None]:
                self._entries.remove(entry)
            self._exhausted = True
            if not self._stopped:
                self._failure = failure
            self._change()
            self._pool._delist(self)

    async def _pull(self) -> None:
        items = aiter(self._source)
        while True:
            while len(self._entries) >= self._places:
                await self._changed.wait()
            if self._stopped:  # its places are free, but not for this; the cancellation comes
                return
            entry: _Entry[T] = _Entry()
            self._entries.append(entry)
            try:
                item = await anext(items)
            except StopAsyncIteration:
                return
            # May wait for room in the pool. The job may have ended before we know its name.
            job = await self._pool._submit(partial(self._fn, item), partial(self._ended, entry))
            if self._stopped:
                job.cancel()
                return
            entry.job = job
            del item

    def _ended(self, entry: _Entry[T], job: Job[T]) -> None:
        """A job has ended; called by its task."""
        if self._stopped:
            return
        entry.job, entry.has_ended = job, True
        if not self._ordered:
            self._ready.append(entry)
        self._change()
