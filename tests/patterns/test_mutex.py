"""The model of the mutex, judged by hand: what each dialect allows and forbids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from quiesce.adapters import Adapter
from quiesce.model import BLOCKED, Burst, Checker, Entry, View, name
from quiesce.patterns.mutex import MUTEX
from quiesce.stimuli import Began, Cancelled, Fact, Finished

PART = (0,)
GONE = ("cancelled",)
REFUSED = ("raised", ("refused",))
NOTHING = ("returned", None)
FAILED = ("returned", (False, None))
OWNED = {"ownership": "owner", "relock": "raises"}

Outcome = tuple[Any, ...]
Running = Sequence[tuple[int, int, str]]
Seen = tuple[Sequence[Fact], dict[int, Outcome], Running]


def value(index: int) -> Outcome:
    return ("returned", ("value", index))


def hold(call: int, inside: int | None = None) -> Began:
    return Began(call, "hold", (), inside)


def release(call: int, inside: int | None = None) -> Began:
    return Began(call, "release", (), inside)


def try_hold(call: int, inside: int | None = None) -> Began:
    return Began(call, "try_hold", (), inside)


def model_of(**dialect: str) -> Any:
    adapter = Adapter("hand", "mutex", "asyncio", module="", qualname="", dialect=dialect)
    return MUTEX.model(adapter, {})


def entry(seen: Seen) -> Entry:
    """What was seen after a burst whose facts may have taken effect in any order."""
    facts, calls, executions = seen
    burst = Burst(tuple(facts), tuple(frozenset[int]() for _ in facts))
    return Entry(PART, burst, View(tuple(sorted(calls.items())), tuple(executions)))


def allows(model: Any, *seen: Seen) -> bool:
    checker = Checker(model)
    return all(checker.compare(entry(each)) for each in seen)


def blamed(model: Any, *seen: Seen) -> str:
    """The signature of what was seen last; all before that conforms."""
    journal = [entry(each) for each in seen]
    checker = Checker(model)
    assert all(checker.compare(each) for each in journal[:-1])
    assert not checker.compare(journal[-1])
    return name(model, journal, checker.predict(journal[-1]))


HOLDS: Seen = ([hold(0)], {0: BLOCKED}, [(0, 0, "running")])
WAITS: Seen = ([hold(1)], {0: BLOCKED, 1: BLOCKED}, [(0, 0, "running")])
WAITS_TOO: Seen = ([hold(2)], {0: BLOCKED, 1: BLOCKED, 2: BLOCKED}, [(0, 0, "running")])


def next_is(call: int, waits: int) -> Seen:
    calls = {0: value(0), call: BLOCKED, waits: BLOCKED}
    return [Finished(0, "value")], calls, [(0, 0, "ended"), (1, call, "running")]


@pytest.mark.parametrize(("fifo", "allowed"), [("yes", False), ("no", True)])
def test_a_waiter_is_overtaken_only_where_no_order_is_promised(fifo: str, allowed: bool) -> None:
    assert allows(model_of(fifo=fifo), HOLDS, WAITS, WAITS_TOO, next_is(1, 2))
    assert allows(model_of(fifo=fifo), HOLDS, WAITS, WAITS_TOO, next_is(2, 1)) == allowed


def test_a_second_holder_and_an_overtaken_waiter_are_named_apart() -> None:
    both: Seen = (WAITS[0], WAITS[1], [(0, 0, "running"), (1, 1, "running")])

    assert blamed(model_of(), HOLDS, both).startswith("MX-01")
    assert blamed(model_of(), HOLDS, WAITS, WAITS_TOO, next_is(2, 1)).startswith("MX-06")


def test_a_free_lock_goes_to_somebody_who_waits() -> None:
    nobody: Seen = ([Finished(0, "value")], {0: value(0), 1: BLOCKED}, [(0, 0, "ended")])

    assert blamed(model_of(), HOLDS, WAITS, nobody).startswith("MX-02")


@pytest.mark.parametrize("answer", [FAILED, BLOCKED])
def test_a_try_in_the_burst_of_the_release_may_fall_before_or_after_it(answer: Outcome) -> None:
    runs = [(0, 0, "ended"), (1, 1, "running")][: 1 if answer == FAILED else 2]
    seen: Seen = ([Finished(0, "value"), try_hold(1)], {0: value(0), 1: answer}, runs)

    assert allows(model_of(), HOLDS, seen)


def test_a_try_of_a_held_lock_fails_and_does_not_wait() -> None:
    assert allows(model_of(), HOLDS, ([try_hold(1)], {0: BLOCKED, 1: FAILED}, HOLDS[2]))
    waits: Seen = ([try_hold(1)], {0: BLOCKED, 1: BLOCKED}, HOLDS[2])
    assert blamed(model_of(), HOLDS, waits) == "MX-03 a try waits"


def test_a_released_lock_that_is_handed_over_is_never_free() -> None:
    seen: Seen = (
        [Finished(0, "value"), try_hold(2)],
        {0: value(0), 1: BLOCKED, 2: BLOCKED},
        [(0, 0, "ended"), (1, 2, "running")],
    )

    assert not allows(model_of(), HOLDS, WAITS, seen)
    assert allows(model_of(handover="barging", fifo="no"), HOLDS, WAITS, seen)


def test_a_free_lock_is_not_unlocked() -> None:
    assert allows(model_of(), ([release(0)], {0: REFUSED}, []))
    assert blamed(model_of(), ([release(0)], {0: NOTHING}, [])).startswith("MX-04")


def test_somebody_else_unlocks_only_where_the_lock_has_no_owner() -> None:
    taken: Seen = (
        [release(2)],
        {0: BLOCKED, 1: BLOCKED, 2: NOTHING},
        [(0, 0, "running"), (1, 1, "running")],
    )

    assert allows(model_of(), HOLDS, WAITS, taken)
    assert blamed(model_of(**OWNED), HOLDS, WAITS, taken).startswith("MX-05")


def test_a_holder_whose_lock_was_given_away_fails_to_unlock() -> None:
    taken: Seen = ([release(1)], {0: BLOCKED, 1: NOTHING}, HOLDS[2])
    ends: Seen = ([Finished(0, "value")], {0: REFUSED}, [(0, 0, "ended")])

    assert allows(model_of(), HOLDS, taken, ends)


@pytest.mark.parametrize(
    ("relock", "outcome", "runs"),
    [
        ("blocks", BLOCKED, []),
        ("counts", BLOCKED, [(1, 1, "running")]),
        ("raises", REFUSED, []),
    ],
)
def test_an_owner_that_locks_again_gets_what_is_declared(
    relock: str, outcome: Outcome, runs: Running
) -> None:
    seen: Seen = ([hold(1, inside=0)], {0: BLOCKED, 1: outcome}, [*HOLDS[2], *runs])

    for declared in MUTEX.dialects["relock"]:
        model = model_of(ownership="owner", relock=declared)
        assert allows(model, HOLDS, seen) == (declared == relock)


def test_a_lock_that_counts_is_free_only_after_the_last_unlock() -> None:
    model = model_of(ownership="owner", relock="counts")
    again: Seen = (
        [hold(1, inside=0)],
        {0: BLOCKED, 1: BLOCKED},
        [(0, 0, "running"), (1, 1, "running")],
    )
    other: Seen = ([hold(2)], {0: BLOCKED, 1: BLOCKED, 2: BLOCKED}, again[2])
    one_left = [(0, 0, "running"), (1, 1, "ended")]
    calls = {0: BLOCKED, 1: value(1), 2: BLOCKED}

    assert allows(model, HOLDS, again, other, ([Finished(1, "value")], calls, one_left))
    let_in: Seen = ([Finished(1, "value")], calls, [*one_left, (2, 2, "running")])
    assert not allows(model, HOLDS, again, other, let_in)


@pytest.mark.parametrize("had_begun", [False, True])
def test_an_heir_that_is_cancelled_passes_the_lock_on(had_begun: bool) -> None:
    calls = {0: value(0), 1: GONE, 2: BLOCKED}
    runs = [(0, 0, "ended"), (1, 2, "running")]
    if had_begun:
        runs = [(0, 0, "ended"), (1, 1, "cancelled"), (2, 2, "running")]
    seen: Seen = ([Finished(0, "value"), Cancelled(1)], calls, runs)

    assert allows(model_of(), HOLDS, WAITS, WAITS_TOO, seen)


def test_a_lock_that_a_cancelled_heir_keeps_is_named() -> None:
    stuck: Seen = (
        [Finished(0, "value"), Cancelled(1)],
        {0: value(0), 1: GONE, 2: BLOCKED},
        [(0, 0, "ended")],
    )

    assert blamed(model_of(), HOLDS, WAITS, WAITS_TOO, stuck).startswith("MX-07")
