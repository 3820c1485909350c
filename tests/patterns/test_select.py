"""The model of select, judged by hand: what it allows and forbids in small bursts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from quiesce.adapters import Adapter
from quiesce.model import BLOCKED, Burst, Checker, Entry, View, name
from quiesce.patterns.select import SELECT, judged
from quiesce.stimuli import Began, Cancelled, Fact, Ticked
from quiesce.worlds.world import START

Outcome = tuple[Any, ...]
Seen = tuple[Sequence[Fact], dict[int, Outcome]]

PART = (0,)
SENT: Outcome = ("returned", None)
FROM_A, FROM_B, TO_A = ("receive", "a"), ("receive", "b"), ("send", "a")


def did(index: int, answer: object) -> Outcome:
    return ("returned", (index, answer), START)


def model_of(capacity: int = 1) -> Any:
    adapter = Adapter(name="hand", pattern="select", world="asyncio", module="", qualname="")
    return SELECT.model(adapter, {"capacity": capacity})


def select(call: int, *cases: Any, default: bool = False, timeout: int | None = None) -> Began:
    return Began(call, "select", (("cases", cases), ("default", default), ("timeout", timeout)))


def on(call: int, operation: str, channel: str) -> Began:
    return Began(call, operation, (("channel", channel),))


def entry(facts: Sequence[Fact], calls: dict[int, Outcome]) -> Entry:
    burst = Burst(tuple(facts), tuple(frozenset[int]() for _ in facts))
    return Entry(PART, burst, View(tuple(sorted(calls.items()))))


def allows(model: Any, *seen: Seen) -> bool:
    checker = Checker(model)
    return all(checker.compare(entry(*each)) for each in seen)


def named(model: Any, *seen: Seen) -> str:
    """The signature of what was seen last; all before it is as it should be."""
    checker, journal = Checker(model), [entry(*each) for each in seen]
    assert all(checker.compare(each) for each in journal[:-1])
    assert not checker.compare(journal[-1])
    signature: str = name(model, journal, checker.predict(journal[-1]))
    return signature


A_AND_B: tuple[Seen, ...] = (([on(0, "send", "a")], {0: SENT}), ([on(1, "send", "b")], {1: SENT}))
WAITS: Seen = ([select(0, FROM_A, FROM_B)], {0: BLOCKED})


@pytest.mark.parametrize(("index", "left"), [(0, "b"), (1, "a")])
def test_of_two_ready_cases_either_is_performed_and_the_other_stays(index, left):
    chosen: Seen = ([select(2, FROM_A, FROM_B)], {2: did(index, (True, index))})
    rest: Seen = ([on(3, "receive", left)], {3: ("returned", (True, 1 - index))})
    nothing: Seen = ([on(3, "receive", left)], {3: BLOCKED})

    assert allows(model_of(), *A_AND_B, chosen, rest)
    assert named(model_of(), *A_AND_B, chosen, nothing) == "CH-11 a select performs two cases"


def test_a_select_that_waited_is_met_by_one_partner_only():
    met: Seen = ([on(1, "send", "b")], {0: did(1, (True, 1)), 1: SENT})

    assert allows(model_of(0), WAITS, met, ([on(2, "send", "a")], {2: BLOCKED}))
    assert not allows(model_of(0), WAITS, met, ([on(2, "send", "a")], {2: SENT}))


def test_the_default_is_taken_exactly_if_no_case_is_ready():
    taken: Outcome = ("returned", "default", START)
    look = select(2, FROM_A, FROM_B, default=True)

    assert allows(model_of(), ([select(0, FROM_A, default=True)], {0: taken}))
    assert named(model_of(), *A_AND_B, ([look], {2: taken})).startswith("CH-13")


def test_the_default_is_not_taken_while_a_value_moves_from_one_channel_to_the_other():
    burst = [select(1, FROM_A, FROM_B, default=True), Began(2, "shift", ())]
    first: Seen = ([on(0, "send", "a")], {0: SENT})
    shifted: Outcome = ("returned", (True, (True, 0)))

    assert allows(model_of(), first, (burst, {1: did(1, (True, 2)), 2: shifted}))
    taken: Seen = (burst, {1: ("returned", "default", START), 2: shifted})
    assert named(model_of(), first, taken).startswith("CH-13")


def test_a_select_never_meets_itself():
    alone: Seen = ([select(0, TO_A, FROM_A)], {0: BLOCKED})
    met: Seen = ([on(1, "receive", "a")], {0: did(0, None), 1: ("returned", (True, 0))})

    assert allows(model_of(0), alone, met)
    itself: Seen = ([select(0, TO_A, FROM_A)], {0: did(1, (True, 0))})
    assert named(model_of(0), itself).startswith("CH-14")


def test_a_select_gives_up_at_its_time_and_takes_no_value_afterwards():
    begin: Seen = ([select(0, FROM_A, timeout=5)], {0: BLOCKED})
    over: Seen = ([Ticked(START + 5)], {0: ("returned", "timeout", START + 5)})

    assert allows(model_of(0), begin, over, ([on(1, "send", "a")], {1: BLOCKED}))
    assert named(model_of(0), begin, ([Ticked(START + 5)], {0: BLOCKED})).startswith("CH-11")
    ghost: Seen = ([on(1, "send", "a")], {1: SENT})
    assert named(model_of(0), begin, over, ghost).startswith("UN-04")


def test_a_cancelled_select_has_its_value_or_leaves_it():
    burst = [on(1, "send", "a"), Cancelled(0)]
    later: Seen = ([on(2, "receive", "a")], {2: ("returned", (True, 1))})

    assert allows(model_of(), WAITS, (burst, {0: did(0, (True, 1)), 1: SENT}))
    assert allows(model_of(), WAITS, (burst, {0: ("cancelled",), 1: SENT}), later)


def test_a_closed_channel_is_ready():
    close: Seen = ([on(0, "close", "a")], {0: ("returned", "closed")})
    refused: Outcome = ("raised", ("refused",), START)

    assert allows(model_of(), close, ([select(1, FROM_A)], {1: did(0, (False, None))}))
    assert allows(model_of(), close, ([select(1, TO_A)], {1: refused}))
    assert not allows(model_of(), close, ([select(1, TO_A)], {1: BLOCKED}))


def test_a_choice_is_fair_within_six_standard_deviations():
    assert judged([20, 80]) == "fair"
    assert judged([19, 81]) == "unfair"
