"""The clauses of the worker pool."""

from __future__ import annotations

from quiesce.clauses import Clause, Level

__all__ = ["ASYNC", "CLAUSES"]

ASYNC = ("asyncio", "trio")
EXECUTOR = "Python concurrent.futures: ThreadPoolExecutor"
GO = "Go chan_test: TestMultiConsumer"

CLAUSES = (
    Clause(
        "WP-01",
        Level.MUST,
        "At most as many jobs run at once as the pool has workers.",
        f"{EXECUTOR}, max_workers",
        twins=["wp_extra_worker"],
    ),
    Clause(
        "WP-02",
        Level.MUST,
        "No worker idles while a job is queued: at quiescence as many jobs run as there are "
        "workers, or all that were accepted and have not ended.",
        "the definition of a work-conserving queue",
        twins=["wp_idle_worker"],
    ),
    Clause(
        "WP-03",
        Level.MUST,
        "Each accepted job runs exactly once, unless it is cancelled before it starts.",
        GO,
        twins=["wp_double_take"],
    ),
    Clause(
        "WP-04",
        Level.MUST,
        "Each job has exactly one outcome, and whoever asks for it gets that job's.",
        f"{EXECUTOR}, submit returns the job's own future",
        twins=["wp_outcome_swapped", "wp_outcome_never_arrives"],
    ),
    Clause(
        "WP-05",
        Level.MUST,
        "With one worker jobs run in the order in which they were accepted; with several they "
        "are taken in that order and end as they may. Whether blocked submitters are let in first "
        "come, first served is the dialect fifo.",
        f"{EXECUTOR}, work queue",
        twins=["wp_last_in_first_out"],
    ),
    Clause(
        "WP-06",
        Level.MUST,
        "Back-pressure: with as many jobs inside as there are workers and places in the queue, "
        "submit blocks and try_submit refuses; with fewer neither does.",
        "Go: a buffered channel of jobs. ThreadPoolExecutor queues without bound: it lacks this",
        needs=["bounded"],
        twins=["wp_unbounded_queue", "wp_refuses_although_there_is_room"],
    ),
    Clause(
        "WP-08",
        Level.MUST,
        "Once the pool is closed submits fail, blocked ones as well; queued and running jobs "
        "finish.",
        f"{GO}; {EXECUTOR}, shutdown",
        twins=["wp_lost_job_at_close", "wp_accepts_after_close"],
    ),
    Clause(
        "WP-09",
        Level.MUST,
        "After the pool is cancelled no queued job starts; running jobs are told where a job can "
        "be told, and blocked submitters are released.",
        "Go context; Python shutdown(cancel_futures=True)",
        needs=["cancel"],
        twins=[
            "wp_starts_after_cancel",
            "wp_submitter_stuck_after_cancel",
            "wp_accepts_after_cancel",
            "wp_cancel_tells_no_job",
        ],
    ),
    Clause(
        "WP-10",
        Level.MUST,
        "A failing job is reported with that job. The pool goes on with all its workers, or it "
        "cancels the rest and a wait raises the first error, as declared in on_failure.",
        f"{EXECUTOR}: _WorkItem.run; Go x/sync/errgroup: Wait",
        twins=["wp_worker_dies_on_error", "wp_failure_is_ignored", "wp_failure_is_forgotten"],
    ),
    Clause(
        "WP-11",
        Level.MUST,
        "A wait returns when every accepted job has ended, and not before; it can be repeated, "
        "and needs no job.",
        f"{EXECUTOR}, shutdown(wait=True); Go sync.WaitGroup",
        twins=["wp_wait_early", "wp_wait_needs_a_job"],
    ),
    Clause(
        "WP-13",
        Level.MUST,
        "A pool without workers is refused when it is made.",
        f"{EXECUTOR}: max_workers must be greater than 0",
        twins=["wp_makes_a_pool_without_workers"],
    ),
    Clause(
        "WP-14",
        Level.MUST,
        "A job may submit jobs to its own pool. With no room, and all workers in such jobs, it "
        "blocks until the pool is closed.",
        "Python docs on executor deadlocks: tasks that wait for each other",
        needs=["submit_inside"],
        twins=["wp_refuses_inside"],
    ),
    Clause(
        "WP-15",
        Level.MUST,
        "A job that is cancelled while it is queued never runs. Cancelling a running one says no, "
        "or interrupts it, as declared; cancelling one that has ended says no.",
        "Python concurrent.futures: Future.cancel, _WorkItem.run",
        needs=["cancel_job"],
        twins=["wp_cancelled_job_runs", "wp_cancel_says_yes_too_often"],
    ),
    Clause(
        "WP-16",
        Level.SHOULD,
        "A job that blows up, by no Exception, takes no worker along: it is reported as an error "
        "is, and the pool goes on.",
        f"{EXECUTOR}: _WorkItem.run catches BaseException",
        needs=["panic"],
        worlds=("threads",),
        twins=["wp_worker_dies_of_a_panic"],
    ),
)
