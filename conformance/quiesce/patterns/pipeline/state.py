"""The state of a pipeline: what the feeder, the workers and the buffers hold.

What moves by itself, and can move in one way only, is moved at once by ``flow``: an order
among such moves would not be seen. What leaves a choice is up to the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from quiesce.model import evolve
from quiesce.patterns.calls import Calls, Outcome, start

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["FUNCTIONS", "SOURCE", "Shape", "Stage", "State", "Work"]

SOURCE = "source"
FUNCTIONS = ("first", "second")


@attrs.frozen
class Shape:
    """How large the pipeline is."""

    workers: int  # of each stage
    buffer: int  # behind each stage
    ahead: int  # items that may wait in front of the first stage, besides the feeder's
    ordered: bool


@attrs.frozen
class Work:
    """An item that a worker has taken, and what became of it."""

    item: Hashable
    result: tuple[Hashable, ...] = ()  # empty as long as the function runs


@attrs.frozen
class Stage:
    """The workers' hands, in the order in which they took items, and the buffer behind them."""

    hands: tuple[Work, ...] = ()
    buffer: tuple[Hashable, ...] = ()

    def ready(self, shape: Shape) -> tuple[int, ...]:
        """Which hands hold a result that may go next."""
        done = tuple(place for place, work in enumerate(self.hands) if work.result)
        if shape.ordered or shape.workers == 1:
            return done[:1] if done[:1] == (0,) else ()
        return done

    def without(self, place: int) -> Stage:
        """The stage with one worker free again."""
        return evolve(self, hands=self.hands[:place] + self.hands[place + 1 :])


@attrs.frozen
class State(Calls):
    """One pipeline of two stages."""

    fed: tuple[Hashable, ...] = ()  # items in front of the first stage
    exhausted: bool = False  # the source is not pulled any more
    stages: tuple[Stage, ...] = (Stage(),) * len(FUNCTIONS)
    receivers: tuple[int, ...] = ()
    waiters: tuple[int, ...] = ()
    closers: tuple[int, ...] = ()
    failing: tuple[Outcome, ...] = ()  # raised, and not yet noticed
    failure: Outcome | None = None
    stopped: bool = False
    # Of relaxations: "leaks" (waiting may never end), "works_on" (stages go on although all is
    # stopped), "hangs" (the end never comes), and items that can still be received.
    slack: str = ""
    left: tuple[Hashable, ...] = ()

    @property
    def has_ended(self) -> bool:
        """Whether all stages have ended, though items may wait behind the last."""
        *before, last = self.stages
        busy = self.fed or last.hands or any(s.hands or s.buffer for s in before) or self.failing
        return self.exhausted and not busy and self.slack != "hangs"

    @property
    def is_over(self) -> bool:
        """Whether the end has reached whoever receives."""
        return self.has_ended and not self.stages[-1].buffer

    def with_stage(self, number: int, stage: Stage) -> State:
        """The state with one stage changed."""
        stages = tuple(stage if i == number else s for i, s in enumerate(self.stages))
        return evolve(self, stages=stages)

    def is_free(self, number: int, shape: Shape) -> bool:
        """Whether a stage exists and has a worker without an item."""
        return number < len(self.stages) and len(self.stages[number].hands) < shape.workers

    def work(self, number: int, item: Hashable) -> State:
        """A stage's worker takes an item, and is about to call its function."""
        stage = self.stages[number]
        taken = evolve(stage, hands=(*stage.hands, Work(item)))
        return start(self.with_stage(number, taken), (FUNCTIONS[number], item, None))

    def push(self, number: int, place: int, shape: Shape) -> State | None:
        """A worker lets go of its result; None if there is no room."""
        stage = self.stages[number]
        (result,) = stage.hands[place].result
        freed = stage.without(place)
        if len(stage.buffer) < shape.buffer:
            return self.with_stage(number, evolve(freed, buffer=(*stage.buffer, result)))
        if not shape.buffer and self.is_free(number + 1, shape):
            return self.with_stage(number, freed).work(number + 1, result)
        return None

    def flow(self, shape: Shape) -> State:
        """The state after all moves that leave no choice."""
        state: State | None = self
        while state is not None:
            settled, state = state, state._step(shape)
        return settled

    def _step(self, shape: Shape) -> State | None:
        for number in reversed(range(len(self.stages))):
            stage = self.stages[number]
            ready = stage.ready(shape)
            if len(ready) == 1 and (pushed := self.push(number, ready[0], shape)) is not None:
                return pushed
            if stage.buffer and self.is_free(number + 1, shape):
                rest = self.with_stage(number, evolve(stage, buffer=stage.buffer[1:]))
                return rest.work(number + 1, stage.buffer[0])
        if self.fed and self.is_free(0, shape):
            return evolve(self, fed=self.fed[1:]).work(0, self.fed[0])
        if not self.exhausted and len(self.fed) <= shape.ahead and not self._is_pulling():
            return start(self, (SOURCE, None, None))
        return None

    def _is_pulling(self) -> bool:
        return any(isinstance(e.leader, tuple) and e.leader[0] == SOURCE for e in self.active)
