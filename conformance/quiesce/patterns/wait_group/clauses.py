"""The clauses of the wait group."""

from __future__ import annotations

from quiesce.clauses import Clause, Level

__all__ = ["ASYNC", "CLAUSES"]

ASYNC = ("asyncio", "trio")

CLAUSES = (
    Clause(
        "WG-01",
        Level.MUST,
        "A wait at zero returns at once, also when nothing was ever added.",
        "Go sync.WaitGroup: Wait",
        twins=["wg_waits_at_zero", "wg_looks_then_waits"],
    ),
    Clause(
        "WG-02",
        Level.MUST,
        "A wait lasts as long as the counter is above zero; when it reaches zero, all waiters "
        "are released.",
        "Go sync.WaitGroup: Add; sync/waitgroup_test: testWaitGroup",
        twins=["wg_wakes_one", "wg_returns_at_first_done", "wg_dead_waiter_strands_others"],
    ),
    Clause(
        "WG-03",
        Level.MUST,
        "Any delta can be added. More done than was added is an error of that caller and changes "
        "nothing; what functions of go count is theirs alone.",
        "Go sync/waitgroup_test: TestWaitGroupMisuse, whose panic leaves the counter spoilt",
        twins=["wg_negative_ignored", "wg_done_takes_a_function"],
    ),
    Clause(
        "WG-04",
        Level.MUST,
        "It can be used for a new round after all waiters of the earlier round have returned.",
        "Go sync.WaitGroup: Add; sync/waitgroup_test: TestWaitGroup",
        twins=["wg_not_reusable"],
    ),
    Clause(
        "WG-05",
        Level.SHOULD,
        "A new round that begins before the waiters of the earlier one have returned is refused, "
        "or does them no harm: it never makes them wait for its own end.",
        "Go sync.WaitGroup: the two panics on misuse",
        needs=["rounds"],
        twins=["wg_new_round_recaptures"],
    ),
    Clause(
        "WG-06",
        Level.MUST,
        "A function that the group runs is counted before go returns, and until it ends, "
        "whichever way; its error does not keep waiters waiting, it is delivered to them.",
        "Go sync.WaitGroup: Go; sync/waitgroup_test: TestIssue76126; Python delivers where Go "
        "crashes the process",
        needs=["go"],
        twins=["wg_add_inside_task", "wg_no_done_on_error", "wg_loses_an_error"],
    ),
    Clause(
        "WG-07",
        Level.MUST,
        "A wait covers functions that are started by running functions.",
        "Go sync.WaitGroup: Add may be called while the counter is above zero",
        needs=["go"],
        twins=["wg_inner_go_uncounted"],
    ),
    Clause(
        "WG-08",
        Level.MUST,
        "A waiter that is cancelled or times out changes nothing for the counter or for others.",
        "Go x/sync/semaphore: Acquire, likewise",
        needs=["timeout"],
        twins=[
            "wg_cancelled_waiter_decrements",
            "wg_timed_out_waiter_decrements",
        ],
    ),
)
