"""The model of a periodic task: a clock, at most one run, and what is due next.

Due times follow from the start alone. A due time that meets a run is dropped or, where one is
kept, runs at that run's end. A stop leaves no further due times; the end answers all who wait
in one move.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import attrs

from quiesce.model import ANY, BLOCKED, Move, View, evolve
from quiesce.patterns.calls import (
    INTERRUPTED,
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
    swap,
)
from quiesce.patterns.universal import blame
from quiesce.worlds.world import START

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from quiesce.adapters import Adapter
    from quiesce.stimuli import Began, Part

__all__ = ["HANDLER", "RELAXATIONS", "Periodic", "State"]

#: The leader of a handler's execution. A run is nobody's in particular.
HANDLER: Final = ("handler", ("thing", "WorkError"), None)

OVERLAP: Final = "TK-09 runs overlap"
EXTRA: Final = "TK-09 a run begins when none is due"
MISSING: Final = "TK-09 a run that is due does not begin"
AFTER_STOP: Final = "TK-08 a run begins after stop"
LATE: Final = "TK-08 the end does not follow on stop"
EARLY: Final = "TK-08 wait returns before the end"
CUT: Final = "TK-08 stop cancels a run that it should let end"
UNCUT: Final = "TK-08 stop lets a run go on that it should cancel"
SILENT: Final = "TK-10 a failing run is not told of as declared"
LEFT: Final = "TK-11 something of the loop is left after stop and wait"
STOP_INSIDE: Final = "TK-12 stop from inside the run blocks or fails"
WAIT_BLOCKS: Final = "TK-12 wait from inside the run is not refused"
STOP_WAITS: Final = "UN-02 stop waits for the run"
NOT_AGAIN: Final = "UN-07 stopping once more does harm"
WAIT_KILLS: Final = "UN-04 cancelling a wait ends the task"

RELAXATIONS: Final[Mapping[str, str]] = {
    signature: signature[:5]
    for signature in (
        STOP_INSIDE,
        STOP_WAITS,
        NOT_AGAIN,
        LATE,
        AFTER_STOP,
        MISSING,
        WAIT_KILLS,
        SILENT,
    )
}


@attrs.frozen
class State(Calls):
    """One periodic task. Instants are nanoseconds."""

    due: int = 0  # the next due time; after a stop that of the run that must not begin
    kept: bool = False  # a due time met a run, and will run at its end
    late: bool = False  # a due time met a run, and none has begun at its due time since
    asked: bool = False  # a stop was requested
    spared: bool = False  # by the run itself, which may go on even where a stop cancels runs
    over: bool = False
    failure: Outcome | None = None  # the error that wait raises
    silent: bool = False  # relaxations only: it died, and nobody knows how


class Periodic(CallsModel):
    """The model of one periodic task."""

    relaxations: Mapping[str, str] = RELAXATIONS
    extra: ClassVar[str] = EXTRA
    value: ClassVar[str] = SILENT

    def __init__(self, adapter: Adapter, given: Mapping[str, object]) -> None:
        period = given["period"]
        assert isinstance(period, int)  # of the pattern's constructor
        dialect = adapter.dialect
        self._period = period
        self._keeps = dialect.get("overrun", "skip") == "run_once"
        self._continues = dialect.get("on_failure", "ends") == "continues"
        self._handles = "handler" not in adapter.lacks
        self._cancels = dialect.get("cancel_delivery", "cooperative") != "cooperative"
        self._at_once = dialect.get("first_run", "after_a_period") == "at_once"

    def initial(self, part: Part) -> State:
        idle = State(due=START + self._period)
        return start(idle, None) if self._at_once else idle

    def begin(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call = fact.call
        inside = fact.inside is not None and fact.inside >= 0  # and not another task's run
        if fact.operation == "stop":
            yield from self._stop(state, call, inside, relaxed)
        elif inside:
            yield Move(put(state, call, REFUSED), ("TK-12",))
        elif state.over:
            tags = ("TK-11",) if state.failure is None else ("TK-10", "UN-05")
            yield Move(put(state, call, state.failure or returned()), tags)
            if state.silent:
                yield Move(put(state, call, ANY), (), SILENT)
        else:
            yield Move(put(state, call, BLOCKED))

    def _stop(
        self, state: State, call: int, inside: bool, relaxed: Collection[str]
    ) -> Iterable[Move]:
        done = put(state, call, returned())
        if state.asked or state.over:
            yield Move(done, ("UN-07",))
            for signature in (NOT_AGAIN, *([STOP_INSIDE] if inside else [])):
                if signature in relaxed:
                    yield Move(put(state, call, ANY), (), signature)
            if STOP_WAITS in relaxed and state.active and not inside:
                yield Move(put(state, call, BLOCKED), (), STOP_WAITS)
            return
        tags = [
            "TK-08",
            "TK-11",
            *(["TK-12"] if inside else []),
            *(["UN-02"] if state.active else []),
        ]
        asked = evolve(done, asked=True, kept=False, spared=inside)
        yield Move(asked if state.active else over(asked), tuple(tags))
        if LATE in relaxed and not state.active:
            yield Move(asked, (), LATE)
        if STOP_INSIDE in relaxed and inside:
            yield Move(put(asked, call, ANY), (), STOP_INSIDE)
        if STOP_WAITS in relaxed and state.active and not inside:
            yield Move(put(asked, call, BLOCKED), (), STOP_WAITS)

    def ticked(self, state: State, at: int, relaxed: Collection[str]) -> Iterable[Move]:
        if at < state.due:
            yield Move(state)
            return
        late = state.due
        state = evolve(state, due=late + self._period * (1 + (at - late) // self._period))
        if state.asked or state.over:
            yield Move(state, ("TK-08",) if state.asked else ())
            if AFTER_STOP in relaxed and state.asked:
                yield Move(start(state, None), (), AFTER_STOP)
        elif state.active:
            yield Move(evolve(state, kept=self._keeps, late=True), ("TK-09",))
        else:
            yield Move(start(evolve(state, late=False), None))
            if MISSING in relaxed and state.late:
                yield Move(state, (), MISSING)

    def ended(
        self, state: State, execution: Execution, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        if outcome in ("value", "none"):
            yield from self._goes_on(state)
            return
        error = raised(outcome, execution.index)
        fatal = outcome != "error" or execution.leader == HANDLER
        if fatal or not self._continues:
            tags = ("TK-10", "UN-05") if waiting(state) else ("TK-10",)
            yield Move(over(evolve(state, failure=error, kept=False)), tags)
        elif self._handles:
            yield Move(start(state, HANDLER), ("TK-10", "UN-05"))
        else:
            for move in self._goes_on(state):
                yield evolve(move, clauses=(*move.clauses, "TK-10"))
        if SILENT in relaxed:
            dead = put(evolve(state, kept=False, silent=True), waiting(state), ANY)
            yield Move(over(dead), (), SILENT)

    def _goes_on(self, state: State) -> Iterable[Move]:
        """A run, or the handler after it, has come to its end."""
        if state.asked:
            yield Move(over(state), ("TK-11", "TK-08") if waiting(state) else ())
        elif state.kept:
            yield Move(start(evolve(state, kept=False), None), ("TK-09",))
        else:
            yield Move(state)

    def follow(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        if self._cancels and state.asked and state.active:
            yield Move(over(drop(state, state.active[0])), ("TK-08",))

    def may_rest(self, state: State) -> bool:
        return state.spared and all(each.phase == RUNNING for each in state.active)

    def cancel(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        gone = put(state, call, ("cancelled",))
        yield Move(gone)
        if WAIT_KILLS in relaxed and state.executions == state.active:
            killed = put(evolve(gone, silent=True), waiting(gone), ANY)
            for execution in state.running:
                killed = swap(killed, execution, evolve(execution, phase=INTERRUPTED))
            yield Move(over(killed), (), WAIT_KILLS)

    def instants(self, state: State) -> Iterable[int]:
        return (state.due,)

    def blame(self, expected: Sequence[View], seen: View) -> str:
        if not expected:
            return EXTRA
        wanted = expected[0]
        calls = dict(wanted.calls)
        for number, outcome in seen.calls:
            if calls.get(number) == REFUSED != outcome:
                return WAIT_BLOCKS
        phases = {index: phase for index, _, phase in wanted.executions}
        for index, _, phase in seen.executions:
            if phase == INTERRUPTED and phases.get(index, phase) != phase:
                return CUT
            if (phases.get(index), phase) == (INTERRUPTED, RUNNING):
                return UNCUT
        if len(seen.executions) > len(phases):
            runs = [phase for _, _, phase in seen.executions if phase == RUNNING]
            return OVERLAP if len(runs) > 1 else EXTRA
        if len(seen.executions) < len(phases):
            return SILENT if any(e[1] == HANDLER for e in wanted.executions) else MISSING
        for number, outcome in seen.calls:
            if outcome == BLOCKED != calls.get(number):
                return LATE
            if calls.get(number) == BLOCKED and outcome == returned():
                return EARLY
        return blame(expected, seen, extra=self.extra, value=self.value, cancel=self.alien)


def waiting(state: State) -> tuple[int, ...]:
    """The calls that wait for the end: no other blocks."""
    return tuple(call for call, outcome in state.calls if outcome == BLOCKED)


def over(state: State) -> State:
    """The loop has ended, and all who wait are answered."""
    return put(evolve(state, over=True), waiting(state), state.failure or returned())
