"""The models with one clause dropped: what an implementation does that breaks just that one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quiesce.model import ANY, BLOCKED, Move, evolve
from quiesce.patterns.calls import CANCELLED, drop, put, returned, start
from quiesce.patterns.task_group.model import Plain, PlainGroup
from quiesce.patterns.task_group.state import (
    CANCELLED_RUNS,
    FAILURES,
    IMMEDIATE,
    STARTS,
    G,
    normal,
)
from quiesce.patterns.task_group.structured import Block, StructuredGroup

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from quiesce.patterns.calls import Execution
    from quiesce.stimuli import Began

__all__ = ["RelaxedPlainGroup", "RelaxedStructuredGroup"]

# Signatures, narrowest first.
TOLD_BEFORE_CANCELLED = "TG-08 a slot is free before the scope is cancelled"
SCOPE_DEAF = "TG-03 an error does not cancel the scope"
SCOPE_OPEN = "TG-04 the scope is not done after a wait"
OTHER_ERROR = "TG-02 a wait reports another error than the first"
ERROR_MISSING = "TG-06 errors are missing, or some are too many"
PANIC_LOST = "TG-17 a function that blows up is not reported"
ERROR_LOST = "TG-02 a wait reports no error"
WAITER_TOLD_OTHER = "TG-16 one of several waiters gets another answer"
REUSE_FAILS = "TG-15 a group that was waited for starts or reports otherwise"
LIMIT_CHANGED = "TG-13 the limit changes while functions run"
TRY_START_WRONG = "TG-11 a start that must not wait does not go by the free slots"
START_DROPPED = "TG-10 a start is dropped after the scope was cancelled"
ERROR_STOPS_REST = "TG-05 an error keeps the other functions from running"
INSIDE_FAILS = "TG-14 a function can't start further ones"
SLOT_KEPT_ON_ERROR = "TG-09 a function that fails keeps its slot"
SLOT_KEPT = "TG-09 a function that ends keeps its slot"
STARTER_STUCK = "TG-09 a start waits although a slot is free"
OVER_LIMIT = "TG-07 a function starts although the limit is reached"
ZERO_RUNS = "TG-12 a function starts in a group whose limit is 0"
LEFT_EARLY = "TG-01 a wait returns while functions run"

SLOT_BEFORE_ABORT = "TG-08 a start gets the slot of a function that failed"
CHILD_CANCEL_SPREADS = "TG-21 a child that was cancelled alone counts as an error"
IMMEDIATE_MISSED = "TG-22 a child that ends at once is not accounted for"
FORGOTTEN = "TG-20 the coroutine of a refused start is forgotten"
ACCEPTED = "TG-20 a start into a group that is closed is not refused"
NOT_ABORTED = "TG-03 an error does not cancel the other functions"
BODY_ABORTS_NOT = "TG-19 an error of the body does not cancel the children"
CANCEL_LOST = "TG-19 a cancellation of the block gets lost"
CANCEL_FIRST = "TG-19 a cancellation hides errors"
ORPHANED = "TG-19 the block is left while cancelled functions run"


def named(*signatures: str) -> dict[str, str]:
    """Signature -> its clause."""
    return {signature: signature[:5] for signature in signatures}


def wrong_try(state: G, call: int) -> Iterable[Move]:
    """A try-start that answers, starts or waits as it likes."""
    unknown = put(state, call, ANY)
    yield Move(put(state, call, BLOCKED), (), TRY_START_WRONG)
    yield Move(unknown, (), TRY_START_WRONG)
    yield Move(start(unknown, call), (), TRY_START_WRONG)


class RelaxedPlainGroup(PlainGroup):
    """The plain group, with one clause dropped for each signature in ``relaxed``."""

    relaxations: Mapping[str, str] = named(
        CANCELLED_RUNS,
        TOLD_BEFORE_CANCELLED,
        SCOPE_DEAF,
        SCOPE_OPEN,
        WAITER_TOLD_OTHER,
        REUSE_FAILS,
        OTHER_ERROR,
        ERROR_MISSING,
        PANIC_LOST,
        ERROR_LOST,
        LIMIT_CHANGED,
        TRY_START_WRONG,
        START_DROPPED,
        ERROR_STOPS_REST,
        INSIDE_FAILS,
        SLOT_KEPT_ON_ERROR,
        SLOT_KEPT,
        STARTER_STUCK,
        OVER_LIMIT,
        ZERO_RUNS,
        LEFT_EARLY,
    )

    def begin(self, state: Any, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        yield from super().begin(state, fact, relaxed)
        call, operation = fact.call, fact.operation
        unknown = put(state, call, ANY)
        match operation:
            case "look" if state.errors and not state.waited and SCOPE_DEAF in relaxed:
                yield Move(unknown, (), SCOPE_DEAF)
            case "look" if state.clean and SCOPE_OPEN in relaxed:
                yield Move(unknown, (), SCOPE_OPEN)
            case "set_limit" if LIMIT_CHANGED in relaxed and (state.active or state.starters):
                changed = normal(fact.argument("limit"))
                yield Move(evolve(unknown, limit=changed), (), LIMIT_CHANGED)
            case "try_go" if TRY_START_WRONG in relaxed:
                yield from wrong_try(state, call)
        if operation not in (*STARTS, "try_go"):
            return
        if ERROR_STOPS_REST in relaxed and state.errors and not self._cancels:
            yield Move(unknown, (), ERROR_STOPS_REST)
        for signature, applies in (
            (REUSE_FAILS, state.waited),
            (INSIDE_FAILS, fact.inside is not None),
        ):
            if applies and signature in relaxed:
                yield Move(unknown, (), signature)
                yield Move(put(state, call, BLOCKED), (), signature)
        if REUSE_FAILS in relaxed and state.waited and not self._reusable:
            yield Move(start(unknown, call), (), REUSE_FAILS)

    def ended(
        self, state: Any, execution: Execution, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        for move in super().ended(state, execution, outcome, relaxed):
            yield move
            for signature, applies in (
                (SLOT_KEPT_ON_ERROR, outcome in FAILURES),
                (SLOT_KEPT, True),
            ):
                if applies and signature in relaxed:
                    yield Move(evolve(move.state, lost=state.lost + 1), (), signature)

    def follow(self, state: Any, relaxed: Collection[str]) -> Iterable[Move]:
        yield from super().follow(state, relaxed)
        over = OVER_LIMIT if state.limit else ZERO_RUNS
        for call, operation in state.starters:
            if call in state.stuck:
                continue
            if over in relaxed:
                yield Move(self.let_in(state, call, operation), (), over)
            if STARTER_STUCK in relaxed:
                yield Move(evolve(state, stuck=state.stuck | {call}), (), STARTER_STUCK)
            for signature, applies in (
                (START_DROPPED, self._cancels),
                (ERROR_STOPS_REST, not self._cancels),
            ):
                if state.errors and applies and signature in relaxed:
                    yield Move(put(state.without(call), call, ANY), (), signature)
        if ERROR_STOPS_REST in relaxed and state.errors and not self._cancels:
            for execution in state.active:
                yield Move(drop(state, execution), (), ERROR_STOPS_REST)
        late = SCOPE_OPEN if state.clean else TOLD_BEFORE_CANCELLED
        if late in relaxed:
            for call in state.lookers:
                looked = evolve(state, lookers=state.lookers - {call})
                yield Move(put(looked, call, returned(False)), (), late)
        for call in sorted(state.waiters):
            yield from self._wrong_answers(state, call, relaxed)

    def _wrong_answers(self, state: Plain, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        left = evolve(state, waiters=state.waiters - {call}, waited=True)
        if not self.is_idle(state):
            if LEFT_EARLY in relaxed:
                yield Move(put(left, call, ANY), (), LEFT_EARLY)
            return
        panicked = any(kind != "error" for kind, _ in state.errors)
        if self._first:
            if OTHER_ERROR in relaxed:
                for error in state.errors[1:]:
                    yield Move(put(left, call, ("raised", error)), (), OTHER_ERROR)
            if ERROR_LOST in relaxed and state.errors:
                yield Move(put(left, call, returned()), (), ERROR_LOST)
        for signature, applies in (
            (ERROR_MISSING, len(state.errors) > 1 or (state.errors and not self._first)),
            (PANIC_LOST, panicked),
            (WAITER_TOLD_OTHER, (state.waited or state.released) and not state.reused),
            (REUSE_FAILS, state.reused),
        ):
            if applies and signature in relaxed:
                yield Move(put(left, call, ANY), (), signature)
                yield Move(evolve(state, waiters=state.waiters - {call}), (), signature)


class RelaxedStructuredGroup(StructuredGroup):
    """The structured group, with one clause dropped for each signature in ``relaxed``."""

    relaxations: Mapping[str, str] = named(
        CANCELLED_RUNS,
        SLOT_BEFORE_ABORT,
        CHILD_CANCEL_SPREADS,
        FORGOTTEN,
        IMMEDIATE_MISSED,
        LEFT_EARLY,
        ACCEPTED,
        PANIC_LOST,
        ERROR_MISSING,
        CANCEL_FIRST,
        CANCEL_LOST,
        NOT_ABORTED,
        BODY_ABORTS_NOT,
        TRY_START_WRONG,
        INSIDE_FAILS,
        SLOT_KEPT_ON_ERROR,
        SLOT_KEPT,
        STARTER_STUCK,
        ORPHANED,
        OVER_LIMIT,
        ZERO_RUNS,
    )

    def begin(self, state: Any, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        yield from super().begin(state, fact, relaxed)
        call, operation = fact.call, fact.operation
        unknown = put(state, call, ANY)
        if operation == "unclosed" and FORGOTTEN in relaxed:
            yield Move(unknown, (), FORGOTTEN)
        if operation not in (*STARTS, "try_go"):
            return
        for signature, applies in (
            (ACCEPTED, self._is_closed(state)),
            (INSIDE_FAILS, fact.inside is not None),
        ):
            if applies and signature in relaxed:
                yield Move(unknown, (), signature)
                yield Move(put(state, call, BLOCKED), (), signature)
                if signature != INSIDE_FAILS:
                    yield Move(start(unknown, call), (), signature)
        if operation == "try_go" and TRY_START_WRONG in relaxed:
            yield from wrong_try(state, call)
        if operation in IMMEDIATE and state.block is not None and IMMEDIATE_MISSED in relaxed:
            yield Move(unknown, (), IMMEDIATE_MISSED)
            for_ever = evolve(state, stuck=state.stuck | {state.block})
            yield Move(put(for_ever, call, ANY), (), IMMEDIATE_MISSED)

    def ended(
        self, state: Any, execution: Execution, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        is_body = execution.leader == state.block
        for move in super().ended(state, execution, outcome, relaxed):
            yield move
            for signature, applies in (
                (SLOT_KEPT_ON_ERROR, outcome in FAILURES and not is_body),
                (SLOT_KEPT, not is_body),
            ):
                if applies and signature in relaxed:
                    yield Move(evolve(move.state, lost=state.lost + 1), (), signature)
            signature = BODY_ABORTS_NOT if is_body else NOT_ABORTED
            if outcome in FAILURES and signature in relaxed:
                yield Move(evolve(move.state, aborting=state.aborting), (), signature)

    def follow(self, state: Any, relaxed: Collection[str]) -> Iterable[Move]:
        yield from super().follow(state, relaxed)
        over = OVER_LIMIT if state.limit else ZERO_RUNS
        for call, operation in state.starters:
            if call in state.stuck:
                continue
            if over in relaxed:
                yield Move(self.let_in(state, call, operation), (), over)
            if SLOT_BEFORE_ABORT in relaxed and state.errors and state.has_room:
                yield Move(self.let_in(state, call, operation), (), SLOT_BEFORE_ABORT)
            if STARTER_STUCK in relaxed:
                yield Move(evolve(state, stuck=state.stuck | {call}), (), STARTER_STUCK)
        if CHILD_CANCEL_SPREADS in relaxed:
            for move in self._drop_children(state):
                spread = evolve(move.state, aborting=True, result=ANY)
                yield Move(spread, (), CHILD_CANCEL_SPREADS)
        if state.block is None or not state.body_over:
            return
        left = evolve(state, block=None, errors=(), aborting=False, cancelled=False)
        early = ORPHANED if state.aborting else LEFT_EARLY
        for signature, applies in (
            (early, bool(state.active)),
            (PANIC_LOST, not state.active and any(e[0] in ("panic", "exit") for e in state.errors)),
            (ERROR_MISSING, len(state.errors) > 1 and not state.active),
            (CANCEL_LOST, state.cancelled and not state.errors),
        ):
            if applies and signature in relaxed:
                yield Move(put(left, state.block, ANY), (), signature)
        if CANCEL_FIRST in relaxed and state.cancelled and state.errors and not state.active:
            yield Move(put(left, state.block, CANCELLED), (), CANCEL_FIRST)

    def _abort(self, state: Block) -> Iterable[Move]:
        for move in super()._abort(state):
            after = evolve(move.state, result=ANY) if state.result == ANY else move.state
            yield Move(after, move.clauses)

    def finish(self, state: Block) -> Iterable[Move]:
        if state.result == ANY:  # the relaxation that says nothing of how the block is left
            assert state.block is not None  # or it could not be left
            yield Move(put(evolve(state, block=None), state.block, ANY))
            return
        yield from super().finish(state)
