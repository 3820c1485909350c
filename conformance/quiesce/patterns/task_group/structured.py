"""The model of a structured task group: a block that is left when all its children have ended.

``run`` enters the block, its function is the body, and ``go`` starts children. An error, of
the body or of a child, aborts the group: what still runs is cancelled, in a move of its own,
since a function may come to its end before the cancellation reaches it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from quiesce.model import BLOCKED, Move, evolve
from quiesce.patterns.calls import CANCELLED, REFUSED, Outcome, drop, put, returned, start
from quiesce.patterns.task_group.state import (
    FAILURES,
    IMMEDIATE,
    STARTS,
    Group,
    Leaf,
    Starts,
    refuse,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from quiesce.adapters import Adapter
    from quiesce.patterns.calls import Execution
    from quiesce.stimuli import Began, Part

__all__ = ["Block", "StructuredGroup"]


@attrs.frozen
class Block(Group):
    """One structured group, and its block if that is open."""

    block: int | None = None  # the run whose block is open
    body_over: bool = False
    result: Outcome | None = None  # of the block, if nothing cuts it short
    aborting: bool = False
    cancelled: bool = False  # the run was
    immediate: tuple[tuple[int, str], ...] = ()  # starts whose functions run and are not seen

    @property
    def children(self) -> tuple[Execution, ...]:
        """Executions that hold slots: the body has none."""
        return tuple(e for e in self.active if e.leader != self.block)

    @property
    def has_room(self) -> bool:
        """Whether a slot is free."""
        held = len(self.children) + len(self.immediate) + self.lost
        return self.limit is None or held < self.limit

    @property
    def is_empty(self) -> bool:
        """Whether neither the body nor a child is left."""
        return self.body_over and not self.active and not self.immediate


#: The error of ``fail_now`` as it looks where it comes out: no user function's.
FOREIGN: Leaf = ("refused",)


class StructuredGroup(Starts):
    """The model of one structured group. It is entered anew by each run."""

    value = "TG-19 the block is left otherwise than its functions ended"

    def __init__(self, adapter: Adapter, limit: Any) -> None:
        super().__init__(adapter, limit)
        self._refuses = adapter.dialect.get("aborting", "refuses") == "refuses"

    def initial(self, part: Part) -> Block:
        return Block(limit=self._limit)

    def begin(self, state: Any, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call, operation = fact.call, fact.operation
        match operation:
            case "run" if state.block is not None:
                yield Move(put(state, call, REFUSED))
            case "run":
                entered = Block(
                    calls=state.calls,
                    executions=state.executions,
                    begun=state.begun,
                    doomed=state.doomed,
                    limit=state.limit,
                    block=call,
                )
                yield Move(start(put(entered, call, BLOCKED), call))
            case "go" | "try_go" | "go_now" | "fail_now" if self._is_closed(state):
                yield Move(put(state, call, REFUSED), ("TG-20",))
            case "try_go":
                yield from self.try_start(state, call)
            case _ if operation in STARTS:
                for move in self.admit(state, call, operation):
                    yield evolve(move, clauses=(*move.clauses, *self._situations(fact)))
            case "cancel_child":
                child = fact.argument("of")
                after = put(evolve(state, dropped=state.dropped | {child}), call, returned())
                yield Move(after.without(child), ("TG-21",))
            case "unclosed":
                yield Move(put(state, call, returned(0)), ("TG-20",))

    def _is_closed(self, state: Block) -> bool:
        return state.block is None or (state.aborting and self._refuses)

    def _situations(self, fact: Began) -> Iterable[str]:
        """The clauses that a start exercises by the situation it meets."""
        if fact.inside is not None and fact.inside >= 0:
            yield "TG-14"
            yield "UN-08"
        if fact.operation in ("go_now", "fail_now"):
            yield "TG-22"

    def ended(
        self, state: Any, execution: Execution, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        index = execution.index
        if execution.leader == state.block:
            value = None if outcome == "none" else ("value", index)
            state = evolve(state, body_over=True, result=returned(value))
        if outcome not in FAILURES:
            yield Move(state)
            return
        is_body = execution.leader == state.block
        tags = ("TG-19",) if is_body else ("TG-03",) if state.active else ()
        yield Move(self.failed(state, (outcome, index)), tags)

    def let_in(self, state: Any, call: int, operation: str) -> Any:
        if operation not in IMMEDIATE:
            return super().let_in(state, call, operation)
        immediate = tuple(sorted((*state.immediate, (call, operation))))
        return put(evolve(state.without(call), immediate=immediate), call, returned())

    def failed(self, state: Any, leaf: Leaf) -> Any:
        return evolve(super().failed(state, leaf), aborting=True)

    def cancel(self, state: Any, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        if call == state.block:
            yield Move(evolve(state, aborting=True, cancelled=True), ("TG-19",))
        else:
            yield from super().cancel(state, call, relaxed)

    def follow(self, state: Any, relaxed: Collection[str]) -> Iterable[Move]:
        if state.dropped:
            yield from self._drop_children(state)
        if state.aborting:
            yield from self._abort(state)
        elif state.has_room:
            for call, operation in state.starters:
                if call not in state.stuck:
                    yield Move(self.let_in(state, call, operation), ("TG-09",))
        for entry in state.immediate:
            after = evolve(state, immediate=tuple(e for e in state.immediate if e != entry))
            yield Move(self.failed(after, FOREIGN) if entry[1] == "fail_now" else after)
        if self.may_finish(state):
            yield from self.finish(state)

    def _drop_children(self, state: Block) -> Iterable[Move]:
        """Children that were cancelled alone end, which is no error."""
        for execution in state.children:
            if execution.leader in state.dropped:
                yield Move(drop(state, execution), ("TG-21",))

    def _abort(self, state: Block) -> Iterable[Move]:
        if state.active or state.immediate:
            after = evolve(state, body_over=True, result=None, immediate=())
            for execution in state.active:
                after = drop(after, execution)
            yield Move(after)
        if state.starters:
            refused = refuse(state, [call for call, _ in state.starters])
            yield Move(refused, ("TG-20", "TG-08") if state.errors else ("TG-20",))

    def may_finish(self, state: Block) -> bool:
        """Whether the block can be left. A starter that may be let in comes first."""
        if state.block is None or state.block in state.stuck or not state.is_empty:
            return False
        return not state.starters or not state.has_room

    def finish(self, state: Block) -> Iterable[Move]:
        """The block is left, and those who still wait for a slot are refused."""
        block = state.block
        assert block is not None  # or it could not be left
        left = refuse(state, [call for call, _ in state.starters])
        left = evolve(left, block=None, errors=(), aborting=False, cancelled=False)
        tags = ("TG-01", "TG-23")
        if state.errors:
            more = ("UN-05", "TG-06") if len(state.errors) > 1 else ("UN-05",)
            if state.cancelled:
                more = (*more, "TG-19")
            if any(leaf[0] in ("panic", "exit") for leaf in state.errors):
                more = (*more, "TG-17")
            yield Move(put(left, block, self.answer(state.errors)), (*tags, *more))
            return
        if state.cancelled:
            yield Move(put(left, block, CANCELLED), (*tags, "TG-19"))
        if state.result is not None:  # else it was cut short
            yield Move(put(left, block, state.result), tags)
