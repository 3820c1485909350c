"""A trial: what steps do to a subject, what is compared, what is left and what is told."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from quiesce.cell import Cell, Setup
from quiesce.functions import WorkError, freeze
from quiesce.stimuli import (
    NOTHING,
    Advance,
    Began,
    Cancel,
    Inside,
    Open,
    Start,
    Step,
    arguments,
)
from quiesce.trial import BURST_LIMIT, AdapterFailed, Recorded, Trial
from quiesce.verdicts import Violation
from quiesce.worlds.world import START, Status

from .conftest import subjects, twin

if TYPE_CHECKING:
    from quiesce.stimuli import Stimulus

CellOf = Callable[..., Cell]
SECOND = 1_000_000_000


def do(key: str = "a", instance: int = 0) -> Start:
    return Start("do", arguments(key=key), instance)


def perform(trial: Trial, *stimuli: Stimulus) -> list[bool]:
    return [trial.perform(Step(stimulus)) for stimulus in stimuli]


@pytest.fixture
def cell(cell_of: CellOf) -> Cell:
    """A good singleflight on asyncio."""
    return cell_of(twin("sf_good_asyncio", "asyncio"))


@pytest.fixture
def limiter(cell_of: CellOf) -> Cell:
    """A good rate limiter on asyncio, one token a second, and two at most."""
    return cell_of(subjects("quiet")["limiter/asyncio"])


SLOW = Setup(arguments(rate=1.0, burst=1))


# Steps.


def test_a_step_that_is_not_possible_is_skipped(cell: Cell) -> None:
    with Trial(cell, Setup()) as trial:
        assert perform(trial, Open(), Cancel(), Inside(0, "do", arguments(key="a")), Advance()) == [
            *(False,) * 4
        ]
        assert perform(trial, do(), Open(5, "value"), Open()) == [True, True, False]
        # A step is recorded as what it came to: there was one function to let end.
        assert [step.stimulus for step in trial.steps] == [do(), Open(0, "value")]


def test_an_operation_that_the_adapter_lacks_is_skipped(cell_of: CellOf) -> None:
    with Trial(cell_of(subjects("hostile")["good/asyncio"]), Setup()) as trial:
        assert perform(trial, Start("forget", arguments(key="a")), do()) == [False, True]


def test_any_part_of_a_scenario_is_a_scenario(cell: Cell) -> None:
    steps: list[Stimulus] = [do(), do(), Cancel(0), do("b"), Open(0, "error"), Cancel(1), Open()]
    for start in range(len(steps)):
        with Trial(cell, Setup()) as trial:
            perform(trial, *steps[start:])
            trial.finish()


def test_a_crowded_burst_is_settled(cell: Cell) -> None:
    with Trial(cell, Setup()) as trial:
        for number in range(1, BURST_LIMIT + 1):
            trial.perform(Step(do(), NOTHING))
            assert len(trial.journal) == (number == BURST_LIMIT)
        [entry] = trial.journal
        assert entry.burst.facts == tuple(
            Began(number, "do", arguments(key="a")) for number in range(BURST_LIMIT)
        )
        assert set(entry.burst.after) == {frozenset()}


def test_what_was_seen_before_the_next_fact_precedes_it(cell: Cell) -> None:
    with Trial(cell, Setup()) as trial:
        trial.perform(Step(do(), 20))
        trial.perform(Step(do(), NOTHING))
        trial.perform(Step(Cancel(0), NOTHING))
        trial.finish()
        assert trial.journal[0].burst.after == (frozenset(),)
        assert trial.journal[1].burst.after == (frozenset(), frozenset())

    with Trial(cell, Setup()) as trial:
        trial.perform(Step(do(), 1))
        trial.perform(Step(do("b"), NOTHING))  # keeps the world from being at rest
        trial.perform(Step(do(), 2))
        trial.perform(Step(Cancel(0), NOTHING))
        trial.finish()
        assert any(0 in after for after in trial.journal[0].burst.after)


# Histories.

HISTORY = """\
           0 ns  c0 calls do(key='a')
           0 ns  function 0 of 'a' starts for c0
           0 ns  c1 calls do(key='a')
           0 ns  cancel c0
           0 ns  c0 ends with CancelledError
           0 ns  the clock moves to 5 ns
           5 ns  let function 0 of 'a' end: value
           5 ns  function 0 of 'a' ends: value
           5 ns  c1 returns (the value of function 0, True)
           5 ns  c2 calls forget(key='b')
           5 ns  c2 returns None"""


def test_the_history_tells_what_happened_when(cell: Cell) -> None:
    with Trial(cell, Setup()) as trial:
        perform(trial, do(), do(), Cancel(0), Advance("by", 0, 5), Open())
        perform(trial, Start("forget", arguments(key="b")))
        assert "\n".join(trial.log.history) == HISTORY
        trial.finish()


NESTED = """\
           0 ns  c0 calls do(key='a')
           0 ns  function 0 of 'a' starts for c0
           0 ns  inside function 0 of 'a': c1 do(key='b')
           0 ns  function 0 of 'b' starts for c1
           0 ns  let function 0 of 'b' end: error
           0 ns  function 0 of 'b' ends: error
           0 ns  c1 ends with WorkError: error of function 0 of 'b'
           0 ns  let function 0 of 'a' end: none
           0 ns  function 0 of 'a' ends: none
           0 ns  c0 returns (None, False)"""


@pytest.mark.parametrize("world", ["asyncio", "threads"])
def test_a_user_function_may_call_the_subject_itself(cell_of: CellOf, world: str) -> None:
    cell = cell_of(twin(f"sf_good_{world}", world))
    inside = Inside(0, "do", arguments(key="b"))
    with Trial(cell, Setup()) as trial:
        assert perform(trial, do(), inside, inside) == [True, True, False]
        assert trial.nesting()
        assert trial.cancellable() == []
        assert perform(trial, Open(0, "error"), Open(0, "none")) == [True, True]
        assert not trial.nesting()
        assert "\n".join(trial.log.history) == NESTED
        trial.finish()


def test_a_nested_call_goes_down_with_its_function(cell: Cell) -> None:
    with Trial(cell, Setup()) as trial:
        perform(trial, do())
        trial.perform(Step(Inside(0, "do", arguments(key="b")), NOTHING))
        trial.perform(Step(Cancel(0), NOTHING))  # no nested call is cancelled on its own
        trial.finish()
        assert [step.stimulus for step in trial.steps] == [
            do(),
            Inside(0, "do", arguments(key="b")),
        ]


def test_two_subjects_are_told_apart(cell: Cell) -> None:
    with Trial(cell, Setup(instances=2)) as trial:
        perform(trial, do(), do("a", 1), Open(1))
        assert trial.log.subjects[0] is not trial.log.subjects[1]
        assert [entry.part for entry in trial.journal] == [(0, "a"), (1, "a"), (1, "a")]
        assert trial.log.history[0].endswith("c0 calls subject 0: do(key='a')")
        assert trial.log.history[-1].endswith("c1 returns (the value of function 0, False)")
        trial.finish()
    assert cell.exercised["UN-10"] == 1


# The clock.


def test_the_clock_stops_where_something_is_due(limiter: Cell) -> None:
    with Trial(limiter, SLOW) as trial:
        wait = Start("wait", arguments(n=1))
        perform(trial, wait, wait)
        assert trial.instants()[0] == START + SECOND
        perform(trial, Advance("next", 0, -1))
        assert trial.world.now == START + SECOND - 1
        assert trial.world.blocked()
        perform(trial, Advance("next", 0, 0))
        assert trial.world.now == START + SECOND
        assert trial.log.history[-1].split("  ")[-1] == "c1 returns None"
        trial.finish()


def test_the_clock_never_moves_back(limiter: Cell) -> None:
    with Trial(limiter, SLOW) as trial:
        perform(trial, Start("wait", arguments(n=1)), Start("wait", arguments(n=1)))
        assert perform(trial, Advance("next", 0, -2 * SECOND)) == [False]
        assert trial.world.now == START


# The end.


def test_the_end_lets_everybody_go_and_probes_with_fresh_callers(cell: Cell) -> None:
    with Trial(cell, Setup()) as trial:
        perform(trial, do(), do("b"), do())
        before = len(trial.log.history)
        trial.finish()
        rest = trial.log.history[before:]
        assert [step.stimulus for step in trial.steps] == [do(), do("b"), do()]
        assert sum("let function 0" in line for line in rest) >= 2
        assert any("c3 calls" in line for line in rest)
        assert trial.waiting() == []
        assert cell.exercised["UN-01"] == 1
        assert trial.close() == ()


def test_time_passes_at_the_end_until_everybody_has_ended(limiter: Cell) -> None:
    with Trial(limiter, SLOW) as trial:
        perform(trial, *(Start("wait", arguments(n=1)),) * 4)
        trial.finish()
        assert trial.world.now >= START + 3 * SECOND


def test_what_is_left_running_is_a_violation_that_names_it(cell_of: CellOf) -> None:
    leaky = cell_of(subjects("hostile")["leaks_a_task/asyncio"])
    with Trial(leaky, Setup()) as trial:
        perform(trial, do(), Open())
        with pytest.raises(Violation) as caught:
            trial.finish()
    assert caught.value.signature == "UN-01 something is left running"
    assert caught.value.observed.startswith("task left (sleep), ")
    assert caught.value.expected == "nothing is left running"


def test_a_pattern_may_name_a_leak_by_the_operation_that_made_it(cell_of: CellOf) -> None:
    leaky = cell_of(twin("sf_unbuffered_chan_leak", "threads"))
    with Trial(leaky, Setup()) as trial:
        perform(trial, Start("do_future_unread", arguments(key="a")), Open())
        with pytest.raises(Violation, match=r"^SF-08 a future that nobody reads leaves"):
            trial.finish()


def test_what_is_kept_after_the_end_is_still_referenced(cell_of: CellOf) -> None:
    kept = {}
    for name in ("sf_good_asyncio", "sf_keeps_result"):
        with Trial(cell_of(twin(name, "asyncio")), Setup()) as trial:
            perform(trial, do(), Open())
            assert trial.still_referenced() == ["a result"]  # by the trial itself
            trial.forget()
            gc.collect()
            kept[name] = trial.still_referenced()
    assert kept == {"sf_good_asyncio": [], "sf_keeps_result": ["a result"]}


def test_a_closed_trial_writes_no_history_and_closes_once(cell: Cell) -> None:
    with Trial(cell, Setup()) as trial:
        perform(trial, do())
        lines = [*trial.log.history]
        assert trial.close() == ()
        assert trial.close() == ()
        assert trial.log.history == lines


# Violations.


def broken(cell_of: CellOf) -> Cell:
    return cell_of(twin("sf_no_dedupe", "asyncio"))


def test_a_violation_tells_what_was_expected_and_what_was_seen(cell_of: CellOf) -> None:
    with Trial(broken(cell_of), Setup()) as trial:
        perform(trial, do())
        with pytest.raises(Violation) as caught:
            perform(trial, do())
    assert type(caught.value).__name__ == "Violation_SF_01_a_second_execution_runs_beside_the_first"
    assert caught.value.expected == "c0 blocked, c1 blocked; function 0 running for c0"
    assert caught.value.observed == (
        "c0 blocked, c1 blocked; function 0 running for c0, function 1 running for c1"
    )


def test_a_known_violation_taints_its_part_and_others_are_still_judged(cell_of: CellOf) -> None:
    cell = broken(cell_of)
    cell.known.add("SF-01 a second execution runs beside the first")
    with Trial(cell, Setup()) as trial:
        perform(trial, do(), do(), do(), do("b"), Open(), Open())
        judged = [entry.part for entry in trial.journal]
        assert judged.count((0, "a")) == 2  # up to the violation
        assert judged.count((0, "b")) == 1
        trial.finish()
        assert "UN-01" not in cell.exercised  # nothing follows from what is left


def test_a_known_violation_that_is_not_of_one_part_ends_the_trial(cell_of: CellOf) -> None:
    leaky = cell_of(subjects("hostile")["leaks_a_task/asyncio"])
    leaky.known.add("UN-01 something is left running")
    with Trial(leaky, Setup()) as trial:
        perform(trial, do(), Open())
        with pytest.raises(Recorded):
            trial.finish()


def test_a_subject_that_cant_be_constructed_is_its_adapters_fault(cell_of: CellOf) -> None:
    cell = cell_of(subjects("hostile")["constructor_raises_odd/asyncio"])
    with pytest.raises(AdapterFailed, match="constructor_raises_odd: the adapter could not be"):
        Trial(cell, Setup()).__enter__()
    with Trial(cell_of(twin("sf_good_asyncio", "asyncio")), Setup()) as trial:
        assert trial.world.census() == ()


# Values.


def test_values_and_errors_are_known_by_their_execution(cell: Cell) -> None:
    with Trial(cell, Setup()) as trial:
        perform(trial, do(), do("b"), Open(0, "error"), Open())
        outcomes = [entry.seen.calls for entry in trial.journal if entry.burst.facts][-2:]
        assert outcomes == [
            ((0, ("raised", ("error", 0))),),
            ((1, ("returned", (("value", 0), False))),),
        ]
        error = trial._records[0].world_call.error
        assert isinstance(error, WorkError)
        assert trial._records[0].world_call.status is Status.RAISED


@pytest.mark.parametrize(
    ("value", "frozen"),
    [
        (None, None),
        (True, True),
        (1.5, 1.5),
        ([1, (2, "x")], (1, (2, "x"))),
        ({"a": 1}, ("thing", "dict")),
        (object(), ("thing", "object")),
    ],
)
def test_a_returned_value_is_frozen_to_what_models_compare(value: object, frozen: object) -> None:
    assert freeze(value, (0,)) == frozen
