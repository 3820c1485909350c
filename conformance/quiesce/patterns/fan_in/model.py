"""The model of fan-in: two sources, a forwarder each, and whoever receives.

A forwarder pulls an item and holds it until a receiver takes it, or until there is room in
the buffer if the adapter declares one; only then does it pull again. Which of several items
is taken, and by which of several receivers, is free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from quiesce.model import ANY, BLOCKED, Move, View, evolve
from quiesce.patterns.calls import (
    CANCELLED,
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
from quiesce.patterns.universal import ALIEN_CANCEL, internal_error, nearest
from quiesce.stimuli import Cancelled

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from quiesce.adapters import Adapter
    from quiesce.stimuli import Began, Fact, Part

__all__ = ["FanIn"]

CLOSED_AGAIN = "UN-07 leaving a second time does not return as it should"
RELAXATIONS = {CLOSED_AGAIN: CLOSED_AGAIN[:5]}

SOURCES = ("first", "second")
END = returned(())


@attrs.frozen
class State(Calls):
    """The forwarders' hands, the buffer, and who waits."""

    hands: tuple[Outcome | None, ...] = (None,) * len(SOURCES)  # what each forwarder holds
    ended: tuple[bool, ...] = (False,) * len(SOURCES)
    buffer: tuple[Outcome, ...] = ()
    receivers: tuple[int, ...] = ()
    closers: tuple[int, ...] = ()
    failure: Outcome | None = None
    closed: bool = False

    @property
    def is_over(self) -> bool:
        """Whether all sources have ended and all items were taken."""
        return all(self.ended) and not any(self.hands) and not self.buffer


class FanIn(CallsModel):
    """The model of one merge of two sources."""

    relaxations: Mapping[str, str] = RELAXATIONS
    value = "FO-07 what comes out is not what the sources gave"

    def __init__(self, adapter: Adapter) -> None:
        self._interrupts = adapter.world != "threads"
        self._room = int(adapter.dialect.get("buffer", "0"))

    def initial(self, part: Part) -> State:
        state = State()
        for source in range(len(SOURCES)):
            state = pull(state, source)
        return state

    def apply(self, state: State, fact: Fact, relaxed: Collection[str]) -> Iterable[Move]:
        if isinstance(fact, Cancelled) and took_an_item(state.of(fact.call)):
            yield Move(state)  # a cancellation that came so late must not lose the item
            return
        yield from super().apply(state, fact, relaxed)

    def begin(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call = fact.call
        if fact.operation == "close":
            yield from self._close(state, call)
            if state.closed and CLOSED_AGAIN in relaxed:
                yield Move(put(state, call, ANY), (), CLOSED_AGAIN)
        elif state.failure is not None:
            yield Move(put(state, call, state.failure), ("FO-10",))
        elif state.closed or state.is_over:
            yield Move(put(state, call, END), () if state.closed else ("FO-08",))
        else:
            receivers = tuple(sorted((*state.receivers, call)))
            yield Move(put(evolve(state, receivers=receivers), call, BLOCKED))

    def ended(
        self, state: State, execution: Execution, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        source = source_of(execution)
        if state.closed or state.failure is not None:
            yield Move(self._release(state), ("FO-11",) if state.closers else ())
            if CLOSED_AGAIN in relaxed and state.closers and not state.running:
                one = put(evolve(state, closers=()), state.closers[0], returned())
                yield Move(one, (), CLOSED_AGAIN)
        elif outcome == "none":
            ended = tuple(i == source or is_over for i, is_over in enumerate(state.ended))
            yield Move(evolve(state, ended=ended), ("FO-08",))
        elif outcome == "value":
            yield Move(hold(state, source, returned((("value", execution.index),))))
        else:
            yield Move(hold(state, source, raised(outcome, execution.index)))

    def follow(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        if state.failure is not None or state.closed:
            return
        for source, held in enumerate(state.hands):
            if held is None:
                continue
            freed = pull(hold(state, source, None), source)
            if held[0] == "raised":
                yield self._fail(state, held)
            elif not self._room:
                yield from deliver(freed, held)
            elif len(state.buffer) < self._room:
                yield Move(evolve(freed, buffer=(*state.buffer, held)))
        if state.buffer:
            yield from deliver(evolve(state, buffer=state.buffer[1:]), state.buffer[0])
        if state.is_over and state.receivers:
            yield Move(put(evolve(state, receivers=()), state.receivers, END), ("FO-08",))

    def cancel(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        receivers = tuple(other for other in state.receivers if other != call)
        closers = tuple(other for other in state.closers if other != call)
        yield Move(put(evolve(state, receivers=receivers, closers=closers), call, CANCELLED))

    def blame(self, expected: Sequence[View], seen: View) -> str:
        if not expected:
            return super().blame(expected, seen)
        allowed = nearest(expected, seen)
        if len(seen.executions) > len(allowed.executions):
            return "FO-07 a source is read on although its items were not taken"
        wanted = dict(allowed.calls)
        for call, outcome in seen.calls:
            if outcome != wanted.get(call):
                return wrong(wanted.get(call, BLOCKED), outcome)
        phases = {index: phase for index, _, phase in allowed.executions}
        if any(phases.get(index) == "cancelled" for index, _, p in seen.executions if p != "ended"):
            if any(outcome[0] == "raised" for outcome in wanted.values()):
                return "FO-10 the other sources are read on after a failure"
            return "FO-11 a forwarder goes on after the merge was left"
        return "UN-03 a source is not read"

    def _close(self, state: State, call: int) -> Iterable[Move]:
        tags = ("FO-11",) if state.running or any(state.hands) or state.buffer else ()
        if state.closed:
            tags = (*tags, "UN-07")
        after = self._stop(put(evolve(state, closed=True, receivers=()), state.receivers, END))
        closers = tuple(sorted((*after.closers, call)))
        yield Move(self._release(put(evolve(after, closers=closers), call, BLOCKED)), tags)

    def _fail(self, state: State, failure: Outcome) -> Move:
        """A failure stops all forwarders; what they hold is dropped."""
        after = self._stop(evolve(state, failure=failure, receivers=()))
        return Move(put(after, state.receivers, failure), ("FO-10", "UN-05"))

    def _stop(self, state: State) -> State:
        state = evolve(state, hands=(None,) * len(SOURCES), buffer=())
        for execution in state.active:
            if self._interrupts or execution.index < 0:
                state = drop(state, execution)
        return state

    def _release(self, state: State) -> State:
        """Whoever leaves goes once nothing runs any more."""
        if state.running:
            return state
        return put(evolve(state, closers=()), state.closers, returned())


def source_of(execution: Execution) -> int:
    """Which source an execution is a pull of."""
    leader = execution.leader
    assert isinstance(leader, tuple)  # sources are no call's functions
    return SOURCES.index(leader[0])


def pull(state: State, source: int) -> State:
    """The state in which a source is about to be pulled."""
    return start(state, (SOURCES[source], None, None))


def hold(state: State, source: int, item: Outcome | None) -> State:
    """The state in which a forwarder holds this."""
    return evolve(
        state, hands=tuple(item if i == source else held for i, held in enumerate(state.hands))
    )


def deliver(state: State, item: Outcome) -> Iterable[Move]:
    """The item goes to one of those who wait for it."""
    for receiver in state.receivers:
        receivers = tuple(other for other in state.receivers if other != receiver)
        after = put(evolve(state, receivers=receivers), receiver, item)
        yield Move(after, ("FO-07", "FO-09") if state.running else ("FO-07",))


def took_an_item(outcome: Outcome | None) -> bool:
    """Whether a call ended with an item."""
    return outcome is not None and outcome[0] == "returned" and bool(outcome[1])


def wrong(wanted: Outcome, outcome: Outcome) -> str:
    """The signature of a call that stands otherwise than it should."""
    if outcome == ALIEN_CANCEL:
        return FanIn.alien
    if (signature := internal_error(outcome)) is not None:
        return signature
    if wanted[0] == "raised":
        return "FO-10 a failure does not surface"
    if outcome == returned() or wanted == returned():
        if outcome == BLOCKED:
            return "FO-11 leaving never returns"
        return "FO-11 leaving returns before the forwarders have ended"
    if took_an_item(wanted) and outcome == BLOCKED:
        return "FO-09 an item is held up"
    if outcome == END or (wanted == END and outcome == BLOCKED):
        return "FO-08 the end is not told when all sources have ended, and only then"
    return FanIn.value
