"""The clauses of fan-out."""

from __future__ import annotations

from quiesce.clauses import Clause, Level

__all__ = ["ASYNC", "CLAUSES"]

GO = "Go x/sync/errgroup"
ASYNC = ("asyncio", "trio")

CLAUSES = (
    Clause(
        "FO-01",
        Level.MUST,
        "Result i belongs to input i, whatever the order in which the functions end.",
        f"{GO}: example Parallel stores results by index",
        twins=["fo_completion_order", "fo_shared_loop_variable"],
    ),
    Clause(
        "FO-02",
        Level.MUST,
        "Each input's function is called exactly once with that input, and each result slot is "
        "written by that call alone.",
        f"{GO}: example Parallel; the loop variable that all goroutines shared before Go 1.22",
        twins=["fo_shared_loop_variable", "fo_double_write", "fo_calls_twice"],
    ),
    Clause(
        "FO-03",
        Level.MUST,
        "After a failure no list of results is returned: the first error in time is raised (or "
        "all of them, or the first by input, as declared), and the rest is stopped (or goes on, "
        "as declared).",
        f"{GO}: Wait returns the first error; asyncio: TaskGroup",
        twins=["fo_partial_result_on_error", "fo_last_error", "fo_takes_inputs_after_a_failure"],
    ),
    Clause(
        "FO-04",
        Level.MUST,
        "The call ends only when every function that it started has ended.",
        f"{GO}: Wait; trio: a nursery's end",
        twins=["fo_return_before_stragglers"],
    ),
    Clause(
        "FO-05",
        Level.MUST,
        "A limit bounds how many functions run at the same time, and inputs are taken in order.",
        f"{GO}: SetLimit",
        needs=["limit"],
        twins=["fo_ignores_the_limit", "fo_takes_inputs_backwards"],
    ),
    Clause(
        "FO-06",
        Level.MUST,
        "Without inputs the result is empty and there at once; nothing is started.",
        f"{GO}: Wait of a group that started nothing",
        twins=["fo_hangs_without_inputs"],
    ),
    Clause(
        "FO-12",
        Level.MUST,
        "Nobody has to offer a race of functions; where there is one, the first success wins: its "
        "value is returned once the losers were cancelled and have ended, and if all fail, all "
        "errors are raised.",
        "JavaScript Promise.any; trio documentation: racing functions in a nursery",
        needs=["first_success"],
        twins=["fo_first_end_wins", "fo_losers_go_on"],
    ),
)
