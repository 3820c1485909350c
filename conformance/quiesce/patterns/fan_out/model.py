"""The model of fan-out: each call is a job with its own inputs and functions.

Inputs are taken in order; taken functions start in any order, as a worker that has taken an
input may be overtaken before it calls the function. What decides a job (a failure, or the
first success) is noticed by an internal move: a slot that is free meanwhile may take one
more input. From then on no function starts, and those that run are cancelled, except in
threads, where they are waited for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
from quiesce.patterns.universal import ALIEN_CANCEL, internal_error, nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from quiesce.adapters import Adapter
    from quiesce.stimuli import Began, Part

__all__ = ["FanOut"]

GOES_ON = "FO-03 inputs are taken although a failure was noticed"

RELAXATIONS = {GOES_ON: GOES_ON[:5]}

ATTEMPT, FUNCTION = "attempt", "function"

NOT_ENDED = ("not ended",)


@attrs.frozen
class Job:
    """One call, its inputs and what has become of them."""

    call: int
    function: str  # FUNCTION: all results are wanted; ATTEMPT: the first one
    limit: int
    ends: tuple[Outcome, ...]  # by input
    taken: int = 0
    failures: tuple[tuple[str, int], ...] = ()  # in the order of time
    winner: Outcome | None = None  # of ATTEMPT
    settled: bool = False  # what still runs can't change the outcome


@attrs.frozen
class State(Calls):
    """The jobs under way, by call."""

    jobs: tuple[Job, ...] = ()
    latest: int = -1  # the last call that began since the last barrier

    def job(self, call: int) -> Job | None:
        """The job of a call, None once it has ended."""
        return next((job for job in self.jobs if job.call == call), None)

    def active_of(self, job: Job) -> tuple[Execution, ...]:
        """The job's executions that run, or are about to."""
        return tuple(e for e in self.active if call_of(e) == job.call)


class FanOut(CallsModel):
    """The model of one subject, whose calls know nothing of each other."""

    relaxations: Mapping[str, str] = RELAXATIONS
    value = "FO-01 the call ends with something else than the results"

    def __init__(self, adapter: Adapter) -> None:
        self._interrupts = adapter.world != "threads"
        self._limits = "limit" not in adapter.lacks
        self._errors = adapter.dialect.get("errors", "first")
        self._stops = adapter.dialect.get("on_failure", "cancel_rest") == "cancel_rest"

    def initial(self, part: Part) -> State:
        return State()

    def begin(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        if fact.call < state.latest:
            return  # calls know nothing of each other: one order of their beginnings will do
        state = evolve(state, latest=fact.call)
        inputs = len(fact.argument("items"))
        if not inputs:
            yield Move(put(state, fact.call, returned(())), ("FO-06",))
            return
        limited = fact.operation == "map_concurrent" and self._limits
        limit = min(inputs, fact.argument("limit")) if limited else inputs
        function = FUNCTION if fact.operation == "map_concurrent" else ATTEMPT
        job = Job(fact.call, function, limit, (NOT_ENDED,) * inputs)
        state = put(evolve(state, jobs=(*state.jobs, job)), fact.call, BLOCKED)
        for _ in range(limit):
            state = take(state, fact.call)
        yield Move(state, ("FO-05",) if limit < inputs else ())

    def ended(
        self, state: State, execution: Execution, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        job = state.job(call_of(execution))
        if job is None:
            yield Move(state)
            return
        tags = ("FO-04",) if state.active_of(job) else ()
        if outcome in ("value", "none"):
            end = returned(("value", execution.index) if outcome == "value" else None)
        else:
            end = raised(outcome, execution.index)
            job = evolve(job, failures=(*job.failures, (outcome, execution.index)))
        if job.function == ATTEMPT and end[0] == "returned" and job.winner is None:
            job = evolve(job, winner=end)
        ends = tuple(end if i == input_of(execution) else e for i, e in enumerate(job.ends))
        state = change(state, evolve(job, ends=ends))
        if not (job.failures and self._stops) and job.taken < len(job.ends):
            state, tags = take(state, job.call), (*tags, "FO-05")
        yield Move(state, tags)

    def follow(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        for job in state.jobs:
            active = state.active_of(job)
            more = job.taken < len(job.ends)
            if not job.settled and self._is_decided(job):
                after = change(state, evolve(job, settled=True))
                for execution in active:
                    if self._interrupts or execution.index < 0:
                        after = drop(after, execution)
                yield Move(after, ("FO-12",) if job.function == ATTEMPT else ("FO-03",))
            if job.failures and self._stops and more and len(active) < job.limit:
                if not job.settled:
                    yield Move(take(state, job.call))
                elif GOES_ON in relaxed:
                    yield Move(take(state, job.call), (), GOES_ON)
            if not active and (job.settled or not more):
                jobs = tuple(other for other in state.jobs if other is not job)
                outcome, tags = self._outcome(job)
                yield Move(put(evolve(state, jobs=jobs), job.call, outcome), tags)

    def cancel(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        job = state.job(call)
        assert job is not None  # the call is blocked
        after = evolve(state, jobs=tuple(other for other in state.jobs if other is not job))
        for execution in state.active_of(job):
            after = drop(after, execution)
        yield Move(put(after, call, CANCELLED), ("FO-04",))
        if job.failures:  # it came first, so it may also be what the call ends with
            yield Move(put(after, call, self._outcome(job)[0]), ("FO-04",))

    def seal(self, state: State) -> State:
        sealed: State = super().seal(state)
        return evolve(sealed, latest=-1)

    def blame(self, expected: Sequence[View], seen: View) -> str:
        if not expected:  # too many orders of starts to tell what would have been right
            return by_look(seen)
        allowed = nearest(expected, seen)
        racing = {
            leader[2]
            for view in (allowed, seen)
            for _, leader, _ in view.executions
            if isinstance(leader, tuple) and leader[0] == ATTEMPT
        }
        leaders = [leader for _, leader, _ in seen.executions]
        if len(set(leaders)) < len(leaders):
            return "FO-02 an input's function is called twice"
        if len(leaders) > len(allowed.executions):
            return "FO-05 more functions run than the limit allows"
        if len(leaders) == len(allowed.executions) and {*leaders} != {
            leader for _, leader, _ in allowed.executions
        }:
            return "FO-05 inputs are not taken in order"
        wanted = dict(allowed.calls)
        for call, outcome in seen.calls:
            if outcome != wanted.get(call):
                return wrong(wanted.get(call, BLOCKED), outcome, racing=call in racing)
        return stragglers(allowed, seen, racing)

    def _is_decided(self, job: Job) -> bool:
        if job.function == ATTEMPT:
            return job.winner is not None
        if not job.failures or not self._stops:
            return False
        if self._errors != "by_input":
            return True
        # The caller looks at one result after another, so it sees the failure in its turn.
        first = next(end for end in job.ends if end[0] != "returned")
        return bool(first[0] == "raised")

    def _outcome(self, job: Job) -> tuple[Outcome, tuple[str, ...]]:
        if job.winner is not None:
            return job.winner, ("FO-12",)
        if job.failures:
            if job.function == ATTEMPT or self._errors == "all":
                group = ("raised", ("group", tuple(sorted(job.failures, key=repr))))
                return group, ("FO-12" if job.function == ATTEMPT else "FO-03", "UN-05")
            if self._errors == "by_input":
                return next(end for end in job.ends if end[0] == "raised"), ("FO-03", "UN-05")
            return raised(*job.failures[0]), ("FO-03", "UN-05")
        results = tuple(end[1] for end in job.ends)
        return returned(results), ("FO-01", "FO-02") if len(results) > 1 else ()


def call_of(execution: Execution) -> int:
    """The call whose function runs."""
    _, _, call = _leader(execution)
    return call


def input_of(execution: Execution) -> int:
    """The input that the function was called with; it is its own position."""
    _, item, _ = _leader(execution)
    return item


def _leader(execution: Execution) -> tuple[str, int, int]:
    leader: Any = execution.leader
    name, item, call = leader
    return name, item, call


def change(state: State, job: Job) -> State:
    """The state with one job changed."""
    return evolve(state, jobs=tuple(job if j.call == job.call else j for j in state.jobs))


def take(state: State, call: int) -> State:
    """The state in which a job's next input is taken, and its function about to start."""
    job = state.job(call)
    assert job is not None  # who takes is under way
    state = change(state, evolve(job, taken=job.taken + 1))
    return start(state, (job.function, job.taken, call))


def wrong(wanted: Outcome, outcome: Outcome, *, racing: bool) -> str:
    """The signature of a call that ended otherwise than it should."""
    if outcome == ALIEN_CANCEL:
        return "UN-04 a cancellation reaches a call that was not cancelled"
    if (signature := internal_error(outcome)) is not None:
        return signature
    if racing:
        return "FO-12 the first success is not what the call ends with"
    if outcome == BLOCKED:
        if wanted == returned(()):
            return "FO-06 a call without inputs does not return at once"
        return "UN-03 a caller is never woken"
    if wanted == BLOCKED:
        return "FO-04 the call ends before its functions have ended"
    if wanted[0] == "raised":
        return "FO-03 after a failure the call ends with something else than the error"
    if outcome[0] == "returned" and isinstance(outcome[1], tuple) and isinstance(wanted[1], tuple):
        if sorted(map(repr, outcome[1])) == sorted(map(repr, wanted[1])):
            return "FO-01 results are not in the order of the inputs"
        return "FO-02 a result slot holds what its own function did not return"
    return FanOut.value


def by_look(seen: View) -> str:
    """The signature of what breaks a clause on the face of it."""
    leaders = [leader for _, leader, _ in seen.executions if isinstance(leader, tuple)]
    if len(set(leaders)) < len(leaders):
        return "FO-02 an input's function is called twice"
    calls = dict(seen.calls)
    for _, leader, phase in seen.executions:
        if not isinstance(leader, tuple) or calls.get(leader[2], BLOCKED) == BLOCKED:
            continue
        if phase == "running":
            return (
                "FO-12 a loser is not cancelled"
                if leader[0] == ATTEMPT
                else "FO-04 the call ends before its functions have ended"
            )
    stopped = [leader for _, leader, phase in seen.executions if phase != "running"]
    if any(isinstance(leader, tuple) and leader[0] == ATTEMPT for leader in stopped):
        return "FO-12 the first success is not what the call ends with"
    return "FO-05 more functions run than the limit allows"


def stragglers(allowed: View, seen: View, racing: Collection[int]) -> str:
    """The signature of functions that stand otherwise than they should."""
    phases = {index: phase for index, _, phase in allowed.executions}
    calls = dict(seen.calls)
    for index, leader, phase in seen.executions:
        if phase != "running" or phases.get(index) == "running":
            continue
        assert isinstance(leader, tuple)  # the pattern has no other functions
        call = leader[2]
        if call in racing:
            return "FO-12 a loser is not cancelled"
        if calls.get(call, BLOCKED) == BLOCKED:
            return "FO-03 the rest is not cancelled after a failure"
        return "FO-04 functions go on after the call has ended"
    return "UN-03 a user function does not run"
