"""The model of fan-out, judged by hand: small bursts, and whom a deviation is blamed on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from quiesce.adapters import Adapter
from quiesce.model import BLOCKED, Burst, Checker, Entry, View, name
from quiesce.patterns.fan_out import FAN_OUT
from quiesce.stimuli import Began, Cancelled, Fact, Finished, arguments

PART = (0,)
GONE = ("cancelled",)

Outcome = tuple[Any, ...]
Ran = tuple[int, tuple[str, int, int], str]
Seen = tuple[Sequence[Fact], dict[int, Outcome], Sequence[Ran]]


def model_of(world: str = "asyncio", lacks: Iterable[str] = (), **dialect: str) -> Any:
    adapter = Adapter(
        name="hand",
        pattern="fan_out",
        world=world,
        module="",
        qualname="",
        lacks=frozenset(lacks),
        dialect=dialect,
    )
    return FAN_OUT.model(adapter, {})


def entry(facts: Sequence[Fact], calls: dict[int, Outcome], ran: Sequence[Ran] = ()) -> Entry:
    burst = Burst(tuple(facts), tuple(frozenset[int]() for _ in facts))
    return Entry(PART, burst, View(tuple(sorted(calls.items())), tuple(ran)))


def allows(model: Any, *seen: Seen) -> bool:
    checker = Checker(model)
    return all(checker.compare(entry(*each)) for each in seen)


def blamed(model: Any, *seen: Seen) -> str:
    """The clause of the last thing seen, which the model does not allow."""
    checker, journal = Checker(model), [entry(*each) for each in seen]
    assert all(checker.compare(each) for each in journal[:-1])
    assert not checker.compare(journal[-1])
    return name(model, journal, checker.predict(journal[-1]))[:5]


def mapped(inputs: int, limit: int = 3) -> Began:
    operands = arguments(items=tuple(range(inputs)), limit=limit)
    return Began(0, "map_concurrent", operands)


def raced(inputs: int) -> Began:
    return Began(0, "first_success", arguments(items=tuple(range(inputs))))


def run(index: int, phase: str = "running", item: int | None = None, of: str = "function") -> Ran:
    """An execution, by default of the input of its own number."""
    return (index, (of, index if item is None else item, 0), phase)


def returned(*indexes: int) -> Outcome:
    return ("returned", tuple(("value", index) for index in indexes))


def error(index: int) -> Outcome:
    return ("raised", ("error", index))


TWO: Seen = ([mapped(2)], {0: BLOCKED}, [run(0), run(1)])
THREE: Seen = ([mapped(3)], {0: BLOCKED}, [run(0), run(1), run(2)])
LIMITED: Seen = ([mapped(3, limit=2)], {0: BLOCKED}, [run(0), run(1)])


def test_functions_that_were_taken_start_in_any_order_and_results_stay_by_input():
    started: Seen = ([mapped(2)], {0: BLOCKED}, [run(0, item=1), run(1, item=0)])
    ends: Seen = (
        [Finished(0, "value"), Finished(1, "value")],
        {0: returned(1, 0)},
        [run(0, "ended", 1), run(1, "ended", 0)],
    )

    assert allows(model_of(), started, ends)
    assert blamed(model_of(), started, (ends[0], {0: returned(0, 1)}, ends[2])) == "FO-01"


def test_a_slot_with_anothers_result_is_no_matter_of_order():
    ends: Seen = (
        [Finished(0, "value"), Finished(1, "value")],
        {0: returned(1, 1)},
        [run(0, "ended"), run(1, "ended")],
    )

    assert blamed(model_of(), TWO, ends) == "FO-02"


def test_inputs_wait_for_a_free_slot_and_are_taken_in_order():
    next_one: Seen = ([Finished(1, "value")], {0: BLOCKED}, [run(0), run(1, "ended"), run(2)])

    assert allows(model_of(), LIMITED, next_one)
    assert blamed(model_of(), ([mapped(3, limit=2)], {0: BLOCKED}, THREE[2])) == "FO-05"
    assert allows(model_of(lacks={"limit"}), ([mapped(3, limit=2)], {0: BLOCKED}, THREE[2]))
    backwards = [run(0, item=2), run(1)]
    assert blamed(model_of(), ([mapped(3, limit=2)], {0: BLOCKED}, backwards)) == "FO-05"


def test_without_inputs_the_call_returns_at_once():
    assert allows(model_of(), ([mapped(0)], {0: ("returned", ())}, []))
    assert blamed(model_of(), ([mapped(0)], {0: BLOCKED}, [])) == "FO-06"


def test_after_a_failure_tasks_are_cancelled_and_threads_are_waited_for():
    cancels: Seen = (
        [Finished(1, "error")],
        {0: error(1)},
        [run(0, "cancelled"), run(1, "ended"), run(2, "cancelled")],
    )
    waits: Seen = ([Finished(1, "error")], {0: BLOCKED}, [run(0), run(1, "ended"), run(2)])
    at_once: Seen = ([Finished(1, "error")], {0: error(1)}, [run(0), run(1, "ended"), run(2)])

    assert allows(model_of(), THREE, cancels)
    assert not allows(model_of(), THREE, waits)
    assert allows(model_of("threads"), THREE, waits)
    assert allows(model_of(on_failure="continue"), THREE, waits)
    assert blamed(model_of("threads"), THREE, at_once) == "FO-04"


def test_one_input_may_be_taken_before_a_failure_is_noticed_and_none_after_it():
    begins: Seen = ([mapped(4, limit=2)], {0: BLOCKED}, [run(0), run(1)])
    failed: Seen = ([Finished(0, "error")], {0: BLOCKED}, [run(0, "ended"), run(1), run(2)])
    goes_on: Seen = ([Finished(1, "value")], {0: BLOCKED}, [run(1, "ended"), run(2), run(3)])
    waits: Seen = ([Finished(1, "value")], {0: BLOCKED}, [run(1, "ended"), run(2)])
    ends: Seen = ([Finished(2, "value")], {0: error(0)}, [run(2, "ended")])

    assert allows(model_of("threads"), begins, failed, waits, ends)
    assert blamed(model_of("threads"), begins, failed, goes_on) == "FO-03"


@pytest.mark.parametrize(
    ("errors", "told"),
    [
        ("first", error(1)),
        ("by_input", error(0)),
        ("all", ("raised", ("group", (("error", 0), ("error", 1))))),
    ],
)
def test_which_error_is_told_is_a_dialect(errors, told):
    first: Seen = ([Finished(1, "error")], {0: BLOCKED}, [run(0), run(1, "ended")])
    second: Seen = ([Finished(0, "error")], {0: told}, [run(0, "ended")])

    assert allows(model_of("threads", errors=errors), TWO, first, second)
    partial: Seen = (second[0], {0: returned(1)}, second[2])
    assert blamed(model_of("threads", errors=errors), TWO, first, partial) == "FO-03"


@pytest.mark.parametrize("told", [GONE, error(1)])
def test_a_cancellation_in_the_burst_of_a_failure_ends_either_way(told):
    ran = [run(0, "cancelled"), run(1, "ended")]

    assert allows(model_of(), TWO, ([Finished(1, "error"), Cancelled(0)], {0: told}, ran))


def test_the_first_success_wins_and_losers_are_cancelled():
    racing: Seen = ([raced(2)], {0: BLOCKED}, [run(0, of="attempt"), run(1, of="attempt")])
    lost: Seen = (
        [Finished(0, "error")],
        {0: BLOCKED},
        [run(0, "ended", of="attempt"), run(1, of="attempt")],
    )
    won = ("returned", ("value", 1))
    wins: Seen = ([Finished(1, "value")], {0: won}, [run(1, "ended", of="attempt")])
    at_once = [run(0, "cancelled", of="attempt"), run(1, "ended", of="attempt")]
    group = ("raised", ("group", (("error", 0), ("error", 1))))
    ends: Seen = ([Finished(1, "error")], {0: group}, [run(1, "ended", of="attempt")])

    assert allows(model_of(), racing, lost, wins)
    assert allows(model_of(), racing, ([Finished(1, "value")], {0: won}, at_once))
    assert allows(model_of(), racing, lost, ends)
    assert blamed(model_of(), racing, (lost[0], {0: error(0)}, at_once)) == "FO-12"
