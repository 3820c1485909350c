"""The errors that the reference implementations raise on their own account.

Errors of a caller's function are never wrapped: they arrive as the very object that
was raised.
"""

from __future__ import annotations

__all__ = [
    "ChannelClosedError",
    "ContextCancelledError",
    "DeadlineExceededError",
    "ExecutionCancelledError",
    "GroupBusyError",
    "GroupClosedError",
    "JobCancelledError",
    "NotLentError",
    "PoolClosedError",
    "ReentrantCallError",
    "WaitRefusedError",
    "WouldBlockError",
]


class ReentrantCallError(RuntimeError):
    """A function waits for its own end, through the object that executes it.

    Go deadlocks here. We raise instead, to the nested call alone; nothing has changed.

    Clauses: ON-07, SF-13.
    """


class ChannelClosedError(Exception):
    """A value is sent on a closed channel, or received from one that is closed and drained.

    Go panics in the first case, and returns a zero value in the second. Closing a channel that
    is closed raises it too. Nothing has changed.

    Clauses: CH-05, CH-07, CH-08.
    """


class ExecutionCancelledError(RuntimeError):
    """A shared execution was cancelled, though the member who hears of it was not.

    Members get this error and never the cancellation itself: that one belongs to
    somebody else's task, and whoever sees it must be able to trust that it is his own.

    Clauses: SF-16.
    """


class WaitRefusedError(Exception):
    """A rate limiter refuses a wait at once, because it could not end in time.

    Nothing was taken. Ask for fewer tokens, or allow more time.

    Clauses: RL-11, RL-13.
    """


class NotLentError(ValueError):
    """An object is put into a pool that did not lend it, or that has it back already.

    Nothing has changed. Put each object once, into the pool that it came from.

    Clauses: OP-08, OP-11.
    """


class PoolClosedError(RuntimeError):
    """A pool is closed: one of objects lends no more, one of workers accepts no more jobs.

    Clauses: OP-15, WP-08.
    """


class JobCancelledError(RuntimeError):
    """A job of a worker pool was cancelled, so there is no value.

    Who asks for the result gets this error and never a cancellation, which would not be his.

    Clauses: WP-09, WP-15.
    """


class ContextCancelledError(Exception):
    """A context is done, since it or one above it was cancelled.

    Work under it should end. It is no ``asyncio.CancelledError``: nobody was interrupted.

    Clauses: CX-02.
    """

    def __str__(self) -> str:
        return "the context was cancelled"


class DeadlineExceededError(TimeoutError):
    """A context is done, since its deadline or one above it has come.

    Clauses: CX-08.
    """

    def __str__(self) -> str:
        return "the context's deadline has come"


class WouldBlockError(Exception):
    """A channel can't send or receive at once. Nothing has changed."""


class GroupBusyError(RuntimeError):
    """The limit of a task group is to change while its functions run.

    Nothing has changed. Wait for the group first.

    Clauses: TG-13.
    """


class GroupClosedError(RuntimeError):
    """A function is started in a task group that is not open: not entered, left or cancelled.

    The function was not called.

    Clauses: TG-20.
    """
