"""A stream: a lazily pulled source, a function for each item, and the outcomes one at a time.

What ``map`` promises for one thread, for many: nothing is pulled before somebody wants an
outcome, and never more than a fixed number of items ahead of him. So the source may be endless.
"""

from __future__ import annotations

import threading
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar, final

from quiesce_reference.errors import PoolClosedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from quiesce_reference.threads.worker_pool import Job, WorkerPool

__all__ = ["Stream"]

T = TypeVar("T")

NOTHING: Final = object()
CLOSED: Final = "the pool was closed before the stream's source was at its end"


@final
class _Entry(Generic[T]):
    """An item on its way to the consumer. Protected by the stream's lock."""

    __slots__ = ("has_ended", "job")

    def __init__(self) -> None:
        self.job: Job[T] | None = None  # once the pool has it
        self.has_ended = False


@final
class Stream(Generic[T]):
    """An iterator over the outcomes of one function for each item of a source.

    Made by ``WorkerPool.stream``. The first ``next`` begins to pull. At most ``places``
    items have been pulled, or are being pulled, whose outcomes nobody has taken; the pool's own
    bound holds as well, so the next one waits in the stream's hand. Any number of threads
    may take outcomes, each is taken once.

    ``next`` raises the error of the function for its item, and the stream goes on with the
    next. If the source fails, its error comes after the outcomes of the items before; then
    the stream ends. It ends for all who wait, and stays ended.

    Leave it early through ``stop`` or a ``with`` block, or just stop taking outcomes: closing
    the pool ends the pulling. What was pulled can still be taken; then, if there might have
    been more, ``next`` raises PoolClosedError once, where a source's error would come.

    Clauses: WP-07, WP-12, WP-17, WP-18, UN-01, UN-05.
    """

    def __init__(
        self,
        pool: WorkerPool,
        fn: Callable[[Any], T],
        source: Iterable[Any],
        *,
        places: int,
        ordered: bool,
    ) -> None:
        self._pool, self._fn, self._source = pool, fn, source
        self._places, self._ordered = places, ordered
        self._lock = threading.Lock()  # never held while user code runs (UN-08)
        self._outcome = threading.Condition(self._lock)  # consumers wait for one, or for the end
        self._place = threading.Condition(self._lock)  # the feeder waits for one
        # Protected by _lock.
        self._begun = False
        self._stopped = False  # by the consumer: nobody wants an outcome
        self._closed = False  # with the pool: no more items, but those there are count
        self._exhausted = False
        self._failure: BaseException | None = None  # the source's, until somebody has it
        self._entries: deque[_Entry[T]] = deque()  # in the order of the items
        self._ready: deque[_Entry[T]] = deque()  # those that have ended, in that order

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        """Wait for the next outcome, and return the value or raise the error."""
        with self._lock:
            self._begin()
            while True:
                entry = self._take()
                if entry is not None:
                    break
                if self._stopped or (self._exhausted and not self._entries):
                    failure, self._failure = self._failure, None
                    raise StopIteration if failure is None else failure
                self._outcome.wait()
            # The place is free from now on: the consumer has the outcome.
            self._place.notify()
        assert entry.job is not None
        try:
            return entry.job.result()
        except StopIteration as error:  # the function's own: it must not look like the end
            msg = "the stream's function raised StopIteration"
            raise RuntimeError(msg) from error

    def stop(self) -> None:
        """End the stream, and return at once.

        Queued jobs of the stream never run. Jobs that run and a pull that is under way are not
        disturbed; their outcomes are dropped. Who waits for an outcome sees the end. Stopping
        again, or after the end, does nothing.

        Clauses: WP-12, UN-07.
        """
        with self._lock:
            self._stopped = True
            self._failure = None
            dropped = [entry.job for entry in self._entries if entry.job is not None]
            self._entries.clear()
            self._ready.clear()
            self._outcome.notify_all()
            self._place.notify_all()
        for job in dropped:
            job.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _begin(self) -> None:
        if self._begun or self._stopped:
            return
        self._pool._enlist(self)
        try:
            threading.Thread(target=self._feed, name="stream", daemon=False).start()
        except BaseException:
            self._pool._delist(self)
            raise
        self._begun = True

    def _end_pulling(self) -> None:
        """The pool is closed."""
        with self._lock:
            self._closed = True
            self._place.notify_all()

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

    def _feed(self) -> None:
        """Pull the source as there are places; the body of the stream's thread."""
        failure = None
        try:
            items = iter(self._source)
            while (entry := self._wait_for_place()) is not None:
                item = next(items, NOTHING)
                if item is NOTHING:
                    break
                self._hand_over(entry, item)
                del item
        except BaseException as error:
            failure = error
        with self._lock:
            # The entry that never got an item, or was refused by the pool.
            unused = [entry for entry in self._entries if entry.job is None and not entry.has_ended]
            for entry in unused:
                self._entries.remove(entry)
            self._exhausted = True
            if not self._stopped:
                self._failure = failure
            self._outcome.notify_all()
        self._pool._delist(self)

    def _wait_for_place(self) -> _Entry[T] | None:
        """Wait until an item may be pulled; None if the stream was stopped."""
        with self._lock:
            while not (self._stopped or self._closed) and len(self._entries) >= self._places:
                self._place.wait()
            if self._stopped:
                return None
            if self._closed:
                raise PoolClosedError(CLOSED)
            entry: _Entry[T] = _Entry()
            self._entries.append(entry)
            return entry

    def _hand_over(self, entry: _Entry[T], item: object) -> None:
        with self._lock:
            if self._stopped:
                return
        # May wait for room in the pool. The job may have ended before we know its name.
        job = self._pool._submit(partial(self._fn, item), partial(self._ended, entry))
        with self._lock:
            entry.job = job
            if not self._stopped:
                return
        job.cancel()

    def _ended(self, entry: _Entry[T], job: Job[T]) -> None:
        """A job has ended; called by its worker."""
        with self._lock:
            if self._stopped:
                return
            entry.job, entry.has_ended = job, True
            if not self._ordered:
                self._ready.append(entry)
            self._outcome.notify_all()
