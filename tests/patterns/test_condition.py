"""The model of the condition, judged by hand: what each dialect allows and forbids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from quiesce.adapters import Adapter
from quiesce.model import BLOCKED, Burst, Checker, Entry, View, name
from quiesce.patterns.condition import CONDITION
from quiesce.stimuli import Began, Cancelled, Fact, Finished, Ticked, arguments
from quiesce.worlds.world import START

PART = (0,)
GONE = ("cancelled",)
REFUSED = ("raised", ("refused",))
DONE = ("returned", None)
SECOND = 1_000_000_000

Outcome = tuple[Any, ...]
Running = Sequence[tuple[int, int, str]]
Seen = tuple[Sequence[Fact], dict[int, Outcome], Running]


def value(index: int) -> Outcome:
    return ("returned", ("value", index))


def wait(call: int) -> Began:
    return Began(call, "wait", ())


def within(call: int) -> Began:
    return Began(call, "wait_within", arguments(timeout=SECOND))


def hold(call: int) -> Began:
    return Began(call, "hold", ())


def notify(call: int, n: int = 1) -> Began:
    return Began(call, "notify", arguments(n=n))


def notify_here(call: int, n: int = 1, inside: int | None = None) -> Began:
    return Began(call, "notify_here", arguments(n=n), inside)


def model_of(lacks: Iterable[str] = (), **dialect: str) -> Any:
    adapter = Adapter(
        "hand", "condition", "asyncio", "", "", lacks=frozenset(lacks), dialect=dialect
    )
    return CONDITION.model(adapter, {})


def entry(seen: Seen) -> Entry:
    """What was seen after a burst whose facts may have taken effect in any order."""
    facts, calls, executions = seen
    burst = Burst(tuple(facts), tuple(frozenset[int]() for _ in facts))
    return Entry(PART, burst, View(tuple(sorted(calls.items())), tuple(executions)))


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


BOTH = {0: BLOCKED, 1: BLOCKED}
TWO_WAIT: tuple[Seen, ...] = (([wait(0)], {0: BLOCKED}, []), ([wait(1)], BOTH, []))
HELD: Seen = ([hold(2)], {**BOTH, 2: BLOCKED}, [(0, 2, "running")])
NOTIFIED: Seen = (
    [notify_here(3, inside=0)],
    {**BOTH, 2: BLOCKED, 3: DONE},
    [(0, 2, "running")],
)
RELEASED = ({2: value(0)}, [(0, 2, "ended")])


def runs(index: int, call: int) -> tuple[int, int, str]:
    return (index, call, "running")


def test_one_notification_wakes_the_one_that_came_first():
    first: Seen = ([notify(2)], {**BOTH, 2: DONE}, [runs(0, 0)])
    second: Seen = ([notify(2)], {**BOTH, 2: DONE}, [runs(0, 1)])
    assert allows(model_of(), *TWO_WAIT, first)
    assert blamed(model_of(), *TWO_WAIT, second) == "CO-06"
    assert allows(model_of(fifo="no"), *TWO_WAIT, second)


def test_waiters_that_came_in_one_burst_have_no_known_order_but_keep_it():
    burst: Seen = ([wait(0), wait(1), wait(2)], {**BOTH, 2: BLOCKED}, [])
    later: Seen = ([wait(3)], {**BOTH, 2: BLOCKED, 3: BLOCKED}, [])
    waiting = {**BOTH, 2: BLOCKED, 3: BLOCKED}
    for call in (0, 1, 2):
        assert allows(
            model_of(), burst, later, ([notify(4)], {**waiting, 4: DONE}, [runs(0, call)])
        )
    assert not allows(model_of(), burst, later, ([notify(4)], {**waiting, 4: DONE}, [runs(0, 3)]))


@pytest.mark.parametrize(("n", "woken"), [(1, 2), (2, 1), (1, 0)])
def test_another_number_of_waiters_than_asked_for_is_wrong(n, woken):
    calls = {**BOTH, 3: DONE, **RELEASED[0]}
    after = [*RELEASED[1], *(runs(1, 0) for _ in range(min(1, woken)))]
    notified: Seen = (
        [notify_here(3, n, inside=0)],
        {**BOTH, 2: BLOCKED, 3: DONE},
        [(0, 2, "running")],
    )
    released: Seen = ([Finished(0, "value")], {k: v for k, v in calls.items() if k != 3}, after)
    if woken == 0:
        assert blamed(model_of(), *TWO_WAIT, HELD, notified, released) == "CO-02"
        return
    ended: Seen = (
        [Finished(1, "value")],
        {0: value(1), 1: BLOCKED},
        [(1, 0, "ended"), *([runs(2, 1)] if woken == 2 else [])],
    )
    assert blamed(model_of(), *TWO_WAIT, HELD, notified, released, ended) == "CO-02"


def test_a_woken_waiter_goes_on_only_when_the_lock_is_free():
    assert allows(model_of(), *TWO_WAIT, HELD, NOTIFIED)
    too_early = (NOTIFIED[0], NOTIFIED[1], [*NOTIFIED[2], runs(1, 0)])
    assert blamed(model_of(), *TWO_WAIT, HELD, too_early) == "CO-01"


def test_a_cancelled_waiter_stays_while_somebody_holds_the_lock():
    stays: Seen = ([Cancelled(0)], {**BOTH, 2: BLOCKED}, [(0, 2, "running")])
    leaves: Seen = ([Cancelled(0)], {**BOTH, 0: GONE, 2: BLOCKED}, [(0, 2, "running")])
    assert allows(model_of(), *TWO_WAIT, HELD, stays)
    assert blamed(model_of(), *TWO_WAIT, HELD, leaves) == "CO-03"


CANCELLED: Seen = ([Cancelled(0)], {**BOTH, 2: BLOCKED}, [(0, 2, "running")])
END = [Finished(0, "value")]


def test_a_notified_waiter_that_is_cancelled_returns_or_passes_its_notification_on():
    before = (*TWO_WAIT, HELD, NOTIFIED, CANCELLED)
    ended, calls = [(0, 2, "ended")], {2: value(0), 1: BLOCKED}
    passed_on: Seen = (END, {**calls, 0: GONE}, [*ended, runs(1, 1)])
    returned: Seen = (END, {**calls, 0: GONE}, [*ended, (1, 0, "cancelled")])
    lost: Seen = (END, {**calls, 0: GONE}, ended)
    assert allows(model_of(), *before, passed_on)
    assert allows(model_of(), *before, returned)
    assert blamed(model_of(), *before, lost) == "CO-02"


def test_only_spurious_wake_ups_let_a_cancelled_waiter_wake_another():
    before = (*TWO_WAIT, HELD, CANCELLED)
    woken: Seen = (END, {2: value(0), 1: BLOCKED, 0: GONE}, [(0, 2, "ended"), runs(1, 1)])
    quiet: Seen = (END, {2: value(0), 1: BLOCKED, 0: GONE}, [(0, 2, "ended")])
    assert allows(model_of(spurious_wakeup="yes"), *before, woken)
    assert allows(model_of(spurious_wakeup="yes"), *before, quiet)
    assert allows(model_of(), *before, quiet)
    assert not allows(model_of(), *before, woken)


def test_a_notification_after_the_time_out_counts_for_somebody():
    before: tuple[Seen, ...] = (
        ([within(0)], {0: BLOCKED}, []),
        ([wait(1)], BOTH, []),
        HELD,
        ([Ticked(START + SECOND)], {**BOTH, 2: BLOCKED}, [(0, 2, "running")]),
        NOTIFIED,
        (END, {**BOTH, 2: value(0)}, [(0, 2, "ended"), runs(1, 0)]),
    )
    end, ended = [Finished(1, "value")], (1, 0, "ended")
    in_time, too_late = ("returned", (True, ("value", 1))), ("returned", (False, ("value", 1)))
    assert allows(model_of(), *before, (end, {0: in_time, 1: BLOCKED}, [ended]))
    assert allows(model_of(), *before, (end, {0: too_late, 1: BLOCKED}, [ended, runs(2, 1)]))
    assert blamed(model_of(), *before, (end, {0: too_late, 1: BLOCKED}, [ended])) == "CO-02"


def test_a_time_out_waits_for_the_lock():
    before: tuple[Seen, ...] = (
        ([within(0)], {0: BLOCKED}, []),
        ([hold(1)], BOTH, [(0, 1, "running")]),
    )
    late = [Ticked(START + SECOND)]
    assert allows(model_of(), *before, (late, BOTH, [(0, 1, "running")]))
    assert blamed(model_of(), *before, (late, BOTH, [(0, 1, "running"), runs(1, 0)])) == "CO-03"


def test_who_does_not_hold_the_lock_is_refused():
    assert allows(model_of(), ([notify_here(0)], {0: REFUSED}, []))
    assert blamed(model_of(), ([notify_here(0)], {0: DONE}, [])) == "CO-04"
    assert blamed(model_of(), ([Began(0, "wait_here", ())], {0: BLOCKED}, [])) == "CO-04"


def test_a_lock_without_an_owner_lets_others_notify_while_it_is_held():
    accepted: Seen = ([notify_here(3)], {**BOTH, 2: BLOCKED, 3: DONE}, [(0, 2, "running")])
    assert allows(model_of(lacks={"ownership"}), *TWO_WAIT, HELD, accepted)
    assert blamed(model_of(), *TWO_WAIT, HELD, accepted) == "CO-04"
