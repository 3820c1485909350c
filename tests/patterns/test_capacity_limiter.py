"""The model of the capacity limiter, judged by hand: what it allows and forbids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from quiesce.adapters import Adapter
from quiesce.model import BLOCKED, Burst, Checker, Entry, View, name
from quiesce.patterns.capacity_limiter import CAPACITY_LIMITER
from quiesce.stimuli import Began, Cancelled, Fact, arguments

PART = (0,)
GONE = ("cancelled",)
REFUSED = ("raised", ("refused",))
DONE = ("returned", None)
YES, NO = ("returned", True), ("returned", False)

Outcome = tuple[Any, ...]
Seen = tuple[Sequence[Fact], dict[int, Outcome]]


def acquire(call: int) -> Began:
    return Began(call, "acquire", ())


def attempt(call: int, of: int) -> Began:
    return Began(call, "try_acquire", arguments(of=of))


def release(call: int, of: int) -> Began:
    return Began(call, "release", arguments(of=of))


def set_total(call: int, total: int) -> Began:
    return Began(call, "set_total", arguments(total=total))


def model_of(total: int) -> Any:
    adapter = Adapter("hand", "capacity_limiter", "asyncio", "", "")
    return CAPACITY_LIMITER.model(adapter, {"total": total})


def entry(seen: Seen) -> Entry:
    """What was seen after a burst whose facts may have taken effect in any order."""
    facts, calls = seen
    burst = Burst(tuple(facts), tuple(frozenset[int]() for _ in facts))
    return Entry(PART, burst, View(tuple(sorted(calls.items()))))


def allows(model: Any, *seen: Seen) -> bool:
    checker = Checker(model)
    return all(checker.compare(entry(each)) for each in seen)


def blamed(model: Any, *seen: Seen) -> str:
    """The clause that is broken by what was seen last; all before that conforms."""
    journal = [entry(each) for each in seen]
    checker = Checker(model)
    assert all(checker.compare(each) for each in journal[:-1])
    assert not checker.compare(journal[-1])
    return name(model, journal, checker.predict(journal[-1]))[:5]


def got(call: int) -> Outcome:
    return ("returned", call)


TAKEN: Seen = ([acquire(0)], {0: got(0)})
TWO_WAIT: tuple[Seen, ...] = (
    ([acquire(1)], {1: BLOCKED}),
    ([acquire(2)], {1: BLOCKED, 2: BLOCKED}),
)


@pytest.mark.parametrize("total", [2, 3])
def test_raising_the_total_lets_in_as_many_as_there_are_units(total):
    entered = {call: got(call) if call < total else BLOCKED for call in (1, 2)}
    raised = [set_total(3, total)]
    assert allows(model_of(1), TAKEN, *TWO_WAIT, (raised, {**entered, 3: DONE}))

    nobody: Seen = (raised, {1: BLOCKED, 2: BLOCKED, 3: DONE})
    assert blamed(model_of(1), TAKEN, *TWO_WAIT, nobody) == "SM-10"


def test_a_lowered_total_lets_nobody_in_until_enough_came_back():
    before: tuple[Seen, ...] = (
        TAKEN,
        ([acquire(1)], {1: got(1)}),
        ([set_total(2, 1)], {2: DONE}),
        ([acquire(3)], {3: BLOCKED}),
    )
    kept: Seen = ([release(4, 0)], {3: BLOCKED, 4: DONE})
    assert allows(model_of(2), *before, kept, ([release(5, 1)], {3: got(3), 5: DONE}))

    assert blamed(model_of(2), *before, ([release(4, 0)], {3: got(3), 4: DONE})) == "SM-11"


def test_a_lowered_total_takes_nothing_away():
    before: tuple[Seen, ...] = (
        TAKEN,
        ([acquire(1)], {1: got(1)}),
        ([set_total(2, 1)], {2: DONE}),
    )
    assert blamed(model_of(2), *before, ([release(3, 1)], {3: REFUSED})) == "SM-10"


def test_each_borrower_has_one_unit():
    assert allows(model_of(2), TAKEN, ([attempt(1, 0)], {1: REFUSED}))
    assert blamed(model_of(2), TAKEN, ([attempt(1, 0)], {1: YES})) == "SM-12"
    back: Seen = ([release(1, 0)], {1: DONE})
    assert allows(model_of(2), TAKEN, back, ([attempt(2, 0)], {2: YES}))
    assert blamed(model_of(2), TAKEN, back, ([release(2, 0)], {2: DONE})) == "SM-12"


def test_waiters_get_their_units_in_their_order():
    released = [release(3, 0)]
    assert allows(model_of(1), TAKEN, *TWO_WAIT, (released, {1: got(1), 2: BLOCKED, 3: DONE}))
    other: Seen = (released, {1: BLOCKED, 2: got(2), 3: DONE})
    assert blamed(model_of(1), TAKEN, *TWO_WAIT, other) == "SM-14"


def test_a_unit_granted_to_a_cancelled_acquire_goes_on():
    race = [release(3, 0), Cancelled(1)]
    assert allows(model_of(1), TAKEN, *TWO_WAIT, (race, {1: GONE, 2: got(2), 3: DONE}))
    assert allows(model_of(1), TAKEN, *TWO_WAIT, (race, {1: got(1), 2: BLOCKED, 3: DONE}))

    leaked: Seen = (race, {1: GONE, 2: BLOCKED, 3: DONE})
    assert blamed(model_of(1), TAKEN, *TWO_WAIT, leaked) == "SM-15"


def test_no_unit_is_lent_twice_in_a_hand_over():
    race: Seen = ([release(3, 0), acquire(4)], {1: got(1), 2: BLOCKED, 3: DONE, 4: got(4)})
    assert blamed(model_of(1), TAKEN, *TWO_WAIT, race) in ("SM-11", "SM-14")
    full: Seen = ([attempt(3, 0)], {3: NO})
    assert allows(
        model_of(1), TAKEN, ([release(1, 0)], {1: DONE}), ([acquire(2)], {2: got(2)}), full
    )
