"""The models of the task group, judged by hand: what they allow and what they forbid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from quiesce.adapters import Adapter
from quiesce.model import BLOCKED, Burst, Checker, Entry, View, name
from quiesce.patterns.task_group import TASK_GROUP
from quiesce.stimuli import Began, Cancelled, Fact, Finished, arguments

if TYPE_CHECKING:
    from collections.abc import Sequence

PART = (0,)
NOTHING = ("returned", None)
REFUSED = ("raised", ("refused",))
GONE = ("cancelled",)
PLAIN = frozenset({"run"})


def model_of(limit: int | None = None, *, plain: bool = False, **dialect: str) -> Any:
    lacks = PLAIN if plain else frozenset({"wait"})
    adapter = Adapter("hand", "task_group", "asyncio", "", "", lacks=lacks, dialect=dialect)
    return TASK_GROUP.model(adapter, {"limit": limit})


def began(call: int, operation: str, **named: Any) -> Began:
    return Began(call, operation, arguments(**named))


def error(index: int) -> tuple[str, int]:
    return ("error", index)


def group(*errors: tuple[str, int]) -> tuple[Any, ...]:
    return ("raised", ("group", errors))


def entry(
    *facts: Fact,
    calls: dict[int, tuple[Any, ...]],
    executions: Sequence[tuple[int, int, str]] = (),
    ordered: bool = True,
) -> Entry:
    """What was seen after a burst, whose facts took effect in this order or in any."""
    after = tuple(frozenset(range(at if ordered else 0)) for at in range(len(facts)))
    return Entry(PART, Burst(facts, after), View(tuple(sorted(calls.items())), tuple(executions)))


def allows(model: Any, *entries: Entry) -> bool:
    checker = Checker(model)
    return all(checker.compare(each) for each in entries)


def blamed(model: Any, *entries: Entry) -> str:
    """The signature of the last entry's mismatch."""
    checker = Checker(model)
    assert all(checker.compare(each) for each in entries[:-1])
    assert not checker.compare(entries[-1])
    return name(model, entries, checker.predict(entries[-1]))


TWO_RUN = (
    entry(began(0, "go"), calls={0: NOTHING}, executions=[(0, 0, "running")]),
    entry(began(1, "go"), calls={1: NOTHING}, executions=[(0, 0, "running"), (1, 1, "running")]),
)
ONE_WAITS = (
    *TWO_RUN,
    entry(began(2, "wait"), calls={2: BLOCKED}, executions=[(0, 0, "running"), (1, 1, "running")]),
)
BLOCK = (
    entry(began(0, "run"), calls={0: BLOCKED}, executions=[(0, 0, "running")]),
    entry(
        began(1, "go"),
        calls={0: BLOCKED, 1: NOTHING},
        executions=[(0, 0, "running"), (1, 1, "running")],
    ),
)
BODY_OVER = (
    *BLOCK,
    entry(
        Finished(0, "value"),
        calls={0: BLOCKED},
        executions=[(0, 0, "ended"), (1, 1, "running")],
    ),
)
BOTH_ENDED = [(0, 0, "ended"), (1, 1, "ended")]


def test_a_wait_ends_with_the_last_function_and_not_before():
    model = model_of(plain=True)
    first = Finished(0, "value")
    still = [(0, 0, "ended"), (1, 1, "running")]

    assert allows(model, *ONE_WAITS, entry(first, calls={2: BLOCKED}, executions=still))
    early = entry(first, calls={2: NOTHING}, executions=still)
    assert blamed(model, *ONE_WAITS, early).startswith("TG-01")


@pytest.mark.parametrize("told", [0, 1])
def test_of_two_errors_in_one_burst_either_may_be_the_first(told):
    both = entry(
        Finished(0, "error"),
        Finished(1, "error"),
        calls={2: ("raised", error(told))},
        executions=BOTH_ENDED,
        ordered=False,
    )

    assert allows(model_of(plain=True), *ONE_WAITS, both)


def test_of_two_errors_the_first_in_time_is_told():
    model = model_of(plain=True)
    both = (Finished(1, "error"), Finished(0, "error"))

    def told(index: int) -> Entry:
        return entry(*both, calls={2: ("raised", error(index))}, executions=BOTH_ENDED)

    assert allows(model, *ONE_WAITS, told(1))
    assert blamed(model, *ONE_WAITS, told(0)).startswith("TG-02")


def test_where_all_errors_are_told_none_is_missing():
    model = model_of(plain=True, errors="all")
    both = (Finished(0, "error"), Finished(1, "error"))
    one = entry(*both, calls={2: group(error(1))}, executions=BOTH_ENDED)

    assert allows(
        model,
        *ONE_WAITS,
        entry(*both, calls={2: group(error(0), error(1))}, executions=BOTH_ENDED),
    )
    assert blamed(model, *ONE_WAITS, one).startswith("TG-06")


@pytest.mark.parametrize("let_in", [True, False])
def test_a_slot_that_frees_goes_to_a_start_or_to_a_try(let_in):
    waits = entry(began(1, "go"), calls={1: BLOCKED}, executions=[(0, 0, "running")])
    winner = 1 if let_in else 2
    tried = entry(
        Finished(0, "value"),
        began(2, "try_go"),
        calls={1: NOTHING if let_in else BLOCKED, 2: ("returned", not let_in)},
        executions=[(0, 0, "ended"), (1, winner, "running")],
        ordered=False,
    )

    assert allows(model_of(1, plain=True), TWO_RUN[0], waits, tried)


@pytest.mark.parametrize(
    ("dialect", "limit", "kept"), [("blocks", 0, BLOCKED), ("queues", 0, NOTHING)]
)
def test_with_the_limit_0_nothing_ever_runs(dialect, limit, kept):
    model = model_of(limit, plain=True, at_limit=dialect)
    runs = entry(began(0, "go"), calls={0: NOTHING}, executions=[(0, 0, "running")])

    assert allows(model, entry(began(0, "go"), calls={0: kept}))
    assert blamed(model, runs).startswith("TG-12")


def test_the_limit_of_an_unlimited_group_does_not_change_while_functions_run():
    model = model_of(plain=True)
    running = [(0, 0, "running")]

    def answer(outcome: tuple[Any, ...]) -> Entry:
        return entry(began(1, "set_limit", limit=1), calls={1: outcome}, executions=running)

    assert allows(model, TWO_RUN[0], answer(REFUSED))
    assert blamed(model, TWO_RUN[0], answer(NOTHING)).startswith("TG-13")


def test_a_look_by_whoever_got_the_slot_of_a_failed_function_sees_the_error():
    model = model_of(1, plain=True)
    waits = entry(began(1, "go_then_look"), calls={1: BLOCKED}, executions=[(0, 0, "running")])

    def looked(outcome: tuple[Any, ...]) -> Entry:
        after = [(0, 0, "ended"), (1, 1, "running")]
        return entry(Finished(0, "error"), calls={1: outcome}, executions=after)

    assert allows(model, TWO_RUN[0], waits, looked(("raised", error(0))))
    late = blamed(model, TWO_RUN[0], waits, looked(("returned", False)))
    assert late.startswith("TG-08")


def test_a_child_that_fails_cancels_the_others_or_comes_too_late_for_that():
    model = model_of(errors="all")
    cut = entry(
        Finished(1, "error"),
        calls={0: group(error(1))},
        executions=[(0, 0, "cancelled"), (1, 1, "ended")],
    )
    late = entry(
        Finished(1, "error"),
        Finished(0, "value"),
        calls={0: group(error(1))},
        executions=BOTH_ENDED,
        ordered=False,
    )
    goes_on = entry(
        Finished(1, "error"), calls={0: BLOCKED}, executions=[(0, 0, "running"), (1, 1, "ended")]
    )

    assert allows(model, *BLOCK, cut)
    assert allows(model, *BLOCK, late)
    assert blamed(model, *BLOCK, goes_on).startswith("TG-03")


def test_an_error_has_priority_over_a_cancellation_in_the_same_burst():
    model = model_of(errors="all")
    facts = (Finished(1, "error"), Cancelled(0))

    def left(outcome: tuple[Any, ...]) -> Entry:
        both = [(0, 0, "ended"), (1, 1, "ended")]
        return entry(*facts, calls={0: outcome}, executions=both[1:])

    assert allows(model, *BODY_OVER, left(group(error(1))))
    assert allows(
        model, *BODY_OVER, entry(Cancelled(0), calls={0: GONE}, executions=[(1, 1, "cancelled")])
    )
    swallowed = entry(Cancelled(0), calls={0: NOTHING}, executions=[(1, 1, "cancelled")])
    assert blamed(model, *BODY_OVER, swallowed).startswith("TG-19")


@pytest.mark.parametrize(("aborting", "answer"), [("refuses", REFUSED), ("cancels", NOTHING)])
def test_a_start_into_an_aborting_group_is_refused_or_cancelled(aborting, answer):
    seen = [(0, 0, "cancelled"), (1, 1, "ended")]
    started = entry(
        Finished(1, "error"),
        began(2, "go"),
        calls={0: group(error(1)), 2: answer},
        executions=seen,
    )
    finished = entry(began(3, "go"), calls={3: NOTHING}, executions=[(2, 3, "running")])

    assert allows(model_of(errors="all", aborting=aborting), *BLOCK, started)
    blame = blamed(model_of(errors="all", aborting=aborting), *BLOCK, started, finished)
    assert blame.startswith("TG-20")


def test_a_child_that_was_cancelled_alone_is_no_error():
    model = model_of(errors="all")
    alone = entry(
        began(2, "cancel_child", of=1),
        calls={0: BLOCKED, 2: NOTHING},
        executions=[(0, 0, "running"), (1, 1, "cancelled")],
    )
    end = entry(
        Finished(0, "value"), calls={0: ("returned", ("value", 0))}, executions=[(0, 0, "ended")]
    )
    spread = entry(
        began(2, "cancel_child", of=1),
        calls={0: group(("error", 1)), 2: NOTHING},
        executions=[(0, 0, "cancelled"), (1, 1, "cancelled")],
    )

    assert allows(model, *BLOCK, alone, end)
    assert blamed(model, *BLOCK, spread).startswith("TG-21")


@pytest.mark.parametrize("outcome", [NOTHING, GONE])
@pytest.mark.parametrize("phase", ["running", "cancelled"])
def test_a_start_that_is_cancelled_as_it_gets_its_slot_holds_or_takes_its_function_along(
    outcome, phase
):
    model = model_of(1, errors="all")
    waits = entry(
        began(2, "go"),
        calls={0: BLOCKED, 2: BLOCKED},
        executions=[(0, 0, "running"), (1, 1, "running")],
    )
    seen = entry(
        Finished(1, "value"),
        Cancelled(2),
        calls={0: BLOCKED, 2: outcome},
        executions=[(0, 0, "running"), (1, 1, "ended"), (2, 2, phase)],
        ordered=False,
    )

    assert allows(model, *BLOCK, waits, seen) == (
        (outcome, phase) in [(NOTHING, "running"), (GONE, "cancelled")]
    )


@pytest.mark.parametrize(("exits", "told"), [("alone", ("exit", 1)), ("reported", None)])
def test_an_exit_is_raised_alone_where_that_is_declared(exits, told):
    outcome = group(("exit", 1)) if told is None else ("raised", told)
    left = entry(
        Finished(1, "exit"), calls={0: outcome}, executions=[(0, 0, "cancelled"), (1, 1, "ended")]
    )

    assert allows(model_of(errors="all", exits=exits), *BLOCK, left)
