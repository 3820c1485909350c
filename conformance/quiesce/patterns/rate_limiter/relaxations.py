"""Relaxations: the model of a token bucket with one clause dropped.

The narrowest that explains what was seen names the clause.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from quiesce.model import evolve
from quiesce.patterns.rate_limiter.bucket import Bucket, Grant, time_for
from quiesce.patterns.rate_limiter.state import Answer, State, acting, clock

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from quiesce.stimuli import Began

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


def beginnings(state: State, relaxed: Collection[str]) -> Iterator[State]:
    """The state at a call; at the first one it is settled which relaxed limiter this is."""
    if not state.fresh:
        yield state
        return
    state = evolve(state, fresh=False)
    yield state
    if STARTS_EMPTY in relaxed:
        yield evolve(state, bucket=evolve(state.bucket, tokens=0.0))
    if NO_CAP in relaxed:
        yield evolve(state, bucket=evolve(state.bucket, capped=False))
    if MILLISECONDS in relaxed:
        yield evolve(state, coarse=True)


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
        return evolve(other, acts_at=max(now, other.acts_at - length))

    return evolve(
        state,
        reservations=tuple((number, pulled(other)) for number, other in state.reservations),
    )
