"""The clauses of a capacity limiter, a semaphore that knows who has its units."""

from __future__ import annotations

from quiesce.clauses import Clause, Level

__all__ = ["ASYNC", "CLAUSES"]

ASYNC = ("asyncio", "trio")

CLAUSES = (
    Clause(
        "SM-10",
        Level.MUST,
        "The total may change at run time: lowering it revokes nothing, raising it lets in as "
        "many waiters as there are units.",
        "trio: CapacityLimiter.total_tokens; anyio pull request 1223",
        twins=["cl_raise_wakes_nobody", "cl_raise_wakes_one_too_many", "cl_lowering_revokes"],
    ),
    Clause(
        "SM-11",
        Level.MUST,
        "No unit is lent while as many are out as the total says, also in the middle of a "
        "hand-over.",
        "trio: CapacityLimiter; anyio issue 1170",
        twins=["cl_over_grant_in_handover", "cl_release_grants_above_total"],
    ),
    Clause(
        "SM-12",
        Level.MUST,
        "Each borrower has one unit at most: asking for a second one, and giving back what was "
        "not borrowed, are errors and change nothing.",
        "trio: CapacityLimiter.acquire_on_behalf_of, release_on_behalf_of",
        twins=["cl_second_unit_ok", "cl_release_unborrowed_ok"],
    ),
    Clause(
        "SM-13",
        Level.MUST,
        "An acquire succeeds at once exactly if a unit is free and nobody waits.",
        "trio: CapacityLimiter",
        twins=["cl_last_unit_waits"],
    ),
    Clause(
        "SM-14",
        Level.SHOULD,
        "Waiters get their units in the order in which they came.",
        "trio: fairness of its synchronization classes",
        twins=["cl_lifo"],
    ),
    Clause(
        "SM-15",
        Level.MUST,
        "A cancelled acquire borrows nothing; a unit that was granted to it meanwhile goes to "
        "the next waiter.",
        "anyio issue 947",
        worlds=ASYNC,
        twins=["cl_late_grant_leaks", "cl_cancelled_stays"],
    ),
)
