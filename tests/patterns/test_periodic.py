"""The model of a periodic task, judged by hand."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import pytest

from quiesce.adapters import Adapter
from quiesce.model import BLOCKED, Burst, Checker, Entry, View, name
from quiesce.patterns.periodic import PERIODIC
from quiesce.patterns.periodic.model import HANDLER
from quiesce.stimuli import Began, Cancelled, Fact, Finished, Ticked
from quiesce.worlds.world import START

PERIOD = 100
GONE = ("cancelled",)
DONE = ("returned", None)
REFUSED = ("raised", ("refused",))

Outcome = tuple[Any, ...]
Executions = Sequence[tuple[int, Hashable, str]]
Seen = tuple[Sequence[Fact], dict[int, Outcome], Executions]


def model_of(lacks: Iterable[str] = (), **dialect: str) -> Any:
    adapter = Adapter(
        "hand", "periodic", "asyncio", "", "", lacks=frozenset(lacks), dialect=dialect
    )
    return PERIODIC.model(adapter, {"period": PERIOD})


def entry(facts: Sequence[Fact], calls: dict[int, Outcome], executions: Executions = ()) -> Entry:
    burst = Burst(tuple(facts), tuple(frozenset[int]() for _ in facts))
    return Entry((0,), burst, View(tuple(sorted(calls.items())), tuple(executions)))


def allows(model: Any, *seen: Seen) -> bool:
    checker = Checker(model)
    return all(checker.compare(entry(*each)) for each in seen)


def error(index: int) -> Outcome:
    return ("raised", ("error", index))


def wait(call: int, inside: int | None = None) -> Began:
    return Began(call, "wait", (), inside)


def stop(call: int, inside: int | None = None) -> Began:
    return Began(call, "stop", (), inside)


def at(instant: int) -> Ticked:
    return Ticked(START + instant)


def run(index: int, phase: str = "running") -> tuple[int, Hashable, str]:
    return (index, None, phase)


DUE: Seen = ([at(100)], {}, [run(0)])
PASSED: Seen = ([at(200)], {}, [run(0)])
ENDS: Seen = ([Finished(0, "value")], {}, [run(0, "ended")])


def test_a_run_begins_at_its_due_time_and_no_other():
    early: Seen = ([at(99)], {}, [])

    assert allows(model_of(), early, DUE, ENDS, ([at(200)], {}, [run(1)]))
    assert not allows(model_of(), ([at(99)], {}, [run(0)]))
    assert not allows(model_of(), ([at(100)], {}, []))


def test_the_first_run_may_be_declared_to_come_at_once():
    at_once: Seen = ([], {}, [run(0)])

    assert allows(model_of(first_run="at_once"), at_once, ENDS, ([at(100)], {}, [run(1)]))
    assert not allows(model_of(), at_once)


@pytest.mark.parametrize("overrun", PERIODIC.dialects["overrun"])
def test_a_due_time_that_meets_a_run_is_dropped_or_follows_at_its_end(overrun):
    follows: Seen = ([Finished(0, "value")], {}, [run(0, "ended"), run(1)])
    kept = overrun == "run_once"

    assert allows(model_of(overrun=overrun), DUE, PASSED, ENDS) != kept
    assert (
        allows(model_of(overrun=overrun), DUE, PASSED, ([at(300)], {}, [run(0)]), follows) == kept
    )


@pytest.mark.parametrize("overrun", PERIODIC.dialects["overrun"])
def test_runs_never_overlap(overrun):
    assert not allows(model_of(overrun=overrun), DUE, ([at(200)], {}, [run(0), run(1)]))


def test_after_a_long_run_the_phase_is_kept():
    late: Seen = ([at(250)], {}, [run(0)])

    assert allows(model_of(), DUE, PASSED, late, ENDS, ([at(300)], {}, [run(1)]))
    assert not allows(model_of(), DUE, PASSED, late, ENDS, ([at(300)], {}, []))


def test_stop_between_runs_ends_the_loop_at_once_and_for_good():
    waits: Seen = ([wait(0)], {0: BLOCKED}, [])
    stops: Seen = ([stop(1)], {0: DONE, 1: DONE}, [])

    assert allows(model_of(), waits, stops, ([at(100)], {}, []), ([wait(2)], {2: DONE}, []))
    assert not allows(model_of(), waits, ([stop(1)], {0: BLOCKED, 1: DONE}, []))
    assert not allows(model_of(), waits, stops, ([at(100)], {}, [run(0)]))


@pytest.mark.parametrize(("delivery", "phase"), [("cooperative", "running"), ("edge", "cancelled")])
def test_stop_lets_a_run_end_or_cancels_it_as_declared(delivery, phase):
    waited = BLOCKED if phase == "running" else DONE
    seen: Seen = ([stop(1), wait(2)], {1: DONE, 2: waited}, [run(0, phase)])

    assert allows(model_of(cancel_delivery=delivery), DUE, seen)
    other = "edge" if delivery == "cooperative" else "cooperative"
    assert not allows(model_of(cancel_delivery=other), DUE, seen)


def test_the_error_of_a_run_ends_the_task_and_comes_out_of_every_wait():
    waits: Seen = ([wait(0)], {0: BLOCKED}, [run(0)])
    fails: Seen = ([Finished(0, "error")], {0: error(0)}, [run(0, "ended")])
    later: Seen = ([wait(1)], {1: error(0)}, [])

    assert allows(model_of(), DUE, waits, fails, later, later, ([at(200)], {}, []))
    assert not allows(model_of(), DUE, waits, fails, ([wait(1)], {1: DONE}, []))


def test_the_handler_counts_as_part_of_the_run_and_the_schedule_goes_on():
    model = model_of(on_failure="continues")
    handled: Seen = ([Finished(0, "error")], {}, [run(0, "ended"), (1, HANDLER, "running")])
    met: Seen = ([at(200)], {}, [(1, HANDLER, "running")])
    back: Seen = ([Finished(1, "value")], {}, [(1, HANDLER, "ended")])

    assert allows(model, DUE, handled, met, back, ([at(300)], {}, [run(2)]))
    assert not allows(model, DUE, ([Finished(0, "error")], {}, [run(0, "ended")]))


def test_without_a_handler_the_schedule_goes_on_all_the_same():
    model = model_of({"handler"}, on_failure="continues")
    fails: Seen = ([Finished(0, "error")], {}, [run(0, "ended")])

    assert allows(model, DUE, fails, ([at(200)], {}, [run(1)]))


def test_a_handler_that_fails_ends_the_task():
    model = model_of(on_failure="continues")
    handled: Seen = ([Finished(0, "error")], {}, [run(0, "ended"), (1, HANDLER, "running")])
    fails: Seen = ([Finished(1, "error")], {}, [(1, HANDLER, "ended")])

    assert allows(model, DUE, handled, fails, ([wait(0)], {0: error(1)}, []))


def test_a_run_may_stop_its_own_loop_and_may_not_wait_for_it():
    stops: Seen = ([stop(0, inside=0)], {0: DONE}, [run(0)])
    waits: Seen = ([wait(1, inside=0)], {1: REFUSED}, [run(0)])

    assert allows(model_of(), DUE, stops, waits, ENDS, ([wait(2)], {2: DONE}, []))


def test_a_run_may_wait_for_another_task():
    assert allows(model_of(), DUE, ([wait(0, inside=-1)], {0: BLOCKED}, [run(0)]))


WAITS: Seen = ([wait(0)], {0: BLOCKED}, [run(0)])
STOPS: Seen = ([stop(1)], {1: DONE}, [run(0)])


@pytest.mark.parametrize(
    ("clause", "seen"),
    [
        ("TK-08", [([wait(0)], {0: BLOCKED}, []), ([stop(1)], {0: BLOCKED, 1: DONE}, [])]),
        ("TK-08", [([stop(1)], {1: DONE}, []), ([at(100)], {}, [run(0)])]),
        ("TK-08", [DUE, STOPS, ([wait(0)], {0: DONE}, [run(0)])]),
        ("TK-08", [DUE, ([stop(1)], {1: DONE}, [run(0, "cancelled")])]),
        ("TK-09", [DUE, ([at(200)], {}, [run(0), run(1)])]),
        ("TK-09", [DUE, PASSED, ([Finished(0, "value")], {}, [run(0, "ended"), run(1)])]),
        ("TK-09", [DUE, ENDS, ([at(200)], {}, [])]),
        ("TK-10", [DUE, WAITS, ([Finished(0, "error")], {0: DONE}, [run(0, "ended")])]),
        ("TK-12", [DUE, ([stop(0, inside=0)], {0: BLOCKED}, [run(0)])]),
        ("TK-12", [DUE, ([wait(0, inside=0)], {0: BLOCKED}, [run(0)])]),
        ("UN-02", [DUE, ([stop(0)], {0: BLOCKED}, [run(0)])]),
        ("UN-04", [DUE, WAITS, ([Cancelled(0)], {0: GONE}, [run(0, "cancelled")])]),
        ("UN-07", [([stop(0)], {0: DONE}, []), ([stop(1)], {1: REFUSED}, [])]),
    ],
)
def test_each_deviation_has_the_name_of_its_clause(clause, seen):
    *fine, broken = (entry(*each) for each in seen)
    model = model_of()
    checker = Checker(model)

    assert all(checker.compare(each) for each in fine)
    assert not checker.compare(broken)
    assert name(model, [*fine, broken], checker.predict(broken))[:5] == clause
