"""Fan-in: read several asynchronous sources at once, and get their items as they come.

The merge of Go's pipelines, with a task for each source in the place of a goroutine, and
with what Go programs add by hand: an error that surfaces, and an end to all tasks when the
reader leaves early.

Tasks of one event loop only, so there is no lock: what lies between two awaits is atomic.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Generic, Self, TypeVar, final

import anyio

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

    from anyio.abc import TaskGroup

__all__ = ["Merge", "merge"]

T = TypeVar("T")


def merge(*sources: AsyncIterable[T]) -> Merge[T]:
    """One iterator over several sources, to be used in a block: see ``Merge``.

    ``async with merge(a, b) as items:`` starts to read them, and leaving that block ends it.

    Clauses: FO-07 to FO-11.
    """
    return Merge(*sources)


@final
class _Hand(Generic[T]):
    """An item that a forwarder holds until somebody takes it."""

    __slots__ = ("item", "taken")

    def __init__(self, item: T) -> None:
        self.item = item
        self.taken = anyio.Event()


@final
class Merge(Generic[T]):
    """An asynchronous iterator over the items of several sources, in the order they come.

    Entering the block starts a task for each source. Each reads one item ahead: it pulls an
    item, holds it until somebody takes it, and only then pulls again. So each source's order
    is kept, nothing is lost, and a silent source holds up no other. Any number of tasks may
    iterate over one object at the same time; each item goes to one of them. Cancelling one
    who waits loses no item.

    The iteration ends, for everybody and for good, when all sources have ended and all items
    were taken. When a source raises an ``Exception``, the other forwarders are cancelled,
    what they hold is dropped, and every step from then on raises that very exception object.

    Leaving the block cancels the forwarders and waits until they have ended. A source that is
    an asynchronous generator is closed, in the task that reads it.

    Clauses: FO-07 to FO-11, UN-01, UN-03, UN-04, UN-05, UN-07, UN-10.
    """

    def __init__(self, *sources: AsyncIterable[T]) -> None:
        self._sources = sources
        self._hands: deque[_Hand[T]] = deque()  # in the order in which the items came
        self._failure: Exception | None = None
        self._scope = anyio.CancelScope()  # around the forwarders, not around the block
        self._open = len(sources)  # sources that have not ended
        self._has_ended = False  # all forwarders, also where they were cancelled
        self._changed = anyio.Event()  # made anew with each change
        self._tasks: TaskGroup | None = None

    async def __aenter__(self) -> Self:
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        self._tasks.start_soon(self._run)
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        assert self._tasks is not None  # set when the block was entered
        self._stop()
        # The group never hears of the body's error, so as not to wrap it in a group.
        try:
            await self._tasks.__aexit__(None, None, None)
        except anyio.get_cancelled_exc_class():
            if error is None:
                raise
            # The body's own error goes before the bare cancellation.

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """Wait for the next item and take it; without a checkpoint if there is one.

        Raises:
          StopAsyncIteration: all sources have ended, or the block was left.
          Exception: what a source raised, again with each call.
          RuntimeError: the block has not been entered.

        Clauses: FO-07 to FO-10, UN-04.
        """
        while True:
            if self._failure is not None:
                raise self._failure
            if self._hands:
                # Taken by whoever runs, never handed over: nobody can be cancelled with an
                # item that he has not seen.
                hand = self._hands.popleft()
                hand.taken.set()
                return hand.item
            if self._scope.cancel_called or not self._open:
                raise StopAsyncIteration
            if self._tasks is None:
                msg = "this merge is not open: iterate inside its 'async with' block"
                raise RuntimeError(msg)
            await self._changed.wait()

    async def close(self) -> None:
        """Cancel all forwarders, and return when they have ended. Again, it only waits.

        Whoever waits for an item is told that this is the end. If this is cancelled itself, the
        forwarders are on their way out all the same.

        Clauses: FO-11, UN-01, UN-07.
        """
        self._stop()
        while self._tasks is not None and not self._has_ended:
            await self._changed.wait()

    def _stop(self) -> None:
        self._scope.cancel()
        self._hands.clear()
        self._wake()

    def _wake(self) -> None:
        # Everybody looks for himself; who looks awaits nothing before he waits again.
        self._changed.set()
        self._changed = anyio.Event()

    async def _run(self) -> None:
        try:
            with self._scope:
                async with anyio.create_task_group() as forwarders:
                    for source in self._sources:
                        forwarders.start_soon(self._forward, source)
        finally:
            self._has_ended = True
            self._wake()

    async def _forward(self, source: AsyncIterable[T]) -> None:
        """Read one source; the body of a forwarder's task."""
        if self._scope.cancel_called:
            return
        try:
            await self._read(source)
        except Exception as error:
            # Not the errors of sources that were told to stop: nobody reads any more.
            if not self._scope.cancel_called:
                self._failure = error
                self._stop()
        self._open -= 1
        self._wake()

    async def _read(self, source: AsyncIterable[T]) -> None:
        items = aiter(source)
        try:
            async for item in items:
                if self._scope.cancel_called:
                    return
                hand = _Hand(item)
                self._hands.append(hand)
                self._wake()
                await hand.taken.wait()
                # Who was about to be resumed when all was cancelled hears of it at his next
                # wait only; nothing is pulled before that.
                if self._scope.cancel_called:
                    return
        finally:
            close = getattr(items, "aclose", None)
            if close is not None:
                await close()
