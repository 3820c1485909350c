"""The clauses of the mutex."""

from __future__ import annotations

from quiesce.clauses import Clause, Level

__all__ = ["ASYNC", "CLAUSES"]

ASYNC = ("asyncio", "trio")

CLAUSES = (
    Clause(
        "MX-01",
        Level.MUST,
        "At most one caller holds the lock.",
        "Go sync/mutex_test: HammerMutex",
        twins=["mx_no_exclusion", "mx_check_then_take"],
    ),
    Clause(
        "MX-02",
        Level.MUST,
        "A free lock and a caller who waits for it never coexist once everything has come to rest.",
        "Go sync/mutex_test: TestMutexFairness",
        twins=["mx_error_keeps_lock", "mx_lost_wakeup_behind_cancelled", "mx_loses_a_wakeup"],
    ),
    Clause(
        "MX-03",
        Level.MUST,
        "A try never waits; it gets the lock exactly if the lock is free at that moment.",
        "Go sync/mutex_test: TestMutex; the Go memory model on TryLock",
        needs=["try"],
        twins=["mx_try_blocks", "mx_try_always_fails"],
    ),
    Clause(
        "MX-04",
        Level.MUST,
        "Unlocking a free lock is an error, and changes nothing.",
        "Go sync/mutex_test: TestMutexMisuse",
        hint="A channel or queue with one token is no lock: to take a token that is not there "
        "waits, or makes a second one. A mutex is simpler here.",
        twins=["mx_unlock_free_ok"],
    ),
    Clause(
        "MX-05",
        Level.MUST,
        "Who may unlock is as declared: anybody, or the owner alone. A lock that its owner takes "
        "again waits for itself, counts or refuses, as declared.",
        "Go sync.Mutex; Python threading.RLock; trio.Lock",
        twins=[
            "mx_stranger_unlocks",
            "mx_relock_blocks",
            "mx_owner_alone_unlocks",
            "mx_inner_unlock_frees",
        ],
    ),
    Clause(
        "MX-06",
        Level.SHOULD,
        "No starvation: callers get the lock in the order in which they came to wait.",
        "Go sync/mutex_test: TestMutexFairness; trio test_sync: test_generic_lock_fifo_fairness",
        dialect={"fifo": ("yes",)},
        twins=["mx_last_comes_first"],
    ),
    Clause(
        "MX-07",
        Level.MUST,
        "A waiter that is cancelled disappears; if the lock was handed to it already, it passes "
        "the lock on.",
        "bpo-27585; anyio pull request 1145",
        worlds=ASYNC,
        twins=["mx_cancelled_heir_keeps_lock"],
    ),
)
