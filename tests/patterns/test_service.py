"""The model of a background service, judged by hand."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import pytest

from quiesce.adapters import Adapter
from quiesce.model import BLOCKED, Burst, Checker, Entry, View, name
from quiesce.patterns.service import SERVICE
from quiesce.patterns.service.model import CLEANUP
from quiesce.stimuli import Began, Cancelled, Fact, Finished

GONE = ("cancelled",)
DONE = ("returned", None)
REFUSED = ("raised", ("refused",))
WORLD = {"cooperative": "threads", "edge": "asyncio"}

Outcome = tuple[Any, ...]
Executions = Sequence[tuple[int, Hashable, str]]
Seen = tuple[Sequence[Fact], dict[int, Outcome], Executions]


def model_of(delivery: str = "cooperative", **dialect: str) -> Any:
    adapter = Adapter(
        "hand", "service", WORLD[delivery], "", "", dialect={"cancel_delivery": delivery, **dialect}
    )
    return SERVICE.model(adapter, {})


def entry(facts: Sequence[Fact], calls: dict[int, Outcome], executions: Executions) -> Entry:
    burst = Burst(tuple(facts), tuple(frozenset[int]() for _ in facts))
    return Entry((0,), burst, View(tuple(sorted(calls.items())), tuple(executions)))


def allows(model: Any, *seen: Seen) -> bool:
    checker = Checker(model)
    return all(checker.compare(entry(*each)) for each in seen)


def begin(call: int, operation: str, inside: int | None = None) -> Began:
    return Began(call, operation, (), inside)


def error(index: int) -> Outcome:
    return ("raised", ("error", index))


BODY, CLEANS = (0, 0, "running"), (1, CLEANUP, "running")
STARTS: Seen = ([begin(0, "start")], {0: DONE}, [BODY])
WAITS: Seen = ([begin(1, "wait")], {1: BLOCKED}, [BODY])
STOPS: Seen = ([begin(2, "stop")], {1: BLOCKED, 2: DONE}, [BODY])
CANCELS: Seen = ([begin(2, "stop")], {1: BLOCKED, 2: DONE}, [(0, 0, "cancelled"), CLEANS])
ENDS: Seen = ([Finished(0, "value")], {1: BLOCKED}, [(0, 0, "ended"), CLEANS])
FAILS: Seen = ([Finished(0, "error")], {1: BLOCKED}, [(0, 0, "ended"), CLEANS])


def cleaned(*outcomes: Outcome, by: str = "value") -> Seen:
    return [Finished(1, by)], dict(enumerate(outcomes, 1)), [(1, CLEANUP, "ended")]


@pytest.mark.parametrize(("delivery", "stops"), [("cooperative", STOPS), ("edge", CANCELS)])
def test_a_stop_leaves_a_cooperative_body_alone_and_cancels_any_other(delivery, stops):
    other = "edge" if delivery == "cooperative" else "cooperative"

    assert allows(model_of(delivery), STARTS, WAITS, stops)
    assert not allows(model_of(other), STARTS, WAITS, stops)


def test_a_body_that_asks_learns_of_the_stop():
    asks = begin(3, "stopping", inside=0)
    told: Seen = ([asks], {1: BLOCKED, 3: ("returned", True)}, [BODY])

    assert allows(model_of(), STARTS, WAITS, STOPS, told)
    assert not allows(model_of(), STARTS, WAITS, told)  # nobody has stopped it


def test_wait_returns_after_the_clean_up_and_not_before():
    assert allows(model_of(), STARTS, WAITS, ENDS, cleaned(DONE))
    assert not allows(
        model_of(), STARTS, WAITS, ([Finished(0, "value")], {1: DONE}, [(0, 0, "ended"), CLEANS])
    )
    assert not allows(model_of(), STARTS, WAITS, ENDS, cleaned(BLOCKED))


def test_every_wait_raises_the_error_of_the_body():
    again: Seen = ([begin(4, "wait")], {4: error(0)}, [])
    forgotten: Seen = ([begin(4, "wait")], {4: DONE}, [])

    assert allows(model_of(), STARTS, WAITS, FAILS, cleaned(error(0)), again, again)
    assert not allows(model_of(), STARTS, WAITS, FAILS, cleaned(error(0)), forgotten)


@pytest.mark.parametrize(("told", "allowed"), [(error(0), True), (error(1), True), (DONE, False)])
def test_if_the_clean_up_fails_as_well_one_of_the_two_errors_is_told(told, allowed):
    assert allows(model_of(), STARTS, WAITS, FAILS, cleaned(told, by="error")) == allowed


@pytest.mark.parametrize(
    "executions",
    [[], [(0, CLEANUP, "running")], [(0, 0, "cancelled"), CLEANS]],
    ids=["nothing", "clean-up alone", "body cancelled at once"],
)
def test_a_body_that_is_stopped_before_it_begins_may_never_begin(executions):
    stopped: Seen = ([begin(0, "start_stop")], {0: DONE}, executions)

    assert allows(model_of("edge"), stopped)
    assert not allows(model_of("edge"), ([begin(0, "start_stop")], {0: DONE}, [BODY]))


@pytest.mark.parametrize("phase", ["cancelled", "ended"])
def test_a_body_that_is_let_go_in_the_burst_of_a_stop_ends_either_way(phase):
    seen: Seen = (
        [begin(2, "stop"), Finished(0, "value")],
        {1: BLOCKED, 2: DONE},
        [(0, 0, phase), CLEANS],
    )

    assert allows(model_of("edge"), STARTS, WAITS, seen)


@pytest.mark.parametrize(("dialect", "answer"), [({}, REFUSED), ({"start_twice": "ignored"}, DONE)])
def test_a_second_start_is_answered_as_declared(dialect, answer):
    assert allows(model_of(**dialect), STARTS, ([begin(1, "start")], {1: answer}, [BODY]))
    assert not allows(
        model_of(**dialect), STARTS, ([begin(1, "start")], {1: DONE}, [BODY, (1, 1, "running")])
    )


def test_a_start_after_the_end_begins_anew_only_where_that_is_declared():
    anew: Seen = ([begin(5, "start")], {5: DONE}, [(2, 5, "running")])
    ended = (STARTS, WAITS, ENDS, cleaned(DONE))

    assert allows(model_of(reuse="allowed"), *ended, anew)
    assert not allows(model_of(), *ended, anew)


def test_a_cancelled_wait_leaves_the_body_running():
    cancelled: Seen = ([Cancelled(1)], {1: GONE}, [BODY])

    assert allows(model_of("edge"), STARTS, WAITS, cancelled)
    assert not allows(
        model_of("edge"), STARTS, WAITS, ([Cancelled(1)], {1: GONE}, [(0, 0, "cancelled"), CLEANS])
    )


@pytest.mark.parametrize(
    ("clause", "delivery", "seen"),
    [
        ("BG-01", "edge", [([begin(0, "start_stop")], {0: DONE}, [BODY])]),
        ("BG-02", "edge", [STARTS, ([begin(1, "wait")], {1: DONE}, [BODY])]),
        ("BG-02", "edge", [STARTS, WAITS, FAILS, cleaned(DONE)]),
        (
            "BG-03",
            "edge",
            [STARTS, WAITS, ([begin(2, "stop")], {1: DONE, 2: DONE}, [(0, 0, "cancelled")])],
        ),
        (
            "BG-03",
            "edge",
            [STARTS, WAITS, CANCELS, ([begin(3, "wait")], {1: BLOCKED, 3: DONE}, [CLEANS])],
        ),
        ("BG-04", "edge", [STARTS, WAITS, STOPS]),
        ("BG-04", "cooperative", [STARTS, WAITS, ([begin(2, "stop")], {1: DONE, 2: DONE}, [BODY])]),
        (
            "BG-05",
            "edge",
            [STARTS, ([begin(1, "start")], {1: DONE}, [BODY, (1, 1, "running")])],
        ),
        ("UN-02", "cooperative", [STARTS, ([begin(1, "stop")], {1: BLOCKED}, [BODY])]),
        (
            "UN-04",
            "edge",
            [STARTS, WAITS, ([Cancelled(1)], {1: GONE}, [(0, 0, "cancelled"), CLEANS])],
        ),
        (
            "UN-07",
            "edge",
            [
                STARTS,
                WAITS,
                CANCELS,
                ([begin(3, "stop")], {1: DONE, 3: DONE}, [(1, CLEANUP, "cancelled")]),
            ],
        ),
        ("UN-08", "cooperative", [STARTS, ([begin(1, "stop", inside=0)], {1: BLOCKED}, [BODY])]),
    ],
)
def test_each_deviation_has_the_name_of_its_clause(clause, delivery, seen):
    *fine, broken = (entry(*each) for each in seen)
    model = model_of(delivery)
    checker = Checker(model)

    assert all(checker.compare(each) for each in fine)
    assert not checker.compare(broken)
    assert name(model, [*fine, broken], checker.predict(broken))[:5] == clause
