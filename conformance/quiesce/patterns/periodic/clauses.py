"""The clauses of a periodic task: the task form of section TK."""

from __future__ import annotations

from quiesce.clauses import Clause, Level

__all__ = ["ASYNC", "CLAUSES"]

ASYNC = ("asyncio", "trio")

CLAUSES = (
    Clause(
        "TK-08",
        Level.MUST,
        "stop makes the loop end without waiting for the next period; wait returns when it has "
        "ended, and no run begins after that stop.",
        "Go: a select on the ticker and on done",
        twins=["tk_stop_waits_full_period", "tk_run_after_stop", "tk_wait_does_not_cover_run"],
    ),
    Clause(
        "TK-09",
        Level.MUST,
        "Runs of one task never overlap, and a long run never causes a burst: due times that "
        "passed meanwhile are dropped, or one of them is kept and runs at once, as declared. The "
        "phase is kept either way.",
        "Go time/tick.go: NewTicker, with the loop's body as the slow receiver",
        twins=["tk_overlap", "tk_burst_after_long_run", "tk_phase_lost_after_long_run"],
    ),
    Clause(
        "TK-10",
        Level.MUST,
        "A run that fails is not silent: it ends the task and surfaces at wait, or goes to a "
        "handler and the schedule goes on, as declared.",
        "Python asyncio: the error of a task that nobody awaits shows at its collection only",
        needs=["errors"],
        twins=["tk_dies_silently", "tk_dies_despite_handler"],
    ),
    Clause(
        "TK-11",
        Level.MUST,
        "There is a way out of the loop: after stop and wait nothing of it is left.",
        "Go time/tick.go; testing/synctest: TestDeadlockTicker",
        needs=["stop"],
        twins=["tk_no_stop"],
    ),
    Clause(
        "TK-12",
        Level.MUST,
        "stop from inside the run works and does not block; wait from inside is refused.",
        "the reference; Python threading: a thread can't join itself",
        twins=["tk_stop_inside_blocks", "tk_wait_inside_blocks"],
    ),
)
