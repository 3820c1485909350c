"""The model of the semaphore, judged by hand: what each dialect allows and forbids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from quiesce.adapters import Adapter
from quiesce.model import BLOCKED, Burst, Checker, Entry, View, name
from quiesce.patterns.semaphore import SEMAPHORE
from quiesce.stimuli import Began, Cancelled, Fact, Ticked, arguments
from quiesce.worlds.world import START

PART = (0,)
GONE = ("cancelled",)
REFUSED = ("raised", ("refused",))
GOT = ("returned", None)
YES, NO = ("returned", True), ("returned", False)
SECOND = 1_000_000_000
BARGING = {"fifo": "no", "handover": "barging"}

Outcome = tuple[Any, ...]
Seen = tuple[Sequence[Fact], dict[int, Outcome]]


def acquire(call: int, n: int = 1) -> Began:
    return Began(call, "acquire", arguments(n=n))


def within(call: int, seconds: int, n: int = 1) -> Began:
    return Began(call, "acquire_within", arguments(n=n, timeout=seconds * SECOND))


def attempt(call: int, n: int = 1) -> Began:
    return Began(call, "try_acquire", arguments(n=n))


def release(call: int, n: int = 1) -> Began:
    return Began(call, "release", arguments(n=n))


def model_of(size: int, lacks: Iterable[str] = (), **dialect: str) -> Any:
    adapter = Adapter(
        "hand", "semaphore", "asyncio", "", "", lacks=frozenset(lacks), dialect=dialect
    )
    return SEMAPHORE.model(adapter, {"size": size})


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


TAKEN: Seen = ([acquire(0)], {0: GOT})
WAITS: Seen = ([acquire(1)], {1: BLOCKED})
WAITS_TOO: Seen = ([acquire(2)], {1: BLOCKED, 2: BLOCKED})


def test_units_go_to_who_came_first():
    model = model_of(1)
    assert allows(model, TAKEN, WAITS, WAITS_TOO, ([release(3)], {1: GOT, 2: BLOCKED, 3: GOT}))

    assert blamed(model, TAKEN, WAITS, WAITS_TOO, ([release(3)], {1: BLOCKED, 2: GOT, 3: GOT})) == (
        "SM-03"
    )


def test_without_a_promised_order_either_waiter_may_be_next():
    model = model_of(1, **BARGING)
    for first, second in ((GOT, BLOCKED), (BLOCKED, GOT)):
        served = ([release(3)], {1: first, 2: second, 3: GOT})
        assert allows(model, TAKEN, WAITS, WAITS_TOO, served)


def test_only_a_barging_semaphore_lets_a_newcomer_have_the_unit_of_a_woken_waiter():
    race: Seen = ([release(2), acquire(3)], {1: BLOCKED, 2: GOT, 3: GOT})
    assert allows(model_of(1, **BARGING), TAKEN, WAITS, race)
    assert blamed(model_of(1), TAKEN, WAITS, race) == "SM-03"


def test_a_waiter_and_a_free_unit_never_rest_beside_each_other():
    stuck: Seen = ([release(2)], {1: BLOCKED, 2: GOT})
    assert blamed(model_of(1), TAKEN, WAITS, stuck) == "UN-03"
    assert blamed(model_of(1, **BARGING), TAKEN, WAITS, stuck) == "UN-03"


def test_two_at_once_are_one_too_many():
    model = model_of(1)
    assert blamed(model, TAKEN, ([acquire(1)], {1: GOT})) == "SM-01"
    assert blamed(model, TAKEN, ([attempt(1)], {1: YES})) == "SM-01"


BIG: tuple[Seen, ...] = (([acquire(0, 2)], {0: GOT}), ([acquire(1, 2)], {1: BLOCKED}))


def test_a_small_request_waits_behind_a_big_one():
    model = model_of(3)
    assert allows(
        model,
        *BIG,
        ([acquire(2)], {1: BLOCKED, 2: BLOCKED}),
        ([attempt(3)], {3: NO} | {1: BLOCKED, 2: BLOCKED}),
    )

    assert blamed(model, *BIG, ([acquire(2)], {1: BLOCKED, 2: GOT})) == "SM-02"
    assert blamed(model, *BIG, ([attempt(2)], {1: BLOCKED, 2: YES})) == "SM-05"


def test_those_behind_a_cancelled_head_move_up():
    model = model_of(3)
    waits = ([acquire(2)], {1: BLOCKED, 2: BLOCKED})
    assert allows(model, *BIG, waits, ([Cancelled(1)], {1: GONE, 2: GOT}))

    assert blamed(model, *BIG, waits, ([Cancelled(1)], {1: GONE, 2: BLOCKED})) == "SM-07"


def test_a_request_for_more_than_the_size_blocks_nobody():
    model, hopeless = model_of(1), ([acquire(0, 2)], {0: BLOCKED})
    assert allows(model, hopeless, ([acquire(1)], {0: BLOCKED, 1: GOT}))

    assert blamed(model, hopeless, ([acquire(1)], {0: BLOCKED, 1: BLOCKED})) == "SM-04"


def test_a_release_of_more_than_is_held_is_refused_where_that_is_promised():
    too_often: Seen = ([release(0)], {0: GOT})
    assert allows(model_of(1), ([release(0)], {0: REFUSED}))
    assert blamed(model_of(1), too_often) == "SM-06"
    assert allows(model_of(1, lacks={"bounded"}), too_often)


@pytest.mark.parametrize("second", [GOT, REFUSED])
def test_a_unit_may_not_be_given_back_before_its_acquire_has_returned(second):
    twice = ([release(2), release(3)], {1: GOT, 2: GOT, 3: second})
    later = ([release(3)], {3: second})

    assert allows(model_of(1), TAKEN, WAITS, twice)
    settled = allows(model_of(1), TAKEN, WAITS, ([release(2)], {1: GOT, 2: GOT}), later)
    assert settled == (second == GOT)


@pytest.mark.parametrize("won", [True, False], ids=["granted", "cancelled"])
def test_a_cancellation_in_the_tick_of_the_grant_may_win_or_lose_but_loses_no_unit(won):
    model = model_of(1)
    race: Seen = ([release(2), Cancelled(1)], {1: GOT if won else GONE, 2: GOT})
    right, wrong = (NO, YES) if won else (YES, NO)
    assert allows(model, TAKEN, WAITS, race, ([attempt(3)], {3: right}))

    clause = blamed(model, TAKEN, WAITS, race, ([attempt(3)], {3: wrong}))
    assert clause == ("SM-01" if won else "SM-08")


def test_one_release_lets_in_as_many_as_fit():
    model = model_of(2)
    before: tuple[Seen, ...] = (([acquire(0, 2)], {0: GOT}), WAITS, WAITS_TOO)
    assert allows(model, *before, ([release(3, 2)], {1: GOT, 2: GOT, 3: GOT}))

    assert blamed(model, *before, ([release(3, 2)], {1: GOT, 2: BLOCKED, 3: GOT})) == "SM-09"


def test_a_time_out_comes_at_its_instant_and_leaves_nothing():
    model, at = model_of(1), START + SECOND
    waits: Seen = ([within(1, 1)], {1: BLOCKED})
    assert allows(
        model,
        TAKEN,
        waits,
        ([Ticked(at - 1)], {1: BLOCKED}),
        ([Ticked(at)], {1: (*NO, at)}),
        ([release(2)], {2: GOT}),
        ([attempt(3)], {3: YES}),
    )
    assert list(model.instants(model.initial(PART))) == []
    assert not allows(model, TAKEN, waits, ([Ticked(at)], {1: BLOCKED}))


def test_of_two_that_time_out_at_one_instant_the_first_to_leave_may_let_the_other_in():
    model, at = model_of(2), START + SECOND
    before: tuple[Seen, ...] = (
        ([acquire(0)], {0: GOT}),
        ([within(1, 1, 2)], {1: BLOCKED}),
        ([within(2, 1)], {1: BLOCKED, 2: BLOCKED}),
    )
    for answer in (YES, NO):
        assert allows(model, *before, ([Ticked(at)], {1: (*NO, at), 2: (*answer, at)}))
