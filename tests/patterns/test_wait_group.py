"""The model of the wait group, judged by hand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import pytest

from quiesce.adapters import Adapter
from quiesce.model import BLOCKED, Burst, Checker, Entry, View, name
from quiesce.patterns.wait_group import WAIT_GROUP
from quiesce.stimuli import Began, Cancelled, Fact, Finished, Ticked, arguments
from quiesce.worlds.world import START

PART = (0,)
GONE = ("cancelled",)
REFUSED = ("raised", ("refused",))
NOTHING = ("returned", None)
TIMEOUT = 1_000

Outcome = tuple[Any, ...]
Seen = tuple[Sequence[Fact], dict[int, Outcome], Sequence[tuple[int, int, str]]]


def failed(*executions: int) -> Outcome:
    return ("raised", ("group", tuple(("error", index) for index in executions)))


def model_of(lacks: Collection[str] = ()) -> Any:
    adapter = Adapter(
        "hand", "wait_group", "threads", module="", qualname="", lacks=frozenset(lacks)
    )
    return WAIT_GROUP.model(adapter, {})


def add(call: int, n: int = 1) -> Began:
    return Began(call, "add", arguments(n=n))


def wait(call: int) -> Began:
    return Began(call, "wait", ())


def within(call: int) -> Began:
    return Began(call, "wait_within", arguments(timeout=TIMEOUT))


def go(call: int, inside: int | None = None) -> Began:
    return Began(call, "go", (), inside)


def seen(facts: Sequence[Fact] | Fact, calls: dict[int, Outcome], *executions: Any) -> Seen:
    return (facts if isinstance(facts, list) else [facts]), calls, executions


def entry(each: Seen) -> Entry:
    """What was seen after a burst whose facts may have taken effect in any order."""
    facts, calls, executions = each
    burst = Burst(tuple(facts), tuple(frozenset[int]() for _ in facts))
    return Entry(PART, burst, View(tuple(sorted(calls.items())), tuple(executions)))


def allows(model: Any, *journal: Seen) -> bool:
    checker = Checker(model)
    return all(checker.compare(entry(each)) for each in journal)


def blamed(model: Any, *seen_so_far: Seen) -> str:
    """The signature of what was seen last; all before that conforms."""
    journal = [entry(each) for each in seen_so_far]
    checker = Checker(model)
    assert all(checker.compare(each) for each in journal[:-1])
    assert not checker.compare(journal[-1])
    return name(model, journal, checker.predict(journal[-1]))


ADDED = seen(add(0), {0: NOTHING})
WAITS = seen(wait(1), {1: BLOCKED})


def test_a_wait_at_zero_returns_at_once() -> None:
    assert allows(model_of(), seen(wait(0), {0: NOTHING}))
    assert blamed(model_of(), seen(wait(0), {0: BLOCKED})).startswith("WG-01")


def test_all_waiters_are_released_at_zero_and_not_before() -> None:
    two = seen(add(0, 2), {0: NOTHING}), WAITS, seen(wait(2), {1: BLOCKED, 2: BLOCKED})
    first = seen(Began(3, "done", ()), {1: BLOCKED, 2: BLOCKED, 3: NOTHING})
    last = seen(Began(4, "done", ()), {1: NOTHING, 2: NOTHING, 4: NOTHING})

    assert allows(model_of(), *two, first, last)
    early = seen(Began(3, "done", ()), {1: NOTHING, 2: NOTHING, 3: NOTHING})
    assert blamed(model_of(), *two, early).startswith("WG-02")
    one = seen(Began(4, "done", ()), {1: NOTHING, 2: BLOCKED, 4: NOTHING})
    assert blamed(model_of(), *two, first, one).startswith("WG-02")


def test_a_delta_that_leads_below_zero_changes_nothing() -> None:
    below = seen(add(2, -2), {1: BLOCKED, 2: REFUSED})

    assert allows(model_of(), ADDED, WAITS, below, seen(add(3, -1), {1: NOTHING, 3: NOTHING}))
    assert blamed(model_of(), seen(add(0, -1), {0: NOTHING})).startswith("WG-03")


@pytest.mark.parametrize("lacks", [[], ["rounds"]])
def test_a_new_round_keeps_released_waiters_only_where_nothing_is_promised(
    lacks: list[str],
) -> None:
    kept = seen([Began(2, "done", ()), add(3)], {1: BLOCKED, 2: NOTHING, 3: NOTHING})

    # Adding before the end is another order of the same burst, but a refusal shows the end.
    refused = seen([Began(2, "done", ()), add(3)], {1: NOTHING, 2: NOTHING, 3: REFUSED})
    assert allows(model_of(lacks), ADDED, WAITS, kept)
    assert allows(model_of(lacks), ADDED, WAITS, refused)
    ended = Burst((Began(2, "done", ()), add(3)), (frozenset(), frozenset({0})))
    checker = Checker(model_of(lacks))
    assert checker.compare(entry(ADDED))
    assert checker.compare(entry(WAITS))
    later = Entry(PART, ended, entry(kept).seen)
    assert checker.compare(later) == bool(lacks)


def test_a_function_is_counted_from_go_to_its_end_and_for_nobody_else() -> None:
    runs = seen(go(0), {0: NOTHING}, (0, 0, "running"))
    waits = seen(wait(1), {1: BLOCKED}, (0, 0, "running"))
    taken = seen(Began(2, "done", ()), {1: BLOCKED, 2: REFUSED}, (0, 0, "running"))

    assert allows(
        model_of(),
        runs,
        waits,
        taken,
        seen(Finished(0, "value"), {1: NOTHING}, (0, 0, "ended")),
    )


def test_a_function_that_is_counted_late_is_named() -> None:
    # The wait was called when go had returned, and before everything came to rest.
    burst = Burst((go(0), wait(1)), (frozenset(), frozenset({0})))
    view = View(((0, NOTHING), (1, NOTHING)), ((0, 0, "running"),))
    journal, checker = [Entry(PART, burst, view)], Checker(model_of())

    assert not checker.compare(journal[0])
    signature = name(model_of(), journal, checker.predict(journal[0]))
    assert signature == "WG-06 a function is counted only after go has returned"


def test_a_wait_covers_functions_that_functions_started() -> None:
    runs = seen(go(0), {0: NOTHING}, (0, 0, "running"))
    inner = seen(go(1, inside=0), {1: NOTHING}, (0, 0, "running"), (1, 1, "running"))
    one_left = seen(Finished(0, "value"), {}, (0, 0, "ended"), (1, 1, "running"))

    assert allows(model_of(), runs, inner, one_left, seen(wait(2), {2: BLOCKED}, (1, 1, "running")))
    returned = seen(wait(2), {2: NOTHING}, (1, 1, "running"))
    assert blamed(model_of(), runs, inner, one_left, returned).startswith("WG-07")


def test_errors_go_to_those_who_wait_or_to_the_next_who_does_and_then_are_forgotten() -> None:
    model = model_of()
    runs = seen(go(0), {0: NOTHING}, (0, 0, "running"))
    untold = seen(Finished(0, "error"), {}, (0, 0, "ended"))
    again = seen(go(1), {1: NOTHING}, (1, 1, "running"))
    told = seen(Finished(1, "error"), {2: failed(0, 1)}, (1, 1, "ended"))
    waits = seen(wait(2), {2: BLOCKED}, (1, 1, "running"))
    new_round = seen([add(3)], {3: NOTHING}), seen(Began(4, "done", ()), {4: NOTHING})

    journal = runs, untold, again, waits, told
    assert allows(model, *journal, seen(wait(3), {3: failed(0, 1)}))
    assert allows(model, *journal, *new_round, seen(wait(5), {5: NOTHING}))
    lost = seen(Finished(1, "error"), {2: failed(1)}, (1, 1, "ended"))
    assert blamed(model, runs, untold, again, waits, lost).startswith("WG-06")


def test_an_exit_ends_a_function_and_is_no_error() -> None:
    runs = seen(go(0), {0: NOTHING}, (0, 0, "running"))
    waits = seen(wait(1), {1: BLOCKED}, (0, 0, "running"))

    assert allows(model_of(), runs, waits, seen(Finished(0, "exit"), {1: NOTHING}, (0, 0, "ended")))


def test_a_waiter_that_gives_up_changes_nothing() -> None:
    journal = ADDED, seen(within(1), {1: BLOCKED})
    in_time = seen(Ticked(START + TIMEOUT - 1), {1: BLOCKED})
    gives_up = seen(Ticked(START + TIMEOUT), {1: ("returned", False)})

    assert allows(model_of(), *journal, in_time, gives_up, seen(wait(2), {2: BLOCKED}))
    counted = seen(wait(2), {2: NOTHING})
    assert blamed(model_of(), *journal, in_time, gives_up, counted).startswith("WG-08")


@pytest.mark.parametrize("shown", [NOTHING, GONE])
def test_a_cancellation_in_the_burst_of_the_end_shows_or_does_not(shown: Outcome) -> None:
    burst = seen([Began(2, "done", ()), Cancelled(1)], {1: shown, 2: NOTHING})

    assert allows(model_of(), ADDED, WAITS, burst)
