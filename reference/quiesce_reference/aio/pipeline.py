"""Pipeline: items flow from a source through async stages that work at the same time.

The pipelines of the Go blog, with tasks in the place of goroutines. What Go programs write
by hand at each send and receive is built in: one cancellation ends all stages, the first
error does the same and is told, and nothing runs ahead of the reader by more than what the
workers and buffers hold.

Tasks of one event loop only, so there is no lock: what lies between two awaits is atomic.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Self, final

import anyio

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Awaitable, Callable

    from anyio.abc import TaskGroup

__all__ = ["Pipeline", "Stage", "pipeline"]


@final
@dataclass(frozen=True)
class Stage:
    """One step of a pipeline.

    Attributes:
      fn: async function, called with each item in up to ``workers`` tasks at the same time.
      workers: how many tasks; 1 or more.
      buffer: how many results may wait for the next stage, besides those that workers hold.
      ordered: whether results leave in the order of the items. It costs what it says: a
        worker that is early waits with its result. One worker keeps the order in any case.

    Clauses: PL-02, PL-03.
    """

    fn: Callable[[Any], Awaitable[object]]
    workers: int = 1
    buffer: int = 0
    ordered: bool = True

    def __post_init__(self) -> None:
        if self.workers < 1 or self.buffer < 0:
            msg = f"a stage needs 1 worker or more and a buffer of 0 or more, not {self}"
            raise ValueError(msg)


def pipeline(
    source: AsyncIterable[Any], *stages: Callable[[Any], Awaitable[object]] | Stage
) -> Pipeline:
    """One iterator over what stages make of a source, to be used in a block.

    ``async with pipeline(source, parse, store) as results:`` starts the stages, and leaving that
    block ends them. A plain async function is a ``Stage`` with one worker and no buffer. See
    ``Pipeline``.

    Clauses: PL-01 to PL-10, PL-12.
    """
    return Pipeline(source, *stages)


@final
class _Belt:
    """What one stage hands to the next.

    Results are numbered as they are put and as they are taken. A worker may let go of number
    n as soon as ``n < taken + room``: somebody has taken it, or the buffer has room for it.
    So a room of 0 is a hand-over.
    """

    __slots__ = ("items", "producers", "put", "room", "taken")

    def __init__(self, producers: int, room: int) -> None:
        self.items: deque[object] = deque()
        self.producers = producers  # tasks that may still put
        self.room = room
        self.put = 0
        self.taken = 0


@final
class Pipeline:
    """An asynchronous iterator over what the stages made of the items of a source.

    Entering the block starts the tasks: one that feeds, and each stage's workers. The feeder
    holds one item; so when nobody reads the results, the source is pulled ``1 + sum(workers +
    buffer)`` times and no more. Any number of tasks may iterate over one object at the same
    time; each result goes to one of them. Cancelling one who waits loses no result.

    The iteration ends, for everybody and for good, when the source has ended and all results
    were taken. If the source or a stage raises an ``Exception``, that first error cancels
    everything that runs, and every step and ``wait`` from then on raises that very object.
    What was under way is dropped then, as it is by ``cancel`` and by leaving the block.

    A source that is an asynchronous generator is closed, in the task that feeds.

    Clauses: PL-01 to PL-10, PL-12, UN-01, UN-03, UN-04, UN-05, UN-10.
    """

    def __init__(
        self, source: AsyncIterable[Any], *stages: Callable[[Any], Awaitable[object]] | Stage
    ) -> None:
        self._source = source
        self._stages = [stage if isinstance(stage, Stage) else Stage(stage) for stage in stages]
        self._belts = [
            _Belt(1, 0),
            *(_Belt(stage.workers, stage.buffer) for stage in self._stages),
        ]
        self._scope = anyio.CancelScope()  # around the stages, not around the block
        self._has_ended = False
        self._failure: Exception | None = None
        self._changed = anyio.Event()  # made anew with each change
        self._tasks: TaskGroup | None = None

    async def __aenter__(self) -> Self:
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        self._tasks.start_soon(self._run)
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        assert self._tasks is not None  # set when the block was entered
        self.cancel()
        # The group never hears of the body's error, so as not to wrap it in a group.
        try:
            await self._tasks.__aexit__(None, None, None)
        except anyio.get_cancelled_exc_class():
            if error is None:
                raise
            # The body's own error goes before the bare cancellation.

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        """Wait for the next result and take it; without a checkpoint if there is one.

        Raises:
          StopAsyncIteration: all results were taken, or the pipeline was cancelled or left.
          Exception: what the source or a stage raised first, again with each call.
          RuntimeError: the block has not been entered.

        Clauses: PL-01, PL-02, PL-04, PL-07, PL-08, UN-04.
        """
        self._demand_entered()
        taken = await self._take(self._belts[-1])
        if taken is not None:
            return taken[1]
        if self._failure is not None:
            raise self._failure
        raise StopAsyncIteration

    def cancel(self) -> None:
        """Cancel all stages, and return at once. Again, it does nothing.

        No function is called and nothing is pulled from now on; whoever reads is told that this
        is the end. Use ``wait`` to know when it is.

        Clauses: PL-05, PL-08, PL-10, UN-02, UN-07.
        """
        self._scope.cancel()
        for belt in self._belts:
            belt.items.clear()
        self._wake()

    async def wait(self) -> None:
        """Wait until all tasks have ended; results that nobody reads keep them from it.

        Must not be called by the source or by a stage, which would wait for itself.

        Raises:
          Exception: what the source or a stage raised first.
          RuntimeError: the block has not been entered.

        Clauses: PL-09, UN-02.
        """
        self._demand_entered()
        while not self._has_ended:
            await self._changed.wait()
        if self._failure is not None:
            raise self._failure

    async def close(self) -> None:
        """Cancel, and wait until all tasks have ended. Leaving the block does this.

        It raises nothing: an error that nobody has heard of is for ``wait`` to tell.

        Clauses: PL-06, UN-01, UN-07.
        """
        self.cancel()
        while self._tasks is not None and not self._has_ended:
            await self._changed.wait()

    def _demand_entered(self) -> None:
        if self._tasks is None:
            msg = "this pipeline is not open: use it inside its 'async with' block"
            raise RuntimeError(msg)

    def _wake(self) -> None:
        # Everybody looks for himself; who looks awaits nothing before he waits again.
        self._changed.set()
        self._changed = anyio.Event()

    async def _run(self) -> None:
        feed, *others = self._belts
        try:
            with self._scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._part, partial(self._feed, feed), feed)
                    for stage, before, behind in zip(
                        self._stages, self._belts, others, strict=False
                    ):
                        work = partial(self._work, stage, before, behind)
                        for _ in range(stage.workers):
                            tasks.start_soon(self._part, work, behind)
        finally:
            self._has_ended = True
            self._wake()

    async def _part(self, work: Callable[[], Awaitable[None]], into: _Belt) -> None:
        """The body of each task: its work, and what its end means to the others."""
        if self._scope.cancel_called:
            return
        try:
            await work()
        except Exception as error:
            if self._failure is None:
                self._failure = error
            self.cancel()
        # The last worker of a stage ends its output, and only he (PL-04).
        into.producers -= 1
        self._wake()

    async def _feed(self, belt: _Belt) -> None:
        items = aiter(self._source)
        try:
            async for item in items:
                await self._put(belt, item)
                # Who was about to be resumed when all was cancelled hears of it at his next
                # wait only; nothing is pulled before that.
                if self._scope.cancel_called:
                    return
        finally:
            close = getattr(items, "aclose", None)
            if close is not None:
                await close()

    async def _work(self, stage: Stage, before: _Belt, behind: _Belt) -> None:
        while (taken := await self._take(before)) is not None:
            number, item = taken
            result = await stage.fn(item)
            await self._put(behind, result, turn=number if stage.ordered else None)

    async def _take(self, belt: _Belt) -> tuple[int, Any] | None:
        """Take the next item, with its number; None at the end, and when all is cancelled."""
        while not self._scope.cancel_called:
            if belt.items:
                # Taken by whoever runs, never handed over: nobody can be cancelled with an
                # item that he has not seen.
                number, belt.taken = belt.taken, belt.taken + 1
                self._wake()
                return number, belt.items.popleft()
            if not belt.producers:
                return None
            await self._changed.wait()
        return None

    async def _put(self, belt: _Belt, item: object, *, turn: int | None = None) -> None:
        """Put a result, in its turn if it has one, and hold it until there is room.

        Each item of an ordered stage makes one result, so every turn comes.
        """
        while turn is not None and belt.put != turn:
            await self._changed.wait()
        number, belt.put = belt.put, belt.put + 1
        belt.items.append(item)
        self._wake()
        while number >= belt.taken + belt.room:
            await self._changed.wait()
