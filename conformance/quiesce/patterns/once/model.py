"""The model of one once object, and its relaxations.

At most one execution runs, for the call that is its caller; it starts by an internal move,
since it can be cancelled before that. An attempt that has no outcome leaves the object not
done, and who takes over is an internal move too. An object whose adapter lacks
``single_init`` is *loose*: several executions may run, and each has an outcome to give.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from quiesce.model import ANY, BLOCKED, Move, View, evolve
from quiesce.patterns.calls import (
    CANCELLED,
    REFUSED,
    STARTING,
    Calls,
    CallsModel,
    Outcome,
    drop,
    ordered,
    raised,
    returned,
    swap,
)
from quiesce.patterns.calls import Execution as AnyExecution
from quiesce.patterns.calls import put as put_calls
from quiesce.patterns.universal import ALIEN_CANCEL

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from quiesce.adapters import Adapter
    from quiesce.stimuli import Began, Part

__all__ = ["RELAXATIONS", "Once"]

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

#: Clauses that a new attempt exercises, by what ended the one before.
RETRIED = {
    None: (),
    "error": ("ON-15",),
    "exit": ("ON-14", "UN-04"),
    "cancel": ("ON-13", "ON-14"),
}


@attrs.frozen
class Execution(AnyExecution):
    """One run of the function. Its leader is None if a relaxation leaves that open."""

    caller: int | None = None  # the call that executes it, None once that was cancelled


@attrs.frozen
class State(Calls):
    """One object."""

    instance: int = 0
    loose: bool = False  # several executions may run, and their outcomes may all be kept
    kept: tuple[Outcome, ...] = ()  # what callers get; empty while the object is not done
    failed: str | None = None  # what ended the last attempt, if that was no outcome
    # By relaxations only:
    held: frozenset[int] = frozenset()  # calls that some other object keeps from starting
    lost: frozenset[tuple[int, Outcome]] = frozenset()  # may stay blocked, or end so
    later: str = "allowed"  # what may happen to later calls as well: "answered", "anything"

    @property
    def waiting(self) -> tuple[int, ...]:
        """The calls that wait for an execution which is not their own."""
        others = {execution.caller for execution in self.active}
        others |= self.held
        others |= {call for call, _ in self.lost}
        return tuple(
            call for call, outcome in self.calls if outcome == BLOCKED and call not in others
        )


class Once(CallsModel):
    """The model of one object."""

    relaxations: Mapping[str, str] = RELAXATIONS
    extra = SECOND_EXECUTION
    value = "ON-06 a caller gets another outcome"
    alien = CANCEL_SPREADS

    def __init__(self, adapter: Adapter) -> None:
        self._has_value = "value" not in adapter.lacks
        self._loose = "single_init" in adapter.lacks
        self._errors = adapter.dialect.get("once_error", "stored")
        self._detached = adapter.dialect.get("once_cancel", "retry") == "detached"

    def initial(self, part: Part) -> State:
        return State(instance=part[0], loose=self._loose)

    def begin(self, state: Any, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call = fact.call
        yield from self._enter(state, call, fact.inside, relaxed)
        if HELD in relaxed and not state.kept and not state.active:
            held = evolve(put(state, call, BLOCKED), held=state.held | {call})
            yield Move(held, (), HELD)

    def follow(self, state: Any, relaxed: Collection[str]) -> Iterable[Move]:
        for call in state.waiting:
            if CANCEL_SPREADS in relaxed and state.failed == "cancel":
                yield Move(put(state, call, ANY), (), CANCEL_SPREADS)
            if state.kept:  # several executions: one of them has ended
                for outcome in state.kept:
                    yield Move(put(state, call, outcome), ("ON-03", "ON-09"))
                continue
            if not state.active:
                yield from self._lead(state, call, RETRIED[state.failed], relaxed)
                continue
            beside = evolve(lead(state, call), loose=True)
            if state.loose:
                yield Move(beside)
            elif state.failed and OVERLAP[state.failed] in relaxed:
                yield Move(beside, (), OVERLAP[state.failed])
            elif SECOND_EXECUTION in relaxed:
                yield Move(beside, (), SECOND_EXECUTION)
            if RELEASED_EARLY in relaxed:
                yield Move(put(state, call, ANY), (), RELEASED_EARLY)
        for call in sorted(state.held):
            freed = evolve(state, held=state.held - {call})
            yield from self._enter(freed, call, None, relaxed)
        for call, outcome in sorted(state.lost):
            found = evolve(state, lost=state.lost - {(call, outcome)})
            yield Move(put(found, call, outcome))

    def may_rest(self, state: Any) -> bool:
        if any(execution.phase == STARTING for execution in state.executions):
            return False
        return bool(state.active) or not state.waiting

    def possible(self, state: Any, seen: View) -> bool:
        if not super().possible(state, seen):
            return False
        outcomes = dict(seen.calls)
        if any(each == ANY and outcomes.get(call) == BLOCKED for call, each in state.calls):
            return False  # here ANY is said of calls that end
        starting = [execution for execution in state.executions if execution.phase == STARTING]
        if not starting:
            return True
        # A function that was never seen must have been called off, with its caller.
        coming = {leader for index, leader, _ in seen.executions if index >= state.begun}
        for execution in starting:
            mine = execution.leader
            gone = mine is not None and outcomes.get(mine) in (CANCELLED, ALIEN_CANCEL)
            if not (coming if mine is None else gone or coming & {mine, None}):
                return False
        return True

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
                known = ("ON-04", "ON-06", "ON-09")
                yield Move(put(state, call, outcome), (*tags, *known))
            if LATE_BLOCKED in relaxed:
                yield Move(lose(blocked, (call,), BLOCKED), (), LATE_BLOCKED)
            return
        if not state.active:
            yield from self._lead(blocked, call, (*tags, *RETRIED[state.failed]), relaxed)
            return
        refused = put(state, call, REFUSED)
        if inside in {execution.index for execution in state.active}:
            yield Move(refused, ("ON-07", "UN-08"))
            if REENTERED in relaxed:
                yield Move(evolve(lead(blocked, call), loose=True), (), REENTERED)
                yield Move(put(state, call, ANY), (), REENTERED)
            return
        if inside is not None:  # perhaps it comes, by way of another object, from inside after all
            yield Move(refused)
        yield Move(blocked, (*tags, "ON-01", "ON-02", "ON-03"))
        if EARLY in relaxed:
            yield Move(put(state, call, ANY), (), EARLY)

    def _lead(
        self, state: State, call: int, tags: tuple[str, ...], relaxed: Collection[str]
    ) -> Iterable[Move]:
        """A call executes its function."""
        yield Move(lead(state, call), tags)
        if FOREIGN_FUNCTION in relaxed:
            yield Move(lead(state, call, foreign=True), (), FOREIGN_FUNCTION)

    def ended(
        self, state: Any, execution: Any, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        if outcome == "exit" or (outcome == "error" and self._errors == "retry"):
            yield from self._fail(state, execution, outcome, relaxed)
        else:
            yield from self._complete(state, execution, outcome, relaxed)

    def _complete(
        self, state: State, execution: Execution, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        """The execution has an outcome, and the object is done."""
        index, caller = execution.index, execution.caller
        waiters = tuple(call for call in state.waiting if call != caller)
        if outcome == "error":
            own = raised("error", index)
            others = own if self._errors == "stored" else returned()
        else:
            value = ("value", index) if outcome == "value" and self._has_value else None
            own = others = returned(value)
        kept = state.kept if others in state.kept else (*state.kept, others)
        done = evolve(state, kept=kept, failed=None)
        tags = ["ON-01", "ON-02"]
        tags += ["ON-03", "ON-06", "ON-09"] if waiters else []
        tags += ["UN-05", "ON-05", "ON-06"] if outcome == "error" else []
        if state.loose:  # the waiters go on by themselves
            for mine in (own,) if outcome == "error" else dict.fromkeys((own, *kept)):
                yield Move(put(done, caller, mine), tuple(tags))
            return
        done = put(done, caller, own)
        yield Move(put(done, waiters, others), tuple(tags))
        yield from self._complete_relaxed(done, caller, waiters, others, outcome, relaxed)

    def _complete_relaxed(
        self,
        done: State,
        caller: int | None,
        waiters: tuple[int, ...],
        others: Outcome,
        outcome: str,
        relaxed: Collection[str],
    ) -> Iterable[Move]:
        failed = outcome == "error"
        if WAITER_LOST in relaxed:
            yield Move(lose(done, waiters, others), (), WAITER_LOST)
        if ERROR_LOST in relaxed and failed:
            yield Move(put(put(done, waiters, others), caller, ANY), (), ERROR_LOST)
        silent = failed and self._errors == "done_silently"
        other = ERROR_TOLD if silent else OTHER_OUTCOME
        if other in relaxed:
            yield Move(put(evolve(done, kept=(ANY,)), waiters, ANY), (), other)
        rerun = (ERROR_RERUN if silent else STORED_RERUN) if failed else VALUE_RERUN
        if rerun in relaxed:
            again = evolve(done, kept=(), failed="error" if failed else None)
            yield Move(again, (), rerun)
            yield Move(put(again, waiters, others), (), rerun)

    def _fail(
        self, state: State, execution: Execution, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        """The attempt has no outcome; somebody else tries again."""
        waiters = tuple(call for call in state.waiting if call != execution.caller)
        own = raised(outcome, execution.index)
        again = put(evolve(state, failed=outcome), execution.caller, own)
        tags = ("UN-05", "ON-14" if outcome == "exit" else "ON-15")
        yield Move(again, tags)
        if self._detached and outcome == "error":  # who shares a task shares its error
            yield Move(put(again, waiters, own), tags)
        if ERROR_LOST in relaxed:
            yield Move(put(again, execution.caller, ANY), (), ERROR_LOST)
        if STRANDED[outcome] in relaxed:
            yield from stranded(again, waiters, STRANDED[outcome])
        spread = put(again, waiters, ANY)
        if outcome == "error" and ERROR_SPREADS in relaxed:
            yield Move(spread, (), ERROR_SPREADS)
        if outcome == "exit" and EXIT_KEPT in relaxed:
            yield Move(evolve(spread, later="answered"), (), EXIT_KEPT)

    def cancel(self, state: Any, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        gone = put(state, call, CANCELLED)
        execution = next((e for e in state.active if e.caller == call), None)
        if execution is not None:
            yield from self._cancel_executing(gone, execution, relaxed)
            return
        if call in state.held or any(call == lost for lost, _ in state.lost):
            lost = frozenset(entry for entry in state.lost if entry[0] != call)
            yield Move(evolve(gone, held=state.held - {call}, lost=lost))
            return
        yield Move(gone, ("ON-12",))
        if self._detached and not gone.waiting:
            for orphan in gone.active:
                if orphan.caller is None:  # nobody is left who wants it
                    yield Move(evolve(drop(gone, orphan), failed="cancel"), ("ON-12",))
        if WAITER_KILLS in relaxed and state.active:
            others = (*gone.waiting, *(e.caller for e in state.active if e.caller is not None))
            gone = evolve(lose(gone, others, ANY), later="anything")
            orphaned = dropped = gone
            for victim in state.active:
                orphaned = swap(orphaned, victim, evolve(victim, caller=None))
                dropped = drop(dropped, victim)
            yield Move(orphaned, (), WAITER_KILLS)
            yield Move(dropped, (), WAITER_KILLS)

    def _cancel_executing(
        self, gone: State, execution: Execution, relaxed: Collection[str]
    ) -> Iterable[Move]:
        waiters = gone.waiting
        gone = evolve(gone, failed="cancel")
        detached = swap(gone, execution, evolve(execution, caller=None))
        dropped = drop(gone, execution)
        tags = ("ON-13", "ON-14")
        if self._detached:
            yield Move(detached, tags)
        if not self._detached or not waiters:
            yield Move(dropped, tags)
        if CANCEL_KEPT in relaxed:
            yield Move(evolve(dropped, later="answered"), (), CANCEL_KEPT)
        for after in (detached, dropped):
            if CANCEL_SPREADS in relaxed:
                yield Move(after, (), CANCEL_SPREADS)
            if STRANDED["cancel"] in relaxed:
                yield from stranded(after, waiters, STRANDED["cancel"])


def put(state: State, calls: int | tuple[int, ...] | None, outcome: Outcome) -> State:
    """The state in which these calls stand so."""
    return state if calls is None else put_calls(state, calls, outcome)


def lead(state: State, call: int, *, foreign: bool = False) -> State:
    """The call executes, its own function or perhaps another's."""
    execution = Execution(None if foreign else call, caller=call)
    return evolve(state, executions=ordered((*state.executions, execution)))


def lose(state: State, calls: tuple[int, ...], outcome: Outcome) -> State:
    """These calls stay blocked, or end so."""
    return evolve(state, lost=state.lost | {(call, outcome) for call in calls})


def stranded(state: State, waiters: tuple[int, ...], signature: str) -> Iterable[Move]:
    """Nobody wakes the waiters; later callers fare alike, or start anew."""
    lost = lose(state, waiters, ANY)
    yield Move(evolve(lost, later="anything"), (), signature)
    yield Move(lost, (), signature)
