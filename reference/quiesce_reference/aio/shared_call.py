"""One execution that several tasks share, and the view of it that each of them has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, final

import anyio

from quiesce_reference.errors import ExecutionCancelledError
from quiesce_reference.result import Result

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator
    from types import TracebackType

__all__ = ["Pending", "SharedCall"]

T = TypeVar("T")


@final
class SharedCall(Generic[T]):
    """One execution, and what its members need to know of it."""

    __slots__ = ("_ended", "_outcome", "_trace", "is_shared", "members", "runner", "scope")

    def __init__(self) -> None:
        self.scope = anyio.CancelScope()  # around the function
        self.members = 1  # callers who still want the outcome
        self.is_shared = False
        self.runner: int | None = None  # id of the executing task, once it runs
        self._outcome: Result[T] | BaseException | None = None
        self._trace: TracebackType | None = None  # the error's, as it left the function
        self._ended: anyio.Event | None = None  # for those who wait, if there are any

    @property
    def has_ended(self) -> bool:
        """Whether the members have their answer."""
        return self._outcome is not None

    async def execute(self, fn: Callable[[], Awaitable[T]]) -> Result[T] | BaseException:
        """Run ``fn`` in the current task, and return its result or its error.

        It raises nothing, not even a cancellation: if ``fn`` ends by one, this returns an
        ExecutionCancelledError. Its task must be at its end, so that what is swallowed here
        is missed nowhere.
        """
        cancelled = anyio.get_cancelled_exc_class()
        cause: BaseException | None = None
        try:
            with self.scope:
                # The last member may have left before this first step.
                if not self.scope.cancel_called:
                    self.runner = anyio.get_current_task().id
                    return Result(await fn(), self.is_shared)
        except cancelled as error:
            cause = error
        except BaseExceptionGroup as group:
            foreign, own = group.split(cancelled)
            if foreign is None:
                return group
            if own is not None:
                return own
            cause = group
        except BaseException as error:
            return error
        stopped = ExecutionCancelledError("the shared execution was cancelled, not this caller")
        stopped.__cause__ = cause
        return stopped

    def end(self, outcome: Result[T] | BaseException) -> None:
        """Answer all members, present and future."""
        self._outcome = outcome
        if isinstance(outcome, BaseException):
            self._trace = outcome.__traceback__
        if self._ended is not None:
            self._ended.set()

    async def result(self) -> Result[T]:
        """Wait for the end, and return the result or raise the error."""
        if self._outcome is None:
            if self._ended is None:
                self._ended = anyio.Event()
            await self._ended.wait()
        assert self._outcome is not None
        if isinstance(self._outcome, BaseException):
            # From the same traceback for everybody, or it would grow with each raise.
            raise self._outcome.with_traceback(self._trace)
        return self._outcome


@final
class Pending(Generic[T]):
    """What ``SingleFlight.do_future`` returns: await it for the result, as often as you like.

    Every await gives the same result or raises the same exception object. Cancelling one who
    awaits ends his wait alone, and he may await again. After the execution has ended an
    await returns at once, without a checkpoint.

    Clauses: SF-08.
    """

    __slots__ = ("_call",)

    def __init__(self, call: SharedCall[T]) -> None:
        self._call = call

    def __await__(self) -> Generator[Any, Any, Result[T]]:
        """Wait for the end of the execution and return its result."""
        return self._call.result().__await__()
