"""Task group: a block that is left when all functions that were started in it have ended.

A structured group as anyio's, trio's and asyncio's, with a limit as Go's errgroup has it.

Tasks of one event loop only, so there is no lock: what lies between two awaits is atomic.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Self, final

import anyio

from quiesce_reference.errors import GroupClosedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

__all__ = ["TaskGroup"]


@final
class TaskGroup:
    """A group of async functions that work on parts of one task, entered by ``async with``.

    The block is left when its body and all functions have ended. The first error, of the body
    or of a function, cancels all the others, and the functions' cancellations are no errors.
    If the task in the block is cancelled, so are the functions, and the block waits for them;
    then errors have priority over the bare cancellation, which else goes on.

    One use only. Any task may start functions as long as the block is open.

    Args:
      limit: most functions that run at a time, the body not counted; None or a negative
        number for no limit. With 0 ``go`` waits until the block is left.

    Raises:
      BaseExceptionGroup: on leaving the block: the errors of the body and of the functions,
        as the very objects.

    Clauses: TG-01, TG-03, TG-06 (all), TG-07, TG-12, TG-19, TG-23, UN-05, UN-10.
    """

    def __init__(self, limit: int | None = None) -> None:
        self._limit = None if limit is None or limit < 0 else limit
        self._group = anyio.create_task_group()
        self._running = 0
        self._waiting: deque[_Turn] = deque()  # empty while a slot is free
        self._is_open = False
        self._body_is_over = False

    async def __aenter__(self) -> Self:
        """Open the group."""
        await self._group.__aenter__()
        self._is_open = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        """Wait for all functions; on an error or a cancellation cancel them first."""
        self._body_is_over = True
        if error is not None or not self._running:
            self._close()
        return await self._group.__aexit__(kind, error, trace)

    async def go(self, fn: Callable[[], Awaitable[object]]) -> anyio.CancelScope:
        """Run ``fn`` in a new task; at the limit wait first until another has ended.

        Slots are given in the order of arrival. Cancelling a call that waits leaves nothing
        behind; if its ``fn`` was just started, that is cancelled as well. Without a wait
        there is no checkpoint. A function may start others, which the block waits for.

        Returns:
          The function's own scope. Cancelling it ends that function alone, which is no error.

        Raises:
          GroupClosedError: the group was not entered, is left, or is being cancelled, perhaps
            while this call waited. ``fn`` was not called.

        Clauses: TG-07, TG-09, TG-14, TG-20 to TG-22, UN-03, UN-04.
        """
        self._check_open()
        turn = _Turn(fn)
        if not self._is_full():
            return self._start(turn)
        self._waiting.append(turn)
        try:
            await turn.came.wait()
        except BaseException:
            if turn in self._waiting:
                self._waiting.remove(turn)
            turn.scope.cancel()  # started on our behalf, perhaps
            raise
        if turn.is_refused:
            raise GroupClosedError
        return turn.scope

    async def try_go(self, fn: Callable[[], Awaitable[object]]) -> bool:
        """Run ``fn`` in a new task if the limit allows it now; return whether it does.

        It never waits, and has no checkpoint.

        Raises:
          GroupClosedError: as ``go``.

        Clauses: TG-11, TG-12, TG-20.
        """
        self._check_open()
        if self._is_full():
            return False
        self._start(_Turn(fn))
        return True

    def _is_full(self) -> bool:
        return self._limit is not None and self._running >= self._limit

    def _check_open(self) -> None:
        if not self._is_open:
            raise GroupClosedError

    def _start(self, turn: _Turn) -> anyio.CancelScope:
        self._running += 1
        self._group.start_soon(self._run, turn)
        return turn.scope

    async def _run(self, turn: _Turn) -> None:
        try:
            with turn.scope:
                # It may have been cancelled before this first step.
                if not turn.scope.cancel_called:
                    await turn.fn()
        except BaseException:
            # An error, or a cancellation of the group: either way nothing starts any more.
            self._close()
            raise
        finally:
            self._running -= 1
            # Given away here, where this task still keeps the block from being left.
            if self._waiting and not self._is_full():
                heir = self._waiting.popleft()
                self._start(heir)
                heir.came.set()
            # Closed by the last one itself: before the block goes on, others may try to start.
            if self._body_is_over and not self._running:
                self._close()

    def _close(self) -> None:
        """Refuse all starts from now on, also those that wait."""
        self._is_open = False
        for turn in self._waiting:
            turn.is_refused = True
            turn.came.set()
        self._waiting.clear()


@final
class _Turn:
    """One start: its function, and its place in the queue if it has to wait."""

    __slots__ = ("came", "fn", "is_refused", "scope")

    def __init__(self, fn: Callable[[], Awaitable[object]]) -> None:
        self.fn = fn
        self.scope = anyio.CancelScope()
        self.came = anyio.Event()
        self.is_refused = False
