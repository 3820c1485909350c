"""The model of nested cancel scopes, and its relaxations.

A nest is two scopes. ``run`` enters outer and inner, executes ``work`` inside both (the first
stage) and again inside outer alone (the second), and tells which of them absorbed a
cancellation. A cancellation and a deadline only mark a scope; that the body is interrupted
follows by itself, and then the outermost marked scope that reaches it absorbs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from quiesce.model import BLOCKED, Move, View, evolve
from quiesce.patterns.calls import (
    CANCELLED,
    INTERRUPTED,
    REFUSED,
    RUNNING,
    Calls,
    CallsModel,
    Execution,
    put,
    raised,
    returned,
    start,
    swap,
)
from quiesce.patterns.universal import ALIEN_CANCEL, internal_error
from quiesce.worlds.world import START

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from quiesce.adapters import Adapter
    from quiesce.stimuli import Began, Part

__all__ = ["RELAXATIONS", "CancelScope"]

# Signatures of the relaxations, narrowest first. Each is this model with one clause dropped.
SHIELD_DEAF = "CX-17 a shielded region is deaf to its own scope"
SHIELD_LASTS = "CX-17 the shield goes on after its end"
SHIELD_LEAKS = "CX-17 a shielded region is interrupted from outside"
RELAXATIONS = {signature: signature[:5] for signature in (SHIELD_DEAF, SHIELD_LASTS, SHIELD_LEAKS)}

#: Signature of a run that ends by a cancellation which a scope should have absorbed.
GOES_ON = "CX-16 a scope's own cancellation goes on"
#: First word of what ``run`` returns.
LEFT = "left"
OUTER, INNER = "outer", "inner"
#: Where a nest stands: not entered, in the first stage, in the second, left.
MADE, FIRST, SECOND, GONE = "made", "first", "second", "gone"
#: Where a scope stands while its nest does.
ENTERED = {OUTER: (FIRST, SECOND), INNER: (FIRST,)}


@attrs.frozen
class Nest:
    """Two scopes, one in the other."""

    number: int  # the call that made it
    shield: bool
    deadlines: tuple[tuple[str, int], ...]  # scope -> nanoseconds; a delay until they count
    phase: str = MADE
    call: int | None = None  # the run that entered it
    marked: frozenset[str] = frozenset()  # scopes cancelled or due; "caller": the run itself
    native: bool = False  # the run was cancelled in a way that no shield stops
    caught: bool = False  # inner absorbed a cancellation
    muted: bool = False  # by a relaxation: its shield goes on

    @property
    def absorber(self) -> str | None:
        """Whose cancellation reaches the body: the outermost."""
        if self.muted:
            return None
        if self.native:
            return "caller"
        reaching = ("caller", OUTER) if self.phase == SECOND or not self.shield else ()
        inner = (INNER,) if self.phase == FIRST else ()
        return next((scope for scope in (*reaching, *inner) if scope in self.marked), None)


@attrs.frozen
class State(Calls):
    """The nests of one subject."""

    now: int = START
    nests: tuple[Nest, ...] = ()


class CancelScope(CallsModel):
    """The model of nests of scopes."""

    relaxations: Mapping[str, str] = RELAXATIONS

    def __init__(self, adapter: Adapter) -> None:
        self._has_native = adapter.world == "asyncio"
        self._on_entry = adapter.dialect.get("deadline_from", "creation") == "entry"
        self._keeps = adapter.dialect.get("early_cancel", "kept") == "kept"

    def initial(self, part: Part) -> State:
        return State()

    def begin(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call, given = fact.call, dict(fact.arguments)
        if fact.operation == "nest":
            began = 0 if self._on_entry else state.now
            delays = ((scope, given[scope]) for scope in (INNER, OUTER))
            deadlines = tuple((s, began + delay) for s, delay in delays if delay is not None)
            nests = (*state.nests, Nest(call, given["shield"], deadlines))
            yield Move(evolve(put(state, call, returned()), nests=nests))
            return
        nest = next(nest for nest in state.nests if nest.number == given["of"])
        if fact.operation == "cancel":
            yield from self._mark(state, call, nest, given["scope"], relaxed)
        elif nest.phase != MADE:
            yield Move(put(state, call, REFUSED))
        else:
            began = state.now if self._on_entry else 0
            deadlines = tuple((scope, began + at) for scope, at in nest.deadlines)
            entered = change(state, nest, phase=FIRST, call=call, deadlines=deadlines)
            yield Move(start(put(entered, call, BLOCKED), call))

    def _mark(
        self, state: State, call: int, nest: Nest, named: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        tags: list[str] = []
        marked = nest.marked
        for scope in (OUTER, INNER) if named == "both" else (named,):
            if scope in marked:
                tags.append("UN-07")
            if nest.phase not in ENTERED[scope] and not (nest.phase == MADE and self._keeps):
                continue
            if nest.shield and nest.phase == FIRST:
                tags.append("CX-17")
            marked = marked | {scope}
        yield Move(put(change(state, nest, marked=marked), call, returned()), tuple(tags))
        if SHIELD_DEAF in relaxed and nest.shield and INNER in marked:
            deaf = change(state, nest, marked=marked - {INNER})
            yield Move(put(deaf, call, returned()), (), SHIELD_DEAF)

    def cancel(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        nest = next(nest for nest in state.nests if nest.call == call)
        tags = ("CX-16", *(("CX-17",) if nest.shield and nest.phase == FIRST else ()))
        yield Move(change(state, nest, marked=nest.marked | {"caller"}), tags)
        if self._has_native and nest.shield:
            yield Move(change(state, nest, native=True), ("CX-16",))

    def ticked(self, state: State, at: int, relaxed: Collection[str]) -> Iterable[Move]:
        yield Move(evolve(state, now=at))

    def follow(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        for nest in state.nests:
            for scope, due in nest.deadlines:
                if due <= state.now and nest.phase in ENTERED[scope] and scope not in nest.marked:
                    tags = ("CX-17",) if nest.shield and nest.phase == FIRST else ()
                    yield Move(change(state, nest, marked=nest.marked | {scope}), tags)
                    if SHIELD_DEAF in relaxed and nest.shield and scope == INNER:
                        kept = tuple(each for each in nest.deadlines if each[0] != INNER)
                        yield Move(change(state, nest, deadlines=kept), (), SHIELD_DEAF)
        for execution in state.executions:
            if execution.phase == RUNNING:
                nest = next(nest for nest in state.nests if nest.call == execution.leader)
                yield from self._interrupt(state, nest, execution, relaxed)

    def _interrupt(
        self, state: State, nest: Nest, execution: Execution, relaxed: Collection[str]
    ) -> Iterator[Move]:
        """The body is interrupted, and a scope absorbs that, or the run ends by it."""
        ways: dict[str | None, str | None] = {nest.absorber: None}
        if SHIELD_LEAKS in relaxed and nest.shield:
            ways.setdefault(evolve(nest, shield=False).absorber, SHIELD_LEAKS)
        if SHIELD_LASTS in relaxed and nest.shield and nest.phase == SECOND and nest.absorber:
            yield Move(change(state, nest, muted=True), (), SHIELD_LASTS)
        after = swap(state, execution, evolve(execution, phase=INTERRUPTED))
        for absorber, relaxation in ways.items():
            if absorber is None or nest.call is None:
                continue
            if absorber == INNER:
                second = change(after, nest, phase=SECOND, caught=True)
                yield Move(start(second, nest.call), ("CX-16",), relaxation)
                continue
            outcome = CANCELLED if absorber == "caller" else left(nest, outer=True)
            tags = ("CX-16",) if absorber == "caller" else ("CX-16", "CX-18")
            gone = change(after, nest, phase=GONE)
            yield Move(put(gone, nest.call, outcome), tags, relaxation)

    def ended(
        self, state: State, execution: Execution, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        nest = next(nest for nest in state.nests if nest.call == execution.leader)
        assert nest.call is not None  # it was entered
        tags = ("CX-18",) if nest.caught else ()
        if outcome in ("error", "panic", "exit"):
            failed = put(state, nest.call, raised(outcome, execution.index))
            yield Move(change(failed, nest, phase=GONE), ("UN-05", "CX-16"))
        elif nest.phase == FIRST:
            yield Move(start(change(state, nest, phase=SECOND), nest.call))
        else:
            told = put(state, nest.call, left(nest, outer=False))
            yield Move(change(told, nest, phase=GONE), tags)

    def instants(self, state: State) -> Iterable[int]:
        return [due for nest in state.nests for _, due in nest.deadlines if due > state.now]

    def seal(self, state: State) -> Any:
        sealed = super().seal(state)
        return evolve(sealed, nests=tuple(settled(nest) for nest in sealed.nests))

    def blame(self, expected: Sequence[View], seen: View) -> str:
        if any(outcome == ALIEN_CANCEL for _, outcome in seen.calls):
            return GOES_ON
        if not expected:
            return "CX-16 does what the model has no place for"
        # The nearest of what is allowed: the first that agrees on most.
        allowed = max(expected, key=lambda view: len({*view.calls} & {*seen.calls}))
        wanted = dict(allowed.calls)
        for number, outcome in seen.calls:
            if outcome != wanted.get(number):
                return _blame_call(wanted.get(number, BLOCKED), outcome)
        if len(seen.executions) > len(allowed.executions):
            return "CX-16 a cancellation is absorbed too far inside"
        return "UN-03 a body is not interrupted, or does not run"


def _blame_call(wanted: tuple[Any, ...], got: tuple[Any, ...]) -> str:
    match wanted, got:
        case ("returned", (str(word), *caught, _)), ("returned", (_, *seen, _)) if word == LEFT:
            if seen == caught:
                return "CX-18 the count of cancellation requests is another"
            return "CX-16 another scope absorbs"
        case ("raised", (str(kind), int())), _:
            return f"CX-16 the body's {kind} does not come out"
        case ("returned", None), ("raised", *_):
            return "UN-07 cancelling raises"
        case ("returned", _) | ("cancelled",), ("blocked",):
            return "CX-16 a cancellation ends too far inside"
        case _ if (signature := internal_error(got)) is not None:
            return signature
    return "CX-16 a run ends another way"


def change(state: State, nest: Nest, **fields: Any) -> State:
    """The state with one nest changed."""
    changed = evolve(nest, **fields)
    return evolve(
        state, nests=tuple(changed if n.number == nest.number else n for n in state.nests)
    )


def left(nest: Nest, *, outer: bool) -> tuple[Any, ...]:
    """The outcome of a run: which scopes absorbed, and how many requests it left behind."""
    return returned((LEFT, nest.caught, outer, 0))


def settled(nest: Nest) -> Nest:
    """Nests that are gone differ in nothing that counts."""
    if nest.phase != GONE:
        return nest
    return Nest(nest.number, shield=False, deadlines=(), phase=GONE)
