"""The model of a rate limiter that is a token bucket: it predicts every answer.

A request takes its tokens when it takes effect, into debt if need be; a wait is a request
that returns at its acting time. In a *leaky* bucket waits queue instead: a wait takes its
tokens when it is let in, in an order of the library's own.

Arithmetic in floats of seconds can't be exact to the nanosecond, so for libraries that say
so (``rate_rounding`` = ``float``) both answers are right within a hair of the boundary.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from quiesce.model import ANY, BLOCKED, Move, View, evolve
from quiesce.patterns.rate_limiter import relaxations as drop
from quiesce.patterns.rate_limiter.bucket import ENDLESS, Bucket, Grant, time_for
from quiesce.patterns.rate_limiter.state import (
    MILLISECOND,
    REFUSED,
    STEADY,
    Answer,
    Near,
    State,
    Waiter,
    acting,
    clock,
    fits_seen,
    moved,
    put,
    refusal,
)
from quiesce.patterns.universal import ALIEN_CANCEL
from quiesce.stimuli import Began, Cancelled, Fact, Part, Ticked
from quiesce.worlds.world import START

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from quiesce.adapters import Adapter

__all__ = ["BucketLimiter", "blame_answer"]

#: What a float's rounding hides: tokens, and nanoseconds that a waiter may come late by.
TOKEN_HAIR: Final = 1e-9
LATE: Final = 20


class BucketLimiter:
    """The model of one limiter."""

    def __init__(self, adapter: Adapter, arguments: Mapping[str, Any]) -> None:
        dialect = adapter.dialect
        self.relaxations: Mapping[str, str] = {
            signature: clause
            for signature, clause in drop.BUCKET_RELAXATIONS.items()
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
                yield Move(evolve(state, now=at))
            case Cancelled(call):
                yield from self._cancelled(state, call, relaxed)
            case Began(call):
                for begun in drop.beginnings(state, relaxed):
                    if call in begun.doomed:
                        yield from self._stillborn(begun, fact, relaxed)
                    else:
                        yield from self._operate(begun, fact, relaxed)

    def internal(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        for waiter in state.waiters:
            rest = tuple(other for other in state.waiters if other is not waiter)
            without = evolve(state, waiters=rest)
            returned = put(without, waiter.call, ("returned", None, state.now))
            if waiter.loose:
                yield Move(returned)
                yield Move(put(without, waiter.call, (*REFUSED, state.now)))
            elif waiter.queued:
                if waiter.n <= state.bucket.at(state.now) + TOKEN_HAIR:
                    taken = state.bucket.taken(waiter.n, state.now, 0)
                    yield Move(evolve(returned, bucket=taken), ("RL-14", "RL-16"))
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
        return evolve(
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
            case "delay" | "cancel" if fact.argument("of") not in dict(state.reservations):
                return  # in this order of things the reservation is still to come
            case "allow" | "reserve" | "wait" | "wait_until" if fact.argument("n") < 0:
                yield Move(put(state, call, refusal(state, fact)), ("RL-22",))
                if drop.NEGATIVE_ADDS in relaxed:
                    added = state.bucket.taken(fact.argument("n"), now, 0)
                    after = evolve(state, bucket=added)
                    yield Move(put(after, call, ANY), (), drop.NEGATIVE_ADDS)
            case "allow":
                after = evolve(state, at_once=state.at_once + 1)
                if state.stale is None:
                    after = evolve(after, stale=state.bucket.at(now))
                together = ("RL-25",) if state.at_once else ()
                for answer in self._answers(state, fact, 0, relaxed):
                    said = ("returned", answer.grant is not None)
                    yield moved(after, call, answer, said, together)
            case "reserve":
                for answer in self._answers(state, fact, None, relaxed):
                    reserved = self._reserved(state, call, answer, now)
                    yield reserved
                    if drop.RESERVE_WRONG in relaxed:
                        yield Move(put(reserved.state, call, ANY), (), drop.RESERVE_WRONG)
            case "wait" | "wait_until":
                yield from self._wait(state, fact, relaxed)
            case "delay":
                grant = dict(state.reservations)[fact.argument("of")]
                yield Move(put(state, call, ("returned", self._delay(grant, now))), ("RL-07",))
                if drop.DELAY_WRONG in relaxed:
                    yield Move(put(state, call, ANY), (), drop.DELAY_WRONG)
            case "cancel":
                yield from self._undo(state, fact, relaxed)
            case "tokens":
                count = state.bucket.at(now)
                counted = ("returned", Near(count) if self._rounded else count)
                yield Move(put(state, call, counted), ("RL-02",))
                if drop.TOKENS_WRONG in relaxed:
                    yield Move(put(state, call, ANY), (), drop.TOKENS_WRONG)
            case "set_rate":
                yield from self._change(
                    state, fact, {"rate": fact.argument("rate")}, drop.SETRATE_UNSETTLED, relaxed
                )
            case "set_burst":
                yield from self._change(
                    state, fact, {"burst": fact.argument("burst")}, drop.SETBURST_UNSETTLED, relaxed
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
            yield evolve(answer, tags=tuple(exact))
            yield from drop.dropped(state, fact, answer, limit, relaxed)

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
        after = evolve(state, reservations=(*state.reservations, (call, answer.grant)))
        said: tuple[Any, ...] = (answer.grant is not None, self._delay(answer.grant, now))
        tags = ("RL-24",) if said[1] is None and state.bucket.rate > 0 else ()
        told = ANY if answer.relaxed == drop.WRAPPED else ("returned", said)
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
        loose = evolve(waiting, waiters=(*state.waiters, Waiter(call, n, loose=True)))
        oversize = n > bucket.burst and bucket.rate < math.inf
        if oversize:
            yield Move(refused, ("RL-11", "RL-20", "UN-04"))
            if drop.OVERSIZE_WAITS in relaxed:
                yield Move(loose, (), drop.OVERSIZE_WAITS)
        elif self._leaky:
            queued = Waiter(call, n, queued=True)
            after = evolve(waiting, waiters=(*state.waiters, queued))
            yield Move(evolve(after, granted=min(STEADY, state.granted + 1)), tags_of(state, n))
            if drop.WAIT_LOOSE in relaxed:
                yield Move(loose, (), drop.WAIT_LOOSE)
            return
        for answer in self._answers(state, fact, limit, relaxed):
            grant, tags = answer.grant, answer.tags
            if limit is not None:
                tags = (*tags, "RL-13")
            if oversize and answer.relaxed is None:
                continue  # said above
            if grant is None and (oversize or limit is not None):
                yield moved(state, call, answer, refusal(state, fact), tags)
                if drop.DEADLINE_WAITED in relaxed:
                    yield Move(loose, (), drop.DEADLINE_WAITED)
                continue
            if grant is None or grant.endless:
                waiter = Waiter(call, n, grant)
            else:
                early = late = LATE if self._rounded and grant.acts_at > now else 0
                if state.coarse:
                    late = 2 * MILLISECOND
                waiter = Waiter(call, n, grant, grant.acts_at - early, grant.acts_at + late)
            after = evolve(waiting, waiters=(*state.waiters, waiter))
            yield moved(after, call, answer, BLOCKED, tags)
            if drop.WAIT_LOOSE in relaxed:
                free = evolve(waiter, loose=True, latest=None)
                after = evolve(waiting, waiters=(*state.waiters, free))
                yield moved(after, call, answer, BLOCKED, relaxed=drop.WAIT_LOOSE)

    def _undo(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        """A reservation is cancelled."""
        call, of, now, bucket = fact.call, fact.argument("of"), clock(state), state.bucket
        grant = dict(state.reservations)[of]
        done = put(state, call, ("returned", None))
        if grant is None or self._cancel == "none":
            yield Move(done, ("RL-08",))
            return
        undone = evolve(grant, undone=True)
        done = evolve(
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
        yield Move(evolve(done, bucket=strict), tuple(tags))
        for other, signature in drop.ways_to_give_back(bucket, grant, now, relaxed):
            yield Move(evolve(done, bucket=other), (), signature)
        if drop.CANCEL_NOOP in relaxed:
            yield Move(done, (), drop.CANCEL_NOOP)
        if drop.CANCEL_MOVES in relaxed and not grant.undone and grant.acts_at >= now:
            after = evolve(done, bucket=strict)
            yield Move(drop.pulled_forward(after, grant, now), (), drop.CANCEL_MOVES)

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
        yield Move(evolve(done, bucket=evolve(settled, **change)), tuple(tags))
        if signature in relaxed:
            unsettled = evolve(state.bucket, **change)
            yield Move(evolve(done, bucket=unsettled), (), signature)

    def _cancelled(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        status = dict(state.calls).get(call)
        if status is None:
            yield Move(evolve(state, doomed=state.doomed | {call}))
            return
        if status != BLOCKED:
            yield Move(state)
            return
        waiter = next(waiter for waiter in state.waiters if waiter.call == call)
        rest = tuple(other for other in state.waiters if other is not waiter)
        gone = put(evolve(state, waiters=rest), call, ("cancelled",))
        if waiter.grant is None:
            yield Move(gone, ("RL-15",))
            return
        now = clock(state)
        back = self._given_back(state.bucket, waiter.grant, now)
        yield Move(evolve(gone, bucket=back), ("RL-15",))
        for other, signature in drop.ways_to_give_back(state.bucket, waiter.grant, now, relaxed):
            yield Move(evolve(gone, bucket=other), (), signature)
        if drop.WAIT_KEEPS in relaxed or not self._refunds_waits:
            yield Move(gone, (), drop.WAIT_KEEPS if self._refunds_waits else None)

    def _given_back(self, bucket: Bucket, grant: Grant, now: int) -> Bucket:
        return bucket.given_back(grant, now, as_go=self._cancel == "go")

    def _stillborn(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        """A call begins that was cancelled before."""
        gone = put(state, fact.call, ("cancelled",))
        yield Move(gone, ("RL-12",) if fact.operation.startswith("wait") else ())
        if drop.DOOMED_TAKES in relaxed and fact.operation.startswith("wait"):
            for answer in self._strict(state.bucket, fact.argument("n"), clock(state), None):
                yield Move(evolve(gone, bucket=answer.bucket), (), drop.DOOMED_TAKES)


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
                return drop.RESERVE_WRONG
            case None:
                return drop.WAIT_LOOSE
            case float():
                return drop.TOKENS_WRONG
            case int():
                return drop.DELAY_WRONG
    return "UN-03 an answer is wrong"
