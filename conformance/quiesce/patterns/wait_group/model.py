"""The model of the wait group: a counter, who waits for zero, and what functions have failed.

A *round* begins when the counter rises from zero and ends when it is zero again. Errors of
functions that the group runs belong to the waiters: all that are released by the end of a round
get them, or else whoever waits next. They are kept until a round begins after they were told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from quiesce.model import BLOCKED, Move, evolve
from quiesce.patterns.calls import (
    CANCELLED,
    REFUSED,
    Calls,
    CallsModel,
    Execution,
    Outcome,
    put,
    returned,
    start,
)
from quiesce.worlds.world import START

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from quiesce.adapters import Adapter
    from quiesce.model import View
    from quiesce.stimuli import Began, Part

__all__ = ["State", "WaitGroup"]

ZERO_BLOCKS = "WG-01 a wait at zero does not return"
SPENT = "WG-04 a wait in a new round returns at once"
RECAPTURED = "WG-05 a new round keeps waiters that were released"
LATE = "WG-06 a function is counted only after go has returned"
NOT_DONE = "WG-06 a function that fails is counted for ever"
INNER_UNCOUNTED = "WG-07 a function that a function started is not counted"
WAITER_COUNTED = "WG-08 a waiter that leaves takes one from the counter"

TOO_EARLY = "WG-02 a wait returns before the counter is zero"
NOT_RELEASED = "WG-02 a wait does not return at zero"
NEGATIVE = "WG-03 the counter goes below zero"
REFUSED_WRONGLY = "WG-03 a delta is refused that leads to no negative counter"
ERROR_LOST = "WG-06 an error of a function is not delivered"
OTHER = "WG-02 a wait gets another outcome"


@attrs.frozen
class State(Calls):
    """One wait group."""

    now: int = START
    count: int = 0  # what was added
    functions: int = 0  # that run, each counted on its own account
    waiters: tuple[tuple[int, int | None], ...] = ()  # calls -> when they give up
    timed: frozenset[int] = frozenset()  # those of them that answer True or False
    errors: tuple[tuple[str, int], ...] = ()  # of functions: kind, execution
    told: bool = False  # to a waiter
    released: bool = False  # waiters, in this burst
    rounds: int = 0  # that have ended, one at most: the model asks no more
    late: tuple[int, ...] = ()  # a relaxation: calls of go still to be counted
    uncounted: frozenset[int] = frozenset()  # a relaxation: calls of go that never are

    @property
    def is_zero(self) -> bool:
        """Whether there is nothing to wait for."""
        return not self.count and not self.functions


class WaitGroup(CallsModel):
    """The model of one wait group."""

    relaxations: Mapping[str, str] = {
        signature: signature[:5]
        for signature in (
            ZERO_BLOCKS,
            RECAPTURED,
            LATE,
            NOT_DONE,
            INNER_UNCOUNTED,
            WAITER_COUNTED,
            SPENT,
        )
    }
    value: ClassVar[str] = OTHER

    def __init__(self, adapter: Adapter) -> None:
        self._recaptures = "rounds" in adapter.lacks

    def initial(self, part: Part) -> State:
        return State()

    def begin(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call = fact.call
        inside = -1 if fact.inside is None else fact.inside
        if inside >= 0 and all(execution.index != inside for execution in state.executions):
            return  # the function that makes the call is still to start
        match fact.operation:
            case "add":
                yield from self._add(state, call, fact.argument("n"), relaxed)
            case "done":
                yield from self._add(state, call, -1, relaxed)
            case "go":
                yield from self._go(state, fact, relaxed)
            case "wait":
                yield from self._wait(state, call, None, relaxed)
            case _:
                until = state.now + fact.argument("timeout")
                timed = evolve(state, timed=state.timed | {call})
                yield from self._wait(timed, call, until, relaxed)

    def ended(
        self, state: State, execution: Execution, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        tags = ["WG-06"]
        if outcome in ("error", "panic"):  # an exit is no failure: the function ends its thread
            state = evolve(state, errors=(*state.errors, (outcome, execution.index)))
            tags.append("UN-05")
        if execution.leader in state.uncounted:
            yield Move(state)
            return
        for move in self._change(state, relaxed, functions=-1):
            yield evolve(move, clauses=(*move.clauses, *tags))
        if NOT_DONE in relaxed and outcome not in ("value", "none"):
            yield Move(state, (), NOT_DONE)

    def cancel(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        left = tuple(waiter for waiter in state.waiters if waiter[0] != call)
        after = put(evolve(state, waiters=left), call, CANCELLED)
        yield Move(after, ("WG-08",))
        yield from self._waiter_counted(after, relaxed)

    def ticked(self, state: State, at: int, relaxed: Collection[str]) -> Iterable[Move]:
        yield Move(evolve(state, now=at))

    def instants(self, state: State) -> Iterable[int]:
        return [until for _, until in state.waiters if until is not None]

    def follow(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        for call, until in state.waiters:
            if until is not None and until <= state.now:
                left = tuple(waiter for waiter in state.waiters if waiter[0] != call)
                after = put(evolve(state, waiters=left), call, returned(False))
                yield Move(after, ("WG-08",))
                yield from self._waiter_counted(after, relaxed)
        if state.is_zero and state.waiters and (self._recaptures or RECAPTURED in relaxed):
            for waiter in state.waiters:  # each looks again when it wakes up
                yield Move(self._released(state, (waiter,)), ("WG-02",))
        for call in state.late:
            counted = evolve(state, late=tuple(other for other in state.late if other != call))
            yield from self._change(counted, relaxed, functions=+1)

    def may_rest(self, state: State) -> bool:
        return False

    def seal(self, state: State) -> State:
        sealed: State = super().seal(state)
        return evolve(sealed, timed=state.timed.intersection(dict(sealed.calls)), released=False)

    def blame(self, expected: Sequence[View], seen: View) -> str:
        if not expected:
            return super().blame(expected, seen)
        allowed = dict(expected[0].calls)
        for call, outcome in seen.calls:
            wanted = allowed.get(call)
            if wanted == outcome or wanted is None:
                continue
            if wanted == REFUSED:
                return NEGATIVE
            if outcome == REFUSED:
                return REFUSED_WRONGLY
            if wanted[0] == "raised" and outcome != BLOCKED:
                return ERROR_LOST
            if outcome == BLOCKED:
                return NOT_RELEASED
            if wanted == BLOCKED and outcome[0] == "returned":
                return TOO_EARLY
        return super().blame(expected, seen)

    def _add(self, state: State, call: int, delta: int, relaxed: Collection[str]) -> Iterable[Move]:
        if state.count + delta < 0:
            yield Move(put(state, call, REFUSED), ("WG-03", "UN-04"))
            return
        after = put(state, call, returned())
        for move in self._change(after, relaxed, count=delta):
            yield evolve(move, clauses=(*move.clauses, *(("WG-03",) if abs(delta) > 1 else ())))
        if state.is_zero and delta > 0 and state.released:
            yield Move(put(state, call, REFUSED), ("WG-05",))

    def _go(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call, inner = fact.call, fact.inside is not None and fact.inside >= 0
        begun = start(put(state, call, returned()), call)
        for move in self._change(begun, relaxed, functions=+1):
            tags = ("WG-06", "WG-07") if inner else ("WG-06",)
            yield evolve(move, clauses=(*move.clauses, *tags))
        if LATE in relaxed:
            yield Move(evolve(begun, late=(*state.late, call)), (), LATE)
        if INNER_UNCOUNTED in relaxed and inner:
            uncounted = evolve(begun, uncounted=state.uncounted | {call})
            yield Move(uncounted, (), INNER_UNCOUNTED)

    def _wait(
        self, state: State, call: int, until: int | None, relaxed: Collection[str]
    ) -> Iterable[Move]:
        waiters = tuple(sorted((*state.waiters, (call, until)), key=lambda waiter: waiter[0]))
        blocked = put(evolve(state, waiters=waiters), call, BLOCKED)
        if not state.is_zero:
            yield Move(blocked, ("WG-02", "WG-04") if state.rounds else ("WG-02",))
            if SPENT in relaxed and state.rounds:
                yield Move(self._released(state, ((call, until),)), (), SPENT)
        else:
            yield Move(self._released(state, ((call, until),)), ("WG-01",))
            if ZERO_BLOCKS in relaxed:
                yield Move(blocked, (), ZERO_BLOCKS)

    def _change(
        self, state: State, relaxed: Collection[str], *, count: int = 0, functions: int = 0
    ) -> Iterable[Move]:
        """The counter changes; nobody is waiting at zero afterwards."""
        after = evolve(state, count=state.count + count, functions=state.functions + functions)
        if state.is_zero and not after.is_zero:  # a new round
            tags = ("WG-05",) if state.released else ()
            if state.told:
                after = evolve(after, errors=(), told=False)
            yield Move(after, tags)
        elif after.is_zero and not state.is_zero:
            ended = evolve(after, rounds=1)
            if not state.waiters:
                yield Move(ended)
            elif self._recaptures:
                yield Move(ended, ("WG-02",))
            else:
                yield Move(self._released(ended, state.waiters), ("WG-02",))
                if RECAPTURED in relaxed:
                    yield Move(ended, (), RECAPTURED)
        else:
            yield Move(after)

    def _waiter_counted(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        if WAITER_COUNTED in relaxed and state.count:
            for move in self._change(state, relaxed, count=-1):
                yield evolve(move, relaxed=WAITER_COUNTED)

    def _released(self, state: State, waiters: Iterable[tuple[int, int | None]]) -> State:
        """The state in which these waiters have returned, or raised what functions raised."""
        gone = dict(waiters)
        left = tuple(waiter for waiter in state.waiters if waiter[0] not in gone)
        after = evolve(state, waiters=left, released=True, told=True)
        for call in gone:
            after = put(after, call, self._outcome(state, call))
        return after

    def _outcome(self, state: State, call: int) -> Outcome:
        if state.errors:
            leaves: tuple[Any, ...] = tuple(sorted(state.errors, key=repr))
            return ("raised", ("group", leaves))
        return returned(True if call in state.timed else None)
