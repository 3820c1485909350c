"""The state of one task group, and what both kinds of group do alike: start functions.

A *start* is a call that brings a function. Without a free slot it waits among ``starters``
until the group lets it in; a group that queues answers it at once and keeps the function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeVar

import attrs

from quiesce.model import BLOCKED, Move, evolve
from quiesce.patterns.calls import (
    CANCELLED,
    REFUSED,
    Calls,
    CallsModel,
    drop,
    put,
    returned,
    start,
)
from quiesce.stimuli import Began, Cancelled, Fact

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from quiesce.adapters import Adapter
    from quiesce.patterns.calls import Execution, Outcome

__all__ = [
    "CANCELLED_RUNS",
    "FAILURES",
    "IMMEDIATE",
    "STARTS",
    "Group",
    "Leaf",
    "Starts",
    "normal",
    "refuse",
]

#: How a user function fails.
FAILURES = ("error", "panic", "exit")
#: Operations that start a function and wait for a slot.
STARTS = ("go", "go_then_look", "go_now", "fail_now")
#: Those whose function is the adapter's own and ends at once.
IMMEDIATE = ("go_now", "fail_now")

CANCELLED_RUNS = "UN-04 a start that was cancelled runs all the same"

#: An error as outcomes hold it: kind and index of its execution.
Leaf = tuple[Any, ...]


@attrs.frozen
class Group(Calls):
    """One group."""

    limit: int | None = None
    starters: tuple[tuple[int, str], ...] = ()  # calls without a slot yet, and their operations
    errors: tuple[Leaf, ...] = ()  # in order of time
    dropped: frozenset[int] = frozenset()  # starts whose functions were cancelled alone
    lost: int = 0  # relaxations only: slots that nothing gives back
    stuck: frozenset[int] = frozenset()  # relaxations only: calls that nothing wakes

    @property
    def children(self) -> tuple[Execution, ...]:
        """Executions that hold slots: they run, or are about to."""
        return self.active

    @property
    def has_room(self) -> bool:
        """Whether a slot is free."""
        return self.limit is None or len(self.children) + self.lost < self.limit

    def without(self, call: int) -> Self:
        """The state in which the call waits for no slot."""
        return evolve(self, starters=tuple(entry for entry in self.starters if entry[0] != call))


G = TypeVar("G", bound=Group)


class Starts(CallsModel):
    """The part of the model that both kinds of group share."""

    value = "TG-01 a call ends otherwise than the group's state says"
    extra = "UN-03 a function runs that nobody started"

    def __init__(self, adapter: Adapter, limit: Any) -> None:
        dialect = adapter.dialect
        self._limit = normal(limit)
        self._first = dialect.get("errors", "first") == "first"
        self._alone = dialect.get("exits", "reported") == "alone"
        self._queues = dialect.get("at_limit", "blocks") == "queues"

    def may_rest(self, state: Any) -> bool:
        # Relaxed moves are there at any time: they are what need not happen.
        return not any(True for _ in self.internal(state, ()))

    def apply(self, state: Any, fact: Fact, relaxed: Collection[str]) -> Iterable[Move]:
        match fact:
            case Began(inside=int(index)) if index >= 0 and index not in {
                e.index for e in state.executions
            }:
                return  # the function that makes the call has not begun in this order of things
            case Cancelled(call) if state.of(call) == returned():
                # A start that was cancelled as it was let in: either it holds, or its function
                # goes down with it.
                yield Move(state)
                yield from _undone(state, call)
                if CANCELLED_RUNS in relaxed:
                    yield Move(put(state.without(call), call, CANCELLED), (), CANCELLED_RUNS)
            case _:
                yield from super().apply(state, fact, relaxed)

    def admit(self, state: Group, call: int, operation: str) -> Iterable[Move]:
        """A start: let in, queued, or blocked."""
        tags = ("TG-12",) if self._limit is None or self._limit < 1 else ("TG-07",)
        if state.has_room:
            yield Move(self.let_in(put(state, call, BLOCKED), call, operation), tags)
            return
        waiting = tuple(sorted((*state.starters, (call, operation))))
        outcome = returned() if self._queues else BLOCKED
        yield Move(put(evolve(state, starters=waiting), call, outcome), (*tags, "TG-09"))

    def try_start(self, state: Group, call: int) -> Iterable[Move]:
        """A start that never waits: it may overtake those who do."""
        tags = ("TG-11", "TG-12") if state.limit == 0 else ("TG-11",)
        after = start(state, call) if state.has_room else state
        yield Move(put(after, call, returned(state.has_room)), tags)

    def let_in(self, state: Any, call: int, operation: str) -> Any:
        """The state in which the start has its slot."""
        free = state.without(call)
        if free.of(call) == BLOCKED:  # a queued start has its answer
            free = put(free, call, returned())
        return start(free, call)

    def failed(self, state: G, leaf: Leaf) -> G:
        """The state in which a function has failed so."""
        return evolve(state, errors=(*state.errors, leaf))

    def cancel(self, state: Any, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        """A start goes without its slot, and the group stays as it is."""
        yield Move(put(state.without(call), call, CANCELLED))

    def seal(self, state: Any) -> Any:
        sealed = super().seal(state)
        living = {e.leader for e in sealed.executions}
        return evolve(sealed, dropped=frozenset(c for c in state.dropped if c in living))

    def answer(self, errors: tuple[Leaf, ...]) -> Outcome:
        """What is raised for these errors."""
        exits = [leaf for leaf in errors if leaf[0] == "exit"]
        if exits and self._alone:
            return ("raised", exits[0])
        if self._first:
            return ("raised", errors[0])
        return ("raised", ("group", tuple(sorted(errors, key=repr))))


def normal(limit: Any) -> int | None:
    """A negative limit is none."""
    return None if limit is None or limit < 0 else int(limit)


def refuse(state: G, calls: Iterable[int]) -> G:
    """The state in which these starts are refused; a queued one is forgotten."""
    for call in calls:
        state = state.without(call)
        if state.of(call) == BLOCKED:
            state = put(state, call, REFUSED)
    return state


def _undone(state: Group, call: int) -> Iterable[Move]:
    """The states in which a start that had its slot was cancelled."""
    gone = put(state.without(call), call, CANCELLED)
    for execution in state.active:
        if execution.leader == call:
            # It may begin yet, and be cancelled where it first waits.
            yield Move(evolve(gone, dropped=gone.dropped | {call}))
            yield Move(drop(gone, execution))
            return
    yield Move(gone)
