"""The clauses of pipelines."""

from __future__ import annotations

from quiesce.clauses import Clause, Level

__all__ = ["ASYNC", "CLAUSES"]

ASYNC = ("asyncio", "trio")
GO = "Go blog, Pipelines and cancellation"

CLAUSES = (
    Clause(
        "PL-01",
        Level.MUST,
        "Who receives sees the stage functions applied one after the other to the items of the "
        "source: nothing is lost, nothing doubled.",
        f"{GO}: square",
        twins=["pl_item_in_hand_dropped", "pl_works_twice", "pl_end_before_last_item"],
    ),
    Clause(
        "PL-02",
        Level.MUST,
        "A stage with one worker keeps the order; one with more does so if it is declared ordered.",
        "Go specification: channels are first in, first out",
        dialect={"ordered": ("yes",)},
        twins=["pl_reorder"],
    ),
    Clause(
        "PL-03",
        Level.MUST,
        "Back-pressure: when nobody receives, the source is pulled as often as there is room and "
        "no more: for each stage its workers and its buffer, one for the feeder, and what the "
        "adapter declares to be ahead.",
        f"{GO}: sends block; the sum is the specification's own",
        twins=["pl_unbounded_buffer", "pl_read_ahead"],
    ),
    Clause(
        "PL-04",
        Level.MUST,
        "The end travels: each stage ends its output once, after its input has ended and its last "
        "worker has delivered; whoever receives is told so, then and later.",
        f"{GO}: each stage closes its output",
        twins=["pl_end_not_forwarded", "pl_two_workers_end_twice", "pl_end_before_last_item"],
    ),
    Clause(
        "PL-05",
        Level.MUST,
        "Cancelling ends every stage, also one that is blocked in a send, in a receive or in its "
        "function, as far as functions can be interrupted; the source is not pulled any more.",
        "Go context: Done, in a select with the send",
        twins=[
            "pl_send_ignores_cancel",
            "pl_only_first_stage_cancelled",
            "pl_pulls_after_cancel",
        ],
    ),
    Clause(
        "PL-06",
        Level.MUST,
        "Leaving early has the same effect, and returns when all stages have ended.",
        f"{GO}: done is closed when the reader returns",
        twins=["pl_early_exit_leak"],
    ),
    Clause(
        "PL-07",
        Level.MUST,
        "When a stage function or the source fails, that first error is what receiving tells "
        "from then on; all stages end, and what was not received is dropped.",
        "Go x/sync/errgroup: example Pipeline",
        twins=["pl_error_as_end", "pl_goes_on_after_a_failure"],
    ),
    Clause(
        "PL-08",
        Level.MUST,
        "After a cancellation or a failure nothing more is received; what was received before "
        "has no doubles and, where order is kept, no gaps.",
        f"{GO}; Go x/sync/errgroup: example Pipeline",
        twins=["pl_delivers_after_cancel"],
    ),
    Clause(
        "PL-09",
        Level.MUST,
        "Waiting returns when all stages have ended, and raises the first error if there was one.",
        "Go x/sync/errgroup: Wait",
        twins=["pl_wait_hides_the_error", "pl_wait_is_early"],
    ),
    Clause(
        "PL-10",
        Level.MUST,
        "No stage function is called once a cancellation is visible.",
        "Go x/sync/errgroup: example Pipeline",
        twins=["pl_works_on_after_cancel"],
    ),
    Clause(
        "PL-11",
        Level.SHOULD,
        "Each stage's clean-up runs exactly once on every path.",
        f"{GO}: each stage closes its output in a defer",
        untested="a stage here is a function without a clean-up of its own; that its workers end "
        "is PL-05 to PL-07 and UN-01",
    ),
    Clause(
        "PL-12",
        Level.MUST,
        "With an empty source all stages end, and no stage function is called.",
        f"{GO}: a closed input ends each stage",
        twins=["pl_hangs_without_items"],
    ),
)
