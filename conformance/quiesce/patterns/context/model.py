"""The model of one tree of scopes, and its relaxations.

A scope is named by the call that made it. Ending one is a single step for all its
descendants: whoever looks sees the whole tree before it, or after it. What follows by itself
are the callbacks, the waits, and the deadlines that the clock has reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from quiesce.model import BLOCKED, Move, View, evolve
from quiesce.patterns.calls import Calls, CallsModel, put, returned, start
from quiesce.patterns.context.looks import (
    ALIEN,
    BOUND,
    CANCELLED,
    DEADLINE,
    DUE,
    LOOK,
    blame,
    look,
)
from quiesce.worlds.world import START

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from quiesce.adapters import Adapter
    from quiesce.stimuli import Began, Part

__all__ = ["RELAXATIONS", "Context"]

# Signatures of the relaxations, narrowest first. Each is this model with one clause dropped.
LATE_LOST = "CX-13 a callback is lost that is registered at a done scope"
OTHER_CAUSE = "CX-07 a cause is forgotten"
OTHER_KIND = "CX-08 the error is of the wrong kind"
NOT_EXPIRED = "CX-08 not done at its deadline"
BORN_ALIVE = "CX-06 a scope under a done one is born alive"
PAST_BORN_ALIVE = "CX-08 a scope whose deadline is past is born alive"
NOT_INHERITED = "CX-09 an inherited deadline does not end a scope that has its own"
DETACHED_REACHED = "CX-14 a detached scope is done through its parent"
NOT_DESCENDING = "CX-04 a descendant is not reached"
LATER_CHANGES = "CX-03 a later cancellation changes a done scope"
LATER_DEADLINE = "CX-03 a later deadline changes a done scope"
CLIMBS = "CX-05 an end reaches a parent or a sibling"
BORN_DONE = "CX-01 a new scope is done"
SIGNATURES = (
    LATE_LOST,
    LATER_CHANGES,
    LATER_DEADLINE,
    OTHER_CAUSE,
    OTHER_KIND,
    BORN_ALIVE,
    PAST_BORN_ALIVE,
    NOT_INHERITED,
    NOT_EXPIRED,
    DETACHED_REACHED,
    NOT_DESCENDING,
    CLIMBS,
    BORN_DONE,
)
RELAXATIONS = {signature: signature[:5] for signature in SIGNATURES}


@attrs.frozen
class Scope:
    """One scope."""

    number: int  # the call that made it
    parent: int | None = None  # the scope whose end reaches it
    origin: int | None = None  # of a detached one: the scope that it was made from
    kind: str = "background"
    deadline: int | None = None  # its own, in nanoseconds
    brings: int | None = None  # the cause that its own deadline brings
    expires: bool = True  # unless a relaxation forgets its deadline
    error: str | None = None
    cause: Any = None
    bindings: tuple[tuple[str, int | None], ...] = ()  # nearest first


@attrs.frozen
class Reader:
    """A call that looks at a scope, or waits for its end."""

    call: int
    scope: int
    waits: bool
    until: int | None = None  # when a wait gives up


@attrs.frozen
class State(Calls):
    """One tree."""

    now: int = START
    scopes: tuple[Scope, ...] = ()
    callbacks: tuple[tuple[int, int], ...] = ()  # not begun: (call that registered it, scope)
    readers: tuple[Reader, ...] = ()

    def scope(self, number: int) -> Scope:
        """The scope that the call of that number made."""
        return next(scope for scope in self.scopes if scope.number == number)

    def children(self, number: int) -> tuple[Scope, ...]:
        """The scopes that its end reaches next."""
        return tuple(scope for scope in self.scopes if scope.parent == number)

    def path(self, number: int) -> Iterator[Scope]:
        """The scope and those whose end reaches it, upwards."""
        found: int | None = number
        while found is not None:
            scope = self.scope(found)
            yield scope
            found = scope.parent

    def subtree(self, number: int) -> frozenset[int]:
        """The scope and its descendants."""
        found = {number}
        for scope in self.scopes:  # parents come first
            if scope.parent in found:
                found.add(scope.number)
        return frozenset(found)


class Context(CallsModel):
    """The model of one tree of scopes."""

    relaxations: Mapping[str, str] = RELAXATIONS
    alien = ALIEN

    def __init__(self, adapter: Adapter) -> None:
        self._has_causes = "causes" not in adapter.lacks

    def initial(self, part: Part) -> State:
        return State()

    def begin(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        busy = ("UN-08",) if state.running else ()
        for move in self._begin(state, fact, relaxed):
            yield Move(move.state, (*move.clauses, *busy), move.relaxed)

    def _begin(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call, given = fact.call, dict(fact.arguments)
        match fact.operation:
            case "background":
                yield Move(add(state, Scope(call)), ("CX-01",))
            case "cancel":
                yield from self._cancel_scope(state, call, given, relaxed)
            case "look":
                yield from self._look(state, call, given["of"])
            case "wait":
                yield from self._wait(state, call, given)
            case "deadline":
                dues = [s.deadline for s in state.path(given["of"]) if s.deadline is not None]
                tags = ("CX-09",) if dues else ()
                yield Move(put(state, call, returned((DUE, min(dues, default=None)))), tags)
            case "value":
                bindings = state.scope(given["of"]).bindings
                bound = next((item for key, item in bindings if key == given["key"]), None)
                yield Move(put(state, call, returned((BOUND, bound))), ("CX-15",))
            case "after":
                scope = state.scope(given["of"])
                registered = (*state.callbacks, (call, scope.number))
                tags = ("CX-13",) if scope.error else ()
                told = put(state, call, returned())
                yield Move(evolve(told, callbacks=registered), tags)
                if LATE_LOST in relaxed and scope.error:
                    yield Move(told, (), LATE_LOST)
            case "stop":
                kept = tuple(each for each in state.callbacks if each[0] != given["of"])
                told = put(state, call, returned(len(kept) < len(state.callbacks)))
                yield Move(evolve(told, callbacks=kept), ("CX-13",))
            case _:
                yield from self._derive(state, fact.operation, call, given, relaxed)

    # Scopes are made.

    def _derive(
        self, state: State, kind: str, call: int, given: dict[str, Any], relaxed: Collection[str]
    ) -> Iterable[Move]:
        parent = state.scope(given["of"])
        child = Scope(call, parent.number, kind=kind, bindings=parent.bindings)
        if kind == "with_value":
            binding = (given["key"], None if given["empty"] else call)
            child = evolve(child, bindings=(binding, *parent.bindings))
        elif kind == "without_cancel":
            detached = evolve(child, parent=None, origin=parent.number)
            yield Move(add(state, detached), ("CX-14",) if parent.error else ())
            if DETACHED_REACHED in relaxed and parent.error:
                yield Move(add(state, ended_as(detached, parent)), (), DETACHED_REACHED)
            return
        elif kind == "with_deadline":
            brings = call if given["caused"] else None
            child = evolve(child, deadline=state.now + given["delay"], brings=brings)
        if parent.error is not None:
            yield Move(add(state, ended_as(child, parent)), ("CX-06",))
            if BORN_ALIVE in relaxed:
                yield Move(add(state, child), (), BORN_ALIVE)
        elif child.deadline is not None and child.deadline <= state.now:
            yield Move(add(state, expired(child)), ("CX-08", "CX-07"))
            if PAST_BORN_ALIVE in relaxed:
                yield Move(add(state, evolve(child, expires=False)), (), PAST_BORN_ALIVE)
            if CLIMBS in relaxed:
                for above in state.path(parent.number):
                    climbed = overwrite(
                        state, state.subtree(above.number), DEADLINE, expired(child).cause
                    )
                    yield Move(add(climbed, expired(child)), (), CLIMBS)
        else:
            yield Move(add(state, child), ("CX-01",))
            if BORN_DONE in relaxed:
                done = evolve(child, error=CANCELLED, cause=CANCELLED)
                yield Move(add(state, done), (), BORN_DONE)

    # Scopes end.

    def _cancel_scope(
        self, state: State, call: int, given: dict[str, Any], relaxed: Collection[str]
    ) -> Iterable[Move]:
        scope = state.scope(given["of"])
        cause = call if given["caused"] else CANCELLED
        if scope.error is not None:
            tags = ("CX-03", "UN-07", *(("CX-08",) if scope.error == DEADLINE else ()))
            yield Move(put(state, call, returned(scope.error)), tags)
            if LATER_CHANGES in relaxed:
                for reached in (frozenset((scope.number,)), state.subtree(scope.number)):
                    changed = overwrite(state, reached, CANCELLED, cause)
                    yield Move(put(changed, call, returned(CANCELLED)), (), LATER_CHANGES)
            return
        for move in self._end(state, scope, CANCELLED, cause, relaxed):
            told = put(move.state, call, returned(CANCELLED))
            yield Move(told, move.clauses, move.relaxed)

    def _end(
        self,
        state: State,
        scope: Scope,
        error: str,
        cause: object,
        relaxed: Collection[str],
    ) -> Iterable[Move]:
        """A live scope ends, and with it its descendants."""
        reached = state.subtree(scope.number)
        tags = ["CX-02", "CX-07"] if error == CANCELLED else ["CX-07", "CX-08"]
        if state.children(scope.number):
            tags.append("CX-04")
        if scope.parent is not None:
            tags.append("CX-05")
        inheriting = {
            s.number
            for s in state.scopes
            if s.number in reached and s != scope and s.deadline is not None and s.error is None
        }
        if inheriting and error == DEADLINE:
            tags.append("CX-09")
        if [call for call, of in state.callbacks if of in reached]:
            tags += ["CX-11", "CX-13"]
        detached = {s.number for s in state.scopes if s.origin in reached}
        if detached:
            tags.append("CX-14")
        yield Move(overwrite(state, reached, error, cause), tuple(tags))
        if OTHER_CAUSE in relaxed and cause != error:
            forgotten = overwrite(state, reached, error, error)
            yield Move(forgotten, (), OTHER_CAUSE)
            own = frozenset((scope.number,))
            yield Move(overwrite(forgotten, own, error, cause), (), OTHER_CAUSE)
        if OTHER_KIND in relaxed:
            other = CANCELLED if error == DEADLINE else DEADLINE
            yield Move(overwrite(state, reached, other, cause), (), OTHER_KIND)
            yield Move(overwrite(state, reached, other, other), (), OTHER_KIND)
        for signature, others in self._reached_otherwise(
            state, scope, reached, inheriting, detached
        ):
            if signature in relaxed and (signature != NOT_INHERITED or error == DEADLINE):
                yield Move(overwrite(state, others, error, cause), (), signature)

    def _reached_otherwise(
        self,
        state: State,
        scope: Scope,
        reached: frozenset[int],
        inheriting: set[int],
        detached: set[int],
    ) -> Iterator[tuple[str, frozenset[int]]]:
        """What relaxations reach instead of ``reached``."""
        for number in inheriting:
            yield NOT_INHERITED, reached - state.subtree(number)
        for number in detached:
            yield DETACHED_REACHED, reached | state.subtree(number)
        for skipped in sorted(reached - {scope.number}):
            yield NOT_DESCENDING, reached - state.subtree(skipped)
        yield NOT_DESCENDING, frozenset((scope.number,))
        direct = {child.number for child in state.children(scope.number)}
        yield NOT_DESCENDING, frozenset((scope.number, *direct))
        for above in [*state.path(scope.number)][1:]:
            yield CLIMBS, state.subtree(above.number)
            yield CLIMBS, reached | {above.number}
            yield CLIMBS, state.subtree(above.number) - {above.number}

    def ticked(self, state: State, at: int, relaxed: Collection[str]) -> Iterable[Move]:
        yield Move(evolve(state, now=at))

    def follow(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        for scope in state.scopes:
            if is_due(scope, state.now):
                if NOT_EXPIRED in relaxed:
                    late = evolve(scope, expires=False)
                    scopes = tuple(late if s is scope else s for s in state.scopes)
                    yield Move(evolve(state, scopes=scopes), (), NOT_EXPIRED)
                cause = DEADLINE if scope.brings is None else scope.brings
                yield from self._end(state, scope, DEADLINE, cause, relaxed)
            elif LATER_DEADLINE in relaxed and is_due(evolve(scope, error=None), state.now):
                changed = evolve(expired(scope), expires=False)
                scopes = tuple(changed if s is scope else s for s in state.scopes)
                yield Move(evolve(state, scopes=scopes), (), LATER_DEADLINE)
        for call, number in state.callbacks:
            if state.scope(number).error is not None:
                left = tuple(each for each in state.callbacks if each[0] != call)
                yield Move(start(evolve(state, callbacks=left), call), ("CX-13",))
        for reader in state.readers:
            left_readers = tuple(each for each in state.readers if each is not reader)
            for outcome, tags in self._read(state, reader):
                yield Move(put(evolve(state, readers=left_readers), reader.call, outcome), tags)

    # Scopes are looked at.

    def _look(self, state: State, call: int, number: int) -> Iterable[Move]:
        scope = state.scope(number)
        if scope.error is not None:
            seen = returned(look(scope.error, self._shown(scope)))
            yield Move(put(state, call, seen), ("CX-12",))
        else:
            reader = Reader(call, number, waits=False)
            yield Move(evolve(put(state, call, BLOCKED), readers=(*state.readers, reader)))

    def _wait(self, state: State, call: int, given: dict[str, Any]) -> Iterable[Move]:
        scope = state.scope(given["of"])
        if scope.error is not None:
            yield Move(put(state, call, timed(state, True)), ("CX-02", "CX-12"))
            return
        timeout = given["timeout"]
        until = None if timeout is None else state.now + timeout
        reader = Reader(call, scope.number, waits=True, until=until)
        yield Move(evolve(put(state, call, BLOCKED), readers=(*state.readers, reader)))

    def _read(
        self, state: State, reader: Reader
    ) -> Iterator[tuple[tuple[Any, ...], tuple[str, ...]]]:
        """How a call that looks or waits may end now."""
        scope = state.scope(reader.scope)
        if reader.waits:
            if scope.error is not None:
                yield timed(state, True), ("CX-02",)
            if reader.until is not None and reader.until <= state.now:
                yield timed(state, False), ("UN-04",)
        elif scope.error is None:
            yield returned(look(None, None)), ("CX-01",)
        else:  # the end came before, between or after its four readings
            error, cause = scope.error, self._shown(scope)
            yield returned(look(error, cause)), ("CX-12",)
            yield returned((LOOK, False, error, cause, True)), ("CX-12",)
            yield returned((LOOK, False, None, cause, True)), ("CX-12",)
            yield returned((LOOK, False, None, None, True)), ("CX-12",)

    def _shown(self, scope: Scope) -> Any:
        """The cause, as far as the adapter tells it."""
        return scope.cause if self._has_causes else None

    def cancel(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        readers = tuple(reader for reader in state.readers if reader.call != call)
        yield Move(put(evolve(state, readers=readers), call, ("cancelled",)))

    def ended(
        self, state: State, execution: Any, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        yield Move(state, ("CX-11",))

    def instants(self, state: State) -> Iterable[int]:
        dues = [scope.deadline for scope in state.scopes if scope.error is None]
        dues += [reader.until for reader in state.readers]
        return [due for due in dues if due is not None and due > state.now]

    def blame(self, expected: Sequence[View], seen: View) -> str:
        return blame(expected, seen)


def add(state: State, scope: Scope) -> State:
    """The state with a scope more, and its call returned."""
    return evolve(put(state, scope.number, returned()), scopes=(*state.scopes, scope))


def overwrite(state: State, numbers: frozenset[int], error: str, cause: object) -> State:
    """The state in which these scopes are done so.

    Whoever is done already stays as it is, unless all of them are.
    """
    chosen = [scope for scope in state.scopes if scope.number in numbers]
    live = [scope for scope in chosen if scope.error is None]
    changing = {scope.number for scope in live or chosen}
    scopes = tuple(
        evolve(scope, error=error, cause=cause) if scope.number in changing else scope
        for scope in state.scopes
    )
    return evolve(state, scopes=scopes)


def is_due(scope: Scope, now: int) -> bool:
    """Whether a live scope's own deadline has come."""
    return (
        scope.error is None
        and scope.expires
        and scope.deadline is not None
        and scope.deadline <= now
    )


def ended_as(scope: Scope, parent: Scope) -> Scope:
    """A scope that is born done, for its parent is."""
    return evolve(scope, error=parent.error, cause=parent.cause)


def expired(scope: Scope) -> Scope:
    """A scope whose own deadline has come."""
    cause = DEADLINE if scope.brings is None else scope.brings
    return evolve(scope, error=DEADLINE, cause=cause)


def timed(state: State, value: bool) -> tuple[Any, ...]:
    """The outcome of a call that returned now."""
    return ("returned", value, state.now)
