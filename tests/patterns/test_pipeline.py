"""The model of a pipeline, judged by hand: small bursts, and whom a deviation is blamed on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from quiesce.adapters import Adapter
from quiesce.model import BLOCKED, Burst, Checker, Entry, View, name
from quiesce.patterns.pipeline import PIPELINE
from quiesce.stimuli import Began, Cancelled, Fact, Finished

PART = (0,)
END = ("returned", ())
DONE = ("returned", None)
GONE = ("cancelled",)

Outcome = tuple[Any, ...]
Ran = tuple[int, tuple[str, Any, None], str]
Seen = tuple[Sequence[Fact], dict[int, Outcome], Sequence[Ran]]


def model_of(world: str = "asyncio", workers: int = 1, buffer: int = 0, **dialect: str) -> Any:
    adapter = Adapter(
        name="hand", pattern="pipeline", world=world, module="", qualname="", dialect=dialect
    )
    return PIPELINE.model(adapter, {"workers": workers, "buffer": buffer})


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


def pull(index: int, phase: str = "running") -> Ran:
    return (index, ("source", None, None), phase)


def first(index: int, of: int, phase: str = "running") -> Ran:
    return (index, ("first", ("value", of), None), phase)


def second(index: int, of: int, phase: str = "running") -> Ran:
    return (index, ("second", ("value", of), None), phase)


def call(number: int, operation: str = "receive") -> Began:
    return Began(number, operation, ())


def item(index: int) -> Outcome:
    return ("returned", (("value", index),))


BEGINS: Seen = ([], {}, [pull(0)])
FED: Seen = ([Finished(0, "value")], {}, [pull(0, "ended"), first(1, 0), pull(2)])
MADE: Seen = ([Finished(1, "value")], {}, [first(1, 0, "ended"), pull(2), second(3, 1)])
#: One item is through both stages and held by the last worker.
THROUGH: tuple[Seen, ...] = (
    BEGINS,
    FED,
    MADE,
    ([Finished(3, "value")], {}, [pull(2), second(3, 1, "ended")]),
)
#: No buffers: each worker and the feeder hold one item, and nothing moves.
FULL: tuple[Seen, ...] = (
    *THROUGH,
    ([Finished(2, "value")], {}, [pull(2, "ended"), first(4, 2), pull(5)]),
    ([Finished(4, "value")], {}, [first(4, 2, "ended"), pull(5)]),
    ([Finished(5, "value")], {}, [pull(5, "ended")]),
)


def test_without_a_reader_the_source_is_pulled_as_often_as_there_is_room():
    assert allows(model_of(), *FULL)
    ahead: Seen = ([Finished(5, "value")], {}, [pull(5, "ended"), pull(6)])
    assert blamed(model_of(), *FULL[:-1], ahead) == "PL-03"
    assert allows(model_of(ahead="1"), *FULL[:-1], ahead)


def test_a_reader_moves_everything_on_by_one():
    moved = [second(6, 4), first(7, 5), pull(8)]

    assert allows(model_of(), *FULL, ([call(0)], {0: item(3)}, moved))
    assert blamed(model_of(), *FULL, ([call(0)], {0: BLOCKED}, [])) == "PL-01"


def test_an_item_that_nobody_made_is_blamed_on_the_composition():
    other: Seen = ([Finished(1, "value")], {}, [first(1, 0, "ended"), pull(2), second(3, 0)])

    assert blamed(model_of(), BEGINS, FED, other) == "PL-01"


BOTH_WORK: tuple[Seen, ...] = (
    BEGINS,
    FED,
    ([Finished(2, "value")], {}, [first(1, 0), pull(2, "ended"), first(3, 2), pull(4)]),
)
LATER_FIRST: Seen = ([Finished(3, "value")], {}, [first(1, 0), first(3, 2, "ended"), pull(4)])
OVERTAKES: Seen = (LATER_FIRST[0], {}, [*LATER_FIRST[2], second(5, 3)])


def test_of_two_workers_the_earlier_item_goes_first_if_that_is_declared():
    assert allows(model_of(workers=2, buffer=1), *BOTH_WORK, LATER_FIRST)
    assert blamed(model_of(workers=2, buffer=1), *BOTH_WORK, OVERTAKES) == "PL-02"
    assert allows(model_of(workers=2, buffer=1, ordered="no"), *BOTH_WORK, OVERTAKES)


def test_an_empty_source_ends_everything():
    waits: Seen = ([call(0), call(1, "wait")], {0: BLOCKED, 1: BLOCKED}, [pull(0)])
    ends: Seen = ([Finished(0, "none")], {0: END, 1: DONE}, [pull(0, "ended")])
    hangs: Seen = (ends[0], {0: BLOCKED, 1: BLOCKED}, ends[2])

    assert allows(model_of(), BEGINS, waits, ends)
    assert blamed(model_of(), BEGINS, waits, hangs) == "PL-12"


def test_the_end_does_not_overtake_an_item():
    ends: Seen = ([call(0), Finished(2, "none")], {0: BLOCKED}, [first(1, 0), pull(2, "ended")])
    early: Seen = (ends[0], {0: END}, ends[2])

    assert allows(model_of(), BEGINS, FED, ends)
    assert blamed(model_of(), BEGINS, FED, early) == "PL-04"


def test_waiting_ends_with_the_stages_though_items_may_wait_behind_them():
    ends: Seen = ([Finished(2, "none"), call(0, "wait")], {0: DONE}, [pull(2, "ended")])
    waits: Seen = (ends[0], {0: BLOCKED}, ends[2])

    assert allows(model_of(buffer=1), *THROUGH, ends)
    assert allows(model_of(buffer=0), *THROUGH, waits)
    assert blamed(model_of(buffer=0), *THROUGH, ends) == "PL-09"


@pytest.mark.parametrize("operation", ["cancel", "close"])
def test_stopping_cancels_tasks_at_once_and_lets_threads_end(operation):
    stop = [call(0, operation)]
    dropped = [first(1, 0, "cancelled"), pull(2, "cancelled")]
    running = [first(1, 0), pull(2)]
    clause = "PL-05" if operation == "cancel" else "PL-06"

    assert allows(model_of(), BEGINS, FED, (stop, {0: DONE}, dropped))
    assert blamed(model_of(), BEGINS, FED, (stop, {0: DONE}, running)) == clause
    outcome = DONE if operation == "cancel" else BLOCKED
    assert allows(model_of("threads"), BEGINS, FED, (stop, {0: outcome}, running))


def test_a_cancellation_that_waits_is_no_stop():
    stop = [call(0, "cancel")]

    seen: Seen = (stop, {0: BLOCKED}, [first(1, 0), pull(2)])
    assert blamed(model_of("threads"), BEGINS, FED, seen) == "UN-02"


def test_after_a_cancellation_no_function_is_called_and_nothing_is_received():
    stopped: Seen = ([call(0, "cancel")], {0: DONE}, [first(1, 0), pull(2)])
    calls_on: Seen = ([Finished(1, "value")], {}, [first(1, 0, "ended"), pull(2), second(3, 1)])
    model = model_of("threads")

    assert blamed(model, BEGINS, FED, stopped, calls_on) == "PL-10"
    held: Seen = ([call(0, "cancel")], {0: DONE}, [pull(2)])
    assert allows(model, *THROUGH, held, ([call(1)], {1: END}, [pull(2)]))
    assert blamed(model, *THROUGH, held, ([call(1)], {1: item(3)}, [pull(2)])) == "PL-08"


def test_the_first_failure_is_told_to_all_and_drops_the_rest():
    failure = ("raised", ("error", 1))
    dropped = [first(1, 0, "ended"), pull(2, "cancelled")]
    waits: Seen = ([call(0)], {0: BLOCKED}, [first(1, 0), pull(2)])
    fails: Seen = ([Finished(1, "error")], {0: failure}, dropped)

    assert allows(model_of(), BEGINS, FED, waits, fails, ([call(1, "wait")], {1: failure}, []))
    assert blamed(model_of(), BEGINS, FED, waits, (fails[0], {0: END}, dropped)) == "PL-07"
    hidden: Seen = ([call(1, "wait")], {1: DONE}, [])
    assert blamed(model_of(), BEGINS, FED, waits, fails, hidden) == "PL-09"


@pytest.mark.parametrize(
    ("outcome", "allowed"), [(item(3), True), (GONE, False)], ids=["taken", "lost"]
)
def test_a_reader_that_is_cancelled_does_not_take_an_item_along(outcome, allowed):
    waits: Seen = ([call(0)], {0: BLOCKED}, [pull(2), second(3, 1)])
    facts = [Finished(3, "value"), Cancelled(0)]
    ends: Seen = (facts, {0: outcome}, [pull(2), second(3, 1, "ended")])
    moved: Seen = ([call(1)], {1: BLOCKED}, [pull(2)])

    assert allows(model_of(), *THROUGH[:-1], waits, ends, moved) == allowed
