"""The model of a rate limiter that is a token bucket: it predicts every answer.

A request takes its tokens when it takes effect, into debt if need be; a wait is a request
that returns at its acting time. In a *leaky* bucket waits queue instead: a wait takes its
tokens when it is let in, in an order of the library's own.

Arithmetic in floats of seconds can't be exact to the nanosecond, so for libraries that say
so (``rate_rounding`` = ``float``) both answers are right within a hair of the boundary.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from quiesce.adapters import Adapter
from quiesce.model import ANY, BLOCKED, Move, View
from quiesce.patterns.token_bucket import ENDLESS, Bucket, Grant, time_for
from quiesce.patterns.universal import ALIEN_CANCEL, raised
from quiesce.stimuli import Began, Cancelled, Fact, Part, Ticked
from quiesce.worlds.world import START

__all__ = ["BUCKET_RELAXATIONS", "BucketLimiter", "REFUSED", "blame_answer", "fits_seen", "put"]

MILLISECOND: Final = 1_000_000

#: What a float's rounding hides: tokens, and nanoseconds that a waiter may come late by.
TOKEN_HAIR: Final = 1e-9
LATE: Final = 20

#: Grants after which demand counts as steady.
STEADY: Final = 8

# Signatures of the relaxations, narrowest first. Each is this model with one clause dropped.
INF_TAKES = "RL-18 an infinite rate takes tokens"
SETRATE_UNSETTLED = "RL-21 a new rate counts for the time before it"
SETBURST_UNSETTLED = "RL-21 a new burst counts for the time before it"
NEGATIVE_ADDS = "RL-22 a negative request adds tokens"
WRAPPED = "RL-24 a delay too long to count becomes none"
ZERO_UNLIMITED = "RL-19 a rate of 0 counts as no limit"
DEADLINE_WAITED = "RL-13 a wait that can't end in time is not refused at once"
OVERSIZE_WAITS = "RL-11 a wait for more than the burst is not refused at once"
OVERSIZE_GRANTED = "RL-20 more than the burst is granted"
DOOMED_TAKES = "RL-12 a wait that was cancelled before it began takes tokens"
WAIT_KEEPS = "RL-15 a cancelled wait keeps its tokens"
CANCEL_NOT_REWOUND = "RL-08 after a cancel the latest event is still that of the cancelled one"
CANCEL_MOVES = "RL-09 a cancel moves the reservations after it"
CANCEL_TWICE = "RL-10 a second cancel gives back once more"
CANCEL_TOO_MUCH = "RL-10 a cancel gives back more than was taken"
CANCEL_LATE = "RL-08 a cancel after the acting time gives tokens back"
CANCEL_WHOLE = "RL-08 a cancel gives back what was built upon"
CANCEL_NOOP = "RL-08 a cancel gives nothing back"
DELAY_WRONG = "RL-07 the remaining delay is wrong"
OVERTAKES = "RL-06 a later request acts before an earlier one"
RESERVE_TAKES_NOTHING = "RL-05 a reservation takes no tokens"
REFUSED_TAKES = "RL-04 a refused request takes tokens"
REFUSED_MOVES_CLOCK = "RL-04 a refused request moves the clock"
ALLOW_EARLY = "RL-03 allow says yes before the tokens are there"
THUNDERING = "RL-25 concurrent calls get more than there is"
STARTS_EMPTY = "RL-01 a new limiter is not full"
NO_CAP = "RL-02 tokens don't stop at the burst"
MILLISECONDS = "RL-14 time counts in milliseconds only"
WAIT_LOOSE = "RL-14 a wait does not return at its acting time"
ALLOW_TOO_MUCH = "RL-16 more is allowed than the bound"
ALLOW_TOO_LITTLE = "RL-17 a request is refused although its tokens are there"
RESERVE_WRONG = "RL-05 a reservation has the wrong delay"
TOKENS_WRONG = "RL-02 the token count is wrong"

BUCKET_RELAXATIONS: Final = {
    signature: signature[:5]
    for signature in (
        INF_TAKES,
        SETRATE_UNSETTLED,
        SETBURST_UNSETTLED,
        NEGATIVE_ADDS,
        WRAPPED,
        ZERO_UNLIMITED,
        DEADLINE_WAITED,
        OVERSIZE_WAITS,
        OVERSIZE_GRANTED,
        DOOMED_TAKES,
        WAIT_KEEPS,
        CANCEL_NOT_REWOUND,
        CANCEL_MOVES,
        CANCEL_TWICE,
        CANCEL_TOO_MUCH,
        CANCEL_LATE,
        CANCEL_WHOLE,
        CANCEL_NOOP,
        DELAY_WRONG,
        OVERTAKES,
        RESERVE_TAKES_NOTHING,
        REFUSED_TAKES,
        REFUSED_MOVES_CLOCK,
        ALLOW_EARLY,
        THUNDERING,
        STARTS_EMPTY,
        NO_CAP,
        MILLISECONDS,
        WAIT_LOOSE,
        ALLOW_TOO_MUCH,
        ALLOW_TOO_LITTLE,
        RESERVE_WRONG,
        TOKENS_WRONG,
    )
}
#: Those that hold from the first call on.
MODES: Final = (STARTS_EMPTY, NO_CAP, MILLISECONDS)

REFUSED: Final = raised("refused")


@attrs.frozen(eq=False)
class Near:
    """A float that equals what is a hair away."""

    value: float

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Near):
            other = other.value
        return isinstance(other, int | float) and abs(self.value - other) <= 1e-6

    def __hash__(self) -> int:
        return 0


@attrs.frozen
class Waiter:
    """A wait that has not ended.

    It returns between ``earliest`` and ``latest``; None is never. ``queued`` ones (leaky)
    have no tokens yet; ``loose`` ones (relaxations) end at any time, either way.
    """

    call: int
    n: int
    grant: Grant | None = None
    earliest: int | None = None
    latest: int | None = None
    queued: bool = False
    loose: bool = False


@attrs.frozen
class State:
    """One limiter."""

    bucket: Bucket
    now: int = START
    reservations: tuple[tuple[int, Grant | None], ...] = ()  # by call; None was refused
    waiters: tuple[Waiter, ...] = ()
    calls: tuple[tuple[int, tuple[Any, ...]], ...] = ()
    doomed: frozenset[int] = frozenset()  # cancelled before they began
    fresh: bool = True  # nothing was called yet
    mode: str | None = None  # one of MODES that is in force
    granted: int = 0  # up to STEADY
    at_once: int = 0  # answers of allow since the last barrier
    stale: float | None = None  # tokens before the first of them


@attrs.frozen
class Answer:
    """What a request may come to."""

    bucket: Bucket
    grant: Grant | None  # None is refused
    tags: tuple[str, ...] = ()
    relaxed: str | None = None
    loose: bool = False


class BucketLimiter:
    """The model of one limiter."""

    def __init__(self, adapter: Adapter, arguments: Mapping[str, Any]) -> None:
        dialect = adapter.dialect
        self.relaxations: Mapping[str, str] = {
            signature: clause
            for signature, clause in BUCKET_RELAXATIONS.items()
            if clause != "RL-14" or "wait" not in adapter.lacks
        }
        self._rate, self._burst = float(arguments["rate"]), int(arguments["burst"])
        self._leaky = dialect.get("rate_algorithm") == "leaky"
        self._rounded = self._leaky or dialect.get("rate_rounding") == "float"
        self._cancel = dialect.get("rate_cancel", "exact")
        self._reserves_for_ever = dialect.get("rate_zero") == "current"
        self._refunds_waits = "wait_cancel" not in adapter.lacks

    def initial(self, part: Part) -> State:
        return State(Bucket(self._rate, self._burst, float(self._burst), START))

    def apply(self, state: State, fact: Fact, relaxed: Collection[str]) -> Iterable[Move]:
        match fact:
            case Ticked(at):
                yield Move(attrs.evolve(state, now=at))
            case Cancelled(call):
                yield from self._cancelled(state, call, relaxed)
            case Began(call):
                for begun in beginnings(state, relaxed):
                    if call in begun.doomed:
                        yield from self._stillborn(begun, fact, relaxed)
                    else:
                        yield from self._operate(begun, fact, relaxed)

    def internal(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        for waiter in state.waiters:
            rest = tuple(other for other in state.waiters if other is not waiter)
            without = attrs.evolve(state, waiters=rest)
            returned = put(without, waiter.call, ("returned", None, state.now))
            if waiter.loose:
                yield Move(returned)
                yield Move(put(without, waiter.call, (*REFUSED, state.now)))
            elif waiter.queued:
                if waiter.n <= state.bucket.at(state.now) + TOKEN_HAIR:
                    taken = state.bucket.taken(waiter.n, state.now, 0)
                    yield Move(attrs.evolve(returned, bucket=taken), ("RL-14", "RL-16"))
            elif waiter.earliest is not None and waiter.earliest <= state.now:
                yield Move(returned, ("RL-14",))

    def may_rest(self, state: State) -> bool:
        queued = [waiter for waiter in state.waiters if waiter.queued]
        before = state.bucket.at(state.now - LATE) - TOKEN_HAIR
        if queued and all(waiter.n <= before for waiter in queued):
            return False  # whatever the order, somebody is next
        return all(waiter.latest is None or state.now < waiter.latest for waiter in state.waiters)

    def view(self, state: State) -> View:
        return View(state.calls)

    def possible(self, state: State, seen: View) -> bool:
        return fits_seen(state.calls, seen)

    def seal(self, state: State) -> State:
        return attrs.evolve(
            state,
            calls=tuple(entry for entry in state.calls if entry[1] == BLOCKED),
            doomed=frozenset(),
            at_once=0,
            stale=None,
        )

    def instants(self, state: State) -> Iterable[int]:
        found: set[int | None] = {
            state.bucket.fills_at(1),
            state.bucket.fills_at(state.bucket.burst),
        }
        for waiter in state.waiters:
            found |= {waiter.earliest, waiter.latest}
            if waiter.queued and (due := state.bucket.fills_at(waiter.n)) is not None:
                found |= {due + 1, due + 1 + LATE}
        found |= {grant.acts_at for _, grant in state.reservations if grant and not grant.endless}
        return sorted(at for at in found if at is not None and at > state.now)

    def blame(self, expected: Sequence[View], seen: View) -> str:
        return blame_answer(expected, seen)

    # What operations do.

    def _operate(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call, now = fact.call, clock(state)
        match fact.operation:
            case "allow" | "reserve" | "wait" | "wait_until" if fact.argument("n") < 0:
                yield Move(put(state, call, refusal(state, fact)), ("RL-22",))
                if NEGATIVE_ADDS in relaxed:
                    added = state.bucket.taken(fact.argument("n"), now, 0)
                    after = attrs.evolve(state, bucket=added)
                    yield Move(put(after, call, ANY), (), NEGATIVE_ADDS)
            case "allow":
                after = attrs.evolve(state, at_once=state.at_once + 1)
                if state.stale is None:
                    after = attrs.evolve(after, stale=state.bucket.at(now))
                together = ("RL-25",) if state.at_once else ()
                for answer in self._answers(state, fact, 0, relaxed):
                    said = ("returned", answer.grant is not None)
                    yield moved(after, call, answer, said, together)
            case "reserve":
                for answer in self._answers(state, fact, None, relaxed):
                    reserved = self._reserved(state, call, answer, now)
                    yield reserved
                    if RESERVE_WRONG in relaxed:
                        yield Move(put(reserved.state, call, ANY), (), RESERVE_WRONG)
            case "wait" | "wait_until":
                yield from self._wait(state, fact, relaxed)
            case "delay":
                grant = dict(state.reservations)[fact.argument("of")]
                yield Move(put(state, call, ("returned", self._delay(grant, now))), ("RL-07",))
                if DELAY_WRONG in relaxed:
                    yield Move(put(state, call, ANY), (), DELAY_WRONG)
            case "cancel":
                yield from self._undo(state, fact, relaxed)
            case "tokens":
                count = state.bucket.at(now)
                said = ("returned", Near(count) if self._rounded else count)
                yield Move(put(state, call, said), ("RL-02",))
                if TOKENS_WRONG in relaxed:
                    yield Move(put(state, call, ANY), (), TOKENS_WRONG)
            case "set_rate":
                yield from self._change(
                    state, fact, {"rate": fact.argument("rate")}, SETRATE_UNSETTLED, relaxed
                )
            case "set_burst":
                yield from self._change(
                    state, fact, {"burst": fact.argument("burst")}, SETBURST_UNSETTLED, relaxed
                )

    def _answers(
        self, state: State, fact: Began, limit: int | None, relaxed: Collection[str]
    ) -> Iterator[Answer]:
        """What a request may come to; ``limit`` is the longest delay that it accepts."""
        n, now, bucket = fact.argument("n"), clock(state), state.bucket
        tags = ("RL-18",) if bucket.rate == math.inf else tags_of(state, n)
        answers = list(self._strict(bucket, n, now, limit))
        for answer in answers:
            exact = list(tags)
            if fact.operation == "allow":
                exact += ["RL-03"]
            if fact.operation == "reserve":
                exact += ["RL-05"]
                exact += ["RL-06"] if any(acting(state)) else []
            if answer.grant is None:
                exact += ["RL-04", "UN-04"]
            yield attrs.evolve(answer, tags=tuple(exact))
            yield from dropped(state, fact, answer, limit, relaxed)

    def _strict(self, bucket: Bucket, n: int, now: int, limit: int | None) -> Iterator[Answer]:
        if bucket.rate == math.inf:
            yield Answer(bucket, Grant(now, n, math.inf))
            return
        if n > bucket.burst:
            yield Answer(bucket, None)
            return
        rest = bucket.at(now) - n
        delays = [0 if rest >= 0 else time_for(-rest, bucket.rate)]
        if self._rounded and (abs(rest) <= TOKEN_HAIR or (rest < 0 and delays == [0])):
            delays = [0, 1]
        for delay in delays:
            if delay is not None and (limit is None or delay <= limit):
                grant = Grant(now + delay, n, bucket.rate)
                yield Answer(bucket.taken(n, now, delay), grant)
            elif delay is None and limit is None and self._reserves_for_ever:
                grant = Grant(now + ENDLESS, n, bucket.rate, endless=True)
                yield Answer(bucket.taken(n, now, ENDLESS), grant)
            else:
                yield Answer(bucket, None)

    def _reserved(self, state: State, call: int, answer: Answer, now: int) -> Move:
        after = attrs.evolve(state, reservations=(*state.reservations, (call, answer.grant)))
        said: tuple[Any, ...] = (answer.grant is not None, self._delay(answer.grant, now))
        tags = ("RL-24",) if said[1] is None and state.bucket.rate > 0 else ()
        told = ANY if answer.relaxed == WRAPPED else ("returned", said)
        return moved(after, call, answer, told, tags)

    def _delay(self, grant: Grant | None, now: int) -> Any:
        if grant is None or grant.endless:
            return None
        delay = max(0, grant.acts_at - now)
        return Near(delay) if self._rounded else delay

    def _wait(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call, n, now, bucket = fact.call, fact.argument("n"), clock(state), state.bucket
        limit = fact.argument("timeout") if fact.operation == "wait_until" else None
        refused = put(state, call, refusal(state, fact))
        waiting = put(state, call, BLOCKED)
        loose = attrs.evolve(waiting, waiters=(*state.waiters, Waiter(call, n, loose=True)))
        oversize = n > bucket.burst and bucket.rate < math.inf
        if oversize:
            yield Move(refused, ("RL-11", "RL-20", "UN-04"))
            if OVERSIZE_WAITS in relaxed:
                yield Move(loose, (), OVERSIZE_WAITS)
        elif self._leaky:
            queued = Waiter(call, n, queued=True)
            after = attrs.evolve(waiting, waiters=(*state.waiters, queued))
            yield Move(
                attrs.evolve(after, granted=min(STEADY, state.granted + 1)), tags_of(state, n)
            )
            if WAIT_LOOSE in relaxed:
                yield Move(loose, (), WAIT_LOOSE)
            return
        for answer in self._answers(state, fact, limit, relaxed):
            grant, tags = answer.grant, answer.tags
            if limit is not None:
                tags = (*tags, "RL-13")
            if oversize and answer.relaxed is None:
                continue  # said above
            if grant is None and (oversize or limit is not None):
                yield moved(state, call, answer, refusal(state, fact), tags)
                if DEADLINE_WAITED in relaxed:
                    yield Move(loose, (), DEADLINE_WAITED)
                continue
            if grant is None or grant.endless:
                waiter = Waiter(call, n, grant)
            else:
                slack = LATE if self._rounded and grant.acts_at > now else 0
                slack = 2 * MILLISECOND if state.mode == MILLISECONDS else slack
                early = min(slack, LATE)
                waiter = Waiter(call, n, grant, grant.acts_at - early, grant.acts_at + slack)
            after = attrs.evolve(waiting, waiters=(*state.waiters, waiter))
            yield moved(after, call, answer, BLOCKED, tags)
            if WAIT_LOOSE in relaxed:
                free = attrs.evolve(waiter, loose=True, latest=None)
                after = attrs.evolve(waiting, waiters=(*state.waiters, free))
                yield moved(after, call, answer, BLOCKED, relaxed=WAIT_LOOSE)

    def _undo(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        """A reservation is cancelled."""
        call, of, now, bucket = fact.call, fact.argument("of"), clock(state), state.bucket
        grant = dict(state.reservations)[of]
        done = put(state, call, ("returned", None))
        if grant is None or self._cancel == "none":
            yield Move(done, ("RL-08",))
            return
        undone = attrs.evolve(grant, undone=True)
        done = attrs.evolve(
            done,
            reservations=tuple(
                (number, undone if number == of else other) for number, other in state.reservations
            ),
        )
        later = [other for other in acting(state) if other is not grant]
        tags = ["RL-08", "RL-09"] if later else ["RL-08"]
        if grant.undone or grant.rate == math.inf or bucket.last_event < grant.acts_at:
            tags += ["RL-10"]
        strict = self._given_back(bucket, grant, now)
        yield Move(attrs.evolve(done, bucket=strict), tuple(tags))
        for other, signature in ways_to_give_back(bucket, grant, now, relaxed):
            yield Move(attrs.evolve(done, bucket=other), (), signature)
        if CANCEL_NOOP in relaxed:
            yield Move(done, (), CANCEL_NOOP)
        if CANCEL_MOVES in relaxed and not grant.undone and grant.acts_at >= now:
            after = attrs.evolve(done, bucket=strict)
            yield Move(pulled_forward(after, grant, now), (), CANCEL_MOVES)

    def _change(
        self,
        state: State,
        fact: Began,
        change: Mapping[str, Any],
        signature: str,
        relaxed: Collection[str],
    ) -> Iterable[Move]:
        """A new rate or burst: what was before it is settled first."""
        done = put(state, fact.call, ("returned", None))
        settled = state.bucket.settled(clock(state))
        tags = ["RL-21"] + (["RL-19"] if state.bucket.rate == 0 else [])
        yield Move(attrs.evolve(done, bucket=attrs.evolve(settled, **change)), tuple(tags))
        if signature in relaxed:
            unsettled = attrs.evolve(state.bucket, **change)
            yield Move(attrs.evolve(done, bucket=unsettled), (), signature)

    def _cancelled(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        status = dict(state.calls).get(call)
        if status is None:
            yield Move(attrs.evolve(state, doomed=state.doomed | {call}))
            return
        if status != BLOCKED:
            yield Move(state)
            return
        waiter = next(waiter for waiter in state.waiters if waiter.call == call)
        rest = tuple(other for other in state.waiters if other is not waiter)
        gone = put(attrs.evolve(state, waiters=rest), call, ("cancelled",))
        if waiter.grant is None:
            yield Move(gone, ("RL-15",))
            return
        now = clock(state)
        back = self._given_back(state.bucket, waiter.grant, now)
        yield Move(attrs.evolve(gone, bucket=back), ("RL-15",))
        for other, signature in ways_to_give_back(state.bucket, waiter.grant, now, relaxed):
            yield Move(attrs.evolve(gone, bucket=other), (), signature)
        if WAIT_KEEPS in relaxed or not self._refunds_waits:
            yield Move(gone, (), WAIT_KEEPS if self._refunds_waits else None)

    def _given_back(self, bucket: Bucket, grant: Grant, now: int) -> Bucket:
        return bucket.given_back(grant, now, as_go=self._cancel == "go")

    def _stillborn(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        """A call begins that was cancelled before."""
        gone = put(state, fact.call, ("cancelled",))
        yield Move(gone, ("RL-12",) if fact.operation.startswith("wait") else ())
        if DOOMED_TAKES in relaxed and fact.operation.startswith("wait"):
            for answer in self._strict(state.bucket, fact.argument("n"), clock(state), None):
                yield Move(attrs.evolve(gone, bucket=answer.bucket), (), DOOMED_TAKES)


def beginnings(state: State, relaxed: Collection[str]) -> Iterator[State]:
    """The state at a call; at the first one it is settled which relaxed limiter this is."""
    if not state.fresh:
        yield state
        return
    state = attrs.evolve(state, fresh=False)
    yield state
    for mode in MODES:
        if mode in relaxed:
            bucket = state.bucket
            if mode == STARTS_EMPTY:
                bucket = attrs.evolve(bucket, tokens=0.0)
            if mode == NO_CAP:
                bucket = attrs.evolve(bucket, capped=False)
            yield attrs.evolve(state, mode=mode, bucket=bucket)


def clock(state: State) -> int:
    """What the limiter takes for the time."""
    return state.now // MILLISECOND * MILLISECOND if state.mode == MILLISECONDS else state.now


def acting(state: State) -> Iterator[Grant]:
    """Grants whose acting time is still to come."""
    for grant in (*(grant for _, grant in state.reservations), *(w.grant for w in state.waiters)):
        if grant is not None and not grant.undone and grant.acts_at > state.now:
            yield grant


def tags_of(state: State, n: int) -> tuple[str, ...]:
    """Clauses that decide a request of ``n``, whatever its answer."""
    tags = ["RL-16"]
    if not state.granted:
        tags += ["RL-01"]
    if state.now > state.bucket.last and state.granted:
        tags += ["RL-02"]
    if state.granted >= STEADY:
        tags += ["RL-17"]
    if n == 0:
        tags += ["RL-22"]
    if n > state.bucket.burst:
        tags += ["RL-20"]
    if state.bucket.rate == 0:
        tags += ["RL-19"]
    return tuple(tags)


def dropped(
    state: State, fact: Began, strict: Answer, limit: int | None, relaxed: Collection[str]
) -> Iterator[Answer]:
    """What a request comes to when one clause is dropped."""
    if not relaxed:
        return
    n, now, bucket, operation = fact.argument("n"), clock(state), state.bucket, fact.operation
    finite = bucket.rate < math.inf
    rest = bucket.at(now) - n
    delay = 0 if rest >= 0 else time_for(-rest, bucket.rate)
    taken = bucket.settled(now, rest)
    at_once = Grant(now, n, bucket.rate)
    refused = strict.grant is None
    if INF_TAKES in relaxed and not finite:
        yield Answer(taken, at_once, (), INF_TAKES)
    if not finite:
        return
    if ZERO_UNLIMITED in relaxed and bucket.rate == 0:
        yield Answer(bucket, at_once, (), ZERO_UNLIMITED)
    if WRAPPED in relaxed and delay is None and n <= bucket.burst and bucket.rate > 0:
        yield Answer(bucket.taken(n, now, 0), at_once, (), WRAPPED)
    fits = delay is not None and (limit is None or delay <= limit)
    if OVERSIZE_GRANTED in relaxed and n > bucket.burst and fits:
        assert delay is not None  # it fits
        grant = Grant(now + delay, n, bucket.rate)
        yield Answer(bucket.taken(n, now, delay), grant, (), OVERSIZE_GRANTED)
    if RESERVE_TAKES_NOTHING in relaxed and operation == "reserve":
        yield Answer(bucket, strict.grant, (), RESERVE_TAKES_NOTHING)
    pending = sum(grant.tokens for grant in acting(state))
    if OVERTAKES in relaxed and pending and rest < 0 <= rest + pending:
        yield Answer(taken, at_once, (), OVERTAKES)
    if refused:
        if REFUSED_TAKES in relaxed:
            yield Answer(taken, None, (), REFUSED_TAKES)
        if REFUSED_MOVES_CLOCK in relaxed:
            moved_on = bucket.settled(now, bucket.tokens)
            yield Answer(moved_on, None, (), REFUSED_MOVES_CLOCK)
    if operation != "allow":
        return
    if ALLOW_EARLY in relaxed and n <= bucket.burst and -0.5 <= rest < 0 and delay is not None:
        yield Answer(bucket.taken(n, now, delay), at_once, (), ALLOW_EARLY)
    if THUNDERING in relaxed and state.stale is not None and n <= state.stale:
        yield Answer(bucket, at_once, (), THUNDERING)
        yield Answer(taken, at_once, (), THUNDERING)
    if ALLOW_TOO_MUCH in relaxed:
        yield Answer(bucket, at_once, (), ALLOW_TOO_MUCH)
        yield Answer(taken, at_once, (), ALLOW_TOO_MUCH)
    if ALLOW_TOO_LITTLE in relaxed:
        yield Answer(bucket, None, (), ALLOW_TOO_LITTLE)


def ways_to_give_back(
    bucket: Bucket, grant: Grant, now: int, relaxed: Collection[str]
) -> Iterator[tuple[Bucket, str]]:
    """The bucket after a cancel when one clause is dropped."""
    for signature, way in (
        (CANCEL_NOT_REWOUND, {"rewinds": False}),
        (CANCEL_TWICE, {"twice": True}),
        (CANCEL_TOO_MUCH, {"as_go": True}),
        (CANCEL_LATE, {"late": True}),
        (CANCEL_WHOLE, {"whole": True}),
    ):
        if signature in relaxed:
            yield bucket.given_back(grant, now, **way), signature


def pulled_forward(state: State, grant: Grant, now: int) -> State:
    """Relaxation: what was reserved after ``grant`` takes its place."""
    length = time_for(grant.tokens, grant.rate) or 0

    def pulled(other: Grant | None) -> Grant | None:
        if other is None or other.acts_at <= grant.acts_at:
            return other
        return attrs.evolve(other, acts_at=max(now, other.acts_at - length))

    return attrs.evolve(
        state,
        reservations=tuple((number, pulled(other)) for number, other in state.reservations),
    )


def moved(
    state: State,
    call: int,
    answer: Answer,
    said: tuple[Any, ...],
    tags: tuple[str, ...] = (),
    relaxed: str | None = None,
) -> Move:
    """The state after an answer."""
    granted = min(STEADY, state.granted + (answer.grant is not None))
    after = attrs.evolve(put(state, call, said), bucket=answer.bucket, granted=granted)
    return Move(after, (*answer.tags, *tags), answer.relaxed or relaxed)


def refusal(state: State, fact: Began) -> tuple[Any, ...]:
    """The outcome of a call that is refused with an error."""
    return (*REFUSED, state.now) if fact.operation.startswith("wait") else REFUSED


def put(state: Any, call: int, outcome: tuple[Any, ...]) -> Any:
    """The state in which the call stands so."""
    calls = dict(state.calls)
    calls[call] = outcome
    return attrs.evolve(state, calls=tuple(sorted(calls.items())))


def fits_seen(calls: tuple[tuple[int, tuple[Any, ...]], ...], seen: View) -> bool:
    """Whether all that has ended, ended as it was seen."""
    found = dict(seen.calls)
    return all(
        outcome in (BLOCKED, ANY) or outcome == found.get(number) for number, outcome in calls
    )


def blame_answer(expected: Sequence[View], seen: View) -> str:
    """The signature of a wrong answer by its look, where no relaxation explains it."""
    if not expected:
        return "UN-03 does what the model has no place for"
    allowed = dict(expected[0].calls)
    for number, outcome in seen.calls:
        wanted = allowed.get(number)
        if wanted == outcome:
            continue
        if outcome == ALIEN_CANCEL:
            return "UN-04 a call that nobody cancelled sees a cancellation"
        if outcome[0] == "raised":
            kind = outcome[1][0]
            return (
                "UN-05 an internal error comes out"
                if kind == "alien"
                else "RL-11 a call is refused that must not be"
            )
        if outcome == BLOCKED:
            return "UN-03 a caller is never woken"
        if outcome == ("cancelled",) or wanted is None or wanted[0] == "cancelled":
            return "UN-04 a cancellation and its outcome disagree"
        match outcome[1]:
            case bool():
                return "RL-03 allow answers wrongly"
            case tuple():
                return RESERVE_WRONG
            case None:
                return WAIT_LOOSE
            case float():
                return TOKENS_WRONG
            case int():
                return DELAY_WRONG
    return "UN-03 an answer is wrong"
