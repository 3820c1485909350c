"""The model of a worker pool, judged by hand: who gets in, what runs, and what a stop changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from quiesce.adapters import Adapter
from quiesce.model import BLOCKED, Burst, Checker, Entry, View, name
from quiesce.patterns.worker_pool import WORKER_POOL
from quiesce.stimuli import Began, Cancelled, Fact, Finished

REFUSED = ("raised", ("refused",))
GONE = ("cancelled",)
ACCEPTED = ("returned", "accepted")
TAKEN = ("returned", "taken")
JOINED = ("returned", "joined")
CLOSED = ("returned", "closed")
STOPPED = ("returned", "cancelled")

Outcome = tuple[Any, ...]
Executions = Sequence[tuple[int, int, str]]
Seen = tuple[Sequence[Fact], Mapping[int, Outcome], Executions]


def model_of(
    workers: int = 1,
    queue: int | None = 1,
    fifo: str = "yes",
    running: str = "runs_on",
    failure: str = "continue",
) -> Any:
    dialect = {"fifo": fifo, "cancel_running": running, "on_failure": failure}
    adapter = Adapter("hand", "worker_pool", "asyncio", "", "", dialect=dialect)
    return WORKER_POOL.model(adapter, {"workers": workers, "queue": queue})


def entry(seen: Seen) -> Entry:
    """What was seen after a burst whose facts may have taken effect in any order."""
    facts, calls, executions = seen
    burst = Burst(tuple(facts), tuple(frozenset[int]() for _ in facts))
    return Entry((0,), burst, View(tuple(sorted(calls.items())), tuple(executions)))


def allows(model: Any, *seen: Seen) -> bool:
    checker = Checker(model)
    return all(checker.compare(entry(each)) for each in seen)


def blamed(model: Any, *seen: Seen) -> str:
    """The signature of the last thing seen, which the model doesn't allow."""
    checker = Checker(model)
    entries = [entry(each) for each in seen]
    assert all(checker.compare(each) for each in entries[:-1])
    assert not checker.compare(entries[-1])
    return name(model, entries, checker.predict(entries[-1]))


def submit(call: int, inside: int | None = None) -> Began:
    return Began(call, "submit", (), inside)


def of(call: int, operation: str, job: int) -> Began:
    return Began(call, operation, (("of", job),))


def plain(call: int, operation: str) -> Began:
    return Began(call, operation, ())


def value(index: int) -> Outcome:
    return ("returned", ("value", index))


RUN_0 = (0, 0, "running")
END_0 = (0, 0, "ended")
FIRST: Seen = ([submit(0)], {0: ACCEPTED}, [RUN_0])
SECOND: Seen = ([submit(1)], {1: ACCEPTED}, [RUN_0])
THIRD_WAITS: Seen = ([submit(2)], {2: BLOCKED}, [RUN_0])


def test_with_worker_and_queue_taken_a_submitter_waits_and_a_try_is_refused() -> None:
    assert allows(model_of(), FIRST, SECOND, THIRD_WAITS)
    assert allows(model_of(), FIRST, SECOND, ([plain(2, "try_submit")], {2: REFUSED}, [RUN_0]))
    assert blamed(model_of(), FIRST, SECOND, ([submit(2)], {2: ACCEPTED}, [RUN_0])) == (
        "WP-06 submit returns although there is no room"
    )


def test_an_endless_queue_makes_nobody_wait() -> None:
    model = model_of(queue=None)
    assert allows(model, FIRST, SECOND, ([submit(2)], {2: ACCEPTED}, [RUN_0]))
    assert not allows(model, FIRST, SECOND, THIRD_WAITS)


def test_a_rendezvous_accepts_only_what_can_run() -> None:
    model = model_of(queue=0)
    waits: Seen = ([submit(1)], {1: BLOCKED}, [RUN_0])
    assert allows(
        model, FIRST, waits, ([Finished(0, "value")], {1: ACCEPTED}, [END_0, (1, 1, "running")])
    )


def test_the_end_of_a_job_lets_the_queued_one_run_and_a_submitter_in() -> None:
    end: Seen = ([Finished(0, "value")], {2: ACCEPTED}, [END_0, (1, 1, "running")])
    assert allows(model_of(), FIRST, SECOND, THIRD_WAITS, end)
    idle: Seen = ([Finished(0, "value")], {2: ACCEPTED}, [END_0])
    assert blamed(model_of(), FIRST, SECOND, THIRD_WAITS, idle).startswith("WP-02")


@pytest.mark.parametrize(("fifo", "overtakes"), [("yes", False), ("no", True)])
def test_whether_blocked_submitters_overtake_is_a_dialect(fifo: str, overtakes: bool) -> None:
    fourth: Seen = ([submit(3)], {2: BLOCKED, 3: BLOCKED}, [RUN_0])
    end: Seen = (
        [Finished(0, "value")],
        {2: BLOCKED, 3: ACCEPTED},
        [END_0, (1, 1, "running")],
    )
    assert allows(model_of(fifo=fifo), FIRST, SECOND, THIRD_WAITS, fourth, end) is overtakes


def test_a_failing_job_costs_no_worker() -> None:
    assert allows(
        model_of(), FIRST, SECOND, ([Finished(0, "error")], {}, [END_0, (1, 1, "running")])
    )
    assert blamed(model_of(), FIRST, SECOND, ([Finished(0, "error")], {}, [END_0])) == (
        "WP-10 a worker is lost with a failing job"
    )


def test_a_failing_job_may_cancel_the_rest_and_then_a_wait_raises_its_error() -> None:
    model = model_of(failure="cancel_rest")
    error = ("raised", ("error", 0))
    fails: Seen = ([Finished(0, "error")], {}, [END_0])
    assert allows(model, FIRST, SECOND, fails, ([plain(2, "join")], {2: error}, []))
    goes_on: Seen = ([Finished(0, "error")], {}, [END_0, (1, 1, "running")])
    last: Seen = ([Finished(1, "value")], {}, [(1, 1, "ended")])
    late: Seen = ([submit(2)], {2: ACCEPTED}, [(2, 2, "running")])
    assert blamed(model, FIRST, SECOND, goes_on, last, late).startswith("WP-10")
    silent: Seen = ([plain(2, "join")], {2: JOINED}, [])
    assert blamed(model, FIRST, SECOND, fails, silent) == (
        "WP-10 a wait does not raise the failure"
    )


def test_a_result_is_that_jobs_own() -> None:
    asked: Seen = ([of(1, "result", 0)], {1: BLOCKED}, [RUN_0])
    assert allows(model_of(), FIRST, asked, ([Finished(0, "value")], {1: value(0)}, [END_0]))
    other: Seen = ([Finished(0, "value")], {1: ("returned", None)}, [END_0])
    assert blamed(model_of(), FIRST, asked, other).startswith("WP-04")


def test_an_error_reaches_who_asks_and_nobody_gets_another() -> None:
    asked: Seen = ([of(1, "result", 0)], {1: BLOCKED}, [RUN_0])
    lost: Seen = ([Finished(0, "error")], {1: ("returned", None)}, [END_0])
    assert blamed(model_of(), FIRST, asked, lost).startswith("UN-05")


def test_a_close_refuses_who_is_blocked_and_keeps_what_is_queued() -> None:
    closed: Seen = ([plain(3, "close")], {2: REFUSED, 3: CLOSED}, [RUN_0])
    goes_on: Seen = ([Finished(0, "value")], {}, [END_0, (1, 1, "running")])
    assert allows(model_of(), FIRST, SECOND, THIRD_WAITS, closed, goes_on)
    lost: Seen = ([Finished(0, "value")], {}, [END_0])
    assert blamed(model_of(), FIRST, SECOND, THIRD_WAITS, closed, lost) == (
        "WP-08 a queued job is lost at the close"
    )


def test_a_join_ends_with_the_last_job_and_at_once_without_one() -> None:
    assert allows(model_of(), ([plain(0, "join")], {0: JOINED}, []))
    joins: Seen = ([plain(1, "join")], {1: BLOCKED}, [RUN_0])
    assert allows(model_of(), FIRST, joins, ([Finished(0, "none")], {1: JOINED}, [END_0]))
    early: Seen = ([plain(1, "join")], {1: JOINED}, [RUN_0])
    assert blamed(model_of(), FIRST, early) == "WP-11 a wait returns early"


def test_a_cancelled_pool_drops_its_queue_and_lets_threads_run_on() -> None:
    stops: Seen = ([plain(2, "cancel")], {2: STOPPED}, [RUN_0])
    assert allows(model_of(), FIRST, SECOND, stops, ([Finished(0, "value")], {}, [END_0]))
    runs: Seen = ([Finished(0, "value")], {}, [END_0, (1, 1, "running")])
    assert blamed(model_of(), FIRST, SECOND, stops, runs).startswith("WP-09 a job starts")


def test_a_job_that_a_worker_takes_while_the_pool_is_cancelled_may_run() -> None:
    both: Seen = (
        [Finished(0, "value"), plain(2, "cancel")],
        {2: STOPPED},
        [END_0, (1, 1, "running")],
    )
    assert allows(model_of(), FIRST, SECOND, both)
    assert not allows(model_of(running="interrupted"), FIRST, SECOND, both)


def test_a_cancelled_pool_interrupts_tasks() -> None:
    model = model_of(running="interrupted")
    stops: Seen = ([plain(2, "cancel")], {2: STOPPED}, [(0, 0, "cancelled")])
    assert allows(model, FIRST, SECOND, stops)
    ignored: Seen = ([plain(2, "cancel")], {2: STOPPED}, [RUN_0])
    assert blamed(model, FIRST, SECOND, ignored) == "WP-09 a running job is not told to end"


def test_a_job_that_was_cancelled_in_the_queue_never_runs() -> None:
    gone: Seen = ([of(2, "cancel_job", 1)], {2: ("returned", True)}, [RUN_0])
    assert allows(model_of(), FIRST, SECOND, gone, ([of(3, "result", 1)], {3: REFUSED}, [RUN_0]))
    runs: Seen = ([Finished(0, "value")], {}, [END_0, (1, 1, "running")])
    assert blamed(model_of(), FIRST, SECOND, gone, runs).startswith("WP-15")


def test_a_submitter_who_is_cancelled_leaves_no_job() -> None:
    gone: Seen = ([Cancelled(2)], {2: GONE}, [RUN_0])
    end: Seen = ([Finished(0, "value")], {}, [END_0, (1, 1, "running")])
    last: Seen = ([Finished(1, "value")], {}, [(1, 1, "ended")])
    assert allows(model_of(), FIRST, SECOND, THIRD_WAITS, gone, end, last)
    ghost: Seen = ([Finished(1, "value")], {}, [(1, 1, "ended"), (2, 2, "running")])
    assert blamed(model_of(), FIRST, SECOND, THIRD_WAITS, gone, end, ghost).startswith("UN-04")


def test_a_submit_and_its_cancellation_end_in_one_of_two_ways() -> None:
    model = model_of(queue=None)
    burst: list[Fact] = [submit(1), Cancelled(1)]
    end: Seen = ([Finished(0, "value")], {}, [END_0])
    assert allows(model, FIRST, (burst, {1: GONE}, [RUN_0]), end)
    runs: Seen = ([Finished(0, "value")], {}, [END_0, (1, 1, "running")])
    assert allows(model, FIRST, (burst, {1: ACCEPTED}, [RUN_0]), runs)
    assert not allows(model, FIRST, (burst, {1: GONE}, [RUN_0]), runs)


def test_a_job_may_submit_and_waits_for_room_as_anybody() -> None:
    inside: Seen = ([submit(2, inside=0)], {2: BLOCKED}, [RUN_0])
    assert allows(
        model_of(), FIRST, SECOND, inside, ([plain(3, "close")], {2: REFUSED, 3: CLOSED}, [RUN_0])
    )
    refused: Seen = ([submit(1, inside=0)], {1: REFUSED}, [RUN_0])
    assert blamed(model_of(), FIRST, refused) == "WP-14 a job cannot submit to its own pool"


def test_a_second_running_job_is_one_too_many_for_one_worker() -> None:
    two: Seen = ([submit(1)], {1: ACCEPTED}, [RUN_0, (1, 1, "running")])
    assert blamed(model_of(), FIRST, two) == "WP-01 more jobs run than there are workers"
