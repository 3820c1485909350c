"""Once: however many callers race, one execution, and nobody returns before it has ended.

The first caller executes the function, the others wait for it, and later callers return at
once. What becomes of an error (``once_error``) and of a cancelled execution
(``once_cancel``) are dialects; an exit or a cancellation is never kept as the outcome.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import attrs

from quiesce.adapters import Adapter
from quiesce.clauses import Clause, Level
from quiesce.model import ANY, BLOCKED, Move, View
from quiesce.patterns.pattern import Method, Pattern, Scenario
from quiesce.patterns.universal import UNIVERSAL, blame, raised
from quiesce.stimuli import (
    NOTHING,
    Began,
    Cancel,
    Cancelled,
    Fact,
    Finished,
    Inside,
    Open,
    Part,
    Start,
    Step,
    Ticked,
    Weighted,
)

__all__ = ["ONCE"]

GO = "Go sync"
ASYNC = ("asyncio", "trio")

CLAUSES = (
    Clause(
        "ON-01",
        Level.MUST,
        "The function is executed at most once per object, however many callers race; a failed "
        "attempt counts only where errors are outcomes.",
        f"{GO}/once_test: TestOnce; the Go memory model, Once",
        needs=["single_init"],
        twins=["on_check_then_act", "on_none_is_not_done"],
    ),
    Clause(
        "ON-02",
        Level.MUST,
        "The first call executes its own function; the functions of the others are never called.",
        f"{GO}: Once.Do",
        needs=["own_function", "single_init"],
        twins=["on_runs_the_latest_function"],
    ),
    Clause(
        "ON-03",
        Level.MUST,
        "No call returns before the execution has ended: whoever comes during it waits.",
        f"{GO}/once.go, on the wrong compare-and-swap; Go issue 16914",
        twins=["on_flag_before_call"],
    ),
    Clause(
        "ON-04",
        Level.MUST,
        "After the execution has ended every call returns at once.",
        f"{GO}: Once.Do",
        twins=["on_late_caller_waits"],
    ),
    Clause(
        "ON-05",
        Level.MUST,
        "If the function raises, the caller that executes it gets the error and the object is "
        "done: waiters and later callers return normally, and it is not run again.",
        f"{GO}/once_test: TestOncePanic",
        dialect={"once_error": ("done_silently",)},
        twins=["on_retry_after_error"],
    ),
    Clause(
        "ON-06",
        Level.MUST,
        "All callers, waiters and later ones included, get the same value object and, where "
        "errors are stored, the same error object, from one execution.",
        f"{GO}/oncefunc_test: TestOnceFuncPanic",
        dialect={"once_error": ("stored", "retry")},
        twins=["on_wrapper_forgets_error"],
    ),
    Clause(
        "ON-07",
        Level.SHOULD,
        "A function that calls its own object is refused with an error; never a second "
        "execution, never an early return.",
        f"{GO}: Once.Do deadlocks; the reference raises",
        needs=["reentrance_error"],
        twins=["on_reentrant_runs_twice"],
    ),
    Clause(
        "ON-08",
        Level.MUST,
        "A function that ends its goroutine counts as executed.",
        f"{GO}/oncefunc_test: TestOnceFuncGoexit",
        untested="nothing in Python ends a thread without an exception; SystemExit, which comes "
        "nearest, is an exit request, and ON-14 says what it does",
    ),
    Clause(
        "ON-09",
        Level.MUST,
        "What the function wrote is visible to every caller who has returned: a waiter is "
        "released by the end of the execution and by nothing before it.",
        "The Go memory model, Once",
        twins=["on_waits_without_a_loop"],
    ),
    Clause(
        "ON-10",
        Level.SHOULD,
        "The function and what it captured are released after the execution, also after one "
        "that failed for good.",
        f"{GO}/oncefunc_test: TestOnceXGC",
        needs=["release"],
        twins=["on_keeps_function"],
    ),
    Clause(
        "ON-11",
        Level.MUST,
        "Objects are independent; no lock is shared by a class.",
        "CPython issue 87634",
        twins=["on_class_wide_lock"],
    ),
    Clause(
        "ON-12",
        Level.MUST,
        "Cancelling a waiter ends that waiter only.",
        "the rule of structured concurrency: a cancellation stays in its scope",
        needs=["single_init"],
        dialect={"once_cancel": ("retry", "detached")},
        worlds=ASYNC,
        twins=["on_waiter_cancel_kills_execution"],
    ),
    Clause(
        "ON-13",
        Level.MUST,
        "Cancelling the caller that executes never cancels nor strands the waiters: either the "
        "execution goes on for them (detached), or it is abandoned and exactly one of them "
        "takes over (retry).",
        "ryananguiano/async_property pull request 20",
        dialect={"once_cancel": ("retry", "detached")},
        worlds=ASYNC,
        twins=[
            "on_stores_cancellation",
            "on_executor_cancel_strands_waiters",
            "on_two_takers_after_cancel",
        ],
    ),
    Clause(
        "ON-14",
        Level.MUST,
        "An exit request (KeyboardInterrupt, SystemExit) and a cancellation are never kept: they "
        "end the caller they reached, and the object is not done.",
        "ryananguiano/async_property pull request 20",
        twins=["on_stores_exit", "on_stores_cancellation"],
    ),
    Clause(
        "ON-15",
        Level.MUST,
        "Where an error is no outcome, its own caller gets it and exactly one waiter, or else "
        "the next caller, tries again; attempts never overlap.",
        "functools and cached-property keep values only",
        needs=["single_init"],
        dialect={"once_error": ("retry",)},
        twins=["on_overlapping_retries"],
    ),
    Clause(
        "ON-16",
        Level.MAY,
        "How often the fast path is checked, and how many locks are taken, is free.",
        GO,
        untested="a freedom: nothing to break",
    ),
)

# Signatures of the relaxations, narrowest first. Each is this model with one clause dropped.
FOREIGN_FUNCTION = "ON-02 the function of another call is executed"
REENTERED = "ON-07 a function that calls its own object is not refused"
ERROR_LOST = "UN-05 the error does not reach the caller that executes"
ERROR_TOLD = "ON-05 others do not return normally after an error"
ERROR_RERUN = "ON-05 runs again after an error"
OTHER_OUTCOME = "ON-06 other callers get something else"
STORED_RERUN = "ON-06 runs again although the error is the outcome"
LATE_BLOCKED = "ON-04 a call after the end does not return"
WAITER_LOST = "UN-03 a waiter is not woken at the end"
OVERLAP = {
    "error": "ON-15 attempts overlap after an error",
    "cancel": "ON-13 more than one waiter takes over after a cancellation",
    "exit": "ON-14 more than one waiter takes over after an exit",
}
STRANDED = {
    "error": "ON-15 nobody takes over after an error",
    "cancel": "ON-13 the cancelled execution strands the others",
    "exit": "ON-14 an exit strands the others",
}
ERROR_SPREADS = "ON-15 a waiter gets the error of another's attempt"
CANCEL_SPREADS = "ON-13 the cancellation reaches callers that were not cancelled"
WAITER_KILLS = "ON-12 a cancelled waiter takes others down with it"
EXIT_KEPT = "ON-14 an exit is kept as the outcome"
CANCEL_KEPT = "ON-14 a cancellation is kept as the outcome"
EARLY = "ON-03 returns before the execution has ended"
RELEASED_EARLY = "ON-09 a waiter is released before the execution has ended"
VALUE_RERUN = "ON-01 runs again although it was done"
SECOND_EXECUTION = "ON-01 a second execution runs beside the first"
HELD = "ON-11 a first call does not start although nothing runs"

RELAXATIONS = {
    signature: signature[:5]
    for signature in (
        FOREIGN_FUNCTION,
        REENTERED,
        ERROR_LOST,
        ERROR_TOLD,
        ERROR_RERUN,
        OTHER_OUTCOME,
        STORED_RERUN,
        LATE_BLOCKED,
        WAITER_LOST,
        *OVERLAP.values(),
        ERROR_SPREADS,
        CANCEL_SPREADS,
        EXIT_KEPT,
        CANCEL_KEPT,
        *STRANDED.values(),
        WAITER_KILLS,
        EARLY,
        RELEASED_EARLY,
        VALUE_RERUN,
        SECOND_EXECUTION,
        HELD,
    )
}

STARTING, RUNNING, ENDED, DROPPED = "starting", "running", "ended", "cancelled"

#: Clauses that a new attempt exercises, by what ended the one before.
RETRIED = {
    None: (),
    "error": ("ON-15",),
    "exit": ("ON-14", "UN-04"),
    "cancel": ("ON-13", "ON-14"),
}

Outcome = tuple[Any, ...]


@attrs.frozen
class Execution:
    """One run of the function."""

    caller: int | None  # the call that executes it, None once that was cancelled
    leader: int | None  # the call as seen from inside, None if a relaxation leaves it open
    index: int = -1  # order in which functions started; -1 while STARTING
    phase: str = STARTING

    @property
    def active(self) -> bool:
        """Whether it has not ended."""
        return self.phase in (STARTING, RUNNING)


@attrs.frozen
class State:
    """One object."""

    instance: int = 0
    loose: bool = False  # several executions may run, and their outcomes may all be kept
    executions: tuple[Execution, ...] = ()
    begun: int = 0  # functions started so far
    calls: tuple[tuple[int, Outcome], ...] = ()
    kept: tuple[Outcome, ...] = ()  # what callers get; empty while the object is not done
    failed: str | None = None  # what ended the last attempt, if that was no outcome
    doomed: frozenset[int] = frozenset()  # cancelled before they began
    # By relaxations only:
    held: frozenset[int] = frozenset()  # calls that some other object keeps from starting
    lost: frozenset[tuple[int, Outcome]] = frozenset()  # may stay blocked, or end so
    later: str = "allowed"  # what may happen to later calls as well: "answered", "anything"

    @property
    def active(self) -> tuple[Execution, ...]:
        """The executions that have not ended."""
        return tuple(execution for execution in self.executions if execution.active)

    @property
    def waiting(self) -> tuple[int, ...]:
        """The calls that wait for an execution which is not their own."""
        others = {execution.caller for execution in self.active}
        others |= self.held
        others |= {call for call, _ in self.lost}
        return tuple(
            call for call, outcome in self.calls if outcome == BLOCKED and call not in others
        )


class Once:
    """The model of one object."""

    relaxations: Mapping[str, str] = RELAXATIONS

    def __init__(self, adapter: Adapter) -> None:
        self._has_value = "value" not in adapter.lacks
        self._loose = "single_init" in adapter.lacks
        self._errors = adapter.dialect.get("once_error", "stored")
        self._detached = adapter.dialect.get("once_cancel", "retry") == "detached"

    def initial(self, part: Part) -> State:
        return State(instance=part[0], loose=self._loose)

    def apply(self, state: State, fact: Fact, relaxed: Collection[str]) -> Iterable[Move]:
        match fact:
            case Began(call) if call in state.doomed:
                yield Move(put(state, call, ("cancelled",)))
            case Began(call):
                yield from self._enter(state, call, fact.inside, relaxed)
                if HELD in relaxed and not state.kept and not state.active:
                    held = attrs.evolve(put(state, call, BLOCKED), held=state.held | {call})
                    yield Move(held, (), HELD)
            case Finished(index, outcome):
                yield from self._finish(state, index, outcome, relaxed)
            case Cancelled(call):
                yield from self._cancel(state, call, relaxed)
            case Ticked():
                yield Move(state)

    def internal(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        for execution in state.executions:
            if execution.phase == STARTING:
                started = attrs.evolve(execution, phase=RUNNING, index=state.begun)
                yield Move(attrs.evolve(swap(state, execution, started), begun=state.begun + 1))
        for call in state.waiting:
            if state.kept:  # several executions: one of them has ended
                for outcome in state.kept:
                    yield Move(put(state, call, outcome), ("ON-03", "ON-09", "UN-09"))
                continue
            if not state.active:
                yield from self._lead(state, call, RETRIED[state.failed], relaxed)
                continue
            beside = attrs.evolve(lead(state, call), loose=True)
            if state.loose:
                yield Move(beside)
            elif state.failed and OVERLAP[state.failed] in relaxed:
                yield Move(beside, (), OVERLAP[state.failed])
            if RELEASED_EARLY in relaxed:
                yield Move(put(state, call, ANY), (), RELEASED_EARLY)
        for call in sorted(state.held):
            freed = attrs.evolve(state, held=state.held - {call})
            yield from self._enter(freed, call, None, relaxed)
        for call, outcome in sorted(state.lost):
            found = attrs.evolve(state, lost=state.lost - {(call, outcome)})
            yield Move(put(found, call, outcome))

    def may_rest(self, state: State) -> bool:
        if any(execution.phase == STARTING for execution in state.executions):
            return False
        return bool(state.active) or not state.waiting

    def view(self, state: State) -> View:
        executions = tuple(
            sorted((e.index, e.leader, e.phase) for e in state.executions if e.phase != STARTING)
        )
        return View(state.calls, executions)

    def possible(self, state: State, seen: View) -> bool:
        started = {index: (leader, phase) for index, leader, phase in seen.executions}
        outcomes = dict(seen.calls)
        coming = {leader for index, leader, _ in seen.executions if index >= state.begun}
        for execution in state.executions:
            mine = execution.leader
            if execution.phase == STARTING:
                gone = mine is not None and outcomes.get(mine) == ("cancelled",)
                if not (coming if mine is None else gone or coming & {mine, None}):
                    return False
                continue
            if execution.index not in started:
                return False
            leader, phase = started[execution.index]
            if None not in (leader, mine) and leader != mine:
                return False
            if execution.phase not in (RUNNING, phase):
                return False
        # What has ended stays so, but for a cancellation that is still to come.
        return all(
            outcome == BLOCKED
            or outcomes.get(call) in (outcome, ("cancelled",))
            or (outcome == ANY and outcomes.get(call) != BLOCKED)
            for call, outcome in state.calls
        )

    def seal(self, state: State) -> State:
        return attrs.evolve(
            state,
            executions=state.active,
            calls=tuple(entry for entry in state.calls if entry[1] == BLOCKED),
            doomed=frozenset(),
        )

    def instants(self, state: State) -> Iterable[int]:
        return ()

    def blame(self, expected: Sequence[View], seen: View) -> str:
        return blame(
            expected,
            seen,
            extra=SECOND_EXECUTION,
            value="ON-06 a caller gets another outcome",
            cancel=CANCEL_SPREADS,
        )

    def _enter(
        self, state: State, call: int, inside: int | None, relaxed: Collection[str]
    ) -> Iterable[Move]:
        """A call takes effect: it returns what is kept, waits, or executes."""
        blocked = put(state, call, BLOCKED)
        tags = ("ON-11",) if state.instance else ()
        if inside == -1:
            tags = (*tags, "ON-11", "UN-08")
        if state.later == "answered":
            yield Move(put(state, call, ANY))
        elif state.later == "anything":
            yield Move(lose(blocked, (call,), ANY))
        if state.kept:
            for outcome in state.kept:
                known = ("ON-04", "ON-06", "ON-09", "UN-09")
                yield Move(put(state, call, outcome), (*tags, *known))
            if LATE_BLOCKED in relaxed:
                yield Move(lose(blocked, (call,), BLOCKED), (), LATE_BLOCKED)
            return
        if not state.active:
            yield from self._lead(blocked, call, (*tags, *RETRIED[state.failed]), relaxed)
            return
        beside = attrs.evolve(lead(blocked, call), loose=True)
        refused = put(state, call, raised("refused"))
        if inside in {execution.index for execution in state.active}:
            yield Move(refused, ("ON-07", "UN-08"))
            if REENTERED in relaxed:
                yield Move(beside, (), REENTERED)
                yield Move(put(state, call, ANY), (), REENTERED)
            return
        if inside is not None:  # perhaps it comes, by way of another object, from inside after all
            yield Move(refused)
        yield Move(blocked, (*tags, "ON-01", "ON-02", "ON-03"))
        if state.loose:
            yield Move(beside, (*tags, "ON-03"))
        elif SECOND_EXECUTION in relaxed:
            yield Move(beside, (), SECOND_EXECUTION)
        if EARLY in relaxed:
            yield Move(put(state, call, ANY), (), EARLY)

    def _lead(
        self, state: State, call: int, tags: tuple[str, ...], relaxed: Collection[str]
    ) -> Iterable[Move]:
        """A call executes its function."""
        yield Move(lead(state, call), tags)
        if FOREIGN_FUNCTION in relaxed:
            yield Move(lead(state, call, foreign=True), (), FOREIGN_FUNCTION)

    def _finish(
        self, state: State, index: int, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        execution = next((e for e in state.executions if e.index == index), None)
        if execution is None:
            return  # its start is still to come in this order of things
        if execution.phase != RUNNING:
            yield Move(state)
            return
        after = swap(state, execution, attrs.evolve(execution, phase=ENDED))
        if outcome == "exit" or (outcome == "error" and self._errors == "retry"):
            yield from self._fail(after, execution, outcome, relaxed)
        else:
            yield from self._complete(after, execution, outcome, relaxed)

    def _complete(
        self, state: State, execution: Execution, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        """The execution has an outcome, and the object is done."""
        index, caller = execution.index, execution.caller
        waiters = tuple(call for call in state.waiting if call != caller)
        if outcome == "error":
            own = raised("error", index)
            others = own if self._errors == "stored" else ("returned", None)
        else:
            value = ("value", index) if outcome == "value" and self._has_value else None
            own = others = ("returned", value)
        kept = state.kept if others in state.kept else (*state.kept, others)
        done = attrs.evolve(state, kept=kept, failed=None)
        tags = ["ON-01", "ON-02"]
        tags += ["ON-03", "ON-06", "ON-09", "UN-09"] if waiters else []
        tags += ["UN-05", "ON-05", "ON-06"] if outcome == "error" else []
        if state.loose:  # the waiters go on by themselves
            for mine in (own,) if outcome == "error" else dict.fromkeys((own, *kept)):
                yield Move(put(done, caller, mine), tuple(tags))
            return
        done = put(done, caller, own)
        yield Move(put(done, waiters, others), tuple(tags))
        if OTHER_OUTCOME in relaxed and (outcome != "error" or self._errors == "stored"):
            yield Move(put(attrs.evolve(done, kept=(ANY,)), waiters, ANY), (), OTHER_OUTCOME)
        if WAITER_LOST in relaxed:
            yield Move(lose(done, waiters, others), (), WAITER_LOST)
        again = attrs.evolve(done, kept=(), failed="error" if outcome == "error" else None)
        if outcome != "error":
            if VALUE_RERUN in relaxed:
                yield Move(again, (), VALUE_RERUN)
                yield Move(put(again, waiters, others), (), VALUE_RERUN)
            return
        if ERROR_LOST in relaxed:
            yield Move(put(put(done, waiters, others), caller, ANY), (), ERROR_LOST)
        if ERROR_TOLD in relaxed and self._errors == "done_silently":
            yield Move(put(attrs.evolve(done, kept=(ANY,)), waiters, ANY), (), ERROR_TOLD)
        rerun = STORED_RERUN if self._errors == "stored" else ERROR_RERUN
        if rerun in relaxed:
            yield Move(again, (), rerun)
            yield Move(put(again, waiters, others), (), rerun)

    def _fail(
        self, state: State, execution: Execution, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        """The attempt has no outcome; somebody else tries again."""
        waiters = tuple(call for call in state.waiting if call != execution.caller)
        own = raised(outcome, execution.index)
        again = attrs.evolve(state, failed=outcome)
        tags = ("UN-05", "ON-14" if outcome == "exit" else "ON-15")
        yield Move(put(again, execution.caller, own), tags)
        if self._detached and outcome == "error":  # who shares a task shares its error
            yield Move(put(put(again, execution.caller, own), waiters, own), tags)
        again = put(again, execution.caller, own)
        if ERROR_LOST in relaxed:
            yield Move(put(again, execution.caller, ANY), (), ERROR_LOST)
        if STRANDED[outcome] in relaxed:
            yield from stranded(again, waiters, STRANDED[outcome])
        if outcome == "error" and ERROR_SPREADS in relaxed:
            yield Move(put(again, waiters, ANY), (), ERROR_SPREADS)
        if outcome == "exit" and EXIT_KEPT in relaxed:
            kept = attrs.evolve(put(again, waiters, ANY), later="answered")
            yield Move(kept, (), EXIT_KEPT)

    def _cancel(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        status = dict(state.calls).get(call)
        gone = put(state, call, ("cancelled",))
        if status is None:
            yield Move(attrs.evolve(state, doomed=state.doomed | {call}))
            return
        if status != BLOCKED:  # ended in this burst: the cancellation may still show
            yield Move(state)
            yield Move(gone)
            return
        execution = next((e for e in state.active if e.caller == call), None)
        if execution is not None:
            yield from self._cancel_executing(gone, execution, relaxed)
            return
        if call in state.held or any(call == lost for lost, _ in state.lost):
            lost = frozenset(entry for entry in state.lost if entry[0] != call)
            yield Move(attrs.evolve(gone, held=state.held - {call}, lost=lost))
            return
        yield Move(gone, ("ON-12",))
        if WAITER_KILLS in relaxed and state.active:
            others = (*gone.waiting, *(e.caller for e in state.active if e.caller is not None))
            for dead in (False, True):
                killed = gone
                for victim in state.active:
                    orphan = attrs.evolve(victim, caller=None)
                    killed = drop(killed, victim) if dead else swap(killed, victim, orphan)
                killed = attrs.evolve(lose(killed, others, ANY), later="anything")
                yield Move(killed, (), WAITER_KILLS)

    def _cancel_executing(
        self, gone: State, execution: Execution, relaxed: Collection[str]
    ) -> Iterable[Move]:
        waiters = gone.waiting
        detached = swap(gone, execution, attrs.evolve(execution, caller=None))
        dropped = attrs.evolve(drop(gone, execution), failed="cancel")
        tags = ("ON-13", "ON-14")
        if self._detached:
            yield Move(detached, tags)
        if not self._detached or not waiters:
            yield Move(dropped, tags)
        for after in (detached, dropped):
            if STRANDED["cancel"] in relaxed:
                yield from stranded(after, waiters, STRANDED["cancel"])
            if CANCEL_SPREADS in relaxed:
                yield Move(put(after, waiters, ANY), (), CANCEL_SPREADS)
            if CANCEL_KEPT in relaxed:
                kept = attrs.evolve(put(after, waiters, ANY), later="answered")
                yield Move(kept, (), CANCEL_KEPT)


def put(state: State, calls: int | None | tuple[int, ...], outcome: Outcome) -> State:
    """The state in which these calls stand so."""
    if calls is None:
        return state
    changed = dict(state.calls)
    changed.update((call, outcome) for call in (calls if isinstance(calls, tuple) else (calls,)))
    return attrs.evolve(state, calls=tuple(sorted(changed.items())))


def swap(state: State, old: Execution, new: Execution) -> State:
    """The state with one execution changed."""
    executions = tuple(new if e is old else e for e in state.executions)
    return attrs.evolve(state, executions=executions)


def drop(state: State, execution: Execution) -> State:
    """The execution is cancelled; before its function started nothing is seen of that."""
    if execution.phase != STARTING:
        return swap(state, execution, attrs.evolve(execution, phase=DROPPED))
    rest = tuple(e for e in state.executions if e is not execution)
    return attrs.evolve(state, executions=rest)


def lead(state: State, call: int, *, foreign: bool = False) -> State:
    """The call executes, its own function or perhaps another's."""
    executions = [*state.executions, Execution(call, None if foreign else call)]
    executions.sort(
        key=lambda e: (e.index, -1 if e.caller is None else e.caller)
    )  # of several, the order is no matter
    return attrs.evolve(state, executions=tuple(executions))


def lose(state: State, calls: tuple[int, ...], outcome: Outcome) -> State:
    """These calls stay blocked, or end so."""
    return attrs.evolve(state, lost=state.lost | {(call, outcome) for call in calls})


def stranded(state: State, waiters: tuple[int, ...], signature: str) -> Iterable[Move]:
    """Nobody wakes the waiters; later callers fare alike, or start anew."""
    lost = lose(state, waiters, ANY)
    yield Move(attrs.evolve(lost, later="anything"), (), signature)
    yield Move(lost, (), signature)


PORT = (
    Method(
        "call",
        (),
        "Execute the constructor's work unless it was executed, and return its value, or None "
        "if the adapter lacks value.",
    ),
    Method(
        "call_own",
        ("work",),
        "The same with a function of the caller's own.",
        capability="own_function",
    ),
)

CANCELS = (0, 1)
INSTANCES = (0, 0, 0, 1)

STIMULI = (
    Weighted(
        "start_a_caller",
        Start,
        10,
        fixed={"operation": "call"},
        choices={"cancel": CANCELS, "instance": INSTANCES},
    ),
    Weighted(
        "start_a_caller_with_a_function",
        Start,
        5,
        fixed={"operation": "call_own"},
        choices={"cancel": CANCELS, "instance": INSTANCES},
        needs=["own_function"],
    ),
    Weighted(
        "let_a_function_end",
        Open,
        4,
        choices={"which": (0, 1), "outcome": ("value", "value", "none", "error", "error", "error")},
    ),
    Weighted(
        "let_a_function_exit",
        Open,
        3,
        fixed={"outcome": "exit"},
        choices={"which": (0, 1)},
        worlds=("threads",),
    ),
    Weighted("cancel_a_caller", Cancel, 8, choices={"which": (0, 1, 2, 3)}, worlds=ASYNC),
    Weighted(
        "call_from_inside",
        Inside,
        1,
        fixed={"operation": "call"},
        choices={"which": (0, 1), "instance": (0, 1)},
        needs=["reentrance_error"],
    ),
)


def call(follow: int = 0, cancel: int = 0, instance: int = 0) -> Step:
    return Step(Start("call", (), instance, cancel), follow)


def own(follow: int = 0, cancel: int = 0) -> Step:
    return Step(Start("call_own", (), 0, cancel), follow)


VALUE, NONE, ERROR, EXIT = (
    Step(Open(0, outcome)) for outcome in ("value", "none", "error", "exit")
)
INSIDE = Step(Inside(0, "call"))
TWO: Mapping[str, object] = {"instances": 2}

SCENARIOS = (
    Scenario("callers wait for one execution", (call(), call(), call(), VALUE, call())),
    Scenario("a burst of callers", (call(NOTHING), call(NOTHING), call(), VALUE, call())),
    Scenario("an execution without a value", (call(), call(), NONE, call())),
    Scenario(
        "a newcomer in the tick of the end", (call(), call(), Step(Open(), 1), call(1), call())
    ),
    Scenario("an error", (call(), call(), call(), ERROR, call(), VALUE, call(), VALUE)),
    Scenario("an error and nobody waits", (call(), ERROR, call(), VALUE, call())),
    Scenario("errors on end", (call(), call(), call(), ERROR, ERROR, ERROR, call(), VALUE)),
    Scenario(
        "a caller in the tick of an error",
        (call(), call(), Step(Open(0, "error"), 1), call(), VALUE, VALUE),
    ),
    Scenario(
        "callers with functions of their own",
        (own(), own(), call(), VALUE, own()),
        needs=["own_function"],
    ),
    Scenario(
        "a burst of own functions",
        (own(NOTHING), own(NOTHING), own(), ERROR, own(), VALUE),
        needs=["own_function"],
    ),
    Scenario(
        "objects are independent",
        (
            call(),
            call(instance=1),
            call(instance=1),
            Step(Open(1)),
            call(instance=1),
            VALUE,
            call(),
        ),
        arguments=TWO,
    ),
    Scenario(
        "a function calls another object",
        (call(), Step(Inside(0, "call", (), 1)), VALUE, call(instance=1), VALUE, call()),
        arguments=TWO,
    ),
    Scenario(
        "a function calls its own object",
        (call(), INSIDE, VALUE, call()),
        needs=["reentrance_error"],
    ),
    Scenario(
        "a function calls its own object while others wait",
        (call(), call(), INSIDE, INSIDE, ERROR, VALUE, call()),
        needs=["reentrance_error"],
    ),
    Scenario("an exit", (call(), call(), call(), EXIT, call(), VALUE, call()), worlds=("threads",)),
    Scenario(
        "an exit and nobody waits", (call(), EXIT, call(), VALUE, call()), worlds=("threads",)
    ),
    Scenario(
        "exits and an error",
        (call(), call(), EXIT, EXIT, call(), call(), ERROR, VALUE, call()),
        worlds=("threads",),
    ),
    *(
        Scenario(f"{words} ({kind})", steps, worlds=ASYNC)
        for kind, cancel in (("first kind of cancellation", 0), ("second kind", 1))
        for words, steps in (
            (
                "cancel a waiter",
                (call(), call(cancel=cancel), call(), Step(Cancel(1)), call(), VALUE, call()),
            ),
            (
                "cancel the caller that executes",
                (call(cancel=cancel), call(), call(), Step(Cancel(0)), call(), VALUE, call()),
            ),
            (
                "cancel the only caller",
                (call(cancel=cancel), Step(Cancel(0)), call(), VALUE, call()),
            ),
            (
                "cancel the only caller, newcomer at once",
                (call(cancel=cancel), Step(Cancel(0), NOTHING), call(), VALUE),
            ),
            (
                "cancel all",
                (
                    call(cancel=cancel),
                    call(cancel=cancel),
                    Step(Cancel(0), NOTHING),
                    Step(Cancel(1)),
                    call(),
                    VALUE,
                ),
            ),
            (
                "cancel whoever takes over",
                (
                    call(cancel=cancel),
                    call(cancel=cancel),
                    call(),
                    Step(Cancel(0)),
                    Step(Cancel(0)),
                    VALUE,
                ),
            ),
            (
                "cancel the heir at once",
                (
                    call(cancel=cancel),
                    call(cancel=cancel),
                    call(),
                    Step(Cancel(0), 1),
                    Step(Cancel(1)),
                    VALUE,
                ),
            ),
            (
                "cancel the executing caller as it ends",
                (
                    call(cancel=cancel),
                    call(),
                    Step(Open(), NOTHING),
                    Step(Cancel(0)),
                    call(),
                    VALUE,
                ),
            ),
            (
                "cancel the executing caller as it fails",
                (
                    call(cancel=cancel),
                    call(),
                    Step(Open(0, "error"), 1),
                    Step(Cancel(0)),
                    call(),
                    VALUE,
                ),
            ),
            (
                "cancel a waiter as it ends",
                (call(), call(cancel=cancel), Step(Open(), 1), Step(Cancel(1)), call(), VALUE),
            ),
            (
                "cancel before the first step",
                (call(NOTHING, cancel), Step(Cancel(0)), call(), VALUE),
            ),
        )
    ),
)

ONCE = Pattern(
    name="once",
    independence="ON-11 what happens to one object reaches another",
    title="Once: one execution, however many callers",
    promise=__doc__ or "",
    clauses=(*CLAUSES, *UNIVERSAL),
    port=PORT,
    constructor={"work": ()},
    capabilities={
        "own_function": "call_own: each caller brings its own function",
        "value": "call returns what the function returned",
        "single_init": "one execution however many callers race",
        "reentrance_error": "a function that calls its own object is refused with an error",
        "release": "the function is dropped after the execution",
        "stop": "what it runs in the background can be stopped",
    },
    dialects={
        "once_error": ("stored", "done_silently", "retry"),
        "once_cancel": ("retry", "detached", "none"),
    },
    model=lambda adapter, _: Once(adapter),
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=(call(), VALUE, call()),
    # Without a value, for that is rightly kept; and one object's error, retried if it must be.
    release=(
        (call(), call(), NONE, call(instance=1), call(instance=1), ERROR, call(instance=1), NONE),
        "ON-10 the function is kept after its execution",
    ),
)
