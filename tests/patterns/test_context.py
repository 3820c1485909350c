"""The model of contexts, judged by hand: what a tree of scopes may show, and what not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from quiesce.adapters import Adapter
from quiesce.model import BLOCKED, Burst, Checker, Entry, View, name
from quiesce.patterns.context import CONTEXT
from quiesce.stimuli import Began, Fact, Finished, Ticked, arguments
from quiesce.worlds.world import START

PART = (0,)
NOTHING = ("returned", None)
LIVE = ("returned", ("look", False, None, None, False))

Outcome = tuple[Any, ...]
Seen = tuple[Sequence[Fact], dict[int, Outcome], Sequence[tuple[int, int, str]]]


def model() -> Any:
    adapter = Adapter(name="hand", pattern="context", world="threads", module="", qualname="")
    return CONTEXT.model(adapter, {})


def entry(
    facts: Sequence[Fact],
    calls: dict[int, Outcome],
    executions: Sequence[tuple[int, int, str]] = (),
) -> Entry:
    """What was seen after a burst whose facts may have taken effect in any order."""
    burst = Burst(tuple(facts), tuple(frozenset[int]() for _ in facts))
    return Entry(PART, burst, View(tuple(sorted(calls.items())), tuple(executions)))


def allows(*seen: Seen) -> bool:
    checker = Checker(model())
    return all(checker.compare(entry(*each)) for each in seen)


def blamed(*seen: Seen) -> str:
    """The clause of the last of these, which is the first that the model does not allow."""
    checker, journal = Checker(model()), [entry(*each) for each in seen]
    assert all(checker.compare(each) for each in journal[:-1])
    assert not checker.compare(journal[-1])
    return name(model(), journal, checker.predict(journal[-1]))[:5]


def began(call: int, operation: str, of: int | None = None, **given: Any) -> Began:
    if of is not None:
        given["of"] = of
    return Began(call, operation, arguments(**given))


def made(call: int, operation: str, of: int | None = None, **given: Any) -> Seen:
    return [began(call, operation, of, **given)], {call: NOTHING}, []


def looked(call: int, of: int, outcome: Outcome) -> Seen:
    return [began(call, "look", of)], {call: outcome}, []


def done(error: str, cause: object) -> Outcome:
    return ("returned", ("look", True, error, cause, True))


def cancelled(call: int, of: int, outcome: str = "cancelled", *, caused: bool = True) -> Seen:
    return [began(call, "cancel", of, caused=caused)], {call: ("returned", outcome)}, []


ROOT = made(0, "background")
CHILD = made(1, "with_cancel", 0)
GRANDCHILD = made(2, "with_cancel", 1)
TREE = (ROOT, CHILD, GRANDCHILD)


def timed(call: int, of: int, delay: int, *, caused: bool = False) -> Seen:
    return made(call, "with_deadline", of, delay=delay, caused=caused)


def test_a_cancellation_reaches_descendants_with_its_cause_and_nobody_else():
    assert allows(
        *TREE,
        cancelled(3, 1),
        looked(4, 1, done("cancelled", 3)),
        looked(5, 2, done("cancelled", 3)),
        looked(6, 0, LIVE),
    )
    assert blamed(*TREE, cancelled(3, 1), looked(4, 2, LIVE)) == "CX-04"
    assert blamed(*TREE, cancelled(3, 2), looked(4, 1, done("cancelled", 3))) == "CX-05"


def test_without_a_cause_the_error_is_the_cause():
    ended = cancelled(3, 1, caused=False)

    assert allows(*TREE, ended, looked(4, 2, done("cancelled", "cancelled")))
    assert blamed(*TREE, cancelled(3, 1), looked(4, 1, done("cancelled", "cancelled"))) == "CX-07"


def test_the_first_cancellation_decides():
    twice = (*TREE, cancelled(3, 2), cancelled(4, 1), cancelled(5, 2))

    assert allows(*twice, looked(6, 2, done("cancelled", 3)), looked(7, 1, done("cancelled", 4)))
    assert blamed(*twice, looked(6, 2, done("cancelled", 5))) == "CX-03"


@pytest.mark.parametrize("first", [3, 4])
def test_of_two_cancellations_that_race_either_decides(first):
    race = (
        [*cancelled(3, 1)[0], *cancelled(4, 2)[0]],
        dict.fromkeys((3, 4), ("returned", "cancelled")),
        [],
    )

    assert allows(
        *TREE, race, looked(5, 1, done("cancelled", 3)), looked(6, 2, done("cancelled", first))
    )


def test_a_child_of_a_done_scope_is_born_done():
    assert allows(
        ROOT, CHILD, cancelled(2, 1), made(3, "with_cancel", 1), looked(4, 3, done("cancelled", 2))
    )
    assert (
        blamed(ROOT, CHILD, cancelled(2, 1), made(3, "with_cancel", 1), looked(4, 3, LIVE))
        == "CX-06"
    )


def test_a_child_that_is_made_in_a_race_with_the_cancellation_is_done_as_well():
    race = (
        [*cancelled(2, 1)[0], began(3, "with_cancel", 1)],
        {2: ("returned", "cancelled"), 3: NOTHING},
        [],
    )

    assert allows(ROOT, CHILD, race, looked(4, 3, done("cancelled", 2)))
    assert not allows(ROOT, CHILD, race, looked(4, 3, LIVE))


def test_a_look_in_a_race_may_see_the_end_come_but_never_one_half_of_it():
    def race(*reading: object) -> tuple[Seen, ...]:
        facts = [*cancelled(2, 1)[0], began(3, "look", 1)]
        calls = {2: ("returned", "cancelled"), 3: ("returned", ("look", *reading))}
        return (ROOT, CHILD, (facts, calls, []))

    assert allows(*race(False, None, None, False))
    assert allows(*race(False, None, 2, True))
    assert allows(*race(True, "cancelled", 2, True))
    assert blamed(*race(True, None, None, True)) == "CX-12"
    assert blamed(*race(False, "cancelled", 2, False)) == "CX-12"


def test_a_deadline_ends_a_scope_at_its_very_nanosecond():
    at = [Ticked(START + 1_000)]

    assert allows(ROOT, timed(1, 0, 1_000), ([Ticked(START + 999)], {}, []), looked(2, 1, LIVE))
    assert allows(
        ROOT, timed(1, 0, 1_000), (at, {}, []), looked(2, 1, done("deadline", "deadline"))
    )
    assert blamed(ROOT, timed(1, 0, 1_000), (at, {}, []), looked(2, 1, LIVE)) == "CX-08"
    assert (
        blamed(ROOT, timed(1, 0, 1_000), (at, {}, []), looked(2, 1, done("cancelled", "cancelled")))
        == "CX-08"
    )


def test_of_two_deadlines_the_earlier_one_counts_with_its_own_cause():
    parent, child = timed(1, 0, 1_000, caused=True), timed(2, 1, 5_000, caused=True)
    at = ([Ticked(START + 1_000)], {}, [])

    assert allows(ROOT, parent, child, at, looked(3, 2, done("deadline", 1)))
    assert blamed(ROOT, parent, child, at, looked(3, 2, LIVE)) == "CX-09"


def test_a_deadline_that_is_past_decides_unless_the_parent_is_done():
    assert allows(
        ROOT,
        timed(1, 0, -1),
        cancelled(2, 1, "deadline"),
        looked(3, 1, done("deadline", "deadline")),
    )
    assert allows(ROOT, CHILD, cancelled(2, 1), timed(3, 1, -1), looked(4, 3, done("cancelled", 2)))


def test_a_wait_ends_with_the_scope_or_at_its_own_timeout():
    waits = ([began(2, "wait", 1, timeout=1_000)], {2: BLOCKED}, [])

    assert allows(
        ROOT,
        CHILD,
        waits,
        (
            [began(3, "cancel", 1, caused=False)],
            {2: ("returned", True, START), 3: ("returned", "cancelled")},
            [],
        ),
    )
    assert allows(
        ROOT, CHILD, waits, ([Ticked(START + 1_000)], {2: ("returned", False, START + 1_000)}, [])
    )
    assert (
        blamed(
            ROOT,
            CHILD,
            waits,
            ([began(3, "cancel", 1, caused=False)], {2: BLOCKED, 3: ("returned", "cancelled")}, []),
        )
        == "UN-03"
    )


REGISTERED = made(2, "after", 1)


def test_a_callback_runs_once_and_cancel_does_not_wait_for_it():
    ends = (
        [began(3, "cancel", 1, caused=False)],
        {3: ("returned", "cancelled")},
        [(0, 2, "running")],
    )

    assert allows(ROOT, CHILD, REGISTERED, ends, ([Finished(0, "value")], {}, [(0, 2, "ended")]))
    assert blamed(ROOT, CHILD, REGISTERED, (ends[0], {3: BLOCKED}, ends[2])) == "CX-11"
    assert blamed(ROOT, CHILD, REGISTERED, (ends[0], ends[1], [])) == "CX-13"


def test_stop_tells_whether_it_prevented_the_run():
    stop = [began(3, "stop", 2)]
    race = [*stop, began(4, "cancel", 1, caused=False)]

    def raced(prevented: bool, executions: Sequence[tuple[int, int, str]]) -> tuple[Seen, ...]:
        calls = {3: ("returned", prevented), 4: ("returned", "cancelled")}
        return (ROOT, CHILD, REGISTERED, (race, calls, executions))

    assert allows(*raced(True, []))
    assert allows(*raced(False, [(0, 2, "running")]))
    assert blamed(*raced(True, [(0, 2, "running")])) == "CX-13"
    assert blamed(*raced(False, [])) == "CX-13"


def test_a_detached_scope_keeps_the_values_and_outlives_its_origin():
    detached = (
        ROOT, CHILD, made(2, "with_value", 1, key="a", empty=False),
        made(3, "without_cancel", 2), cancelled(4, 1),
    )  # fmt: skip

    assert allows(
        *detached,
        looked(5, 3, LIVE),
        ([began(6, "value", 3, key="a")], {6: ("returned", ("bound", 2))}, []),
    )
    assert blamed(*detached, looked(5, 3, done("cancelled", 4))) == "CX-14"
