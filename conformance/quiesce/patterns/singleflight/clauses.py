"""The clauses of singleflight."""

from __future__ import annotations

from quiesce.clauses import Clause, Level

__all__ = ["ASYNC", "CLAUSES"]

GO = "Go x/sync/singleflight"
ASYNC = ("asyncio", "trio")

CLAUSES = (
    Clause(
        "SF-01",
        Level.MUST,
        "At most one execution is in flight per key, unless forget was called in between.",
        f"{GO}: Do",
        twins=["sf_no_dedupe"],
    ),
    Clause(
        "SF-02",
        Level.MUST,
        "A call that arrives during an execution joins it; its own function is never called.",
        f"{GO}_test: TestDoDupSuppress",
        twins=["sf_joiner_runs_too"],
    ),
    Clause(
        "SF-03",
        Level.MUST,
        "All members get the same value object, or the same error object.",
        f"{GO}_test: TestDoErr",
        twins=["sf_joiners_retry_on_error"],
    ),
    Clause(
        "SF-04",
        Level.MUST,
        "Joiners are told that the result is shared; the leader is told so exactly if "
        "somebody joined before the end.",
        f"{GO}: doCall",
        needs=["shared"],
        twins=["sf_leader_shared_false", "sf_joiner_shared_false"],
    ),
    Clause(
        "SF-05",
        Level.MUST,
        "No caching: the next call after the end executes anew, after a value and an error alike.",
        f"{GO}: doCall deletes the key before it answers",
        dialect={"remembers": ("nothing",)},
        twins=["sf_caches", "sf_caches_errors", "sf_key_leak_on_error"],
    ),
    Clause(
        "SF-06",
        Level.MUST,
        "Nobody receives the result of an execution that was answered before his call began.",
        f"{GO}: doCall",
        dialect={"remembers": ("nothing",)},
        twins=["sf_answers_before_unregister"],
    ),
    Clause(
        "SF-07",
        Level.MUST,
        "Keys are independent: a blocked key blocks no other, and a function may call with "
        "another key.",
        f"{GO}: Do runs fn without the lock",
        twins=["sf_global_lock"],
    ),
    Clause(
        "SF-08",
        Level.MUST,
        "do_future returns at once, delivers exactly one result, and leaks nothing if that "
        "is never read.",
        f"{GO}: DoChan",
        needs=["future"],
        twins=["sf_unbuffered_chan_leak"],
    ),
    Clause(
        "SF-09",
        Level.MUST,
        "After forget the next call starts a new execution although the old one runs; members "
        "of the old one still get its result, and its end does not unregister the new one.",
        f"{GO}_test: TestForget; Go issue 31420",
        needs=["forget"],
        twins=["sf_old_end_unregisters_new", "sf_forget_kills_old_members"],
    ),
    Clause(
        "SF-10",
        Level.MUST,
        "A function that blows up (BaseException) reaches leader and joiners, and the key is "
        "free afterwards.",
        f"{GO}_test: TestPanicDo; Go issue 41133",
        needs=["exit"],
        worlds=("threads",),
        twins=["sf_panic_strands_joiners", "sf_panic_becomes_none"],
    ),
    Clause(
        "SF-11",
        Level.MUST,
        "A function that blows up with a future among its members is not swallowed: the future "
        "delivers it.",
        f"{GO}_test: TestPanicDoChan; Python delivers where Go crashes the process",
        needs=["exit", "future"],
        worlds=("threads",),
        twins=["sf_panic_loses_futures"],
    ),
    Clause(
        "SF-12",
        Level.MUST,
        "A function that ends its thread (SystemExit) ends all members the same way; nobody hangs.",
        f"{GO}: Goexit, whose channel members hang; ours get the error",
        needs=["exit"],
        worlds=("threads",),
        twins=["sf_exit_strands_joiners"],
    ),
    Clause(
        "SF-13",
        Level.SHOULD,
        "A function that calls with its own key is refused with an error; never a second "
        "execution.",
        f"{GO} deadlocks; the reference raises",
        needs=["reentrance_error"],
        twins=["sf_reentrant_runs_twice"],
    ),
    Clause(
        "SF-14",
        Level.MUST,
        "After the end no reference to the result or the functions remains.",
        f"{GO}: doCall deletes the key",
        dialect={"remembers": ("nothing",)},
        twins=["sf_keeps_result"],
    ),
    Clause(
        "SF-15",
        Level.MUST,
        "Cancelling a joiner ends that joiner only; the execution and the others go on and the "
        "key stays registered.",
        "janos/singleflight issue 4",
        worlds=ASYNC,
        twins=["sf_joiner_cancel_unregisters"],
    ),
    Clause(
        "SF-16",
        Level.MUST,
        "Cancelling the leader never delivers a cancellation to members who were not "
        "cancelled, and never strands them: the execution goes on (detached) or one of them "
        "starts it again (inline).",
        "aio-libs/async-lru pull request 697; odysseus issue 6173",
        worlds=ASYNC,
        twins=["sf_leader_cancel_spreads", "sf_leader_cancel_strands"],
    ),
    Clause(
        "SF-17",
        Level.SHOULD,
        "When the last member is cancelled the execution is cancelled and the key is free; a "
        "later call gets a fresh execution, not the dying one.",
        "tailscale pull request 12003, issue 18919",
        dialect={"sf_last_cancel": ("cancels",)},
        worlds=ASYNC,
        twins=["sf_last_cancel_leaks_execution", "sf_newcomer_joins_dying"],
    ),
    Clause(
        "SF-18",
        Level.MUST,
        "Calls that all overlap one execution cause exactly one execution.",
        GO,
        twins=["sf_runs_again_for_none"],
    ),
    Clause(
        "SF-19",
        Level.MAY,
        "The result is handed out by reference; isolating mutable results is the caller's "
        "business.",
        GO,
        untested="a freedom: nothing to break",
    ),
)
