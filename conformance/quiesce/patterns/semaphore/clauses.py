"""The clauses of a semaphore."""

from __future__ import annotations

from quiesce.clauses import Clause, Level

__all__ = ["ASYNC", "CLAUSES"]

GO = "Go x/sync/semaphore"
ASYNC = ("asyncio", "trio")

CLAUSES = (
    Clause(
        "SM-01",
        Level.MUST,
        "The units held never exceed the size, also in the middle of a hand-over.",
        f"{GO}: Acquire; anyio issue 1170",
        twins=["sm_over_grant_in_handover", "sm_over_grant_in_handover_threads"],
    ),
    Clause(
        "SM-02",
        Level.MUST,
        "An acquire succeeds at once exactly if its units are free and nobody waits.",
        f"{GO}: Acquire",
        twins=["sm_last_unit_waits", "sm_newcomer_barges"],
    ),
    Clause(
        "SM-03",
        Level.MUST,
        "First come, first served: a small request does not overtake a big one that waits.",
        f"{GO}_test: TestLargeAcquireDoesntStarve",
        dialect={"fifo": ("yes",)},
        twins=["sm_small_overtakes", "sm_lifo"],
    ),
    Clause(
        "SM-04",
        Level.MUST,
        "A request for more than the size never succeeds, waits for its own end, and blocks "
        "nobody else.",
        f"{GO}_test: TestWeightedDoesntBlockIfTooBig",
        needs=["weighted"],
        twins=["sm_too_big_queues"],
    ),
    Clause(
        "SM-05",
        Level.MUST,
        "A try fails while somebody waits, even if its units are free; it never blocks.",
        f"{GO}: TryAcquire",
        needs=["try", "weighted"],
        dialect={"handover": ("direct",)},
        twins=["sm_try_barges"],
    ),
    Clause(
        "SM-06",
        Level.MUST,
        "Releasing more than is held is an error and changes nothing.",
        f"{GO}_test: TestWeightedPanic",
        needs=["bounded"],
        twins=["sm_release_too_often_ok"],
    ),
    Clause(
        "SM-07",
        Level.MUST,
        "An acquire that is cancelled or times out leaves the semaphore unchanged; if it was "
        "the first in line, the next ones are tried.",
        f"{GO}_test: TestAllocCancelDoesntStarve",
        needs=["give_up"],
        twins=["sm_cancel_head_silent", "sm_cancelled_stays", "sm_timed_out_head_silent"],
    ),
    Clause(
        "SM-08",
        Level.MUST,
        "An acquire whose cancellation wins keeps nothing: units that were granted to it "
        "meanwhile go back.",
        f"{GO}_test: TestWeightedAcquireCanceled; Go issue 63615",
        worlds=ASYNC,
        twins=["sm_late_grant_leaks"],
    ),
    Clause(
        "SM-09",
        Level.MUST,
        "One release lets in as many waiters as fit.",
        f"{GO}: notifyWaiters",
        needs=["release_many"],
        twins=["sm_release_wakes_one"],
    ),
)
