"""The model of one object pool, and its relaxations.

An object is known by the index of the factory's execution that made it. Whoever needs one
either waits at the bound, or is served: with an idle object, or with one that the factory
then makes. Which of the calls that the factory works for gets which new object is left open
until it is seen. The idle objects of the model are those that *may* be idle, since a pool may
drop any of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import attrs

from quiesce.model import ANY, BLOCKED, Move, evolve
from quiesce.patterns.calls import (
    CANCELLED,
    REFUSED,
    Calls,
    CallsModel,
    Execution,
    Outcome,
    ordered,
    put,
    raised,
    returned,
)
from quiesce.patterns.calls import drop as interrupt

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from quiesce.adapters import Adapter
    from quiesce.stimuli import Began, Part

__all__ = ["ObjectPool"]

# Signatures of the relaxations, narrowest first. Each is this model with one clause dropped.
NONE_KEPT = "OP-04 None that was put comes back"
PUT_TWICE = "OP-08 an object that was put already is taken again"
STRANGER_TAKEN = "OP-11 an object of nobody's is taken"
FAILED_RESET_KEPT = "OP-07 an object whose reset failed is lent again"
TRIM_IGNORED = "OP-09 an idle object outlives trim"
FACTORY_EATS = "OP-10 a factory that fails costs capacity"
CANCEL_EATS = "OP-13 a cancelled get costs capacity"
USE_EATS = "OP-14 an object does not come back from scoped use"
USE_DOUBLES = "OP-14 an object comes back twice from scoped use"
REVIVED = "OP-15 a pool that was closed lends"
STRANDED = "OP-15 close leaves those who wait"
CLOSED_TWICE = "UN-07 closing again is not safe"
MADE_IN_VAIN = "OP-02 the factory runs although an idle object is lent"
RESET_LATE = "OP-06 an object is idle before its reset"
RESET_TWICE = "OP-05 reset runs twice between two holders"
RESET_MISSING = "OP-05 an object goes to the next holder without a reset"
OVERTAKEN = "OP-13 a later caller overtakes those who wait"
TOO_MANY = "OP-13 more objects are out than the bound allows"
TWO_HOLDERS = "OP-01 an object is in two hands"
LOCK_HELD = "UN-08 a call waits for another's user function"

RELAXATIONS = {
    signature: signature[:5]
    for signature in (
        NONE_KEPT,
        PUT_TWICE,
        STRANGER_TAKEN,
        FAILED_RESET_KEPT,
        TRIM_IGNORED,
        FACTORY_EATS,
        CANCEL_EATS,
        USE_EATS,
        USE_DOUBLES,
        REVIVED,
        STRANDED,
        CLOSED_TWICE,
        MADE_IN_VAIN,
        RESET_LATE,
        RESET_TWICE,
        RESET_MISSING,
        OVERTAKEN,
        TOO_MANY,
        TWO_HOLDERS,
        LOCK_HELD,
    )
}

#: The holder of an object that is being reset: nobody, and yet it is not idle.
RETURNING: Final = -1


@attrs.frozen
class Run(Execution):
    """One run of the factory, of reset or of a user's task.

    ``call`` is the call that it belongs to; the factory's runs belong to all that it works for.
    """

    call: int = -1


@attrs.frozen
class State(Calls):
    """One pool."""

    idle: tuple[int, ...] = ()  # objects that may be idle
    lent: tuple[tuple[int, int], ...] = ()  # object -> the call that has it, or RETURNING
    got: tuple[tuple[int, int], ...] = ()  # get -> the object that it returned
    making: frozenset[int] = frozenset()  # calls that the factory works for
    waiting: tuple[int, ...] = ()  # calls in order of arrival
    users: frozenset[int] = frozenset()  # calls of use
    pending: tuple[tuple[int, Outcome], ...] = ()  # call -> its outcome once reset has ended
    closed: bool = False
    lost: int = 0  # relaxations only: capacity that nothing gives back
    strangers: int = 0  # relaxations only: idle things that the factory did not make
    dirty: frozenset[int] = frozenset()  # relaxations only: idle before their reset
    stuck: frozenset[int] = frozenset()  # relaxations only: never served

    def lend(self, number: int, call: int) -> State:
        """The state in which the object is in the hands of the call."""
        idle = list(self.idle)
        if number in idle:
            idle.remove(number)
        return evolve(self, idle=tuple(idle), lent=tuple(sorted((*self.lent, (number, call)))))

    def back(self, number: int, *, idle: bool = True) -> State:
        """The state in which the object is in nobody's hands."""
        lent = tuple(entry for entry in self.lent if entry[0] != number)
        kept = tuple(sorted((*self.idle, number))) if idle and not self.closed else self.idle
        return evolve(self, lent=lent, idle=kept)


class ObjectPool(CallsModel):
    """The model of one pool."""

    relaxations: Mapping[str, str] = RELAXATIONS
    extra = "OP-02 a user function runs that nothing called for"
    value = "OP-02 a caller gets something else"
    alien = "OP-13 a cancellation reaches a caller that was not cancelled"

    def __init__(self, adapter: Adapter, bound: Any) -> None:
        self._bound: int | None = bound
        self._resets = "reset" not in adapter.lacks
        self._fifo = adapter.dialect.get("fifo", "yes") == "yes"

    def initial(self, part: Part) -> State:
        return State()

    def begin(self, state: Any, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call = fact.call
        match fact.operation:
            case "get" | "use" if state.closed:
                yield Move(put(state, call, REFUSED), ("OP-15",))
                if REVIVED in relaxed:
                    yield Move(enqueue(evolve(state, closed=False), fact), (), REVIVED)
                    yield Move(put(state, call, ANY), (), REVIVED)
            case "get" | "use":
                busy = ("UN-08",) if state.active else ()
                queued = enqueue(state, fact)
                if state.waiting or self._full(state):
                    yield Move(queued, busy)
                else:  # no need to wait, so no place in a queue
                    for move in self._serve(queued, call, relaxed):
                        yield evolve(move, clauses=(*move.clauses, *busy))
                if LOCK_HELD in relaxed and state.active:
                    blocked = put(state, call, BLOCKED)
                    yield Move(evolve(blocked, stuck=state.stuck | {call}), (), LOCK_HELD)
            case "put":
                number = dict(state.got).get(fact.argument("of"))
                if number is not None:  # else that get is still to be served in this order
                    yield from self._put(state, call, number, relaxed)
            case "put_none":
                after = put(state, call, returned())
                yield Move(after, ("OP-04",))
                if NONE_KEPT in relaxed:
                    taken = evolve(after, strangers=state.strangers + 1)
                    yield Move(taken, (), NONE_KEPT)
            case "put_stranger":
                yield Move(put(state, call, REFUSED), ("OP-11",))
                if STRANGER_TAKEN in relaxed:
                    taken = evolve(state, strangers=state.strangers + 1)
                    yield Move(put(taken, call, ANY), (), STRANGER_TAKEN)
            case "trim":
                trimmed = put(state, call, returned())
                yield Move(evolve(trimmed, idle=()), ("OP-09",) if state.idle else ())
                if TRIM_IGNORED in relaxed:
                    yield Move(trimmed, (), TRIM_IGNORED)
            case "close":
                yield from self._close(state, call, relaxed)

    def follow(self, state: Any, relaxed: Collection[str]) -> Iterable[Move]:
        waiting = tuple(call for call in state.waiting if call not in state.stuck)
        if not waiting:
            return
        if self._full(state):
            if TOO_MANY in relaxed:
                for move in self._serve(state, waiting[0], ()):
                    yield evolve(move, relaxed=TOO_MANY)
            return
        heads = waiting[:1] if self._fifo else waiting
        for call in heads:
            yield from self._serve(state, call, relaxed)
        if OVERTAKEN in relaxed:
            for call in waiting[1:]:
                for move in self._serve(state, call, ()):
                    yield evolve(move, relaxed=OVERTAKEN)

    def _full(self, state: State) -> bool:
        out = len(state.lent) + len(state.making) + state.lost
        return self._bound is not None and out >= self._bound

    def ended(
        self, state: Any, execution: Any, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        call, index = execution.call, execution.index
        failed = raised(outcome, index) if outcome != "value" else None
        match execution.leader[0]:
            case "make":
                for each in sorted(state.making):
                    made = evolve(state, making=state.making - {each})
                    if failed is None:
                        yield Move(hand(made, index, each), ("OP-02",))
                        continue
                    yield Move(put(made, each, failed), ("OP-10", "UN-05"))
                    if FACTORY_EATS in relaxed:
                        lost = evolve(made, lost=state.lost + 1)
                        yield Move(put(lost, each, failed), (), FACTORY_EATS)
            case "task":
                result = failed or returned(("value", index))
                tags = ("OP-14", "UN-05") if failed else ("OP-14",)
                number = execution.leader[1][1]
                yield from self._take_back(state, number, call, result, tags, relaxed)
                yield from self._use_relaxed(state, number, call, result, relaxed)
            case "reset":
                number = execution.leader[1][1]
                pending = dict(state.pending)
                result = pending.pop(call, None)
                if result is None:  # a relaxation: it was the next holder's reset
                    yield Move(hand(state, number, call) if failed is None else state)
                    return
                rest = evolve(state, pending=tuple(sorted(pending.items())))
                if failed is None:
                    yield Move(put(rest.back(number), call, result), ("OP-05", "OP-06"))
                    if RESET_TWICE in relaxed:
                        again = evolve(state, executions=(*state.executions, reset(number, call)))
                        yield Move(again, (), RESET_TWICE)
                else:
                    gone = rest.back(number, idle=False)
                    yield Move(put(gone, call, failed), ("OP-07", "UN-05"))
                    if FAILED_RESET_KEPT in relaxed:
                        yield Move(put(rest.back(number), call, ANY), (), FAILED_RESET_KEPT)

    def cancel(self, state: Any, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        gone = put(state, call, CANCELLED)
        if call in state.waiting:
            left = evolve(gone, waiting=tuple(c for c in state.waiting if c != call))
            yield Move(left, ("OP-13",))
            if CANCEL_EATS in relaxed:
                yield Move(evolve(left, lost=state.lost + 1), (), CANCEL_EATS)
            return
        if call in state.making:
            free = evolve(gone, making=state.making - {call})
            for running in state.active:
                if running.leader[0] == "make":
                    yield Move(interrupt(free, running), ("OP-13",))
                    if CANCEL_EATS in relaxed:
                        lost = evolve(free, lost=state.lost + 1)
                        yield Move(interrupt(lost, running), (), CANCEL_EATS)
            return
        running = next((e for e in state.active if e.call == call), None)
        if running is None:  # stranded by a relaxation
            yield Move(gone)
            return
        match running.leader[0]:
            case "task":
                number = running.leader[1][1]
                cut = interrupt(state, running)
                yield from self._take_back(cut, number, call, CANCELLED, ("OP-14",), relaxed)
                yield from self._use_relaxed(cut, number, call, CANCELLED, relaxed)
            case "reset":
                # A clean-up that is shielded goes on; one that is cut short costs the object.
                pending = dict(state.pending)
                pending[call] = CANCELLED
                yield Move(evolve(state, pending=tuple(sorted(pending.items()))))
                yield Move(state)
                pending.pop(call, None)
                cut = evolve(interrupt(gone, running), pending=tuple(sorted(pending.items())))
                number = running.leader[1][1]
                yield Move(cut.back(number, idle=False))
                if FAILED_RESET_KEPT in relaxed:
                    yield Move(cut.back(number), (), FAILED_RESET_KEPT)

    def _put(
        self, state: State, call: int, number: int, relaxed: Collection[str]
    ) -> Iterable[Move]:
        if dict(state.lent).get(number, RETURNING) == RETURNING:
            yield Move(put(state, call, REFUSED), ("OP-08",))
            if PUT_TWICE in relaxed:
                twice = evolve(state, idle=tuple(sorted((*state.idle, number))))
                yield Move(put(twice, call, ANY), (), PUT_TWICE)
                if self._resets:
                    again = evolve(twice, pending=(*state.pending, (call, ANY)))
                    run = evolve(again, executions=(*state.executions, reset(number, call)))
                    yield Move(put(run, call, BLOCKED), (), PUT_TWICE)
            return
        yield from self._take_back(state, number, call, returned(), (), relaxed)

    def _take_back(
        self,
        state: State,
        number: int,
        call: int,
        result: Outcome,
        tags: tuple[str, ...],
        relaxed: Collection[str],
    ) -> Iterable[Move]:
        """The call gives an object back; it ends once that is reset."""
        if state.closed:
            yield Move(put(state.back(number), call, result), (*tags, "OP-15"))
            if REVIVED in relaxed:
                opened = evolve(state, closed=False).back(number)
                yield Move(put(opened, call, result), (), REVIVED)
        if not self._resets:
            yield Move(put(state.back(number), call, result), tags)
            return
        lent = {**dict(state.lent), number: RETURNING}
        run = evolve(
            put(state, call, BLOCKED),
            lent=tuple(sorted(lent.items())),
            executions=ordered((*state.executions, reset(number, call))),
            pending=tuple(sorted((*state.pending, (call, result)))),
        )
        yield Move(run, tags)
        if RESET_MISSING in relaxed:
            yield Move(put(state.back(number), call, result), (), RESET_MISSING)
        if RESET_LATE in relaxed:
            dirty = evolve(state.back(number), dirty=state.dirty | {number})
            yield Move(put(dirty, call, result), (), RESET_LATE)

    def _use_relaxed(
        self, state: State, number: int, call: int, result: Outcome, relaxed: Collection[str]
    ) -> Iterable[Move]:
        if USE_EATS in relaxed:
            lost = evolve(state.back(number, idle=False), lost=state.lost + 1)
            yield Move(put(lost, call, result), (), USE_EATS)
        if USE_DOUBLES in relaxed:
            twice = evolve(state, idle=(*state.idle, number))
            for move in self._take_back(twice, number, call, result, (), ()):
                yield evolve(move, relaxed=USE_DOUBLES)
            yield Move(put(twice.back(number), call, ANY), (), USE_DOUBLES)

    def _close(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        done = put(evolve(state, closed=True, idle=(), waiting=()), call, returned())
        tags = ("UN-07",) if state.closed else ("OP-15",)
        yield Move(put(done, state.waiting, REFUSED), tags)
        if CLOSED_TWICE in relaxed and state.closed:
            yield Move(put(done, call, ANY), (), CLOSED_TWICE)
        if STRANDED in relaxed and state.waiting:
            yield Move(done, (), STRANDED)

    def _serve(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        """The call has its turn: it gets an idle object, or one is made for it."""
        turn = evolve(state, waiting=tuple(c for c in state.waiting if c != call))
        tags = ("OP-13",) if self._bound is not None and len(state.waiting) > 1 else ()
        made = evolve(
            turn,
            making=state.making | {call},
            executions=ordered((*state.executions, Run(("make", None, None)))),
        )
        yield Move(made, tags)
        for number in dict.fromkeys(state.idle):
            if number in state.dirty:
                run = ordered((*turn.executions, reset(number, call)))
                late = evolve(turn, executions=run, dirty=state.dirty - {number})
                yield Move(late, (), RESET_LATE)
                continue
            yield Move(hand(turn, number, call), ("OP-01", "OP-02", *tags))
            if MADE_IN_VAIN in relaxed:
                yield Move(hand(made, number, call), (), MADE_IN_VAIN)
        if TWO_HOLDERS in relaxed:
            for number, _ in state.lent:
                yield Move(hand(turn, number, call), (), TWO_HOLDERS)
        for signature in (NONE_KEPT, STRANGER_TAKEN):
            if signature in relaxed and state.strangers:
                yield Move(put(turn, call, ANY), (), signature)


def enqueue(state: State, fact: Began) -> State:
    """The state in which the call waits for its turn."""
    users = state.users | {fact.call} if fact.operation == "use" else state.users
    blocked = put(evolve(state, users=users), fact.call, BLOCKED)
    return evolve(blocked, waiting=(*state.waiting, fact.call))


def hand(state: State, number: int, call: int) -> State:
    """The state in which the call has the object."""
    lent = state.lend(number, call)
    if call in state.users:
        run = Run(("task", ("value", number), call), call=call)
        return evolve(lent, executions=ordered((*lent.executions, run)))
    got = evolve(lent, got=(*state.got, (call, number)))
    return put(got, call, returned(("value", number)))


def reset(number: int, call: int) -> Run:
    """A run of reset that is about to start."""
    return Run(("reset", ("value", number), None), call=call)
