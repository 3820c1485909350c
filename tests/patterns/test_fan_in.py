"""The model of fan-in, judged by hand: small bursts, and whom a deviation is blamed on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from quiesce.adapters import Adapter
from quiesce.model import BLOCKED, Burst, Checker, Entry, View, name
from quiesce.patterns.fan_in import FAN_IN
from quiesce.stimuli import Began, Cancelled, Fact, Finished

PART = (0,)
END = ("returned", ())
LEFT = ("returned", None)
GONE = ("cancelled",)

Outcome = tuple[Any, ...]
Ran = tuple[int, tuple[str, None, None], str]
Seen = tuple[Sequence[Fact], dict[int, Outcome], Sequence[Ran]]


def model_of(world: str = "asyncio", **dialect: str) -> Any:
    adapter = Adapter(
        name="hand", pattern="fan_in", world=world, module="", qualname="", dialect=dialect
    )
    return FAN_IN.model(adapter, {})


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


def first(index: int, phase: str = "running") -> Ran:
    return (index, ("first", None, None), phase)


def second(index: int, phase: str = "running") -> Ran:
    return (index, ("second", None, None), phase)


def receive(call: int) -> Began:
    return Began(call, "receive", ())


def item(index: int) -> Outcome:
    return ("returned", (("value", index),))


BEGINS: Seen = ([], {}, [first(0), second(1)])
HELD: Seen = ([Finished(0, "value")], {}, [first(0, "ended"), second(1)])


def test_a_source_is_not_read_on_before_its_item_is_taken():
    assert allows(model_of(), BEGINS, HELD)
    read_on = [first(0, "ended"), second(1), first(2)]
    assert blamed(model_of(), BEGINS, ([Finished(0, "value")], {}, read_on)) == "FO-07"


def test_with_a_buffer_one_more_item_may_wait():
    read_on: Seen = ([Finished(0, "value")], {}, [first(0, "ended"), second(1), first(2)])
    full: Seen = ([Finished(2, "value")], {}, [second(1), first(2, "ended")])

    assert allows(model_of(buffer="1"), BEGINS, read_on, full)
    assert not allows(model_of(buffer="1"), BEGINS, HELD)


def test_any_of_two_waiting_items_may_be_taken_first():
    both: Seen = ([Finished(1, "value")], {}, [second(1, "ended")])

    for index, pulled in ((0, first(2)), (1, second(2))):
        assert allows(
            model_of(),
            BEGINS,
            (HELD[0], {}, HELD[2]),
            (both[0], {}, both[2]),
            ([receive(0)], {0: item(index)}, [pulled]),
        )


def test_an_item_is_not_held_up_by_a_silent_source():
    assert blamed(model_of(), BEGINS, HELD, ([receive(0)], {0: BLOCKED}, [second(1)])) == "FO-09"


def test_the_end_comes_with_the_last_source_and_stays():
    one: Seen = ([receive(0), Finished(0, "none")], {0: BLOCKED}, [first(0, "ended"), second(1)])
    both: Seen = ([Finished(1, "none")], {0: END}, [second(1, "ended")])
    later: Seen = ([receive(1)], {1: END}, [])

    assert allows(model_of(), BEGINS, one, both, later)
    assert blamed(model_of(), BEGINS, (one[0], {0: END}, one[2])) == "FO-08"
    assert blamed(model_of(), BEGINS, one, both, ([receive(1)], {1: BLOCKED}, [])) == "FO-08"


def test_a_failure_is_told_to_all_and_stays():
    failure = ("raised", ("error", 0))
    cancelled = [first(0, "ended"), second(1, "cancelled")]
    waits: Seen = ([receive(0)], {0: BLOCKED}, [first(0), second(1)])
    fails: Seen = ([Finished(0, "error")], {0: failure}, cancelled)

    assert allows(model_of(), BEGINS, waits, fails, ([receive(1)], {1: failure}, []))
    assert blamed(model_of(), BEGINS, waits, (fails[0], {0: END}, cancelled)) == "FO-10"
    running = [first(0, "ended"), second(1)]
    assert allows(model_of("threads"), BEGINS, waits, (fails[0], {0: failure}, running))


def test_leaving_cancels_tasks_and_waits_for_threads():
    close = Began(0, "close", ())
    running: Seen = ([close], {0: BLOCKED}, [first(0), second(1)])
    left: Seen = ([close], {0: LEFT}, [first(0, "cancelled"), second(1, "cancelled")])

    assert allows(model_of(), BEGINS, left)
    assert blamed(model_of(), BEGINS, (left[0], {0: LEFT}, running[2])) == "FO-11"
    assert allows(model_of("threads"), BEGINS, running)
    assert blamed(model_of("threads"), BEGINS, (left[0], {0: LEFT}, running[2])) == "FO-11"


@pytest.mark.parametrize(
    ("outcome", "pulled", "allowed"),
    [(item(0), [first(2)], True), (GONE, [], True), (GONE, [first(2)], False)],
    ids=["taken", "held", "lost"],
)
def test_a_receiver_that_is_cancelled_takes_the_item_or_leaves_it(outcome, pulled, allowed):
    waits: Seen = ([receive(0)], {0: BLOCKED}, [first(0), second(1)])
    facts = [Finished(0, "value"), Cancelled(0)]
    seen: Seen = (facts, {0: outcome}, [first(0, "ended"), second(1), *pulled])

    assert allows(model_of(), BEGINS, waits, seen) == allowed
