"""The model of once, judged by hand: small bursts, and each relaxation's own deviation."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from quiesce.adapters import Adapter
from quiesce.model import BLOCKED, Burst, Checker, Entry, View, name
from quiesce.patterns.once import ONCE
from quiesce.patterns.once import model as once
from quiesce.patterns.universal import ALIEN_CANCEL
from quiesce.stimuli import Began, Cancelled, Fact, Finished

PART = (0,)
GONE = ("cancelled",)
REFUSED = ("raised", ("refused",))
NOTHING = ("returned", None)

Outcome = tuple[Any, ...]
Seen = tuple[Sequence[Fact], dict[int, Outcome], Sequence[tuple[int, int | None, str]]]


def value(index: int) -> Outcome:
    return ("returned", ("value", index))


def error(index: int) -> Outcome:
    return ("raised", ("error", index))


def exited(index: int) -> Outcome:
    return ("raised", ("exit", index))


def began(call: int, inside: int | None = None) -> Began:
    return Began(call, "call", (), inside)


def model_of(errors: str = "stored", cancel: str = "retry", lacks: Iterable[str] = ()) -> Any:
    adapter = Adapter(
        name="hand",
        pattern="once",
        world="asyncio",
        module="",
        qualname="",
        lacks=frozenset(lacks),
        dialect={"once_error": errors, "once_cancel": cancel},
    )
    return ONCE.model(adapter, {})


def entry(
    facts: Sequence[Fact],
    calls: dict[int, Outcome],
    executions: Sequence[tuple[int, int | None, str]] = (),
) -> Entry:
    """What was seen after a burst whose facts may have taken effect in any order."""
    burst = Burst(tuple(facts), tuple(frozenset[int]() for _ in facts))
    return Entry(PART, burst, View(tuple(sorted(calls.items())), tuple(executions)))


def allows(model: Any, *seen: Seen) -> bool:
    checker = Checker(model)
    return all(checker.compare(entry(*each)) for each in seen)


RUNS: Seen = ([began(0)], {0: BLOCKED}, [(0, 0, "running")])
WAITS: Seen = ([began(1)], {0: BLOCKED, 1: BLOCKED}, [(0, 0, "running")])
WAITS_TOO: Seen = ([began(2)], {0: BLOCKED, 1: BLOCKED, 2: BLOCKED}, [(0, 0, "running")])
ENDED = [(0, 0, "ended")]
DROPPED = [(0, 0, "cancelled")]


def ends(outcome: str, *calls: Outcome, then: Sequence[tuple[int, int | None, str]] = ()) -> Seen:
    """Execution 0 was let go, and the calls stand so."""
    return [Finished(0, outcome)], dict(enumerate(calls)), [*ENDED, *then]


@pytest.mark.parametrize(
    ("errors", "told", "later"),
    [("stored", error(0), error(0)), ("done_silently", NOTHING, NOTHING)],
)
def test_an_error_that_is_an_outcome_is_told_to_waiters_and_later_callers(errors, told, later):
    model = model_of(errors)

    assert allows(model, RUNS, WAITS, ends("error", error(0), told), ([began(2)], {2: later}, []))
    assert not allows(
        model, RUNS, WAITS, ends("error", error(0), BLOCKED, then=[(1, 1, "running")])
    )


@pytest.mark.parametrize("errors", ONCE.dialects["once_error"])
def test_everybody_gets_the_value_of_the_one_execution(errors):
    model = model_of(errors)

    assert allows(
        model, RUNS, WAITS, ends("value", value(0), value(0)), ([began(2)], {2: value(0)}, [])
    )
    assert not allows(model, RUNS, WAITS, ends("value", value(0), NOTHING))
    assert not allows(model, RUNS, WAITS, ends("value", value(0), value(1)))


def test_a_form_without_value_returns_none_to_everybody():
    model = model_of(lacks={"value"})

    assert allows(model, RUNS, WAITS, ends("value", NOTHING, NOTHING))
    assert not allows(model, RUNS, WAITS, ends("value", value(0), value(0)))


@pytest.mark.parametrize("taker", [1, 2])
def test_after_an_error_that_is_no_outcome_exactly_one_waiter_takes_over_whichever(taker):
    seen = ends("error", error(0), BLOCKED, BLOCKED, then=[(1, taker, "running")])

    assert allows(model_of("retry"), RUNS, WAITS, WAITS_TOO, seen)


@pytest.mark.parametrize("then", [[], [(1, 1, "running"), (2, 2, "running")]])
def test_after_an_error_that_is_no_outcome_neither_none_nor_two_take_over(then):
    seen = ends("error", error(0), BLOCKED, BLOCKED, then=then)

    assert not allows(model_of("retry"), RUNS, WAITS, WAITS_TOO, seen)


@pytest.mark.parametrize("newcomer", [BLOCKED, value(0)])
def test_a_newcomer_in_the_burst_of_the_end_can_only_have_the_value(newcomer):
    seen: Seen = ([Finished(0, "value"), began(1)], {0: value(0), 1: newcomer}, ENDED)

    assert allows(model_of(), RUNS, seen) == (newcomer != BLOCKED)


@pytest.mark.parametrize("errors", ONCE.dialects["once_error"])
def test_an_exit_is_no_outcome_in_any_dialect(errors):
    model = model_of(errors)

    assert allows(model, RUNS, WAITS, ends("exit", exited(0), BLOCKED, then=[(1, 1, "running")]))
    assert not allows(model, RUNS, WAITS, ends("exit", exited(0), exited(0)))
    assert not allows(model, RUNS, WAITS, ends("exit", exited(0), NOTHING))


@pytest.mark.parametrize("shown", [value(0), GONE])
def test_a_cancellation_in_the_burst_of_the_end_shows_or_does_not(shown):
    seen: Seen = (
        [Finished(0, "value"), Cancelled(1)],
        {0: value(0), 1: shown},
        ENDED,
    )

    assert allows(model_of(), RUNS, WAITS, seen)


def test_a_caller_cancelled_before_its_function_started_leaves_nothing_to_be_seen():
    assert allows(model_of(), ([began(0), Cancelled(0)], {0: GONE}, []), RUNS_AS_SECOND)


RUNS_AS_SECOND: Seen = ([began(1)], {1: BLOCKED}, [(0, 1, "running")])


def test_a_detached_execution_goes_on_for_the_others():
    goes_on: Seen = ([Cancelled(0)], {0: GONE, 1: BLOCKED}, [(0, 0, "running")])
    taken_over: Seen = ([Cancelled(0)], {0: GONE, 1: BLOCKED}, [*DROPPED, (1, 1, "running")])
    end: Seen = ([Finished(0, "value")], {1: value(0)}, ENDED)

    assert allows(model_of(cancel="detached"), RUNS, WAITS, goes_on, end)
    assert not allows(model_of(cancel="detached"), RUNS, WAITS, taken_over)
    assert allows(model_of(cancel="retry"), RUNS, WAITS, taken_over)
    assert not allows(model_of(cancel="retry"), RUNS, WAITS, goes_on)


@pytest.mark.parametrize("phase", ["running", "cancelled"])
def test_a_detached_execution_without_callers_may_go_on_or_be_dropped(phase):
    seen: Seen = ([Cancelled(0)], {0: GONE}, [(0, 0, phase)])

    assert allows(model_of(cancel="detached"), RUNS, seen)


def test_a_call_from_inside_its_own_function_is_refused():
    refused: Seen = ([began(1, inside=0)], {0: BLOCKED, 1: REFUSED}, [(0, 0, "running")])
    waits: Seen = ([began(1, inside=0)], {0: BLOCKED, 1: BLOCKED}, [(0, 0, "running")])

    assert allows(model_of(), RUNS, refused, ends("value", value(0)))
    assert not allows(model_of(), RUNS, waits)


def test_without_single_init_callers_execute_side_by_side_and_later_ones_return_at_once():
    model = model_of("retry", lacks={"single_init"})
    both: Seen = ([began(1)], {0: BLOCKED, 1: BLOCKED}, [(0, 0, "running"), (1, 1, "running")])
    first: Seen = (
        [Finished(1, "value")],
        {0: BLOCKED, 1: value(1)},
        [(0, 0, "running"), (1, 1, "ended")],
    )
    later: Seen = ([began(2)], {0: BLOCKED, 2: value(1)}, [(0, 0, "running")])

    assert allows(model, RUNS, both, first, later, ends("value", value(0)))
    assert not allows(
        model, RUNS, both, ([began(2)], {0: BLOCKED, 1: BLOCKED, 2: NOTHING}, both[2])
    )


def retried(outcome: str, first: Outcome) -> Seen:
    """After execution 0 both waiters execute."""
    return ends(outcome, first, BLOCKED, BLOCKED, then=[(1, 1, "running"), (2, 2, "running")])


def cancelled(*calls: Outcome, then: Sequence[tuple[int, int | None, str]] = ()) -> Seen:
    """The caller that executes was cancelled, and the others stand so."""
    return [Cancelled(0)], {0: GONE, **dict(enumerate(calls, 1))}, [*DROPPED, *then]


DEVIATIONS: dict[str, tuple[dict[str, str], Sequence[Seen]]] = {
    once.FOREIGN_FUNCTION: (
        {},
        [
            ([began(0), began(1)], {0: BLOCKED, 1: BLOCKED}, [(0, 0, "running")]),
            cancelled(BLOCKED, then=[(1, 0, "running")]),
        ],
    ),
    once.REENTERED: (
        {},
        [
            RUNS,
            (
                [began(1, inside=0)],
                {0: BLOCKED, 1: BLOCKED},
                [(0, 0, "running"), (1, 1, "running")],
            ),
        ],
    ),
    once.ERROR_LOST: ({}, [RUNS, ends("error", NOTHING)]),
    once.ERROR_TOLD: (
        {"errors": "done_silently"},
        [RUNS, WAITS, ends("error", error(0), error(0))],
    ),
    once.ERROR_RERUN: (
        {"errors": "done_silently"},
        [RUNS, WAITS, ends("error", error(0), BLOCKED, then=[(1, 1, "running")])],
    ),
    once.OTHER_OUTCOME: ({}, [RUNS, ends("error", error(0)), ([began(1)], {1: NOTHING}, [])]),
    once.STORED_RERUN: (
        {},
        [RUNS, ends("error", error(0)), ([began(1)], {1: BLOCKED}, [(1, 1, "running")])],
    ),
    once.LATE_BLOCKED: ({}, [RUNS, ends("value", value(0)), ([began(1)], {1: BLOCKED}, [])]),
    once.WAITER_LOST: ({}, [RUNS, WAITS, WAITS_TOO, ends("value", value(0), value(0), BLOCKED)]),
    once.OVERLAP["error"]: (
        {"errors": "retry"},
        [RUNS, WAITS, WAITS_TOO, retried("error", error(0))],
    ),
    once.OVERLAP["exit"]: ({}, [RUNS, WAITS, WAITS_TOO, retried("exit", exited(0))]),
    once.OVERLAP["cancel"]: (
        {},
        [
            RUNS,
            WAITS,
            WAITS_TOO,
            cancelled(BLOCKED, BLOCKED, then=[(1, 1, "running"), (2, 2, "running")]),
        ],
    ),
    once.STRANDED["error"]: ({"errors": "retry"}, [RUNS, WAITS, ends("error", error(0), BLOCKED)]),
    once.STRANDED["exit"]: ({}, [RUNS, WAITS, ends("exit", exited(0), BLOCKED)]),
    once.STRANDED["cancel"]: ({}, [RUNS, WAITS, cancelled(BLOCKED)]),
    once.ERROR_SPREADS: ({"errors": "retry"}, [RUNS, WAITS, ends("error", error(0), error(0))]),
    once.CANCEL_SPREADS: ({}, [RUNS, WAITS, cancelled(ALIEN_CANCEL)]),
    once.WAITER_KILLS: (
        {"cancel": "detached"},
        [RUNS, WAITS, ([Cancelled(1)], {0: ALIEN_CANCEL, 1: GONE}, DROPPED)],
    ),
    once.EXIT_KEPT: ({}, [RUNS, ends("exit", exited(0)), ([began(1)], {1: exited(0)}, [])]),
    once.CANCEL_KEPT: ({}, [RUNS, cancelled(), ([began(1)], {1: ALIEN_CANCEL}, [])]),
    once.EARLY: ({}, [RUNS, ([began(1)], {0: BLOCKED, 1: NOTHING}, [(0, 0, "running")])]),
    once.RELEASED_EARLY: (
        {},
        [RUNS, WAITS, ([began(2)], {0: BLOCKED, 1: NOTHING, 2: BLOCKED}, [(0, 0, "running")])],
    ),
    once.VALUE_RERUN: (
        {},
        [RUNS, ends("value", value(0)), ([began(1)], {1: BLOCKED}, [(1, 1, "running")])],
    ),
    once.SECOND_EXECUTION: (
        {},
        [RUNS, ([began(1)], {0: BLOCKED, 1: BLOCKED}, [(0, 0, "running"), (1, 1, "running")])],
    ),
    once.HELD: ({}, [([began(0)], {0: BLOCKED}, [])]),
}


def test_every_relaxation_has_a_deviation_here():
    assert set(DEVIATIONS) == set(once.RELAXATIONS)


@pytest.mark.parametrize("signature", DEVIATIONS)
def test_a_relaxation_names_the_deviation_that_it_allows(signature):
    dialect, seen = DEVIATIONS[signature]
    model = model_of(**dialect)
    journal = [entry(*each) for each in seen]
    checker = Checker(model)
    *fine, broken = journal

    assert all(checker.compare(each) for each in fine)
    assert not checker.compare(broken)
    assert name(model, journal, checker.predict(broken)) == signature
    assert once.RELAXATIONS[signature] == signature.split()[0]


class Sequential:
    """Once without concurrency: facts take effect one by one, follow-ups at once."""

    def __init__(self, errors: str, cancel: str) -> None:
        self.errors = errors
        self.detached = cancel == "detached"
        self.calls: dict[int, Outcome] = {}
        self.executions: list[list[Any]] = []  # [leader, phase]
        self.caller: int | None = None
        self.kept: Outcome | None = None

    @property
    def waiting(self) -> list[int]:
        blocked = [call for call, outcome in self.calls.items() if outcome == BLOCKED]
        return [call for call in blocked if call != self.caller]

    @property
    def running(self) -> bool:
        return any(phase == "running" for _, phase in self.executions)

    def take(self, fact: Fact) -> bool:
        """Take a fact; False if it can't happen now."""
        match fact:
            case Began(call):
                if self.calls.get(call) == GONE:
                    return True
                self.calls[call] = self.kept or BLOCKED
                self.go_on()
            case Finished(index, outcome):
                if index >= len(self.executions):
                    return False
                if self.executions[index][1] == "running":
                    self.executions[index][1] = "ended"
                    self.end(index, outcome)
            case Cancelled(call):
                leads = call == self.caller
                if self.calls.get(call, BLOCKED) == BLOCKED:
                    self.calls[call] = GONE
                if leads:
                    self.caller = None
                    if not self.detached:
                        self.executions[-1][1] = "cancelled"
                    self.go_on()
        return True

    def end(self, index: int, outcome: str) -> None:
        own = {"value": value(index), "error": error(index), "exit": exited(index)}[outcome]
        if outcome == "value" or (outcome == "error" and self.errors == "stored"):
            self.kept = own
        elif outcome == "error" and self.errors == "done_silently":
            self.kept = NOTHING
        waiters, caller, self.caller = self.waiting, self.caller, None
        if caller is not None:
            self.calls[caller] = own
        if self.kept is not None:
            self.calls.update((call, self.kept) for call in waiters)
        self.go_on()

    def go_on(self) -> None:
        if self.kept is None and not self.running and self.waiting:
            self.caller = self.waiting[-1]
            self.executions.append([self.caller, "running"])


@pytest.mark.parametrize("errors", ONCE.dialects["once_error"])
@pytest.mark.parametrize("cancel", ["retry", "detached"])
@pytest.mark.parametrize("outcome", ["value", "error", "exit"])
def test_no_order_of_a_burst_is_a_false_alarm(errors, cancel, outcome):
    facts: list[Fact] = [
        began(0),
        began(1),
        began(2),
        Finished(0, outcome),
        Cancelled(0),
        Cancelled(2),
    ]
    model = model_of(errors, cancel)
    views: dict[Entry, None] = {}
    for order in itertools.permutations(facts):
        simple = Sequential(errors, cancel)
        if all(simple.take(fact) for fact in order):
            executions = [(i, leader, phase) for i, (leader, phase) in enumerate(simple.executions)]
            views[entry(facts, simple.calls, executions)] = None

    assert len(views) > 10
    assert [view for view in views if not Checker(model).compare(view)] == []
