"""What a once promises, clause by clause."""

from __future__ import annotations

from quiesce.clauses import Clause, Level

__all__ = ["ASYNC", "CLAUSES"]

GO = "Go sync"
ASYNC = ("asyncio", "trio")

CLAUSES = (
    Clause(
        "ON-01",
        Level.MUST,
        "The function is executed at most once per object, however many callers race; a failed "
        "attempt counts only where errors are outcomes.",
        f"{GO}/once_test: TestOnce; the Go memory model, Once",
        needs=["single_init"],
        twins=["on_check_then_act", "on_none_is_not_done"],
    ),
    Clause(
        "ON-02",
        Level.MUST,
        "The first call executes its own function; the functions of the others are never called.",
        f"{GO}: Once.Do",
        needs=["own_function", "single_init"],
        twins=["on_runs_the_latest_function"],
    ),
    Clause(
        "ON-03",
        Level.MUST,
        "No call returns before the execution has ended: whoever comes during it waits.",
        f"{GO}/once.go, on the wrong compare-and-swap; Go issue 16914",
        twins=["on_flag_before_call"],
    ),
    Clause(
        "ON-04",
        Level.MUST,
        "After the execution has ended every call returns at once.",
        f"{GO}: Once.Do",
        twins=["on_late_caller_waits"],
    ),
    Clause(
        "ON-05",
        Level.MUST,
        "If the function raises, the caller that executes it gets the error and the object is "
        "done: waiters and later callers return normally, and it is not run again.",
        f"{GO}/once_test: TestOncePanic",
        dialect={"once_error": ("done_silently",)},
        twins=["on_retry_after_error"],
    ),
    Clause(
        "ON-06",
        Level.MUST,
        "All callers, waiters and later ones included, get the same value object and, where "
        "errors are stored, the same error object, from one execution.",
        f"{GO}/oncefunc_test: TestOnceFuncPanic",
        dialect={"once_error": ("stored", "retry")},
        twins=["on_wrapper_forgets_error"],
    ),
    Clause(
        "ON-07",
        Level.SHOULD,
        "A function that calls its own object is refused with an error; never a second "
        "execution, never an early return.",
        f"{GO}: Once.Do deadlocks; the reference raises",
        needs=["reentrance_error"],
        twins=["on_reentrant_runs_twice"],
    ),
    Clause(
        "ON-08",
        Level.MUST,
        "A function that ends its goroutine counts as executed.",
        f"{GO}/oncefunc_test: TestOnceFuncGoexit",
        untested="nothing in Python ends a thread without an exception; SystemExit, which comes "
        "nearest, is an exit request, and ON-14 says what it does",
    ),
    Clause(
        "ON-09",
        Level.MUST,
        "What the function wrote is visible to every caller who has returned: a waiter is "
        "released by the end of the execution and by nothing before it.",
        "The Go memory model, Once",
        twins=["on_waits_without_a_loop"],
    ),
    Clause(
        "ON-10",
        Level.SHOULD,
        "The function and what it captured are released after the execution, also after one "
        "that failed for good.",
        f"{GO}/oncefunc_test: TestOnceXGC",
        needs=["release"],
        twins=["on_keeps_function"],
    ),
    Clause(
        "ON-11",
        Level.MUST,
        "Objects are independent; no lock is shared by a class.",
        "CPython issue 87634",
        twins=["on_class_wide_lock"],
    ),
    Clause(
        "ON-12",
        Level.MUST,
        "Cancelling a waiter ends that waiter only.",
        "the rule of structured concurrency: a cancellation stays in its scope",
        needs=["single_init"],
        dialect={"once_cancel": ("retry", "detached")},
        worlds=ASYNC,
        twins=["on_waiter_cancel_kills_execution"],
    ),
    Clause(
        "ON-13",
        Level.MUST,
        "Cancelling the caller that executes never cancels nor strands the waiters: either the "
        "execution goes on for them (detached), or it is abandoned and exactly one of them "
        "takes over (retry).",
        "ryananguiano/async_property pull request 20",
        dialect={"once_cancel": ("retry", "detached")},
        worlds=ASYNC,
        twins=[
            "on_stores_cancellation",
            "on_executor_cancel_strands_waiters",
            "on_two_takers_after_cancel",
        ],
    ),
    Clause(
        "ON-14",
        Level.MUST,
        "An exit request (KeyboardInterrupt, SystemExit) and a cancellation are never kept: they "
        "end the caller they reached, and the object is not done.",
        "ryananguiano/async_property pull request 20",
        twins=["on_stores_exit", "on_stores_cancellation"],
    ),
    Clause(
        "ON-15",
        Level.MUST,
        "Where an error is no outcome, its own caller gets it and exactly one waiter, or else "
        "the next caller, tries again; attempts never overlap.",
        "functools and cached-property keep values only",
        needs=["single_init"],
        dialect={"once_error": ("retry",)},
        twins=["on_overlapping_retries"],
    ),
    Clause(
        "ON-16",
        Level.MAY,
        "How often the fast path is checked, and how many locks are taken, is free.",
        GO,
        untested="a freedom: nothing to break",
    ),
)
