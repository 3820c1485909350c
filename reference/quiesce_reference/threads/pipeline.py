"""Pipeline: items flow from a source through stages that work at the same time.

The pipelines of the Go blog, with threads in the place of goroutines. What Go programs write
by hand at each send and receive is built in: one cancellation ends all stages, the first
error does the same and is told, and nothing runs ahead of the reader by more than what the
workers and buffers hold.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Pipeline", "Stage", "pipeline"]


@final
@dataclass(frozen=True)
class Stage:
    """One step of a pipeline.

    Attributes:
      fn: called with each item, by up to ``workers`` threads at the same time.
      workers: how many threads; 1 or more.
      buffer: how many results may wait for the next stage, besides those that workers hold.
      ordered: whether results leave in the order of the items. It costs what it says: a
        worker that is early waits with its result. One worker keeps the order in any case.

    Clauses: PL-02, PL-03.
    """

    fn: Callable[[Any], object]
    workers: int = 1
    buffer: int = 0
    ordered: bool = True

    def __post_init__(self) -> None:
        if self.workers < 1 or self.buffer < 0:
            msg = f"a stage needs 1 worker or more and a buffer of 0 or more, not {self}"
            raise ValueError(msg)


def pipeline(source: Iterable[Any], *stages: Callable[[Any], object] | Stage) -> Pipeline:
    """One iterator over what stages make of a source, to be used in a block.

    ``with pipeline(source, parse, store) as results:`` starts the stages, and leaving that
    block ends them. A plain function is a ``Stage`` with one worker and no buffer. See
    ``Pipeline``.

    Clauses: PL-01 to PL-10, PL-12.
    """
    return Pipeline(source, *stages)


@final
class _Belt:
    """What one stage hands to the next. All of it is protected by the pipeline's lock.

    Results are numbered as they are put and as they are taken. A worker may let go of number
    n as soon as ``n < taken + room``: somebody has taken it, or the buffer has room for it.
    So a room of 0 is a hand-over.
    """

    __slots__ = ("items", "producers", "put", "room", "taken")

    def __init__(self, producers: int, room: int) -> None:
        self.items: deque[object] = deque()
        self.producers = producers  # threads that may still put
        self.room = room
        self.put = 0
        self.taken = 0


@final
class Pipeline:
    """An iterator over what the stages made of the items of a source.

    Entering the block starts the threads: one that feeds, and each stage's workers. The feeder
    holds one item; so when nobody reads the results, the source is pulled ``1 + sum(workers +
    buffer)`` times and no more. Any number of threads may iterate over one object at the
    same time; each result goes to one of them.

    The iteration ends, for everybody and for good, when the source has ended and all results
    were taken. If the source or a stage raises, whatever it is, that first error stops
    everything, and every ``next`` and ``wait`` from then on raises that very object. What was
    under way is dropped then, as it is by ``cancel`` and by leaving the block.

    A function that runs can't be interrupted: it ends in its own time, its result is dropped,
    and no other is called after it. A source that is a generator is closed, in the thread that
    feeds.

    Clauses: PL-01 to PL-10, PL-12, UN-01, UN-03, UN-05, UN-10.
    """

    def __init__(self, source: Iterable[Any], *stages: Callable[[Any], object] | Stage) -> None:
        whole = [stage if isinstance(stage, Stage) else Stage(stage) for stage in stages]
        belts = [_Belt(1, 0), *(_Belt(stage.workers, stage.buffer) for stage in whole)]
        self._threads = [self._thread(self._feed, source, belts[0], into=belts[0])]
        for stage, before, behind in zip(whole, belts, belts[1:], strict=False):
            for _ in range(stage.workers):
                self._threads.append(self._thread(self._work, stage, before, behind, into=behind))
        self._belts = belts
        self._changed = threading.Condition(threading.Lock())
        # Protected by _changed.
        self._running = len(self._threads)
        self._stopped = False
        self._failure: BaseException | None = None
        self._is_entered = False

    def __enter__(self) -> Self:
        self._is_entered = True
        try:
            for thread in self._threads:
                thread.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        """Wait for the next result and take it.

        Raises:
          StopIteration: all results were taken, or the pipeline was cancelled or left.
          BaseException: what the source or a stage raised first, again with each call.
          RuntimeError: the block has not been entered.

        Clauses: PL-01, PL-02, PL-04, PL-07, PL-08.
        """
        self._demand_entered()
        taken = self._take(self._belts[-1])
        if taken is not None:
            return taken[1]
        with self._changed:
            if self._failure is not None:
                raise self._failure
        raise StopIteration

    def cancel(self) -> None:
        """Tell all stages to end, and return at once. Again, it does nothing.

        No function is called and nothing is pulled from now on; whoever reads is told that this
        is the end. Use ``wait`` to know when it is.

        Clauses: PL-05, PL-08, PL-10, UN-02, UN-07.
        """
        with self._changed:
            self._stop()

    def wait(self) -> None:
        """Wait until all threads have ended; results that nobody reads keep them from it.

        Must not be called by the source or by a stage, which would wait for itself.

        Raises:
          BaseException: what the source or a stage raised first.
          RuntimeError: the block has not been entered.

        Clauses: PL-09, UN-02.
        """
        self._demand_entered()
        with self._changed:
            while self._running:
                self._changed.wait()
            if self._failure is not None:
                raise self._failure

    def close(self) -> None:
        """Cancel, and wait until all threads have ended. Leaving the block does this.

        It raises nothing: an error that nobody has heard of is for ``wait`` to tell.

        Clauses: PL-06, UN-01, UN-07.
        """
        self.cancel()
        for thread in self._threads:
            if thread.ident is not None:  # where not all could be started
                thread.join()

    def _demand_entered(self) -> None:
        if not self._is_entered:
            msg = "this pipeline is not open: use it inside its 'with' block"
            raise RuntimeError(msg)

    def _stop(self) -> None:
        """Under the lock: from now on nothing is taken, and nobody waits to put."""
        self._stopped = True
        for belt in self._belts:
            belt.items.clear()
        self._changed.notify_all()

    def _thread(self, target: Callable[..., None], *args: object, into: _Belt) -> threading.Thread:
        return threading.Thread(target=self._run, args=(target, args, into))

    def _run(self, target: Callable[..., None], args: tuple[object, ...], into: _Belt) -> None:
        """The body of each thread: its work, and what its end means to the others."""
        failure: BaseException | None = None
        try:
            target(*args)
        except BaseException as error:
            failure = error
        with self._changed:
            # The last worker of a stage ends its output, and only he (PL-04).
            into.producers -= 1
            self._running -= 1
            if failure is not None and self._failure is None:
                self._failure = failure
                self._stop()
            self._changed.notify_all()

    def _feed(self, source: Iterable[Any], belt: _Belt) -> None:
        items = iter(source)
        try:
            while not self._stopped:  # a stale False costs one pull, whose item is dropped
                try:
                    item = next(items)
                except StopIteration:
                    return
                self._put(belt, item)
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()

    def _work(self, stage: Stage, before: _Belt, behind: _Belt) -> None:
        while (taken := self._take(before)) is not None:
            number, item = taken
            # Never under the lock: the function may take as long as it likes (UN-08).
            result = stage.fn(item)
            self._put(behind, result, turn=number if stage.ordered else None)

    def _take(self, belt: _Belt) -> tuple[int, Any] | None:
        """Take the next item, with its number; None at the end, and when all is stopped."""
        with self._changed:
            while not self._stopped:
                if belt.items:
                    number, belt.taken = belt.taken, belt.taken + 1
                    self._changed.notify_all()
                    return number, belt.items.popleft()
                if not belt.producers:
                    return None
                self._changed.wait()
            return None

    def _put(self, belt: _Belt, item: object, *, turn: int | None = None) -> None:
        """Put a result, in its turn if it has one, and hold it until there is room.

        Each item of an ordered stage makes one result, so every turn comes.
        """
        with self._changed:
            while turn is not None and belt.put != turn and not self._stopped:
                self._changed.wait()
            if self._stopped:
                return
            number, belt.put = belt.put, belt.put + 1
            belt.items.append(item)
            self._changed.notify_all()
            while number >= belt.taken + belt.room and not self._stopped:
                self._changed.wait()
