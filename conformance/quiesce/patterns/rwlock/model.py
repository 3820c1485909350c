"""The model of the read-write lock: how many read, who writes, and who waits.

The lock has no owner: the end of a ``read`` or ``write`` is an unlock like any other, so it can
be refused if somebody else has unlocked before. Where the lock is handed over directly, the move
that makes room decides who is let in, so nobody can come between; elsewhere (``barging``) it is
free for a while, for those who wait and for newcomers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import attrs

from quiesce.model import BLOCKED, Move, evolve
from quiesce.patterns.calls import (
    CANCELLED,
    REFUSED,
    RUNNING,
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

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from quiesce.adapters import Adapter
    from quiesce.model import View
    from quiesce.stimuli import Began, Part

__all__ = ["RWLock", "State"]

READER_OVERTAKES = "RW-02 a reader overtakes a waiting writer"
WRITER_FIRST = "RW-03 a writer gets in before readers that waited during a write"
WRONG_MODE = "RW-04 an unlock in the wrong mode is taken"
GHOST_WRITER = "UN-04 a cancelled writer goes on holding readers back"
KEPT_OUT = "RW-01 a reader is kept out by readers"

NOT_EXCLUDED = "RW-01 somebody is let in beside a writer"
UNLOCKED = "RW-04 something is unlocked that is not held"
UNLOCK_REFUSED = "RW-04 an unlock of what is held is refused"
TRY_WAITS = "RW-05 a try waits"
TRY_FAILS = "RW-05 a try fails that should succeed"
TRY_SUCCEEDS = "RW-05 a try succeeds that should fail"
OTHER = "UN-05 a call gets another outcome than its function gave"

#: A try that did not get the lock.
FAILED = returned((False, None))

READ, WRITE = "read", "write"


@attrs.frozen
class State(Calls):
    """One lock."""

    readers: int = 0
    writing: bool = False
    waiting_readers: tuple[int, ...] = ()  # calls, sorted: they get in together
    waiting_writers: tuple[int, ...] = ()  # calls, sorted: any of them may be next
    modes: tuple[tuple[int, str], ...] = ()  # calls that hold the lock -> how
    tries: frozenset[int] = frozenset()  # calls that did not wait for it
    #: Barging only: a writer has left, and no other one has come to hold readers back again.
    open: bool = False
    ghosts: int = 0  # a relaxation: cancelled writers that still wait

    def mode(self, call: int) -> str:
        """How a call holds the lock."""
        return dict(self.modes)[call]


class RWLock(CallsModel):
    """The model of one read-write lock."""

    relaxations: Mapping[str, str] = {
        signature: signature[:5]
        for signature in (READER_OVERTAKES, WRITER_FIRST, WRONG_MODE, GHOST_WRITER, KEPT_OUT)
    }
    extra: ClassVar[str] = NOT_EXCLUDED
    value: ClassVar[str] = OTHER

    def __init__(self, adapter: Adapter) -> None:
        self._readers_first = adapter.dialect.get("after_write", "readers") == "readers"
        self._direct = adapter.dialect.get("handover", "direct") == "direct"

    def initial(self, part: Part) -> State:
        return State()

    def begin(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call = fact.call
        if fact.inside is not None and fact.inside >= 0:
            outer = next((e for e in state.executions if e.index == fact.inside), None)
            if outer is None:
                return  # the function that makes the call is still to start
            if outer not in state.running:
                yield Move(put(state, call, CANCELLED))  # it was cancelled before it called
                return
        match fact.operation.split("_"):
            case ["release", mode]:
                yield from self._ends(state, call, mode, returned(), ("RW-04",), relaxed)
            case ["try", mode]:
                room = has_room(state, mode)
                taken = evolve(state, tries=state.tries | {call})
                after = grant(taken, call, mode) if room else put(state, call, FAILED)
                yield Move(after, ("RW-05",))
            case _:
                yield from self._wait(state, call, fact.operation, relaxed)

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
        yield from self._ends(state, call, state.mode(call), told, tags, relaxed)

    def cancel(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        gone = put(state, call, CANCELLED)
        if call in state.waiting_readers:
            yield Move(evolve(gone, waiting_readers=without(state.waiting_readers, call)))
        elif call in state.waiting_writers:
            left = evolve(gone, waiting_writers=without(state.waiting_writers, call))
            readable = has_room(left, READ)  # no other writer holds readers back
            after = readers_in(left, left.waiting_readers) if readable else left
            yield Move(after, ("UN-04",))
            if GHOST_WRITER in relaxed:  # for newcomers as well, or not
                yield Move(evolve(left, ghosts=state.ghosts + 1), (), GHOST_WRITER)
                yield Move(left, (), GHOST_WRITER)
        else:
            execution = next((e for e in state.active if e.leader == call), None)
            if execution is None:
                yield Move(gone)
                return
            dropped = drop(state, execution)
            yield from self._ends(dropped, call, state.mode(call), CANCELLED, ("UN-04",), relaxed)

    def follow(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        if self._direct or state.writing:
            return
        if not state.readers:
            for call in state.waiting_writers:
                yield Move(next_writer(state, call), ("UN-03",))
        if state.open:
            for call in state.waiting_readers:
                yield Move(readers_in(state, (call,)))
            if state.readers or not state.waiting_writers:
                yield Move(evolve(state, open=False))
        elif not state.waiting_writers:
            for call in state.waiting_readers:
                yield Move(readers_in(state, (call,)))

    def seal(self, state: State) -> State:
        sealed: State = super().seal(state)
        blocked = dict(sealed.calls)
        return evolve(
            sealed,
            modes=tuple(entry for entry in state.modes if entry[0] in blocked),
            tries=state.tries.intersection(blocked),
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
            if outcome == FAILED:
                return TRY_FAILS
            if wanted == REFUSED:
                return UNLOCKED
            if outcome == REFUSED:
                return UNLOCK_REFUSED
        return super().blame(expected, seen)

    def _wait(self, state: State, call: int, mode: str, relaxed: Collection[str]) -> Iterable[Move]:
        """A call takes the lock, or queues for it."""
        blocked = put(state, call, BLOCKED)
        if mode == READ:
            waits = evolve(blocked, waiting_readers=together(state.waiting_readers, call))
        else:
            waits = evolve(blocked, waiting_writers=together(state.waiting_writers, call))
        if has_room(state, mode):
            yield Move(grant(state, call, mode), ("RW-01",) if state.readers else ())
            if not self._direct and (state.waiting_readers or state.waiting_writers):
                yield Move(waits)
            if KEPT_OUT in relaxed and state.readers:
                yield Move(waits, (), KEPT_OUT)
        else:
            passed = mode == READ and not state.writing  # only a waiting writer is in the way
            yield Move(waits, ("RW-02",) if passed else ("RW-01",))
            if READER_OVERTAKES in relaxed and passed:
                yield Move(grant(state, call, mode), (), READER_OVERTAKES)

    def _ends(
        self,
        state: State,
        call: int,
        mode: str,
        outcome: Outcome,
        tags: tuple[str, ...],
        relaxed: Collection[str],
    ) -> Iterable[Move]:
        """A call ends and unlocks, if it can; an error in that is all that is seen of it."""
        after = put(state, call, outcome)
        if not (state.writing if mode == WRITE else state.readers):
            yield Move(put(state, call, REFUSED), tags)
            if WRONG_MODE in relaxed and (state.writing or state.readers):
                other = READ if mode == WRITE else WRITE
                for move in self._ends(state, call, other, outcome, (), ()):
                    yield evolve(move, relaxed=WRONG_MODE)
        elif mode == READ:
            left = evolve(after, readers=state.readers - 1)
            yield from [Move(left, tags)] if left.readers else self._next_writer(left, tags)
        else:
            free = evolve(after, writing=False, open=not self._direct)
            both = bool(state.waiting_readers and state.waiting_writers)
            if free.open or not state.waiting_readers:
                yield from self._next_writer(free, tags)
                return
            yield Move(readers_in(free, state.waiting_readers), (*tags, "RW-03") if both else tags)
            if both and not self._readers_first:
                yield from self._next_writer(free, tags)
            if both and WRITER_FIRST in relaxed:
                for move in self._next_writer(free, ()):
                    yield evolve(move, relaxed=WRITER_FIRST)

    def _next_writer(self, state: State, tags: tuple[str, ...]) -> Iterable[Move]:
        """Nobody holds the lock: one of the waiting writers gets it, if it is handed over."""
        if not self._direct or not state.waiting_writers:
            yield Move(state, tags)
            return
        for call in state.waiting_writers:
            yield Move(next_writer(state, call), (*tags, "UN-03"))


def has_room(state: State, mode: str) -> bool:
    """Whether a newcomer need not wait."""
    if mode == WRITE:
        return not state.readers and not state.writing
    return not state.writing and (state.open or not (state.waiting_writers or state.ghosts))


def grant(state: State, call: int, mode: str) -> State:
    """The state in which a call holds the lock and its function is about to start."""
    held = start(put(state, call, BLOCKED), call)
    modes = tuple(sorted({**dict(state.modes), call: mode}.items()))
    if mode == WRITE:
        return evolve(held, modes=modes, writing=True, open=False)
    return evolve(held, modes=modes, readers=state.readers + 1)


def next_writer(state: State, call: int) -> State:
    """The state in which a writer that waited holds the lock."""
    left = without(state.waiting_writers, call)
    return grant(evolve(state, waiting_writers=left, open=False), call, WRITE)


def readers_in(state: State, readers: Iterable[int]) -> State:
    """The state in which these readers, which waited, hold the lock."""
    for call in readers:
        left = without(state.waiting_readers, call)
        state = grant(evolve(state, waiting_readers=left), call, READ)
    return state


def together(calls: tuple[int, ...], call: int) -> tuple[int, ...]:
    """The calls and this one."""
    return tuple(sorted((*calls, call)))


def without(calls: tuple[int, ...], call: int) -> tuple[int, ...]:
    """The calls but this one."""
    return tuple(other for other in calls if other != call)
