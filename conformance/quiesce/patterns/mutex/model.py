"""The model of the mutex: who holds it, how often, and who waits.

A caller is a task: what a user function calls while it holds the lock counts for the task
that runs it. The end of a ``hold`` is a release like any other, so where anybody may unlock
it can free a lock that somebody else has taken meanwhile, or fail because it is free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import attrs

from quiesce.model import BLOCKED, Move, evolve
from quiesce.patterns.calls import (
    CANCELLED,
    REFUSED,
    RUNNING,
    STARTING,
    Calls,
    CallsModel,
    Execution,
    Outcome,
    drop,
    put,
    raised,
    returned,
    start,
)
from quiesce.stimuli import Began, Cancelled, Fact, Part

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from quiesce.adapters import Adapter
    from quiesce.model import View

__all__ = ["Mutex", "State", "Waiter"]

RELOCK_BLOCKS = "MX-05 the owner waits for itself"
UNLOCK_WAITS = "MX-04 an unlock of a free lock waits"
STRANGER_UNLOCKS = "MX-05 somebody else unlocks what the owner holds"
HEIR_KEEPS = "MX-07 a cancelled heir keeps the lock"

SECOND_HOLDER = "MX-01 a second holder is let in"
NOT_WOKEN = "MX-02 the lock is free and somebody waits for it"
TRY_WAITS = "MX-03 a try waits"
TRY_FAILS = "MX-03 a try fails though the lock is free"
TRY_SUCCEEDS = "MX-03 a try succeeds though the lock is held"
FREE_UNLOCKED = "MX-04 a free lock is unlocked"
UNLOCK_REFUSED = "MX-05 an unlock is refused that is allowed"
RELOCK_OTHER = "MX-05 an owner that locks again gets another answer"
OVERTAKEN = "MX-06 a waiter is overtaken"
OTHER = "UN-05 a call gets another outcome than its function gave"

#: A try that did not get the lock.
FAILED = returned((False, None))


@attrs.frozen
class Waiter:
    """A call that waits for the lock, or is about to have it."""

    call: int
    task: int  # the outermost call of the task that makes it
    works: bool = True  # whether a function runs under the lock


@attrs.frozen
class State(Calls):
    """One lock."""

    owner: int | None = None  # the task that holds it
    depth: int = 0  # how often it does
    queue: tuple[Waiter, ...] = ()  # in order of arrival
    tries: frozenset[int] = frozenset()  # calls of ``try_hold`` that run their functions
    inner: tuple[tuple[int, int], ...] = ()  # calls from inside a function -> their tasks
    granted: frozenset[int] = frozenset()  # calls of ``acquire`` that got it in this burst

    def task(self, call: int) -> int:
        """The task that makes a call."""
        return dict(self.inner).get(call, call)


class Mutex(CallsModel):
    """The model of one mutex."""

    relaxations: Mapping[str, str] = {
        signature: signature[:5]
        for signature in (UNLOCK_WAITS, RELOCK_BLOCKS, STRANGER_UNLOCKS, HEIR_KEEPS)
    }
    extra: ClassVar[str] = SECOND_HOLDER
    value: ClassVar[str] = OTHER

    def __init__(self, adapter: Adapter) -> None:
        self._owned = adapter.dialect.get("ownership", "any") == "owner"
        self._relock = adapter.dialect.get("relock", "blocks")
        self._direct = adapter.dialect.get("handover", "direct") == "direct"
        self._fifo = adapter.dialect.get("fifo", "yes") == "yes"

    def initial(self, part: Part) -> State:
        return State()

    def apply(self, state: State, fact: Fact, relaxed: Collection[str]) -> Iterable[Move]:
        if isinstance(fact, Cancelled) and fact.call in state.granted:
            yield Move(state)  # the lock came first
            cancelled = evolve(state, granted=state.granted - {fact.call})
            yield from self._ends(cancelled, fact.call, CANCELLED, ("MX-07",), relaxed)
        else:
            yield from super().apply(state, fact, relaxed)

    def begin(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call = fact.call
        if fact.inside is not None and fact.inside >= 0:
            outer = next((e for e in state.executions if e.index == fact.inside), None)
            if outer is None:
                return  # the function that makes the call is still to start
            if outer not in state.running:
                yield Move(put(state, call, CANCELLED))  # it was cancelled before it called
                return
            assert isinstance(outer.leader, int)  # nobody else brings functions
            state = evolve(state, inner=(*state.inner, (call, state.task(outer.leader))))
        match fact.operation:
            case "release":
                tags = ("MX-04",) if state.owner is None else ("MX-05",)
                yield from self._ends(state, call, returned(), tags, relaxed)
            case "try_hold":
                yield from self._try(state, call)
            case operation:
                waiter = Waiter(call, state.task(call), operation == "hold")
                yield from self._acquire(state, waiter, relaxed)

    def ended(
        self, state: State, execution: Execution, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        call, index = execution.leader, execution.index
        assert isinstance(call, int)  # nobody else brings functions
        value = ("value", index) if outcome == "value" else None
        told = returned((True, value) if call in state.tries else value)
        tags: tuple[str, ...] = ()
        if outcome in ("error", "panic", "exit"):
            told, tags = raised(outcome, index), ("UN-05",)
        yield from self._ends(state, call, told, tags, relaxed)

    def cancel(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        waiter = next((w for w in state.queue if w.call == call), None)
        if waiter is not None:
            left = tuple(w for w in state.queue if w is not waiter)
            yield Move(put(evolve(state, queue=left), call, CANCELLED), ("MX-07",))
            return
        execution = next((e for e in state.active if e.leader == call), None)
        if execution is None:
            yield Move(put(state, call, CANCELLED))
            return
        dropped = drop(state, execution)
        handed = execution.phase == STARTING
        tags = ("MX-07",) if handed else ("UN-04",)
        yield from self._ends(dropped, call, CANCELLED, tags, relaxed)
        if HEIR_KEEPS in relaxed and handed:
            yield Move(put(dropped, call, CANCELLED), (), HEIR_KEEPS)

    def follow(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        if state.owner is None and state.queue:  # between a release and the next holder
            yield from self._hand_over(state, ())

    def seal(self, state: State) -> State:
        sealed: State = super().seal(state)
        blocked = dict(sealed.calls)
        return evolve(
            sealed,
            tries=state.tries.intersection(blocked),
            inner=tuple((call, task) for call, task in state.inner if call in blocked),
            granted=frozenset(),
        )

    def blame(self, expected: Sequence[View], seen: View) -> str:
        if not expected:
            return super().blame(expected, seen)
        allowed = dict(expected[0].calls)
        running = {leader for _, leader, phase in seen.executions if phase == RUNNING}
        for call, outcome in seen.calls:
            wanted = allowed.get(call)
            if wanted == outcome:
                continue
            if wanted == FAILED:
                waits = outcome == BLOCKED and call not in running
                return TRY_WAITS if waits else TRY_SUCCEEDS
            if wanted == REFUSED:
                return RELOCK_OTHER if outcome in (BLOCKED, FAILED) else FREE_UNLOCKED
            if outcome == FAILED:
                return TRY_FAILS
            if outcome == REFUSED:
                return RELOCK_OTHER if wanted == BLOCKED else UNLOCK_REFUSED
        leaders = {index: leader for index, leader, _ in expected[0].executions}
        if len(seen.executions) == len(leaders) and any(
            None is not leaders.get(index) != leader for index, leader, _ in seen.executions
        ):
            return OVERTAKEN
        named = super().blame(expected, seen)
        return NOT_WOKEN if named.startswith("UN-03") else named

    def _acquire(self, state: State, waiter: Waiter, relaxed: Collection[str]) -> Iterable[Move]:
        waits = put(evolve(state, queue=(*state.queue, waiter)), waiter.call, BLOCKED)
        if state.owner == waiter.task:
            match self._relock:
                case "counts":
                    yield Move(self._grant(state, waiter), ("MX-05",))
                case "raises":
                    yield Move(put(state, waiter.call, REFUSED), ("MX-05",))
                case _:
                    yield Move(waits, ("MX-01", "MX-05"))
            if RELOCK_BLOCKS in relaxed:
                yield Move(waits, (), RELOCK_BLOCKS)
        elif state.owner is not None:
            yield Move(waits, ("MX-01",))
        else:
            if not state.queue or not self._fifo:
                yield Move(self._grant(state, waiter))
            if state.queue:
                yield Move(waits)

    def _try(self, state: State, call: int) -> Iterable[Move]:
        waiter = Waiter(call, state.task(call))
        taken = evolve(state, tries=state.tries | {call})
        if state.owner == waiter.task and self._relock == "counts":
            yield Move(self._grant(taken, waiter), ("MX-03", "MX-05"))
        elif state.owner == waiter.task and self._relock == "raises":
            yield Move(put(state, call, REFUSED), ("MX-05",))
        elif state.owner is not None:
            yield Move(put(state, call, FAILED), ("MX-03",))
        else:
            yield Move(self._grant(taken, waiter), ("MX-03",))
            if state.queue:  # it may count as the next waiter's already
                yield Move(put(state, call, FAILED), ("MX-03",))

    def _ends(
        self,
        state: State,
        call: int,
        outcome: Outcome,
        tags: tuple[str, ...],
        relaxed: Collection[str],
    ) -> Iterable[Move]:
        """A call ends and unlocks, if it can; an error in that is all that is seen of it."""
        after = put(state, call, outcome)
        free = evolve(after, owner=None, depth=0)
        if state.owner is None or (self._owned and state.owner != state.task(call)):
            yield Move(put(state, call, REFUSED), tags)
            if UNLOCK_WAITS in relaxed and state.owner is None:
                yield Move(put(state, call, BLOCKED), (), UNLOCK_WAITS)
            if STRANGER_UNLOCKS in relaxed and state.owner is not None:
                for move in self._hand_over(free, ()):
                    yield evolve(move, relaxed=STRANGER_UNLOCKS)
        elif state.depth > 1:
            yield Move(evolve(after, depth=state.depth - 1), (*tags, "MX-05"))
        elif self._direct and state.queue:
            yield from self._hand_over(free, tags)
        else:
            yield Move(free, tags)

    def _hand_over(self, state: State, tags: tuple[str, ...]) -> Iterable[Move]:
        """The next waiter gets the free lock."""
        if not state.queue:
            yield Move(state, tags)
        for waiter in state.queue[:1] if self._fifo else state.queue:
            left = evolve(state, queue=tuple(w for w in state.queue if w is not waiter))
            order = ("MX-06",) if len(state.queue) > 1 else ()
            yield Move(self._grant(left, waiter), (*tags, "MX-02", *order))

    def _grant(self, state: State, waiter: Waiter) -> State:
        depth = state.depth + 1 if state.owner == waiter.task else 1
        taken = evolve(state, owner=waiter.task, depth=depth)
        if waiter.works:
            return start(put(taken, waiter.call, BLOCKED), waiter.call)
        granted = evolve(taken, granted=taken.granted | {waiter.call})
        return put(granted, waiter.call, returned())
