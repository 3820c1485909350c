"""Once: run an async initialiser at most once, however many tasks race for it.

The shape follows Go's sync.Once and sync.OnceFunc: a caller who loses the race returns
only after the winner's function has ended. The function runs inside the winner's own task,
so the winner's cancellation reaches it; then a waiter takes over.

Tasks of one event loop only, so there is no lock: what lies between two awaits is atomic.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar, final

import anyio

from quiesce_reference.errors import ReentrantCallError
from quiesce_reference.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["Once", "once_func", "once_value"]

T = TypeVar("T")


@final
class Once:
    """An object that executes at most one async function to its end, ever.

    Any number of tasks may call ``do`` at the same time. Objects are independent of each
    other; there is no state outside them.

    Clauses: ON-01, ON-11, UN-10.
    """

    def __init__(self) -> None:
        self._done = False
        self._runner: int | None = None  # id of the task that executes now
        self._ended: anyio.Event | None = None  # for the waiters, if there are any

    async def do(self, fn: Callable[[], Awaitable[object]]) -> None:
        """Execute ``fn``, unless a function was executed here before.

        The first call executes its own ``fn`` in its own task; the functions of all other
        calls are never called. No call returns before that execution has ended. Once it has
        ended, each call returns at once, without a checkpoint. Nothing keeps ``fn``
        afterwards.

        If ``fn`` raises an ``Exception``, the error goes to its own caller alone. The object
        counts as done: waiters and later callers return normally and don't run theirs.

        Cancelling a waiter ends that waiter and nothing else. Cancelling the caller who
        executes cancels ``fn``: he gets his cancellation, nothing is stored and the object is
        not done. Exactly one of the waiters, or else the next caller, then executes its own
        function; attempts never overlap. Waiters are never left hanging and never see a
        cancellation that is not theirs. The same goes for every exception that isn't an
        ``Exception``, such as ``KeyboardInterrupt`` and ``SystemExit``.

        Args:
          fn: async function. Its return value is dropped.

        Raises:
          ReentrantCallError: ``fn``, in the task that executes it, calls ``do`` of this
            object. It isn't executed again, and the nested call does not return early. A
            child task of ``fn`` that calls ``do`` waits, for ever if ``fn`` waits for it.

        Clauses: ON-01 to ON-05, ON-07, ON-09, ON-10, ON-12, ON-13 (retry), ON-14, UN-03, UN-08.
        """
        while not self._done:
            if self._runner is None:
                await self._execute(fn)
                return
            if self._runner == anyio.get_current_task().id:
                msg = "the function that this Once executes calls do() of the same Once"
                raise ReentrantCallError(msg)
            if self._ended is None:
                self._ended = anyio.Event()
            await self._ended.wait()

    async def _execute(self, fn: Callable[[], Awaitable[object]]) -> None:
        # No await since the caller saw that nobody executes: two tasks can't both win.
        self._runner = anyio.get_current_task().id
        try:
            await fn()
            self._done = True
        except Exception:
            self._done = True
            raise
        finally:
            self._runner = None
            # Wakes all waiters, also where one must take over: a single heir might be
            # just being cancelled, and the others would sleep for ever. The first to run
            # takes over before it awaits anything; the others find it and wait again.
            if self._ended is not None:
                self._ended.set()
                self._ended = None


def once_func(fn: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
    """Wrap async ``fn`` so that it is executed at most once and its value dropped.

    See ``once_value``, which differs in the value only.

    Clauses: ON-06.
    """

    async def fn_without_value() -> None:
        await fn()

    return once_value(fn_without_value)


def once_value(fn: Callable[[], Awaitable[T]]) -> Callable[[], Awaitable[T]]:
    """Wrap async ``fn`` so that it is executed at most once and its outcome kept.

    Every call of the wrapper (the executing one, those that wait, later ones) returns the
    same value object, or raises the same exception object, from that one execution. Any
    number of tasks may call it. ``fn`` and what it captured are released when it has
    ended, also by an error: the kept error has no frames, only a note that says where it
    was raised.

    A cancellation, like any exception that isn't an ``Exception``, is never kept. It goes to
    its caller, and a waiter or the next caller executes ``fn`` again, as with ``Once.do``. A
    call from within ``fn`` raises ReentrantCallError inside ``fn``; if ``fn`` lets it pass,
    that is its error.

    Clauses: ON-01, ON-03, ON-04, ON-06, ON-07, ON-10, ON-12, ON-13 (retry), ON-14,
    ON-15 (stored).
    """
    once = Once()
    pending: Callable[[], Awaitable[T]] | None = fn
    outcome: Outcome[T] | None = None

    async def execute() -> None:
        nonlocal pending, outcome
        assert pending is not None
        handling = sys.exception()
        try:
            outcome = Outcome.returned(await pending())
        except Exception as error:
            outcome = Outcome.raised(error, handling=handling)
        # Not reached after a cancellation: whoever takes over needs the function.
        pending = None

    async def call() -> T:
        await once.do(execute)
        assert outcome is not None
        return outcome.get()

    return call
