"""The model of a pipeline of two stages, and its relaxations.

Items move as ``state`` says. A failure is noticed by an internal move, so that functions
which end in the same burst may still do so. Functions that run when everything stops are
cancelled, except in threads, where they end in their own time and their results are dropped.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from quiesce.model import ANY, BLOCKED, Move, View, evolve
from quiesce.patterns.calls import (
    CANCELLED,
    CallsModel,
    Execution,
    Outcome,
    drop,
    put,
    raised,
    returned,
)
from quiesce.patterns.pipeline.blame import (
    CALLED_ON,
    CANCEL_LEAKS,
    CANCEL_WAITS,
    CLOSE_LEAKS,
    DELIVERED_ON,
    EMPTY_HANGS,
    FAILURE_LEAKS,
    RELAXATIONS,
    REORDERED,
    STOPPED_AGAIN,
    blame,
)
from quiesce.patterns.pipeline.state import FUNCTIONS, SOURCE, Shape, Stage, State
from quiesce.stimuli import Cancelled

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence

    from quiesce.adapters import Adapter
    from quiesce.stimuli import Began, Fact, Part

__all__ = ["Pipeline"]

END = returned(())


class Pipeline(CallsModel):
    """The model of one pipeline."""

    relaxations: Mapping[str, str] = RELAXATIONS
    value = "PL-01 something else comes out than the functions made of the items"

    def __init__(self, adapter: Adapter, workers: int, buffer: int) -> None:
        self._interrupts = adapter.world != "threads"
        ordered = adapter.dialect.get("ordered", "yes") == "yes"
        self._shape = Shape(workers, buffer, int(adapter.dialect.get("ahead", "0")), ordered)
        self._keeps_order = ordered or workers == 1

    def initial(self, part: Part) -> State:
        return State().flow(self._shape)

    def apply(self, state: State, fact: Fact, relaxed: Collection[str]) -> Iterable[Move]:
        if isinstance(fact, Cancelled):
            outcome = state.of(fact.call)
            if outcome is not None and outcome[0] == "returned" and outcome[1]:
                yield Move(state)  # a cancellation that came so late must not lose the item
                return
        yield from super().apply(state, fact, relaxed)

    def begin(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call, operation = fact.call, fact.operation
        if operation == "receive":
            yield from self._receive(state, call)
        elif operation == "wait":
            blocked = put(evolve(state, waiters=ordered(state.waiters, call)), call, BLOCKED)
            halted = state.stopped or state.failure is not None
            for after in released(blocked) if halted else (blocked,):
                yield Move(after, ("UN-02",))
        else:
            yield from self._stop(state, call, operation, relaxed)

    def ended(
        self, state: State, execution: Execution, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        name, item = named(execution)
        failed = outcome not in ("value", "none")
        works_on = state.slack == "works_on" and name != SOURCE and not failed
        if state.failure is not None or (state.stopped and not works_on):
            if failed:
                state = evolve(state, failing=(*state.failing, raised(outcome, execution.index)))
            for after in released(state):
                yield Move(after, ("PL-09",) if state.waiters else ())
            if STOPPED_AGAIN in relaxed and len(state.closers) > 1:
                one = release(evolve(state, closers=state.closers[:1]))
                yield Move(one, (), STOPPED_AGAIN)
        elif failed:
            failing = (*state.failing, raised(outcome, execution.index))
            exhausted = state.exhausted or name == SOURCE
            yield Move(evolve(state, failing=failing, exhausted=exhausted))
        elif name == SOURCE and outcome == "none":
            tags = ("PL-04", "PL-12") if execution.index == 0 else ("PL-04",)
            yield Move(evolve(state, exhausted=True), tags)
            if EMPTY_HANGS in relaxed and execution.index == 0:
                yield Move(evolve(state, exhausted=True, slack="hangs"), (), EMPTY_HANGS)
        elif name == SOURCE:
            fed = evolve(state, fed=(*state.fed, ("value", execution.index)))
            yield self._flowed(fed, relaxed)
        else:
            number = FUNCTIONS.index(name)
            result = ("value", execution.index) if outcome == "value" else None
            for place, work in enumerate(state.stages[number].hands):
                if work.item == item and not work.result:
                    yield self._flowed(answer(state, number, place, result), relaxed)

    def follow(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        if state.failure is not None or state.stopped:
            yield from self._follow_stopped(state)
            return
        for failure in state.failing:
            yield from self._fail(state, failure, relaxed)
        shape = self._shape_for(relaxed)
        for number, stage in enumerate(state.stages):
            ready = stage.ready(shape)
            if len(ready) > 1:
                for place in ready:
                    if (pushed := state.push(number, place, shape)) is not None:
                        yield Move(pushed.flow(shape))
        yield from self._deliver(state, shape)
        if state.is_over and state.receivers:
            yield Move(put(evolve(state, receivers=()), state.receivers, END), ("PL-04",))
        if state.has_ended and state.waiters:
            yield Move(put(evolve(state, waiters=()), state.waiters, returned()), ("PL-09",))

    def cancel(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        left = evolve(
            state,
            receivers=tuple(other for other in state.receivers if other != call),
            waiters=tuple(other for other in state.waiters if other != call),
            closers=tuple(other for other in state.closers if other != call),
        )
        yield Move(put(left, call, CANCELLED))

    def blame(self, expected: Sequence[View], seen: View) -> str:
        return blame(expected, seen) if expected else super().blame(expected, seen)

    def _receive(self, state: State, call: int) -> Iterable[Move]:
        if state.failure is not None:
            yield Move(put(state, call, state.failure), ("PL-07", "PL-08"))
        elif state.stopped or state.is_over:
            yield Move(put(state, call, END), ("PL-08",) if state.stopped else ("PL-04",))
        else:
            waiting = evolve(state, receivers=ordered(state.receivers, call))
            yield Move(put(waiting, call, BLOCKED))
        for place, item in enumerate(state.left):
            rest = evolve(state, left=state.left[:place] + state.left[place + 1 :])
            yield Move(put(rest, call, returned((item,))))

    def _deliver(self, state: State, shape: Shape) -> Iterable[Move]:
        """An item that has passed all stages goes to one of those who wait."""
        last = state.stages[-1]
        offers: list[tuple[Hashable, Stage]] = []
        if last.buffer:
            offers.append((last.buffer[0], evolve(last, buffer=last.buffer[1:])))
        elif not shape.buffer:
            ready = last.ready(shape)
            offers += [(last.hands[place].result[0], last.without(place)) for place in ready]
        for item, rest in offers:
            freed = state.with_stage(len(state.stages) - 1, rest).flow(shape)
            for call in state.receivers:
                others = tuple(other for other in state.receivers if other != call)
                taken = put(evolve(freed, receivers=others), call, returned((item,)))
                yield Move(taken, ("PL-01", "PL-02") if self._keeps_order else ("PL-01",))

    def _flowed(self, state: State, relaxed: Collection[str]) -> Move:
        """What follows from an end, and whether back-pressure holds the source up now."""
        after = state.flow(self._shape_for(relaxed))
        if state.stopped:  # by a relaxation the stages go on
            return Move(release(after))
        return Move(after, ("PL-03",) if len(after.fed) > self._shape.ahead else ())

    def _shape_for(self, relaxed: Collection[str]) -> Shape:
        return evolve(self._shape, ordered=False) if REORDERED in relaxed else self._shape

    def _stop(
        self, state: State, call: int, operation: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        """``cancel`` returns at once, ``close`` when nothing runs any more."""
        tags = ["PL-05" if operation == "cancel" else "PL-06", "PL-08"]
        if operation == "cancel" and (state.running or state.waiters):
            tags.append("UN-02")
        if state.running or state.fed:
            tags.append("PL-10")
        if state.stopped:
            tags = ["UN-07"]
            if STOPPED_AGAIN in relaxed:
                yield Move(put(state, call, ANY), (), STOPPED_AGAIN)
        stopped = evolve(state, stopped=True)
        if operation == "close":
            closing = put(evolve(stopped, closers=ordered(state.closers, call)), call, BLOCKED)
        else:
            closing = put(stopped, call, returned())
        yield Move(release(self._halt(closing)), tuple(tags))
        for signature, wanted in ((CANCEL_LEAKS, "cancel"), (CLOSE_LEAKS, "close")):
            if signature in relaxed and operation == wanted:
                # A close that leaks may return at once.
                open_end = put(closing, call, ANY) if wanted == "close" else closing
                yield from self._leak(open_end, signature)
        if CANCEL_WAITS in relaxed and operation == "cancel":
            waits = put(evolve(stopped, closers=ordered(state.closers, call)), call, BLOCKED)
            yield Move(release(self._halt(waits)), (), CANCEL_WAITS)
        if DELIVERED_ON in relaxed:
            last = state.stages[-1]
            held = (result for work in last.hands for result in work.result)
            delivers = evolve(release(self._halt(closing)), left=(*last.buffer, *held))
            yield Move(delivers, (), DELIVERED_ON)
        if CALLED_ON in relaxed:
            goes_on = evolve(closing, exhausted=True, fed=(), slack="works_on")
            yield Move(release(goes_on), (), CALLED_ON)

    def _fail(self, state: State, failure: Outcome, relaxed: Collection[str]) -> Iterable[Move]:
        failed = put(evolve(state, failure=failure, receivers=()), state.receivers, failure)
        tags = ("PL-07", "PL-08", "UN-05", *(("PL-09",) if state.waiters else ()))
        yield Move(release(self._halt(evolve(failed, failing=()))), tags)
        if FAILURE_LEAKS in relaxed:
            yield from self._leak(failed, FAILURE_LEAKS)

    def _follow_stopped(self, state: State) -> Iterable[Move]:
        """Errors that come late are noticed, and whoever receives leaves, one after the other."""
        for failure in state.failing:
            told = evolve(state, failure=state.failure or failure, failing=())
            for after in released(told):
                yield Move(after, ("UN-05",))
        for call in state.receivers:
            others = tuple(other for other in state.receivers if other != call)
            yield Move(put(evolve(state, receivers=others), call, state.failure or END))

    def _halt(self, state: State) -> State:
        """Everything stops; what was on its way is dropped."""
        state = evolve(state, fed=(), exhausted=True, stages=(Stage(),) * len(FUNCTIONS))
        for execution in state.active:
            if self._interrupts or execution.index < 0:
                state = drop(state, execution)
        return state

    def _leak(self, state: State, signature: str) -> Iterable[Move]:
        """Some of what runs goes on, and who waits for its end may do so for ever."""
        halted = evolve(self._halt(state), slack="leaks")
        running = state.running
        for count in range(len(running) + 1):
            for kept in combinations(running, count):
                executions = [*halted.executions]
                for execution in kept:
                    place = [e.index for e in executions].index(execution.index)
                    executions[place] = execution
                for after in released(evolve(halted, executions=tuple(executions))):
                    yield Move(after, (), signature)


def ordered(calls: tuple[int, ...], call: int) -> tuple[int, ...]:
    """The calls with one more."""
    return tuple(sorted((*calls, call)))


def named(execution: Execution) -> tuple[str, Hashable]:
    """The user function of an execution, and the item that it works on."""
    leader = execution.leader
    assert isinstance(leader, tuple)  # the pattern has no functions of calls
    return leader[0], leader[1]


def answer(state: State, number: int, place: int, result: Hashable) -> State:
    """The state in which a worker's function has returned."""
    stage = state.stages[number]
    done = evolve(stage.hands[place], result=(result,))
    hands = (*stage.hands[:place], done, *stage.hands[place + 1 :])
    return state.with_stage(number, evolve(stage, hands=hands))


def release(state: State) -> State:
    """Once all has stopped and nothing runs any more, whoever waits for that goes."""
    if state.active or state.failing:
        return state
    told = returned() if state.failure is None else state.failure
    answered = put(put(state, state.waiters, told), state.closers, returned())
    return evolve(answered, waiters=(), closers=())


def released(state: State) -> tuple[State, ...]:
    """``release``, and where a relaxation allows it the state as it is."""
    return (release(state), state) if state.slack == "leaks" else (release(state),)
