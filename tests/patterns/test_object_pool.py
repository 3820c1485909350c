"""The model of the object pool, judged by hand: what it allows and what it forbids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from quiesce.adapters import Adapter
from quiesce.model import BLOCKED, Burst, Checker, Entry, View, name
from quiesce.patterns.object_pool import OBJECT_POOL
from quiesce.stimuli import Began, Cancelled, Fact, Finished, arguments

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PART = (0,)
MAKE = ("make", None, None)
REFUSED = ("raised", ("refused",))


def model_of(bound: int | None = None, lacks: Iterable[str] = ()) -> Any:
    adapter = Adapter("hand", "object_pool", "asyncio", "", "", lacks=frozenset(lacks))
    return OBJECT_POOL.model(adapter, {"bound": bound})


def get(call: int) -> Began:
    return Began(call, "get", ())


def put(call: int, of: int) -> Began:
    return Began(call, "put", arguments(of=of))


def entry(
    *facts: Fact, calls: dict[int, tuple[Any, ...]], executions: Sequence[tuple[int, Any, str]] = ()
) -> Entry:
    after = tuple(frozenset(range(position)) for position in range(len(facts)))
    return Entry(PART, Burst(facts, after), View(tuple(sorted(calls.items())), tuple(executions)))


def lent(number: int) -> tuple[Any, ...]:
    return ("returned", ("value", number))


def reset(number: int) -> tuple[Any, ...]:
    return ("reset", ("value", number), None)


ONE_LENT = (
    entry(get(0), calls={0: BLOCKED}, executions=[(0, MAKE, "running")]),
    entry(Finished(0, "value"), calls={0: lent(0)}, executions=[(0, MAKE, "ended")]),
)
GIVEN_BACK = (
    *ONE_LENT,
    entry(put(1, 0), calls={1: BLOCKED}, executions=[(1, reset(0), "running")]),
    entry(Finished(1, "value"), calls={1: ("returned", None)}, executions=[(1, reset(0), "ended")]),
)


def allowed(journal: Sequence[Entry], *, bound: int | None = None) -> bool:
    checker = Checker(model_of(bound))
    return all(checker.compare(each) for each in journal)


def test_an_idle_object_may_be_lent_or_ignored():
    assert allowed((*GIVEN_BACK, entry(get(2), calls={2: lent(0)})))
    made = entry(get(2), calls={2: BLOCKED}, executions=[(2, MAKE, "running")])
    assert allowed((*GIVEN_BACK, made))


def test_an_object_that_is_out_is_not_lent_again():
    journal = (*ONE_LENT, entry(get(1), calls={1: lent(0)}))

    assert not allowed(journal)
    assert name(model_of(), journal, ()).startswith("OP-01")


def test_at_the_bound_a_caller_waits_until_the_object_was_reset():
    waits = (*ONE_LENT, entry(get(1), calls={1: BLOCKED}))
    in_reset = entry(
        put(2, 0), calls={1: BLOCKED, 2: BLOCKED}, executions=[(1, reset(0), "running")]
    )

    assert allowed((*waits, in_reset), bound=1)
    assert not allowed(waits)  # without a bound it has no reason to wait


def test_a_second_put_is_refused_while_the_first_one_resets():
    twice = entry(
        put(1, 0),
        put(2, 0),
        calls={1: BLOCKED, 2: REFUSED},
        executions=[(1, reset(0), "running")],
    )

    assert allowed((*ONE_LENT, twice))


@pytest.mark.parametrize("outcome", [("cancelled",), lent(0)])
def test_a_cancellation_in_the_turn_of_the_grant_may_lose_against_it(outcome: tuple[Any, ...]):
    cancelled = entry(get(2), Cancelled(2), calls={2: outcome})

    assert allowed((*GIVEN_BACK, cancelled))


def test_what_a_cancelled_get_was_just_given_is_lent_to_the_next():
    cancelled = entry(get(2), Cancelled(2), calls={2: ("cancelled",)})
    served = entry(get(3), calls={3: lent(0)})

    assert allowed((*GIVEN_BACK, cancelled, served), bound=1)
