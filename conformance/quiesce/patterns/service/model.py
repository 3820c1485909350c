"""The model of a background service: a body, then its clean-up, then the end.

Body and clean-up are executions. A stop is a request: a cooperative body may ask for it, any
other is cancelled by it. The end answers all who wait in one move.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import attrs

from quiesce.model import ANY, BLOCKED, Move, View, evolve
from quiesce.patterns.calls import (
    INTERRUPTED,
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
    swap,
)
from quiesce.patterns.universal import blame

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from quiesce.adapters import Adapter
    from quiesce.stimuli import Began, Part

__all__ = ["RELAXATIONS", "Service", "State"]

#: The leader of a clean-up's execution. A body is led by the call that started it.
CLEANUP: Final = ("cleanup", None, None)

IDLE, ON, OVER = "idle", "on", "over"

EARLY_LOST: Final = "BG-01 a stop right after the start is lost"
EARLY_END: Final = "BG-02 wait returns before the task has ended"
EARLY_CLEANUP: Final = "BG-03 wait returns before the clean-up has ended"
EARLY_STEP: Final = "BG-04 wait returns before the step has ended"
OTHER_END: Final = "BG-02 wait does not tell how the task ended"
SKIPPED: Final = "BG-03 the clean-up does not run"
UNHEARD: Final = "BG-04 the step does not see the stop"
STARTED: Final = "BG-05 a second start is not answered as declared"
EXTRA: Final = "BG-03 the clean-up runs twice"
STOP_WAITS: Final = "UN-02 stop waits for the task"
NOT_AGAIN: Final = "UN-07 stopping once more does harm"
WAIT_KILLS: Final = "UN-04 cancelling a wait ends the task"
HELD: Final = "UN-08 a task that stops its own service waits for itself"

RELAXATIONS: Final[Mapping[str, str]] = {
    signature: signature[:5]
    for signature in (
        HELD,
        OTHER_END,
        STOP_WAITS,
        NOT_AGAIN,
        STARTED,
        EARLY_LOST,
        WAIT_KILLS,
        SKIPPED,
        EXTRA,
        EARLY_CLEANUP,
        EARLY_STEP,
        EARLY_END,
        UNHEARD,
    )
}


@attrs.frozen
class State(Calls):
    """One service."""

    phase: str = IDLE
    asked: bool = False  # a stop was requested
    early: bool = False  # before the body had begun
    lost: bool = False  # relaxations only: and nobody heard of it
    failure: Outcome | None = None  # the error that wait raises


class Service(CallsModel):
    """The model of one service."""

    relaxations: Mapping[str, str] = RELAXATIONS
    extra: ClassVar[str] = EXTRA
    value: ClassVar[str] = OTHER_END

    def __init__(self, adapter: Adapter) -> None:
        dialect = adapter.dialect
        self._cancels = dialect.get("cancel_delivery", "cooperative") != "cooperative"
        self._refuses = dialect.get("start_twice", "refused") == "refused"
        self._reuse = dialect.get("reuse", "refused") == "allowed"

    def initial(self, part: Part) -> State:
        return State()

    def begin(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call = fact.call
        match fact.operation:
            case "start":
                yield from self._start(state, call, relaxed)
            case "start_stop":
                for move in self._start(state, call, relaxed):
                    if move.state.of(call) == REFUSED:
                        yield move
                        continue
                    if STOP_WAITS in relaxed:
                        for after in self._stop(put(move.state, call, BLOCKED), ()):
                            yield Move(after.state, (), STOP_WAITS)
                    for after in self._stop(move.state, relaxed):
                        tags = (*move.clauses, *after.clauses)
                        yield Move(after.state, tags, move.relaxed or after.relaxed)
            case "stop":
                inside = fact.inside is not None and fact.inside >= 0  # and not another's body
                tags = ("UN-08",) if inside else ()
                for move in self._stop(put(state, call, returned()), relaxed):
                    yield evolve(move, clauses=(*move.clauses, *tags))
                yield from self._stop_relaxed(state, call, inside, relaxed)
            case "stopping":
                seen = state.asked and not state.lost
                yield Move(put(state, call, returned(seen)), ("BG-04",))
                if UNHEARD in relaxed and state.asked and not state.early:
                    yield Move(put(state, call, ANY), (), UNHEARD)
            case "wait":
                yield from self._wait(state, call, relaxed)

    def _start(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        on = start(evolve(state, phase=ON, asked=False, lost=False, failure=None), call)
        if state.phase == IDLE:
            yield Move(put(on, call, returned()), ("BG-01",))
            return
        if state.phase == OVER and self._reuse:
            yield Move(put(on, call, returned()), ("BG-05",))
        else:
            yield Move(put(state, call, REFUSED if self._refuses else returned()), ("BG-05",))
        if STARTED in relaxed:
            yield Move(put(state, call, ANY), (), STARTED)
            yield Move(put(on, call, ANY), (), STARTED)

    def _stop(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        """What a stop does, apart from returning."""
        if state.phase != ON or state.asked:
            yield Move(state, () if state.phase == IDLE else ("UN-07",))
            return
        body = body_of(state)
        asked = evolve(state, asked=True, early=body is not None and body.phase == STARTING)
        if body is None:
            yield Move(asked, ("UN-02",))
            return
        yield Move(asked, ("UN-02", "BG-01" if asked.early else "BG-04"))
        if EARLY_LOST in relaxed and asked.early:
            yield Move(evolve(asked, lost=True), (), EARLY_LOST)

    def follow(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        body = body_of(state)
        if body is None or not self._cancels or not state.asked or state.lost:
            return
        # A body that has begun is cancelled where it waits, unless that was just let go.
        after = drop(state, body)
        yield Move(start(after, CLEANUP))
        yield from self._cleanup_relaxed(after, relaxed)
        if body.phase == STARTING:  # it never begins, and there may be nothing to clean up
            yield Move(over(after))
        if UNHEARD in relaxed and not state.early:
            yield Move(evolve(state, lost=True), (), UNHEARD)

    def _stop_relaxed(
        self, state: State, call: int, inside: bool, relaxed: Collection[str]
    ) -> Iterable[Move]:
        if HELD in relaxed and inside:
            yield Move(put(state, call, BLOCKED), (), HELD)
        if STOP_WAITS in relaxed and state.phase == ON:
            for move in self._stop(put(state, call, BLOCKED), ()):
                yield Move(move.state, (), STOP_WAITS)
        if NOT_AGAIN in relaxed and (state.asked or state.phase == OVER):
            yield Move(put(state, call, ANY), (), NOT_AGAIN)
            for execution in state.running:
                harmed = swap(state, execution, evolve(execution, phase=INTERRUPTED))
                yield Move(put(over(harmed), (call, *waiting(state)), ANY), (), NOT_AGAIN)
        if EARLY_STEP in relaxed and not self._cancels and state.phase == ON and waiting(state):
            for move in self._stop(put(state, call, returned()), ()):
                yield Move(put(move.state, waiting(state), ANY), (), EARLY_STEP)

    def _wait(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        blocked = put(state, call, BLOCKED)
        if state.phase == OVER:
            tags = ("BG-02",) if state.failure is None else ("BG-02", "UN-05")
            yield Move(put(state, call, state.failure or returned()), tags)
            if OTHER_END in relaxed and state.failure is not None:
                yield Move(put(state, call, ANY), (), OTHER_END)
            return
        if state.phase == IDLE:  # nothing says what there is to wait for
            yield Move(put(state, call, REFUSED))
            yield Move(put(state, call, returned()))
            yield Move(blocked)
            return
        yield Move(blocked, ("BG-04",) if state.asked else ("BG-02",))
        cleaning = any(e.leader == CLEANUP for e in state.active)
        signature = EARLY_CLEANUP if cleaning else EARLY_STEP if state.asked else EARLY_END
        if signature in relaxed:
            yield Move(put(state, call, ANY), (), signature)

    def ended(
        self, state: State, execution: Execution, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        error = None if outcome in ("value", "none") else raised(outcome, execution.index)
        if execution.leader == CLEANUP:
            failures = [error or state.failure]
            if error is not None and state.failure is not None:
                failures.append(state.failure)  # one of the two is told
            for failure in failures:
                tags = ["BG-03", *(["UN-05"] if failure and waiting(state) else [])]
                if waiting(state):
                    tags.append("BG-04" if state.asked else "BG-02")
                end = over(evolve(state, failure=failure))
                yield Move(end, tuple(tags))
                if OTHER_END in relaxed and failure is not None:
                    yield Move(put(end, waiting(state), ANY), (), OTHER_END)
                if EXTRA in relaxed:
                    yield Move(start(evolve(state, failure=failure), CLEANUP), (), EXTRA)
            return
        after = evolve(state, failure=error)
        yield Move(start(after, CLEANUP))
        yield from self._cleanup_relaxed(after, relaxed)

    def _cleanup_relaxed(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        if SKIPPED in relaxed:
            yield Move(over(state), (), SKIPPED)
        if EARLY_CLEANUP in relaxed:
            yield Move(put(start(state, CLEANUP), waiting(state), ANY), (), EARLY_CLEANUP)

    def cancel(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        gone = put(state, call, ("cancelled",))
        yield Move(gone)
        if WAIT_KILLS in relaxed:
            for execution in state.running:
                killed = swap(gone, execution, evolve(execution, phase=INTERRUPTED))
                killed = put(killed, waiting(killed), ANY)
                yield Move(over(killed), (), WAIT_KILLS)
                yield Move(start(killed, CLEANUP), (), WAIT_KILLS)

    def blame(self, expected: Sequence[View], seen: View) -> str:
        wanted = {index: phase for view in expected[:1] for index, _, phase in view.executions}
        phases = {index: phase for index, _, phase in seen.executions}
        if any(phases.get(index) == RUNNING for index in wanted if wanted[index] == INTERRUPTED):
            return UNHEARD
        if len(phases) < len(wanted):
            return SKIPPED
        return blame(expected, seen, extra=self.extra, value=self.value, cancel=self.alien)


def waiting(state: State) -> tuple[int, ...]:
    """The calls that wait for the end: no other blocks."""
    return tuple(call for call, outcome in state.calls if outcome == BLOCKED)


def body_of(state: State) -> Execution | None:
    """The body, if it runs or is about to."""
    return next((each for each in state.active if each.leader != CLEANUP), None)


def over(state: State) -> State:
    """The task has ended, and all who wait are answered."""
    outcome = state.failure or returned()
    return put(evolve(state, phase=OVER), waiting(state), outcome)
