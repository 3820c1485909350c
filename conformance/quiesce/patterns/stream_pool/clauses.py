"""The clauses of a worker pool's streams: those of the worker pool that speak of streaming."""

from __future__ import annotations

from quiesce.clauses import Clause, Level

__all__ = ["ASYNC", "CLAUSES"]

ASYNC = ("asyncio", "trio")
GO = "Go chan_test: TestMultiConsumer"

CLAUSES = (
    Clause(
        "WP-07",
        Level.MUST,
        "The source is pulled lazily: not before the first outcome is wanted, and items pulled or "
        "being pulled, less outcomes taken, never exceed the workers and the buffer together. As "
        "long as they are fewer the next item is pulled.",
        "CPython 146392, Executor.map with buffersize; the bound is ours",
        twins=["wp_eager_pull", "wp_pulls_before_it_is_asked"],
    ),
    Clause(
        "WP-12",
        Level.MUST,
        "A stop ends the stream for all who wait, and no job of it starts any more; a consumer "
        "that stops reading and then stops the pool leaves nothing behind.",
        "Go blog, Pipelines and cancellation: senders that nobody reads from leak",
        twins=["wp_result_sender_leak", "wp_feeder_stuck_after_cancel", "wp_works_on_after_stop"],
    ),
    Clause(
        "WP-17",
        Level.MUST,
        "The stream ends once, after the last outcome, and stays ended. If the source fails, its "
        "error comes after the outcomes and before the end, and is not taken for the end.",
        GO,
        twins=["wp_first_worker_closes_results", "wp_source_error_is_the_end", "wp_ends_only_once"],
    ),
    Clause(
        "WP-18",
        Level.MUST,
        "Each item is worked on once, by no more workers than there are, and its outcome is "
        "taken once: in the order of the items if the stream is ordered, else as jobs end.",
        "Python concurrent.futures: Executor.map is ordered, as_completed is not",
        twins=["wp_forgets_the_order", "wp_keeps_the_order_unasked", "wp_outcome_twice"],
    ),
)
