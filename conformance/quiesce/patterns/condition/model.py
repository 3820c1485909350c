"""The model of a condition, and its relaxations.

Everybody who wants the lock is a contender, and any contender may get it once it is free: in
which order is the business of the lock. What a notification means is decided when it is made:
whom it wakes, that one contends for the lock from then on.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import attrs

from quiesce.model import ANY, BLOCKED, Move, View, evolve
from quiesce.patterns.calls import (
    CANCELLED,
    INTERRUPTED,
    REFUSED,
    RUNNING,
    Calls,
    CallsModel,
    Execution,
    drop,
    ordered,
    put,
    raised,
    returned,
    start,
)
from quiesce.worlds.world import START

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from quiesce.adapters import Adapter
    from quiesce.stimuli import Began, Part

__all__ = ["Condition"]

# Signatures of the relaxations, narrowest first. Each is this model with one clause dropped.
LOST_ON_CANCEL = "CO-02 a notification is lost with the cancelled waiter that it woke"
SPENT_ON_TIMED_OUT = "CO-02 a notification is spent on a waiter that had timed out"
REFUSED_COUNTS = "CO-04 a wait that was refused is woken in the place of another"
OTHER_ORDER = "CO-06 a waiter is woken before one that came first"
OTHER_NUMBER = "CO-02 another number of waiters is woken than asked for"
CANCEL_UNLOCKED = "CO-03 a cancelled wait ends without the lock"
TIMED_OUT_UNLOCKED = "CO-03 a wait that timed out ends without the lock"
KEEPS_LOCK = "CO-01 a wait does not give the lock up"
RETURNS_UNLOCKED = "CO-01 a wait returns without the lock"

# Signatures of mismatches by their look.
UNOWNED_ACCEPTED = "CO-04 somebody who does not hold the lock is not refused"

RELAXATIONS = {
    signature: signature[:5]
    for signature in (
        LOST_ON_CANCEL,
        SPENT_ON_TIMED_OUT,
        REFUSED_COUNTS,
        OTHER_ORDER,
        OTHER_NUMBER,
        CANCEL_UNLOCKED,
        TIMED_OUT_UNLOCKED,
        KEEPS_LOCK,
        RETURNS_UNLOCKED,
    )
}

#: ``n`` of a notify_all.
ALL: Final = 1_000

# What a contender wants the lock for.
ENTER, HOLD, NOTIFY = "enter", "hold", "notify"
RETURN = "return"  # it was notified, or timed out
LEAVE = "leave"  # it was cancelled
#: It was notified and cancelled since: it may still return, or leave and pass the notification on.
EITHER = "either"


@attrs.frozen
class Waiter:
    """A wait that gave the lock up, until ``deadline`` (nanoseconds) if it has one.

    Those of one ``age`` came in an order that nothing has told yet.
    """

    call: int
    age: int
    deadline: int | None = None
    is_ghost: bool = False  # a relaxation: its call is over


@attrs.frozen
class Contender:
    """A call that needs the lock to go on."""

    call: int
    purpose: str
    n: int = 0  # NOTIFY: how many to wake
    timeout: int | None = None  # ENTER: how long to wait, nanoseconds
    got: bool | None = None  # RETURN: whether it was notified, where the caller is told
    #: RETURN after a time-out: until it has the lock it may still be notified; LEAVE: it wakes
    #: another waiter, spuriously.
    may: bool = False


@attrs.frozen
class Holder:
    """The call that has the lock."""

    call: int
    got: bool | None = None


@attrs.frozen
class State(Calls):
    """One condition."""

    holder: Holder | None = None
    waiters: tuple[Waiter, ...] = ()  # by age, then by call
    age: int = 0  # of the next waiter
    contenders: tuple[Contender, ...] = ()  # by call
    now: int = START


class Condition(CallsModel):
    """A condition and its lock."""

    relaxations: Mapping[str, str] = RELAXATIONS
    extra = RETURNS_UNLOCKED
    value = "UN-05 a call gets something else than its function's outcome"

    def __init__(self, adapter: Adapter) -> None:
        self._fifo = adapter.dialect.get("fifo", "yes") == "yes"
        self._spurious = adapter.dialect.get("spurious_wakeup", "no") == "yes"
        self._owned = "ownership" not in adapter.lacks

    def initial(self, part: Part) -> State:
        return State()

    def begin(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call, given = fact.call, dict(fact.arguments)
        match fact.operation:
            case "wait_here":
                refused = put(state, call, REFUSED)
                yield Move(refused, ("CO-04",))
                if REFUSED_COUNTS in relaxed:
                    ghost = Waiter(call, state.age, is_ghost=True)
                    yield Move(wait(refused, ghost), (), REFUSED_COUNTS)
            case "notify_here":
                held = state.holder is not None
                # A function under another condition's lock (-1) holds nothing here.
                inside = fact.inside is not None and fact.inside >= 0
                if not inside and (self._owned or not held):
                    yield Move(put(state, call, REFUSED), ("CO-04",))
                else:
                    for move in self._notify(state, given["n"], relaxed):
                        tags = (*move.clauses, "CO-01") if state.waiters else move.clauses
                        yield Move(put(move.state, call, returned(None)), tags, move.relaxed)
                    if RETURNS_UNLOCKED in relaxed:
                        yield Move(put(state, call, ANY), (), RETURNS_UNLOCKED)
            case operation:
                purpose = {"wait": ENTER, "wait_within": ENTER, "hold": HOLD}.get(operation, NOTIFY)
                contender = Contender(
                    call, purpose, n=given.get("n", ALL), timeout=given.get("timeout")
                )
                blocked = put(state, call, BLOCKED)
                if state.holder is None:
                    yield from self._take(blocked, contender, relaxed)
                else:
                    yield Move(contend(blocked, contender))

    def ended(
        self, state: State, execution: Execution, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        holder, call = state.holder, execution.leader
        assert isinstance(call, int)  # work always comes with a call
        if holder is None or holder.call != call:  # it went on without the lock: a relaxation
            yield Move(put(state, call, ANY))
            return
        free = evolve(state, holder=None)
        if outcome == "error":
            yield Move(put(free, call, raised("error", execution.index)), ("UN-05",))
            return
        value = None if outcome == "none" else ("value", execution.index)
        yield Move(put(free, call, returned(value if holder.got is None else (holder.got, value))))

    def cancel(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        gone = put(state, call, CANCELLED)
        if state.holder is not None and state.holder.call == call:
            for execution in state.active:
                if execution.leader == call:
                    gone = drop(gone, execution)
            yield Move(evolve(gone, holder=None))
            return
        for contender in state.contenders:
            if contender.call == call and contender.purpose != RETURN:
                yield Move(withdraw(gone, contender))
            elif contender.call == call:
                either = evolve(contender, purpose=EITHER)
                yield Move(contend(withdraw(state, contender), either), ("CO-03",))
                yield from unlocked(withdraw(gone, contender), call, CANCEL_UNLOCKED, relaxed)
        for waiter in state.waiters:
            if waiter.call == call:
                left = evolve(state, waiters=without(state.waiters, call))
                yield Move(contend(left, Contender(call, LEAVE, may=self._spurious)), ("CO-03",))
                yield from unlocked(left, call, CANCEL_UNLOCKED, relaxed)

    def ticked(self, state: State, at: int, relaxed: Collection[str]) -> Iterable[Move]:
        after, tags = evolve(state, now=at), []
        for waiter in state.waiters:
            if waiter.deadline is not None and waiter.deadline <= at:
                after = evolve(after, waiters=without(after.waiters, waiter.call))
                after = contend(after, Contender(waiter.call, RETURN, got=False, may=True))
                tags = ["CO-03"]
        yield Move(after, tuple(tags))
        if TIMED_OUT_UNLOCKED in relaxed and tags:
            for contender in after.contenders:
                if contender.may:
                    after = start(withdraw(after, contender), contender.call)
            yield Move(after, (), TIMED_OUT_UNLOCKED)

    def follow(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        for contender in state.contenders:
            if state.holder is None:
                yield from self._take(withdraw(state, contender), contender, relaxed)
            elif contender.purpose == EITHER:
                # It leaves; when it passes the notification on is its own business.
                leaving = contend(withdraw(state, contender), Contender(contender.call, LEAVE))
                yield from self._notify(leaving, 1, relaxed)
            if contender.purpose == RETURN and RETURNS_UNLOCKED in relaxed:
                runs = begun(withdraw(state, contender), contender.call, RUNNING)
                yield Move(runs, (), RETURNS_UNLOCKED)

    def seal(self, state: State) -> Any:
        return self._aged(super().seal(state))

    def may_rest(self, state: State) -> bool:
        # What follows while the lock is held may as well follow later.
        return state.holder is not None and len(state.active) == len(state.running)

    def instants(self, state: State) -> Iterable[int]:
        return (waiter.deadline for waiter in state.waiters if waiter.deadline is not None)

    def blame(self, expected: Sequence[View], seen: View) -> str:
        allowed = dict(expected[0].calls) if expected else {}
        if any(allowed.get(call) == REFUSED != outcome for call, outcome in seen.calls):
            return UNOWNED_ACCEPTED
        return super().blame(expected, seen)

    # Inside.

    def _take(self, state: State, contender: Contender, relaxed: Collection[str]) -> Iterable[Move]:
        """The contender, who stands in ``contenders`` no more, gets the free lock."""
        call = contender.call
        given_up = ("CO-01",) if state.waiters else ()  # the waiters' lock
        match contender.purpose:
            case "enter":
                deadline = None if contender.timeout is None else state.now + contender.timeout
                yield Move(wait(state, Waiter(call, state.age, deadline)), given_up)
                if KEEPS_LOCK in relaxed:
                    yield Move(evolve(state, holder=Holder(call)), (), KEEPS_LOCK)
            case "notify":
                for move in self._notify(state, contender.n, relaxed):
                    done = put(move.state, call, returned(None))
                    yield Move(done, (*move.clauses, *given_up), move.relaxed)
            case "hold" | "return":
                # Nothing lies between having the lock and calling the function.
                holding = evolve(state, holder=Holder(call, contender.got))
                yield Move(begun(holding, call, RUNNING), given_up)
            case "leave":
                gone = put(state, call, CANCELLED)
                yield Move(gone)
                if contender.may and state.waiters:
                    yield from self._notify(gone, 1, relaxed)
            case "either":
                # Its wait returned, and its function was cancelled where it first waited.
                yield Move(put(begun(state, call, INTERRUPTED), call, CANCELLED))
                gone = put(state, call, CANCELLED)
                yield from self._notify(gone, 1, relaxed)
                if LOST_ON_CANCEL in relaxed:
                    yield Move(gone, (), LOST_ON_CANCEL)

    def _notify(self, state: State, n: int, relaxed: Collection[str]) -> Iterator[Move]:
        """Wake ``n`` waiters, or all if fewer wait.

        One that has timed out and has not got the lock back counts as a waiter or not, as the
        subject likes. If it does, it returns as notified.
        """
        late = tuple(c for c in state.contenders if c.purpose == RETURN and c.may)
        tags = ["CO-02"] if state.waiters else []
        if self._fifo and 0 < n < len(state.waiters):
            tags.append("CO-06")
        for among in sorted({0, min(n, len(late))}):
            for chosen in combinations(late, among):
                after = state
                for contender in chosen:
                    in_time = evolve(contender, got=True, may=False)
                    after = contend(withdraw(after, contender), in_time)
                yield from self._wake(after, n - among, tuple(tags), relaxed)
                if SPENT_ON_TIMED_OUT in relaxed and among:
                    for move in self._wake(state, n - among, (), relaxed):
                        yield evolve(move, relaxed=SPENT_ON_TIMED_OUT)

    def _wake(
        self, state: State, n: int, tags: tuple[str, ...], relaxed: Collection[str]
    ) -> Iterator[Move]:
        waiters = state.waiters
        n = min(n, len(waiters))
        if n:
            state = self._aged(state)  # who comes from now on, came after those who are left
        last = waiters[n - 1].age if n else 0
        first = tuple(waiter for waiter in waiters if waiter.age < last)
        for chosen in combinations([w for w in waiters if w.age == last], n - len(first)):
            yield Move(wake(state, (*first, *chosen)), tags)
        if OTHER_ORDER in relaxed:
            for chosen in combinations(waiters, n):
                yield Move(wake(state, chosen), (), OTHER_ORDER)
        if OTHER_NUMBER in relaxed:
            for number in range(len(waiters) + 1):
                yield Move(wake(state, waiters[:number]), (), OTHER_NUMBER)

    def _aged(self, state: State) -> State:
        """The state in which the next waiter comes after all who wait, if that counts."""
        if not self._fifo:
            return state
        ages = sorted({waiter.age for waiter in state.waiters})
        waiters = tuple(evolve(w, age=ages.index(w.age)) for w in state.waiters)
        return evolve(state, waiters=waiters, age=len(ages))


def wait(state: State, waiter: Waiter) -> State:
    """The state in which one more waits."""
    waiters = sorted((*state.waiters, waiter), key=lambda each: (each.age, each.call))
    return evolve(state, waiters=tuple(waiters))


def wake(state: State, waiters: tuple[Waiter, ...]) -> State:
    """The state in which these waiters were notified and contend for the lock."""
    for waiter in waiters:
        got = None if waiter.deadline is None else True
        state = evolve(state, waiters=without(state.waiters, waiter.call))
        if not waiter.is_ghost:
            state = contend(state, Contender(waiter.call, RETURN, got=got))
    return state


def begun(state: State, call: int, phase: str) -> State:
    """The state in which the call's function was called."""
    executions = (*state.executions, Execution(call, state.begun, phase))
    return evolve(state, executions=ordered(executions), begun=state.begun + 1)


def contend(state: State, contender: Contender) -> State:
    """The state in which one more wants the lock."""
    contenders = sorted((*state.contenders, contender), key=lambda each: each.call)
    return evolve(state, contenders=tuple(contenders))


def withdraw(state: State, contender: Contender) -> State:
    """The state in which this one contends no more."""
    contenders = tuple(each for each in state.contenders if each is not contender)
    return evolve(state, contenders=contenders)


def without(waiters: tuple[Waiter, ...], call: int) -> tuple[Waiter, ...]:
    """The waiters but for one."""
    return tuple(waiter for waiter in waiters if waiter.call != call)


def unlocked(state: State, call: int, signature: str, relaxed: Collection[str]) -> Iterator[Move]:
    """A relaxation: the call ends at once, and leaving its block may free another's lock."""
    if signature in relaxed:
        over = put(state, call, ANY)
        yield Move(over, (), signature)
        yield Move(evolve(over, holder=None), (), signature)
