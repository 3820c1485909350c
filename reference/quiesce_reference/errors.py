"""The errors that the reference implementations raise on their own account.

Errors of a caller's function are never wrapped: they arrive as the very object that
was raised.
"""

from __future__ import annotations

__all__ = [
    "ExecutionCancelledError",
    "NotLentError",
    "PoolClosedError",
    "ReentrantCallError",
    "WaitRefusedError",
]


class ReentrantCallError(RuntimeError):
    """A function waits for its own end, through the object that executes it.

    Go deadlocks here. We raise instead, to the nested call alone; nothing has changed.

    Clauses: ON-07, SF-13.
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
    """An object pool is closed, and lends no more.

    Clauses: OP-15.
    """
