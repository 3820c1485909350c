"""The model of cancel scopes, judged by hand: who absorbs, and who does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from quiesce.adapters import Adapter
from quiesce.model import BLOCKED, Burst, Checker, Entry, View, name
from quiesce.patterns.cancel_scope import CANCEL_SCOPE
from quiesce.patterns.universal import ALIEN_CANCEL
from quiesce.stimuli import Began, Cancelled, Fact, Finished, Ticked, arguments
from quiesce.worlds.world import START

PART = (0,)
NOTHING = ("returned", None)
GONE = ("cancelled",)

Outcome = tuple[Any, ...]
Seen = tuple[Sequence[Fact], dict[int, Outcome], Sequence[tuple[int, int, str]]]


def model(world: str = "trio", early: str = "kept") -> Any:
    adapter = Adapter(
        name="hand",
        pattern="cancel_scope",
        world=world,
        module="",
        qualname="",
        dialect={"early_cancel": early},
    )
    return CANCEL_SCOPE.model(adapter, {})


def entry(
    facts: Sequence[Fact],
    calls: dict[int, Outcome],
    executions: Sequence[tuple[int, int, str]] = (),
) -> Entry:
    """What was seen after a burst whose facts may have taken effect in any order."""
    burst = Burst(tuple(facts), tuple(frozenset[int]() for _ in facts))
    return Entry(PART, burst, View(tuple(sorted(calls.items())), tuple(executions)))


def allows(*seen: Seen, of: Any = None) -> bool:
    checker = Checker(model() if of is None else of)
    return all(checker.compare(entry(*each)) for each in seen)


def blamed(*seen: Seen) -> str:
    """The clause of the last of these, which is the first that the model does not allow."""
    checker, journal = Checker(model()), [entry(*each) for each in seen]
    assert all(checker.compare(each) for each in journal[:-1])
    assert not checker.compare(journal[-1])
    return name(model(), journal, checker.predict(journal[-1]))[:5]


def left(inner: bool, outer: bool, count: int = 0) -> Outcome:
    return ("returned", ("left", inner, outer, count))


def nest(outer: int | None = None, inner: int | None = None, *, shield: bool = False) -> Seen:
    given = arguments(outer=outer, inner=inner, shield=shield)
    return [Began(0, "nest", given)], {0: NOTHING}, []


RUN: Seen = ([Began(1, "run", arguments(of=0))], {1: BLOCKED}, [(0, 1, "running")])
#: What the first stage and the second look like after an interruption of the first.
NEXT = [(0, 1, "cancelled"), (1, 1, "running")]
STOPPED = [(0, 1, "cancelled")]


def cancel(call: int, scope: str) -> Began:
    return Began(call, "cancel", arguments(of=0, scope=scope))


def test_inner_absorbs_its_own_cancellation_and_the_run_goes_on():
    ends = ([cancel(2, "inner")], {1: BLOCKED, 2: NOTHING}, NEXT)
    over = ([Finished(1, "value")], {1: left(True, False)}, [(1, 1, "ended")])

    assert allows(nest(), RUN, ends, over)
    assert blamed(nest(), RUN, ends, (over[0], {1: left(True, False, 1)}, over[2])) == "CX-18"


@pytest.mark.parametrize("scope", ["outer", "both"])
def test_outer_absorbs_what_reaches_further_than_inner(scope):
    facts = [cancel(2, scope)]

    assert allows(nest(), RUN, (facts, {1: left(False, True), 2: NOTHING}, STOPPED))
    assert blamed(nest(), RUN, (facts, {1: BLOCKED, 2: NOTHING}, NEXT)) == "CX-16"


def test_of_two_cancellations_that_race_inner_may_absorb_first():
    facts = [cancel(2, "inner"), cancel(3, "outer")]
    both = {2: NOTHING, 3: NOTHING}
    twice = [(0, 1, "cancelled"), (1, 1, "cancelled")]

    assert allows(nest(), RUN, (facts, {1: left(True, True), **both}, twice))
    assert allows(nest(), RUN, (facts, {1: left(False, True), **both}, STOPPED))
    assert not allows(nest(), RUN, (facts, {1: BLOCKED, **both}, NEXT))


def test_no_scope_absorbs_the_cancellation_of_the_run_itself():
    facts = [Cancelled(1), cancel(2, "inner")]

    assert allows(nest(), RUN, (facts, {1: GONE, 2: NOTHING}, STOPPED))
    assert not allows(nest(), RUN, (facts, {1: left(True, False), 2: NOTHING}, STOPPED))


def test_a_scope_that_lets_its_own_cancellation_out_is_blamed():
    facts = [cancel(2, "outer")]

    assert blamed(nest(), RUN, (facts, {1: ALIEN_CANCEL, 2: NOTHING}, STOPPED)) == "CX-16"


def test_an_error_of_the_body_comes_out_of_both():
    ends = [(0, 1, "ended")]

    assert allows(nest(), RUN, ([Finished(0, "error")], {1: ("raised", ("error", 0))}, ends))
    assert blamed(nest(), RUN, ([Finished(0, "error")], {1: left(False, True)}, ends)) == "CX-16"


def test_a_shield_holds_outer_back_until_the_first_stage_ends():
    shielded = nest(shield=True)
    waits = ([cancel(2, "outer")], {1: BLOCKED, 2: NOTHING}, [(0, 1, "running")])
    ends = ([Finished(0, "value")], {1: left(False, True)}, [(0, 1, "ended"), (1, 1, "cancelled")])

    assert allows(shielded, RUN, waits, ends)
    assert blamed(shielded, RUN, (waits[0], {1: left(False, True), 2: NOTHING}, STOPPED)) == "CX-17"
    lasts = (ends[0], {1: BLOCKED}, [(0, 1, "ended"), (1, 1, "running")])
    assert blamed(shielded, RUN, waits, lasts) == "CX-17"


def test_a_shield_does_not_hold_inner_itself_back():
    facts = [cancel(2, "inner")]

    assert allows(nest(shield=True), RUN, (facts, {1: BLOCKED, 2: NOTHING}, NEXT))
    deaf = (facts, {1: BLOCKED, 2: NOTHING}, [(0, 1, "running")])
    assert blamed(nest(shield=True), RUN, deaf) == "CX-17"


def test_only_in_asyncio_a_cancellation_may_go_through_a_shield():
    through = ([Cancelled(1)], {1: GONE}, STOPPED)

    assert allows(nest(shield=True), RUN, through, of=model("asyncio"))
    assert not allows(nest(shield=True), RUN, through)


def test_a_deadline_interrupts_as_a_cancellation_does():
    due = [Ticked(START + 1_000)]

    assert allows(nest(1_000, None), RUN, (due, {1: left(False, True)}, STOPPED))
    assert allows(nest(None, 1_000), RUN, (due, {1: BLOCKED}, NEXT))
    assert not allows(nest(None, 1_001), RUN, (due, {1: BLOCKED}, NEXT))


@pytest.mark.parametrize(("early", "stopped"), [("kept", True), ("ignored", False)])
def test_whether_a_cancellation_before_the_entry_counts_is_a_dialect(early, stopped):
    before = ([cancel(1, "outer")], {1: NOTHING}, [])
    run = [Began(2, "run", arguments(of=0))]
    interrupted = (run, {2: left(False, True)}, [(0, 2, "cancelled")])
    running = (run, {2: BLOCKED}, [(0, 2, "running")])

    assert allows(nest(), before, interrupted, of=model(early=early)) == stopped
    assert allows(nest(), before, running, of=model(early=early)) != stopped


def test_a_nest_is_entered_once():
    again = [Began(2, "run", arguments(of=0))]

    assert allows(nest(), RUN, (again, {1: BLOCKED, 2: ("raised", ("refused",))}, RUN[2]))
