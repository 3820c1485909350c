"""The clauses of a condition."""

from __future__ import annotations

from quiesce.clauses import Clause, Level

__all__ = ["ASYNC", "CLAUSES"]

ASYNC = ("asyncio", "trio")

CLAUSES = (
    Clause(
        "CO-01",
        Level.MUST,
        "A wait gives the lock up while it blocks, and returns only with the lock held again.",
        "Python threading: Condition.wait; asyncio: Condition.wait",
        twins=["co_returns_without_lock", "co_wait_keeps_lock"],
    ),
    Clause(
        "CO-02",
        Level.MUST,
        "notify(n) releases n waiters that live on, or all if fewer wait. One that is cancelled "
        "or times out instead passes its notification on.",
        "CPython issue 112202; POSIX pthread_cond_wait: a cancelled waiter consumes no signal",
        twins=[
            "co_notify_lost_on_cancel",
            "co_notify_spent_on_timed_out",
            "co_notify_wakes_one",
        ],
    ),
    Clause(
        "CO-03",
        Level.MUST,
        "A wait that ends by a cancellation or a time-out also has the lock back first, so that "
        "leaving the locked block works.",
        "trio: Condition.wait; Python threading: Condition.wait",
        needs=["give_up"],
        twins=["co_cancel_without_lock", "co_timed_out_without_lock"],
    ),
    Clause(
        "CO-04",
        Level.MUST,
        "Waiting and notifying without the lock are refused and change nothing.",
        "Python threading: Condition.wait, Condition.notify",
        twins=["co_notify_unowned_ok", "co_wait_unowned_ok", "co_refused_wait_counts"],
    ),
    Clause(
        "CO-05",
        Level.MAY,
        "A wait may return without a notification; a caller that looks again is not harmed.",
        "Python asyncio: Condition.wait, from 3.13",
        untested="a freedom: nothing to break; the dialect spurious_wakeup says where it is taken",
    ),
    Clause(
        "CO-06",
        Level.SHOULD,
        "Waiters are released in the order in which they came.",
        "trio: fairness of its synchronization classes",
        dialect={"fifo": ("yes",)},
        twins=["co_lifo"],
    ),
)
