"""Service: a function in a task of its own, with a start, a stop, a wait and a clean-up.

What ``create_task`` leaves to its user: a way to end what was started, to know that it has
ended and how, and a place for the clean-up that no cancellation skips.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, final

import anyio
import anyio.lowlevel

from quiesce_reference.errors import ExecutionCancelledError, ReentrantCallError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from anyio.abc import TaskGroup

__all__ = ["Service"]


@final
class Service:
    """One background task. Anybody in the same event loop may call any method.

    Use it as ``async with Service(body) as service:``. The task lives in that block. Leaving it
    stops the body if it was started, waits, and raises what ``wait`` raises unless the block
    raised something itself.

    Args:
      body: an async function, called once. Its return value is dropped.
      cleanup: an async function, called once after the body has ended, however it ended. It is
        shielded: neither a stop nor a cancellation from around the block cuts it short, so it
        should set a time limit of its own if it may take long.

    Clauses: BG-01 to BG-05, UN-01, UN-02, UN-10.
    """

    def __init__(
        self,
        body: Callable[[], Awaitable[object]],
        *,
        cleanup: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self._body = body
        self._cleanup = cleanup
        self._tasks: TaskGroup | None = None  # set inside the block
        self._scope: anyio.CancelScope | None = None  # around the body, once it is started
        self._ended = anyio.Event()
        self._runner: int | None = None  # id of the task, once it runs
        self._error: BaseException | None = None
        self._trace: TracebackType | None = None  # the error's, as it left the body

    async def __aenter__(self) -> Self:
        if self._tasks is not None:
            msg = "this service is open already: make one for each block"
            raise RuntimeError(msg)
        tasks = anyio.create_task_group()
        await tasks.__aenter__()
        self._tasks = tasks
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        assert self._tasks is not None
        self.stop()
        # The group never hears of the block's error, so as not to wrap it in a group.
        try:
            await self._tasks.__aexit__(None, None, None)
        except anyio.get_cancelled_exc_class():
            if error is None:
                raise
            # The block's own error goes before the bare cancellation.
        if self._error is not None and error is None:
            raise self._error.with_traceback(self._trace)

    def start(self) -> None:
        """Begin the body in a task of its own.

        When this returns the task is accounted for: a ``wait`` waits for it, and after a
        ``stop`` the body gets no further than its first checkpoint, even if it has not begun.

        Raises:
          RuntimeError: outside the block, or it was started before, whether or not it has
            ended: a service is for one run. Make another one.

        Clauses: BG-01, BG-05.
        """
        if self._tasks is None:
            msg = "this service is not open: start it inside its 'async with' block"
            raise RuntimeError(msg)
        if self._scope is not None:
            msg = "this service was started before: make a new one for each run"
            raise RuntimeError(msg)
        self._scope = anyio.CancelScope()
        self._tasks.start_soon(self._run, self._scope)

    def stop(self) -> None:
        """Cancel the body, and return at once; ``wait`` tells when it has ended.

        Anybody may call it, the body too, and again: the clean-up is not touched. Before
        ``start`` it does nothing.

        Clauses: BG-04, UN-02, UN-07, UN-08.
        """
        if self._scope is not None:
            self._scope.cancel()

    async def wait(self) -> None:
        """Return when body and clean-up have ended, or raise what one of them raised, every time.

        That is the very exception object. If both raised it is the clean-up's, with the body's
        as its context. The cancellation by ``stop`` is no error. Cancelling a wait ends that
        wait alone.

        Raises:
          ExecutionCancelledError: the block was cancelled from outside, and the body with it.
          ReentrantCallError: the body or the clean-up waits for itself.
          RuntimeError: it was not started.

        Clauses: BG-02, BG-03, BG-04, TK-12, UN-04, UN-05.
        """
        if self._scope is None:
            msg = "this service was not started, so there is nothing to wait for"
            raise RuntimeError(msg)
        if self._runner == anyio.get_current_task().id and not self._ended.is_set():
            msg = "a service that waits for its own end would wait for ever"
            raise ReentrantCallError(msg)
        await self._ended.wait()
        if self._error is not None:
            # From the same traceback for everybody, or it would grow with each raise.
            raise self._error.with_traceback(self._trace)

    async def _run(self, scope: anyio.CancelScope) -> None:
        """Run body and clean-up; the whole of the task.

        Errors are kept for those who wait. The group would take them for its own failure.
        """
        self._runner = anyio.get_current_task().id
        try:
            try:
                with scope:
                    await self._body()
            finally:
                # Outside the scope, so a second stop can't reach it; shielded, for the same
                # reason, from what cancels the block.
                if self._cleanup is not None:
                    with anyio.CancelScope(shield=True):
                        await self._cleanup()
        except anyio.get_cancelled_exc_class() as error:
            # Not by stop, whose cancellation ends at the scope: it is the block's.
            self._error = ExecutionCancelledError("the service's block was cancelled")
            self._error.__cause__ = error
            raise
        except BaseException as error:
            self._error, self._trace = error, error.__traceback__
        finally:
            self._ended.set()
