"""The clauses of contexts. CX-16 to CX-18 are those of the pattern ``cancel_scope``."""

from __future__ import annotations

from quiesce.clauses import Clause, Level

__all__ = ["ASYNC", "CLAUSES"]

GO = "Go context"
ASYNC = ("asyncio", "trio")

CLAUSES = (
    Clause(
        "CX-01",
        Level.MUST,
        "A new root, or a new child of a live parent, is not done: it has no error and no cause.",
        f"{GO}, x_test: TestBackground, TestWithCancel",
        twins=["cx_born_done"],
    ),
    Clause(
        "CX-02",
        Level.MUST,
        "cancel makes the scope done with the error kind cancelled, and that is visible when "
        "cancel returns.",
        f"{GO}: the doc of Done; x_test: TestWithCancel, which is stricter than the doc",
        twins=["cx_cancels_later"],
    ),
    Clause(
        "CX-03",
        Level.MUST,
        "The first cancellation decides error and cause; later ones change nothing.",
        f"{GO}, x_test: TestCause",
        twins=[
            "cx_last_cause_wins",
            "cx_cancel_replaces_deadline",
            "cx_deadline_replaces_cancel",
        ],
    ),
    Clause(
        "CX-04",
        Level.MUST,
        "A cancellation reaches all descendants, through scopes that only hold values too, "
        "before cancel returns.",
        f"{GO}, context_test: XTestParentFinishesChild; x_test: testLayers",
        twins=["cx_no_descend", "cx_reaches_children_only", "cx_stops_at_values"],
    ),
    Clause(
        "CX-05",
        Level.MUST,
        "A cancellation reaches neither parents nor siblings.",
        f"{GO}, context_test: XTestChildFinishesFirst",
        twins=["cx_climbs", "cx_takes_siblings"],
    ),
    Clause(
        "CX-06",
        Level.MUST,
        "A scope made under a done parent is born done, with the parent's error and cause; "
        "also when its creation races with the cancellation.",
        f"{GO}, x_test: TestWithCancelCanceledParent, TestWithCancelSimultaneouslyCanceledParent",
        twins=["cx_born_alive", "cx_registers_too_late"],
    ),
    Clause(
        "CX-07",
        Level.MUST,
        "The cause is what the first effective cancellation on the path was given, or the error "
        "itself if that was nothing; a child that was cancelled before its parent keeps its own.",
        f"{GO}, x_test: TestCause",
        needs=["causes"],
        twins=["cx_child_forgets_the_cause", "cx_deadline_forgets_its_cause"],
    ),
    Clause(
        "CX-08",
        Level.MUST,
        "A scope with a deadline is done exactly when the clock reaches it, with the error kind "
        "deadline; cancelled before that, with the kind cancelled; with a deadline that is now "
        "or past it is born done.",
        f"{GO}: WithDeadlineCause; x_test: TestDeadline, TestTimeout, TestCanceledTimeout",
        needs=["deadlines"],
        twins=["cx_timeout_reported_as_cancel", "cx_past_deadline_born_alive", "cx_late_by_one"],
    ),
    Clause(
        "CX-09",
        Level.MUST,
        "The effective deadline is the earlier of the own and the inherited one; if the "
        "inherited one comes first, the error kind is deadline and the cause the parent's.",
        f"{GO}: WithDeadlineCause; x_test: TestTimeout",
        needs=["deadlines"],
        twins=["cx_ignores_parent_deadline", "cx_shows_own_deadline"],
    ),
    Clause(
        "CX-10",
        Level.MUST,
        "A child that is cancelled or done is no longer linked from its parent, and its timer "
        "is stopped.",
        f"{GO}, context_test: XTestCancelRemoves",
        needs=["release"],
        twins=["cx_child_link_leak", "cx_timer_leak", "cx_stopped_callback_leak"],
    ),
    Clause(
        "CX-11",
        Level.MUST,
        "cancel waits neither for work nor for callbacks.",
        f"{GO}: the doc of CancelFunc; x_test: TestAfterFuncCalledAsynchronously",
        needs=["callbacks"],
        twins=["cx_callback_inline"],
    ),
    Clause(
        "CX-12",
        Level.MUST,
        "The error is set if and only if done is observable: whoever sees one of them sees the "
        "other.",
        f"{GO}, x_test: TestContextErrDoneRace; Go issue 75533",
        twins=["cx_err_before_done", "cx_done_before_err"],
    ),
    Clause(
        "CX-13",
        Level.MUST,
        "A callback that was registered runs at most once, in a task of its own, after the "
        "scope is done, and at once if it already is; stop returns true exactly when it "
        "prevented the run; registrations are independent.",
        f"{GO}: AfterFunc; x_test: the TestAfterFunc family",
        needs=["callbacks"],
        twins=[
            "cx_callback_twice",
            "cx_stop_lies",
            "cx_stop_does_not_stop",
            "cx_late_callback_lost",
        ],
    ),
    Clause(
        "CX-14",
        Level.SHOULD,
        "A detached child keeps the values, has no deadline, and is never done through its parent.",
        f"{GO}, x_test: TestWithoutCancel",
        needs=["detached"],
        twins=["cx_detached_is_reached"],
    ),
    Clause(
        "CX-15",
        Level.MUST,  # a scope need not offer values, which is what needs says
        "Of scoped values, where they are offered, the nearest binding wins, an explicit empty "
        "one hides those outside, and a cancellation changes none.",
        f"{GO}, x_test: TestValues, testLayers",
        needs=["values"],
        twins=["cx_outer_value_wins", "cx_empty_binding_is_skipped"],
    ),
)
