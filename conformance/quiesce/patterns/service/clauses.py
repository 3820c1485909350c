"""The clauses of a background service: section BG."""

from __future__ import annotations

from quiesce.clauses import Clause, Level

__all__ = ["ASYNC", "CLAUSES"]

ASYNC = ("asyncio", "trio")

CLAUSES = (
    Clause(
        "BG-01",
        Level.MUST,
        "start returns when the task is accounted for: a stop right after it is seen by the task.",
        "Go sync.WaitGroup: Add before the go statement; asyncio: a task cancelled before its "
        "first step never runs",
        twins=["bg_stop_lost_if_early", "bg_fire_and_forget"],
    ),
    Clause(
        "BG-02",
        Level.MUST,
        "wait before stop blocks until the task ends by itself; after that it returns, or raises "
        "the task's error, every time.",
        "Go x/sync/errgroup: Wait; Python concurrent.futures: Future.result",
        twins=["bg_error_told_once", "bg_exit_is_silent", "bg_wait_returns_at_once"],
    ),
    Clause(
        "BG-03",
        Level.MUST,
        "The clean-up runs exactly once and to its end, before wait returns: after an end, an "
        "error and a stop alike.",
        "Go: defer in the goroutine; trio: a shielded finally",
        twins=[
            "bg_cleanup_skipped_on_cancel",
            "bg_cleanup_skipped_on_error",
            "bg_cleanup_twice",
            "bg_wait_before_cleanup",
        ],
    ),
    Clause(
        "BG-04",
        Level.MUST,
        "stop during a long step: the step sees the request, and wait covers the step.",
        "Go context: Done inside the goroutine; CancelFunc does not wait",
        twins=["bg_step_never_hears_of_stop", "bg_wait_does_not_cover_step"],
    ),
    Clause(
        "BG-05",
        Level.MUST,
        "start twice is refused or changes nothing, as declared; so is start after the end, or it "
        "starts anew.",
        "Python threading: a thread can be started once",
        twins=["bg_starts_twice", "bg_restarts"],
    ),
)
