"""The model of one stream: a source that is pulled, jobs, and outcomes that are taken.

The pull, the start of a job and the hand-over of an outcome are moves of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import attrs

from quiesce.model import BLOCKED, Move, View, evolve
from quiesce.patterns.calls import (
    CANCELLED,
    Calls,
    CallsModel,
    Execution,
    Outcome,
    drop,
    put,
    raised,
    returned,
    start,
)
from quiesce.patterns.stream_pool.look import END, STOPPED, blame
from quiesce.patterns.worker_pool.state import without

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from quiesce.adapters import Adapter
    from quiesce.stimuli import Began, Part

__all__ = ["State", "Stream"]

SOURCE: Final = ("source", None, None)

QUEUED, TAKEN, DONE = "queued", "taken", "done"

WORKS_ON: Final = "WP-12 the stream works on after it was stopped"
LOST_WITH_CONSUMER: Final = "UN-04 an outcome is lost with a cancelled consumer"


@attrs.frozen
class Item:
    """What the source gave in its pull of that number, until its outcome is taken."""

    pull: int
    phase: str = QUEUED
    outcome: Outcome = ()
    rank: int = 0  # DONE: how many were done before it


@attrs.frozen
class State(Calls):
    """A stream."""

    begun_pulling: bool = False
    pulling: bool = False
    stopped: bool = False
    exhausted: bool = False
    failure: Outcome | None = None  # the source's, until somebody has it
    items: tuple[Item, ...] = ()  # in the order of the source
    done: int = 0  # jobs that have ended
    consumers: tuple[int, ...] = ()  # blocked calls of next
    debt: int = 0  # outcomes that a relaxation is about to lose


class Stream(CallsModel):
    """One stream.

    Args:
      adapter: its dialect ``cancel_running`` counts.
      given: ``workers``, ``buffer`` and ``ordered``.
    """

    relaxations: Mapping[str, str] = {
        signature: signature[:5] for signature in (WORKS_ON, LOST_WITH_CONSUMER)
    }
    value: ClassVar[str] = "WP-18 another outcome than its item's"

    def __init__(self, adapter: Adapter, given: Mapping[str, Any]) -> None:
        self._workers: int = given["workers"]
        self._places: int = given["workers"] + given["buffer"]
        self._ordered: bool = given["ordered"]
        self._interrupts = adapter.dialect.get("cancel_running", "runs_on") == "interrupted"

    def initial(self, part: Part) -> State:
        return State()

    def begin(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call = fact.call
        if fact.operation == "stop":
            yield from self._stop(put(state, call, STOPPED), relaxed)
        elif state.stopped:
            yield Move(put(state, call, END), ("WP-12",))
        else:
            consumers = tuple(sorted((*state.consumers, call)))
            waits = evolve(put(state, call, BLOCKED), consumers=consumers)
            yield Move(evolve(waits, begun_pulling=True))

    def _stop(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        if state.stopped:
            yield Move(state, ("UN-07",))
            return
        over = evolve(put(state, state.consumers, END), consumers=(), stopped=True, failure=None)
        if WORKS_ON in relaxed:
            yield Move(over, (), WORKS_ON)
        running = tuple(item for item in state.items if item.phase == TAKEN)
        yield Move(evolve(over, items=running), ("WP-12",))

    def ended(
        self, state: State, execution: Execution, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        index = execution.index
        if execution.leader == SOURCE:
            resting = evolve(state, pulling=False)
            if outcome == "none":
                yield Move(evolve(resting, exhausted=True), ("WP-17",))
            elif outcome == "error":
                failure = None if state.stopped else raised("error", index)
                yield Move(evolve(resting, exhausted=True, failure=failure), ("WP-17", "UN-05"))
            elif state.stopped and WORKS_ON not in relaxed:
                yield Move(resting)
            else:
                yield Move(evolve(resting, items=(*state.items, Item(index))), ("WP-07",))
            return
        found = {
            "value": returned(("item", ("value", index))),
            "none": returned(("item", None)),
            "error": raised("error", index),
        }[outcome]
        tags = ("WP-18", "UN-05") if outcome == "error" else ("WP-18",)
        after = evolve(state, done=state.done + 1)
        items = tuple(
            Item(item.pull, DONE, found, after.done) if leader(item) == execution.leader else item
            for item in state.items
        )
        if state.stopped:  # nobody wants it
            items = tuple(item for item in items if item.phase != DONE)
        yield Move(evolve(after, items=items), tags)

    def cancel(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        gone = evolve(put(state, call, CANCELLED), consumers=without(state.consumers, call))
        yield Move(gone)
        if LOST_WITH_CONSUMER in relaxed:
            yield Move(evolve(gone, debt=state.debt + 1), (), LOST_WITH_CONSUMER)

    def follow(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        if state.stopped and WORKS_ON not in relaxed:
            yield from self._interrupt(state)
            return
        rests = state.begun_pulling and not (state.pulling or state.exhausted)
        if rests and len(state.items) < self._places:
            yield Move(start(evolve(state, pulling=True), SOURCE), ("WP-07",))
        taken = sum(item.phase == TAKEN for item in state.items)
        queued = [item for item in state.items if item.phase == QUEUED]
        if queued and taken < self._workers:
            first = queued[0]
            items = tuple(evolve(i, phase=TAKEN) if i is first else i for i in state.items)
            yield Move(start(evolve(state, items=items), leader(first)), ("WP-18",))
        yield from self._deliver(state)

    def _deliver(self, state: State) -> Iterable[Move]:
        """An outcome is taken, or the end is."""
        ready = [item for item in state.items if item.phase == DONE]
        if self._ordered:
            ready = [item for item in ready if item is state.items[0]]
        if ready and (state.consumers or state.debt):
            first = min(ready, key=lambda item: item.rank)
            rest = evolve(state, items=tuple(item for item in state.items if item is not first))
            if state.debt:
                yield Move(evolve(rest, debt=state.debt - 1), (), LOST_WITH_CONSUMER)
            for call in state.consumers:
                took = evolve(rest, consumers=without(state.consumers, call))
                yield Move(put(took, call, first.outcome), ("WP-18",))
        elif state.exhausted and not state.items and state.consumers:
            if state.failure is None:
                told = put(state, state.consumers, END)
                yield Move(evolve(told, consumers=()), ("WP-17",))
                return
            for call in state.consumers:
                told = put(state, call, state.failure)
                others = without(state.consumers, call)
                yield Move(evolve(told, failure=None, consumers=others), ("WP-17",))

    def _interrupt(self, state: State) -> Iterable[Move]:
        """What runs after the stop is interrupted, where it can be."""
        for execution in state.active[:1] if self._interrupts else ():
            rest = evolve(drop(state, execution), pulling=False)
            items = tuple(item for item in state.items if leader(item) != execution.leader)
            yield Move(evolve(rest, items=items), ("WP-12",))

    def blame(self, expected: Sequence[View], seen: View) -> str:
        return blame(expected, seen, self._workers)


def leader(item: Item) -> tuple[str, Any, None]:
    """The leader of the function's execution for an item."""
    return ("function", ("value", item.pull), None)
