"""The state of one task group, and what both kinds of group do alike: start functions.

A *start* is a call that brings a function. Without a free slot it waits among ``starters``
until the group lets it in; a group that queues answers it at once and keeps the function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
from quiesce.stimuli import Began, Cancelled, Fact, Part

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from quiesce.adapters import Adapter
    from quiesce.patterns.calls import Execution, Outcome

__all__ = ["FAILURES", "IMMEDIATE", "STARTS", "Group", "Starts"]

#: How a user function fails.
FAILURES = ("error", "panic", "exit")
#: Operations that start a function and wait for a slot.
STARTS = ("go", "go_then_look", "go_now", "fail_now")
#: Those whose function is the adapter's own and ends at once, and what its error looks like
#: where it comes out: as one that is no user function's.
IMMEDIATE = {"go_now": None, "fail_now": ("refused",)}

#: An error as outcomes hold it: kind and index of its execution.
Leaf = tuple[Any, ...]


@attrs.frozen
class Group(Calls):
    """One group. A structured one has a block, which the call ``run`` enters and leaves."""

    limit: int | None = None
    starters: tuple[tuple[int, str], ...] = ()  # calls without a slot yet, and their operations
    errors: tuple[Leaf, ...] = ()  # in order of time
    # Plain groups.
    waiters: frozenset[int] = frozenset()
    lookers: frozenset[int] = frozenset()  # let in, and about to look at the scope
    waited: bool = False  # a wait has returned
    # Structured groups.
    block: int | None = None  # the run whose block is open
    body_over: bool = False
    result: Outcome | None = None  # of the block, if nothing cuts it short
    aborting: bool = False
    cancelled: bool = False  # the run was
    dropped: frozenset[int] = frozenset()  # starts whose functions were cancelled alone
    # Relaxations only.
    lost: int = 0  # slots that nothing gives back
    stuck: frozenset[int] = frozenset()  # starters that nothing lets in

    @property
    def children(self) -> tuple[Execution, ...]:
        """Executions that run or are about to, other than the block's body."""
        return tuple(e for e in self.active if e.leader != self.block)

    @property
    def has_room(self) -> bool:
        """Whether a slot is free."""
        return self.limit is None or len(self.children) + self.lost < self.limit

    def without(self, call: int) -> Group:
        """The state in which the call waits for no slot."""
        return evolve(self, starters=tuple(entry for entry in self.starters if entry[0] != call))


class Starts(CallsModel):
    """The part of the model that both kinds of group share."""

    value = "TG-01 a call ends otherwise than the group's state says"

    def __init__(self, adapter: Adapter, limit: Any) -> None:
        dialect = adapter.dialect
        self._lacks = adapter.lacks
        self._limit = normal(limit)
        self._first = dialect.get("errors", "first") == "first"
        self._queues = dialect.get("at_limit", "blocks") == "queues"
        self.extra = "TG-07 more functions run than the limit allows"
        if self._limit == 0:
            self.extra = "TG-12 a function runs in a group whose limit is 0"
        elif self._limit is None:
            self.extra = "UN-03 a function runs that nobody started"

    def initial(self, part: Part) -> Group:
        return Group(limit=self._limit)

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
            case _:
                yield from super().apply(state, fact, relaxed)

    def admit(self, state: Group, call: int, operation: str) -> Iterable[Move]:
        """A start: let in, queued, or blocked."""
        tags = ("TG-12",) if self._limit is None or self._limit < 1 else ("TG-07",)
        if state.has_room:
            yield Move(self.let_in(state, call, operation), tags)
            return
        waiting = tuple(sorted((*state.starters, (call, operation))))
        outcome = returned() if self._queues else BLOCKED
        yield Move(put(evolve(state, starters=waiting), call, outcome), (*tags, "TG-09"))

    def try_start(self, state: Group, call: int) -> Iterable[Move]:
        """A start that never waits: it may overtake those who do."""
        tags = ("TG-11", "TG-12") if state.limit == 0 else ("TG-11",)
        after = start(state, call) if state.has_room else state
        yield Move(put(after, call, returned(state.has_room)), tags)

    def let_in(self, state: Group, call: int, operation: str) -> Group:
        """The state in which the start has its slot."""
        free = state.without(call)
        if operation == "go_then_look":
            return put(evolve(start(free, call), lookers=free.lookers | {call}), call, BLOCKED)
        if free.of(call) is not None or not self._queues:
            free = put(free, call, returned())
        if operation not in IMMEDIATE:
            return start(free, call)
        leaf = IMMEDIATE[operation]
        return free if leaf is None else self.failed(free, leaf)

    def failed(self, state: Group, leaf: Leaf) -> Group:
        """The state in which a function has failed so."""
        return evolve(state, errors=(*state.errors, leaf))

    def cancel(self, state: Any, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        """A start goes without its slot, a wait without an answer; the group stays as it is."""
        gone = evolve(state.without(call), waiters=state.waiters - {call})
        yield Move(put(gone, call, CANCELLED))

    def seal(self, state: Any) -> Any:
        sealed = super().seal(state)
        living = {e.leader for e in sealed.executions}
        return evolve(sealed, dropped=frozenset(c for c in state.dropped if c in living))

    def answer(self, errors: tuple[Leaf, ...]) -> Outcome:
        """What is raised for these errors."""
        if self._first:
            return ("raised", errors[0])
        return ("raised", ("group", tuple(sorted(errors, key=repr))))


def normal(limit: Any) -> int | None:
    """A negative limit is none."""
    return None if limit is None or limit < 0 else int(limit)


def refuse(state: Group, calls: Iterable[int]) -> Group:
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
