"""Singleflight: tasks that want the same thing at the same time share one execution.

After Go's golang.org/x/sync/singleflight, with one difference that async code asks for:
an execution runs in a task of its own, so that it belongs to all its members. Cancelling
one of them ends his call alone; cancelling the last one ends the execution.

Tasks of one event loop only, so there is no lock: what lies between two awaits is atomic.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable
from typing import TYPE_CHECKING, Generic, Self, TypeVar, final

import anyio
import anyio.lowlevel

from quiesce_reference.aio.shared_call import Pending, SharedCall
from quiesce_reference.errors import ExecutionCancelledError, ReentrantCallError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.abc import TaskGroup

    from quiesce_reference.result import Result

__all__ = ["SingleFlight"]

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


@final
class SingleFlight(Generic[K, T]):
    """A space of keys, each with at most one execution that callers may join.

    Use it as ``async with SingleFlight() as flight:``. Executions live in that block, and
    callers may be anywhere in the same event loop. Leaving the block cancels the executions
    that still run and waits until they have ended; a member who is still waiting then gets
    ExecutionCancelledError. Outside the block calls are refused with a RuntimeError.

    Keys are independent: a blocked one blocks no other, and a function may use the object with
    another key. After an execution has ended nothing of it is kept, neither key nor function
    nor result.

    Clauses: SF-01, SF-05, SF-07, SF-14, SF-18, UN-01, UN-02, UN-08, UN-10, UN-11.
    """

    def __init__(self) -> None:
        self._calls: dict[K, SharedCall[T]] = {}  # the executions that can be joined
        self._tasks: TaskGroup | None = None  # set inside the block

    async def __aenter__(self) -> Self:
        if self._tasks is not None:
            msg = "this SingleFlight is open already: make one for each block"
            raise RuntimeError(msg)
        tasks = anyio.create_task_group()
        await tasks.__aenter__()
        self._tasks = tasks
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        tasks, self._tasks = self._tasks, None
        assert tasks is not None
        tasks.cancel_scope.cancel()
        # The group never hears of the body's error, so as not to wrap it in a group.
        try:
            await tasks.__aexit__(None, None, None)
        except anyio.get_cancelled_exc_class():
            if error is None:
                raise
            # The body's own error goes before the bare cancellation.

    async def do(self, key: K, fn: Callable[[], Awaitable[T]]) -> Result[T]:
        """Execute async ``fn``, or share the execution for ``key`` that is under way.

        The first caller starts ``fn`` in a task of its own, with a copy of his context.
        Callers who arrive before it has ended wait for it with him, and their functions are
        never called. All get the same value object or the same exception object, exit
        requests such as ``SystemExit`` included. The next call after the end executes anew,
        whatever the outcome was.

        Cancelling a caller, the first one too, ends his call only: the execution goes on for
        the others, and the key stays theirs. Cancelling the last caller cancels the execution
        and frees the key at once: who arrives afterwards gets a fresh execution, also while
        the old one is still cleaning up. If that clean-up fails, nobody is left to be told:
        an ``Exception`` is logged, any other goes out through the block. A call under a
        scope that is cancelled already takes no part.

        Members never see a cancellation that is not theirs.

        Raises:
          ExecutionCancelledError: the block was left, or ``fn`` raised a cancellation that
            nobody had requested.
          ReentrantCallError: ``fn``, in the task that executes it, calls ``do`` for the same
            key. Nothing is executed a second time. A cycle through another key, or through
            a child task of ``fn``, is not seen, and waits for ever.
          RuntimeError: outside the block.

        Clauses: SF-01 to SF-07, SF-10, SF-12, SF-13, SF-15, SF-16 (detached), SF-17, SF-18,
        UN-03, UN-04, UN-05.
        """
        await anyio.lowlevel.checkpoint_if_cancelled()
        call = self._enter(key, fn, waits=True)
        try:
            return await call.result()
        finally:
            call.members -= 1
            if not call.members and not call.has_ended:
                # Unregistered first: a newcomer must not join what is dying.
                self._unregister(key, call)
                call.scope.cancel()

    def do_future(self, key: K, fn: Callable[[], Awaitable[T]]) -> Pending[T]:
        """As ``do``, but return at once, with an awaitable of the result.

        What is returned counts as a member until the end, even if it is dropped unread: its
        execution is cancelled only by leaving the block. Joining this way never waits, so
        ``fn`` itself may do it.

        Raises:
          RuntimeError: outside the block.

        Clauses: SF-02 to SF-05, SF-08, SF-11, SF-12.
        """
        return Pending(self._enter(key, fn, waits=False))

    def forget(self, key: K) -> None:
        """Let the next call for ``key`` execute anew, although one may be under way.

        Members of the old execution still get its result, and its end does not touch the new
        one. Later callers join the new one. Without an execution this does nothing.

        Clauses: SF-09, UN-07.
        """
        self._calls.pop(key, None)

    def _enter(self, key: K, fn: Callable[[], Awaitable[T]], *, waits: bool) -> SharedCall[T]:
        """Join the execution for ``key``, or register and start a new one."""
        if self._tasks is None:
            msg = "this SingleFlight is not open: call it inside its 'async with' block"
            raise RuntimeError(msg)
        call = self._calls.get(key)
        if call is None:
            # Registered before the start: an eager task runs at once, and may even end.
            call = self._calls[key] = SharedCall()
            self._tasks.start_soon(self._execute, key, call, fn)
            return call
        if waits and call.runner == anyio.get_current_task().id:
            msg = f"the function executed for key {key!r} calls do() for the same key"
            raise ReentrantCallError(msg)
        call.members += 1
        call.is_shared = True
        return call

    async def _execute(self, key: K, call: SharedCall[T], fn: Callable[[], Awaitable[T]]) -> None:
        """Run ``fn`` and answer the members; the body of the execution's task.

        Errors and cancellations go to the members and end here: the task group would take
        one for its own failure, and cancel all other executions.
        """
        outcome = await call.execute(fn)
        # Unregistered before the answer: whoever has seen it, and calls again, must not
        # meet the execution that has ended (SF-06).
        self._unregister(key, call)
        call.end(outcome)
        if not call.members and isinstance(outcome, BaseException):
            _report_unheard(key, outcome)

    def _unregister(self, key: K, call: SharedCall[T]) -> None:
        # After a forget the key may be gone, or belong to a newer execution (SF-09).
        if self._calls.get(key) is call:
            del self._calls[key]


def _report_unheard(key: object, error: BaseException) -> None:
    """Tell of an error that has no member left to go to."""
    if isinstance(error, ExecutionCancelledError):
        return
    if not isinstance(error, Exception):
        raise error
    logging.getLogger(__name__).error(
        "the execution for key %r failed after its last caller was cancelled", key, exc_info=error
    )
