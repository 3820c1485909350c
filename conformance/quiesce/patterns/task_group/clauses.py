"""The clauses of the task group."""

from __future__ import annotations

from quiesce.clauses import Clause, Level

__all__ = ["ASYNC", "CLAUSES"]

GO = "Go x/sync/errgroup"
PY = "CPython asyncio/taskgroups"
ASYNC = ("asyncio", "trio")

CLAUSES = (
    Clause(
        "TG-01",
        Level.MUST,
        "A wait returns, and a block is left, only when every function that was started has "
        "returned.",
        f"{GO}: Wait",
        twins=["tg_wait_early", "tg_leaves_early"],
    ),
    Clause(
        "TG-02",
        Level.MUST,
        "A wait reports the error that was returned first in time; success reports none.",
        f"{GO}: Go; errgroup_test: TestZeroGroup",
        needs=["wait"],
        twins=["tg_last_error"],
    ),
    Clause(
        "TG-03",
        Level.MUST,
        "The first error cancels the group's scope at once, with that error as the cause, before "
        "a wait returns; in a structured group that reaches the other functions.",
        f"{GO}: WithContext; errgroup_test: TestCancelCause",
        dialect={"on_failure": ("cancel_rest",)},
        twins=["tg_cancel_at_wait_only", "tg_error_aborts_nothing"],
    ),
    Clause(
        "TG-04",
        Level.MUST,
        "When a wait has returned the scope is done, also after success.",
        f"{GO}_test: TestWithContext",
        needs=["look"],
        twins=["tg_success_leaves_scope_open"],
    ),
    Clause(
        "TG-05",
        Level.MUST,
        "Where failures don't cancel, an error changes nothing for the others: they run to their "
        "end, and what was to start starts.",
        f"{GO}: the documentation of Group",
        needs=["wait"],
        dialect={"on_failure": ("continue",)},
        twins=["tg_error_stops_rest"],
    ),
    Clause(
        "TG-06",
        Level.MUST,
        "Later errors are dropped (errors: first), or all are collected in one exception group "
        "(all). The cancellations of siblings are never part of it.",
        f"{GO}; {PY}",
        twins=["tg_error_lost_when_two_fail"],
    ),
    Clause(
        "TG-07",
        Level.MUST,
        "With a limit, no more functions than that run at any time.",
        f"{GO}_test: TestGoLimit",
        needs=["limit"],
        twins=["tg_limit_plus_one"],
    ),
    Clause(
        "TG-08",
        Level.MUST,
        "A slot is free again only after the error is recorded and the scope cancelled: whoever "
        "gets the slot sees the cancellation, and in a structured group nobody gets it.",
        f"{GO}: Go, where done is deferred first",
        needs=["limit"],
        dialect={"on_failure": ("cancel_rest",)},
        twins=["tg_slot_before_error"],
    ),
    Clause(
        "TG-09",
        Level.MUST,
        "A start at the limit waits until a slot frees; a free slot and a start that waits don't "
        "go together.",
        f"{GO}: Go",
        needs=["limit"],
        twins=["tg_slot_leak_on_error"],
    ),
    Clause(
        "TG-10",
        Level.MUST,
        "A start that waits is not abandoned when the scope is cancelled: its function runs, and "
        "looks at the scope itself.",
        f"{GO}: Go does not look at the context",
        needs=["look", "limit"],
        dialect={"blocked_start_on_cancel": ("runs",)},
        twins=["tg_drops_blocked_start"],
    ),
    Clause(
        "TG-11",
        Level.MUST,
        "A try-start never waits; it starts exactly if a slot is free at that moment, and a "
        "refusal leaves no trace. It may overtake starts that wait.",
        f"{GO}: TryGo; errgroup_test: TestTryGo",
        needs=["try"],
        twins=["tg_try_blocks", "tg_try_ignores_limit"],
    ),
    Clause(
        "TG-12",
        Level.MUST,
        "A negative limit is none. With the limit 0 a start waits for ever.",
        f"{GO}: SetLimit; errgroup_test: TestTryGo",
        needs=["limit_zero"],
        twins=["tg_limit_zero_is_none"],
    ),
    Clause(
        "TG-13",
        Level.MUST,
        "Changing the limit while functions run is refused, and changes nothing; that includes "
        "functions that were started without a limit.",
        f"{GO}: SetLimit, which overlooks functions started without a limit",
        needs=["set_limit"],
        twins=["tg_limit_change_unchecked"],
    ),
    Clause(
        "TG-14",
        Level.MUST,
        "A running function may start further ones, which are waited for as well. In a full "
        "group it waits for a slot, also if none can come free without it.",
        "Go sync/waitgroup: Go",
        twins=["tg_inside_refused"],
    ),
    Clause(
        "TG-15",
        Level.MUST,
        "Use after a wait is refused, or starts as before; then the first error stays.",
        f"{GO}_test: TestZeroGroup",
        needs=["wait"],
        twins=["tg_reuse_forgets_error"],
    ),
    Clause(
        "TG-16",
        Level.MUST,
        "Several may wait at once; all get the same answer.",
        f"{GO}: Wait",
        needs=["wait"],
        twins=["tg_one_waiter"],
    ),
    Clause(
        "TG-17",
        Level.MUST,
        "A function that blows up (BaseException) is reported like an error, and one that exits "
        "(SystemExit) as well, or alone (exits: alone): never swallowed, and nobody hangs.",
        f"{PY}: _is_base_error; Go crashes the process, issue 53757",
        twins=["tg_panic_strands", "tg_exit_swallowed", "tg_drops_panic"],
    ),
    Clause(
        "TG-18",
        Level.MUST,
        "A function that ends by Goexit counts as success and frees its slot.",
        f"{GO}: Go, deferred done",
        untested="Go only: in Python SystemExit is an exception, and TG-17 says what becomes of it",
    ),
    Clause(
        "TG-19",
        Level.MUST,
        "Leaving the block by an error, or cancelling whoever is in it, cancels all children and "
        "waits for them. Errors have priority over the bare cancellation, which else goes on.",
        f"{PY}: __aexit__; trio test_run: test_child_crash_wakes_parent",
        needs=["run"],
        worlds=ASYNC,
        twins=["tg_orphan_on_body_error", "tg_swallow_parent_cancel"],
    ),
    Clause(
        "TG-20",
        Level.MUST,
        "Starting into a group that is finished is refused loudly, as is, where declared, "
        "starting into one that aborts; a coroutine given to it is closed.",
        f"{PY}: create_task",
        needs=["run"],
        worlds=ASYNC,
        twins=["tg_takes_late_start", "tg_forgets_refused_coroutine"],
    ),
    Clause(
        "TG-21",
        Level.MUST,
        "Cancelling one child alone aborts nothing and is no error.",
        f"{PY}: _on_task_done",
        needs=["run", "cancel_child"],
        worlds=ASYNC,
        twins=["tg_child_cancel_is_error"],
    ),
    Clause(
        "TG-22",
        Level.MUST,
        "A child that ends or fails before it first waits is accounted for like any other.",
        "CPython issue 155418",
        needs=["run", "immediate"],
        worlds=ASYNC,
        twins=["tg_eager_child_missed"],
    ),
    Clause(
        "TG-23",
        Level.MUST,
        "However a wait or a block ends, nothing that the group started is left.",
        "Go testing/synctest: a bubble ends when all its goroutines have",
        needs=["stop"],
        twins=["tg_leaves_a_task"],
    ),
)
