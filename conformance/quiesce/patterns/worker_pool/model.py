"""The model of a worker pool, and its relaxations.

Submitters are let in, workers take jobs and told jobs end by internal moves of their own.
Where the order shows nothing (refusing several blocked submitters) one order stands for all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from quiesce.model import BLOCKED, Move, View, evolve
from quiesce.patterns.calls import (
    CANCELLED,
    REFUSED,
    CallsModel,
    Execution,
    Outcome,
    drop,
    put,
    raised,
    returned,
    start,
)
from quiesce.patterns.worker_pool.look import blame
from quiesce.patterns.worker_pool.state import (
    ACCEPTED,
    BUILT,
    CANCELLED_POOL,
    CLOSED,
    CLOSED_POOL,
    JOINED,
    OPEN,
    STOPPED,
    TAKEN,
    State,
    report,
    without,
)
from quiesce.stimuli import Began, Cancelled

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from quiesce.adapters import Adapter
    from quiesce.stimuli import Fact, Part

__all__ = ["WorkerPool"]

FATAL: Final = ("panic", "exit")

CANCELLED_RUNS: Final = "WP-15 a job that was cancelled while it was queued runs"
STARTS_AFTER_CANCEL: Final = "WP-09 a job starts after the pool was cancelled"
ACCEPTED_AFTER_CANCEL: Final = "WP-09 a job is accepted after the pool was cancelled"
STUCK_AFTER_CANCEL: Final = "WP-09 a submitter hangs when the pool is cancelled"
FAILURE_IGNORED: Final = "WP-10 a failing job does not cancel the rest"
WORKER_LOST: Final = "WP-10 a worker is lost with a failing job"
WORKER_BLOWN: Final = "WP-16 a worker is lost with a job that blows up"
LOST_AT_CLOSE: Final = "WP-08 a queued job is lost at the close"
STUCK_AT_CLOSE: Final = "WP-08 a submitter hangs when the pool is closed"
ACCEPTED_LATE: Final = "WP-08 a job is accepted after the close"
REFUSED_INSIDE: Final = "WP-14 a job cannot submit to its own pool"
GHOST: Final = "UN-04 the job of a cancelled submitter runs"


class WorkerPool(CallsModel):
    """One pool.

    Args:
      adapter: its dialects ``fifo``, ``on_failure`` and ``cancel_running`` count.
      given: ``workers`` and ``queue``, the places for accepted jobs that wait; None is no bound.
    """

    relaxations: Mapping[str, str] = {
        signature: signature[:5]
        for signature in (
            FAILURE_IGNORED,
            CANCELLED_RUNS,
            STARTS_AFTER_CANCEL,
            STUCK_AFTER_CANCEL,
            ACCEPTED_AFTER_CANCEL,
            WORKER_LOST,
            WORKER_BLOWN,
            LOST_AT_CLOSE,
            STUCK_AT_CLOSE,
            ACCEPTED_LATE,
            REFUSED_INSIDE,
            GHOST,
        )
    }
    value: ClassVar[str] = "WP-04 a job has another job's outcome"

    def __init__(self, adapter: Adapter, given: Mapping[str, Any]) -> None:
        self._workers: int = given["workers"]
        self._queue: int | None = given["queue"]
        self._fifo = adapter.dialect.get("fifo", "yes") == "yes"
        self._cancels_rest = adapter.dialect.get("on_failure") == "cancel_rest"
        self._interrupts = adapter.dialect.get("cancel_running", "runs_on") == "interrupted"

    def initial(self, part: Part) -> State:
        return State()

    def apply(self, state: State, fact: Fact, relaxed: Collection[str]) -> Iterable[Move]:
        if isinstance(fact, Cancelled) and state.of(fact.call) == ACCEPTED:
            yield Move(state)  # its job is inside, and nobody takes it out again
            return
        yield from super().apply(state, fact, relaxed)

    def begin(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call = fact.call
        match fact.operation:
            case "submit":
                yield from self._submit(state, fact, relaxed)
            case "try_submit":
                yield from self._try_submit(state, call, relaxed)
            case "result":
                job = fact.argument("of")
                outcome = state.outcome_of(job)
                if outcome is None:
                    readers = tuple(sorted((*state.readers, (call, job))))
                    yield Move(evolve(put(state, call, BLOCKED), readers=readers))
                else:
                    yield Move(put(state, call, outcome), ("WP-04",))
            case "cancel_job":
                yield from self._cancel_job(state, call, fact.argument("of"), relaxed)
            case "close":
                yield from self._close(put(state, call, CLOSED_POOL), relaxed)
            case "join":
                joiners = tuple(sorted((*state.joiners, call)))
                joining = evolve(put(state, call, BLOCKED), joiners=joiners)
                yield from self._close(joining, relaxed)
            case "cancel":
                yield from self._cancel_pool(put(state, call, CANCELLED_POOL), relaxed)
            case "build":
                refused = fact.argument("workers") < 1
                yield Move(put(state, call, REFUSED if refused else BUILT), ("WP-13",))

    def _submit(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call = fact.call
        if REFUSED_INSIDE in relaxed and fact.inside is not None:
            yield Move(put(state, call, REFUSED), (), REFUSED_INSIDE)
        hangs = {CLOSED: STUCK_AT_CLOSE, STOPPED: STUCK_AFTER_CANCEL}.get(state.phase)
        if hangs in relaxed:
            yield Move(put(state, call, BLOCKED), (), hangs)
        inside = () if fact.inside is None else ("WP-14", "UN-08")
        if not is_open(state, relaxed):
            yield Move(put(state, call, REFUSED), (CLAUSE[state.phase],))
        elif self._has_room(state) and not (self._fifo and state.waiting):
            yield Move(accept(state, call, ACCEPTED), (*inside, *self._must_wait(state)))
        else:
            waiting = (*state.waiting, call)
            if not self._fifo:  # any of them may be let in: their order is no matter
                waiting = tuple(sorted(waiting))
            yield Move(
                evolve(put(state, call, BLOCKED), waiting=waiting),
                (*inside, "WP-06", *self._must_wait(state)),
            )

    def _try_submit(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        refused = put(state, call, REFUSED)
        if not is_open(state, relaxed):
            yield Move(refused, (CLAUSE[state.phase],))
            return
        if not self._has_room(state):
            yield Move(refused, ("WP-06",))
            return
        if not (self._fifo and state.waiting):
            yield Move(accept(state, call, TAKEN), ("WP-06", *self._must_wait(state)))
        if state.waiting or (self._queue and len(state.queue) >= self._queue):
            yield Move(refused)  # room for one who waits, or that a worker is about to make

    def _cancel_job(
        self, state: State, call: int, job: int, relaxed: Collection[str]
    ) -> Iterable[Move]:
        yes, no = put(state, call, returned(True)), put(state, call, returned(False))
        if job in state.queue:
            if CANCELLED_RUNS in relaxed:
                yield Move(yes, (), CANCELLED_RUNS)
            yield Move(report(evolve(yes, queue=without(state.queue, job)), (job,)), ("WP-15",))
        elif any(execution.leader == job for execution in state.active):
            if self._interrupts:
                yield Move(evolve(yes, told=tuple(sorted({*state.told, job}))), ("WP-15",))
            else:
                yield Move(no, ("WP-15",))
        else:
            yield Move(yes if state.outcome_of(job) == REFUSED else no, ("WP-15",))

    def _close(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        if state.phase != OPEN:
            yield Move(state, ("UN-07",))
            return
        if LOST_AT_CLOSE in relaxed and state.queue:
            yield Move(evolve(state, phase=CLOSED, queue=()), (), LOST_AT_CLOSE)
        if STUCK_AT_CLOSE in relaxed and state.waiting:
            yield Move(evolve(state, phase=CLOSED, waiting=()), (), STUCK_AT_CLOSE)
        tags = ("WP-08",) if state.queue or state.waiting else ()
        yield Move(evolve(state, phase=CLOSED), ("UN-02", *tags))

    def _cancel_pool(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        told = state.told
        if self._interrupts:
            told = tuple(sorted(execution.leader for execution in state.active))
        stopping = evolve(state, phase=STOPPED, told=told)
        if STARTS_AFTER_CANCEL in relaxed and state.queue:
            yield Move(evolve(stopping, phase=CLOSED), (), STARTS_AFTER_CANCEL)
        if STUCK_AFTER_CANCEL in relaxed and state.waiting:
            yield Move(evolve(stopping, waiting=()), (), STUCK_AFTER_CANCEL)
        if self._interrupts:  # one task does it all, and no worker comes between
            stopping = report(evolve(stopping, queue=()), state.queue)
        yield Move(stopping, ("UN-07",) if state.phase == STOPPED else ("WP-09",))

    def ended(
        self, state: State, execution: Execution, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        job: Any = execution.leader
        tags = ["WP-03"]
        match outcome:
            case "value":
                found = returned(("value", execution.index))
            case "none":
                found = returned()
            case _:
                found = raised(outcome, execution.index)
                tags += ["WP-16" if outcome in FATAL else "WP-10", "UN-05"]
        done = report(state, (job,), found)
        if any(entry[1] == job for entry in state.readers):
            tags.append("WP-04")
        if self._cancels_rest and outcome not in ("value", "none"):
            yield from self._fail(done, found, tuple(tags), relaxed)
            return
        signature = {"error": WORKER_LOST, "panic": WORKER_BLOWN, "exit": WORKER_BLOWN}
        if signature.get(outcome) in relaxed:
            yield Move(evolve(done, lost=state.lost + 1), (), signature[outcome])
        yield Move(done, tuple(tags))

    def _fail(
        self, state: State, error: Outcome, tags: tuple[str, ...], relaxed: Collection[str]
    ) -> Iterable[Move]:
        """A job has failed, and takes the rest along."""
        failed = state if state.failure is not None else evolve(state, failure=error)
        if FAILURE_IGNORED in relaxed:
            yield Move(failed, (), FAILURE_IGNORED)
        for move in self._cancel_pool(failed, relaxed):
            yield evolve(move, clauses=tags)

    def cancel(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        if GHOST in relaxed and call in state.waiting:
            ghost = evolve(put(state, call, CANCELLED), waiting=without(state.waiting, call))
            yield Move(evolve(ghost, queue=(*state.queue, call)), (), GHOST)
        gone = evolve(
            state,
            waiting=without(state.waiting, call),
            granted=without(state.granted, call),
            readers=tuple(entry for entry in state.readers if entry[0] != call),
            joiners=without(state.joiners, call),
        )
        yield Move(put(gone, call, CANCELLED))

    def follow(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        if state.queue and len(state.active) < self._workers - state.lost:
            tags = ("WP-02", "WP-05") if self._workers == 1 else ("WP-02",)
            yield Move(start(evolve(state, queue=state.queue[1:]), state.queue[0]), tags)
        if state.queue and state.phase == STOPPED:  # meanwhile a worker may take one
            yield Move(report(evolve(state, queue=state.queue[1:]), state.queue[:1]), ("WP-09",))
        yield from self._let_in(state, relaxed)
        for job in state.told[:1]:
            execution = next((e for e in state.active if e.leader == job), None)
            if execution is not None:
                clause = "WP-09" if state.phase == STOPPED else "WP-15"
                yield Move(report(drop(state, execution), (job,)), (clause,))
        if state.joiners and state.idle:
            tags = ("WP-11",) if state.failure is None else ("WP-10", "WP-11")
            told = put(state, state.joiners, state.failure or JOINED)
            yield Move(evolve(told, joiners=()), tags)

    def _let_in(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        """Blocked submitters are let in, or turned away."""
        if not is_open(state, relaxed):
            for call in (*state.granted, *state.waiting)[:1]:
                rest = without(state.granted, call), without(state.waiting, call)
                refused = evolve(put(state, call, REFUSED), granted=rest[0], waiting=rest[1])
                yield Move(refused, (CLAUSE[state.phase],))
            return
        for call in state.granted:
            inner = evolve(state, granted=without(state.granted, call))
            yield Move(accept(inner, call, ACCEPTED), ("WP-06",))
        if state.waiting and self._has_room(state):
            for call in state.waiting[:1] if self._fifo else state.waiting:
                inner = evolve(state, waiting=without(state.waiting, call))
                if self._fifo:
                    granted = tuple(sorted((*state.granted, call)))
                    yield Move(evolve(inner, granted=granted), ("WP-05",))
                else:
                    yield Move(accept(inner, call, ACCEPTED), ("WP-06",))

    def _has_room(self, state: State) -> bool:
        return self._queue is None or state.inside < self._workers + self._queue

    def _must_wait(self, state: State) -> tuple[str, ...]:
        """The clause that speaks where all workers are busy."""
        return ("WP-01",) if len(state.active) >= self._workers else ()

    def blame(self, expected: Sequence[View], seen: View) -> str:
        return blame(expected, seen, self._workers)


#: Which clause turns submitters away.
CLAUSE: Final = {CLOSED: "WP-08", STOPPED: "WP-09"}


def is_open(state: State, relaxed: Collection[str]) -> bool:
    """Whether jobs are accepted."""
    late = {CLOSED: ACCEPTED_LATE, STOPPED: ACCEPTED_AFTER_CANCEL}.get(state.phase)
    return late is None or late in relaxed


def accept(state: State, call: int, outcome: tuple[Any, ...]) -> State:
    """The state in which a submitter's job is inside, and he knows."""
    return evolve(put(state, call, outcome), queue=(*state.queue, call))
