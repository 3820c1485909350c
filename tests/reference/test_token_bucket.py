"""The token bucket's arithmetic: tables, an exact model in fractions, and conservation."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quiesce_reference.rates import every, time_for, tokens_in
from quiesce_reference.token_bucket import Grant, TokenBucket

S = 1_000_000_000  # one second in nanoseconds
MS = S // 1000
CENTURY = 100 * 365 * 86_400 * S
NEVER = None  # the delay of what is refused

Step = tuple[Any, ...]

#: (rate, burst, steps); a step is (at, operation, argument, expected answer). "reserve"
#: answers with the delay, "cancel" takes the number of the reservation.
TABLES: dict[str, tuple[float, int, list[Step]]] = {
    "RL-01 a new bucket is full": (10.0, 3, [(0, "tokens", None, 3), (7 * S, "tokens", None, 3)]),
    "RL-02 tokens grow at the rate and stop at the burst": (
        10.0,
        2,
        [
            (0, "allow", 2, True),
            (50 * MS, "tokens", None, 0.5),
            (100 * MS, "tokens", None, 1),
            (S, "tokens", None, 2),
        ],
    ),
    # Less than a nanosecond of debt counts as none, hence two nanoseconds.
    "RL-03 allowed when the tokens are there, not before": (
        1.0,
        1,
        [
            (0, "allow", 1, True),
            (0, "allow", 1, False),
            (S - 2, "allow", 1, False),
            (S, "allow", 1, True),
            (S, "allow", 1, False),
        ],
    ),
    "RL-04 a refusal changes nothing, nor the time": (
        1.0,
        1,
        [
            (0, "allow", 1, True),
            (5 * S, "allow", 2, False),
            (S // 2, "tokens", None, 0.5),
            (S, "allow", 1, True),
        ],
    ),
    "RL-05, RL-06 reservations go into debt and act in order": (
        2.0,
        4,
        [
            (0, "reserve", 4, 0),
            (0, "reserve", 3, 1500 * MS),
            (0, "reserve", 1, 2000 * MS),
            (0, "tokens", None, -4),
            (0, "reserve", 5, NEVER),
            (2 * S, "tokens", None, 0),
        ],
    ),
    "RL-05 the delay is cut down to whole nanoseconds": (
        3.0,
        1,
        [(0, "reserve", 1, 0), (0, "reserve", 1, 333333333), (0, "reserve", 1, 666666666)],
    ),
    "RL-08 the latest reservation gives all back": (
        1.0,
        2,
        [
            (0, "reserve", 2, 0),
            (0, "reserve", 2, 2 * S),
            (S, "cancel", 1, None),
            (S, "tokens", None, 1),
        ],
    ),
    "RL-08 an earlier one gives back less what was reserved after it": (
        1.0,
        3,
        [
            (0, "reserve", 3, 0),
            (0, "reserve", 3, 3 * S),
            (0, "reserve", 1, 4 * S),
            (0, "cancel", 1, None),
            (0, "tokens", None, -2),
        ],
    ),
    "RL-08 backwards from the latest, each gives all back": (
        1.0,
        2,
        [
            (0, "reserve", 2, 0),
            (0, "reserve", 1, S),
            (0, "reserve", 1, 2 * S),
            (0, "cancel", 2, None),
            (0, "cancel", 1, None),
            (0, "tokens", None, 0),
        ],
    ),
    "RL-08 nothing comes back after the acting time": (
        1.0,
        2,
        [
            (0, "reserve", 2, 0),
            (0, "reserve", 1, S),
            (S + 1, "cancel", 1, None),
            (S + 1, "cancel", 0, None),
            (2 * S, "tokens", None, 1),
        ],
    ),
    "RL-08 at exactly the acting time it still does": (
        1.0,
        2,
        [
            (0, "reserve", 2, 0),
            (0, "reserve", 1, S),
            (S, "cancel", 1, None),
            (S, "tokens", None, 1),
        ],
    ),
    "RL-08 never above the burst": (
        1.0,
        2,
        [
            (0, "reserve", 2, 0),
            (0, "set_burst", 1, None),
            (0, "cancel", 0, None),
            (0, "tokens", None, 1),
        ],
    ),
    "RL-09 others keep their acting times, and a newcomer gets the room": (
        1.0,
        1,
        [
            (0, "reserve", 1, 0),
            (0, "reserve", 1, S),
            (0, "reserve", 1, 2 * S),
            (0, "cancel", 2, None),
            (0, "reserve", 1, 2 * S),
        ],
    ),
    "RL-10 a second cancel does nothing": (
        1.0,
        4,
        [
            (0, "reserve", 4, 0),
            (0, "reserve", 2, 2 * S),
            (0, "cancel", 1, None),
            (0, "cancel", 1, None),
            (0, "tokens", None, 0),
        ],
    ),
    "RL-10 nothing extra when the latest event lies before the acting time": (
        1.0,
        10,
        [
            (0, "reserve", 10, 0),
            (0, "reserve", 1, S),
            (0, "set_rate", 10.0, None),
            (0, "reserve", 1, 200 * MS),
            (0, "cancel", 1, None),
            (0, "tokens", None, -1),
        ],
    ),
    "RL-10 nothing for what was taken at an infinite rate": (
        math.inf,
        2,
        [
            (0, "reserve", 2, 0),
            (0, "set_rate", 1.0, None),
            (0, "allow", 2, True),
            (0, "cancel", 0, None),
            (0, "tokens", None, 0),
        ],
    ),
    "RL-18 an infinite rate takes nothing and ignores the burst": (
        math.inf,
        0,
        [
            (0, "allow", 10**9, True),
            (0, "reserve", 10**9, 0),
            (0, "tokens", None, 0),
            (5, "tokens", None, 0),
        ],
    ),
    "RL-18 an infinite rate pays any debt as time passes": (
        1.0,
        2,
        [
            (0, "reserve", 2, 0),
            (0, "reserve", 2, 2 * S),
            (0, "set_rate", math.inf, None),
            (0, "tokens", None, -2),
            (1, "tokens", None, 2),
        ],
    ),
    "RL-19 at rate 0 the tokens can be spent and none come back": (
        0.0,
        2,
        [
            (0, "allow", 1, True),
            (0, "reserve", 1, 0),
            (9 * S, "allow", 1, False),
            (9 * S, "reserve", 1, NEVER),
            (9 * S, "tokens", None, 0),
        ],
    ),
    "RL-19 a later rate refills from that moment on": (
        0.0,
        2,
        [
            (0, "allow", 2, True),
            (9 * S, "set_rate", 1.0, None),
            (9 * S, "tokens", None, 0),
            (10 * S, "allow", 1, True),
        ],
    ),
    "RL-20 burst 0 allows nothing but nothing": (
        5.0,
        0,
        [
            (0, "allow", 1, False),
            (S, "reserve", 1, NEVER),
            (S, "allow", 0, True),
        ],
    ),
    "RL-21 a new rate counts from now on, reservations keep their times": (
        1.0,
        10,
        [
            (0, "allow", 10, True),
            (S, "set_rate", 2.0, None),
            (S, "tokens", None, 1),
            (2 * S, "tokens", None, 3),
        ],
    ),
    "RL-21 raising the burst adds nothing, lowering cuts": (
        1.0,
        2,
        [
            (0, "set_burst", 5, None),
            (0, "tokens", None, 2),
            (S, "tokens", None, 3),
            (9 * S, "set_burst", 1, None),
            (9 * S, "set_burst", 5, None),
            (9 * S, "tokens", None, 1),
        ],
    ),
    "RL-22 nothing is always allowed, unless in debt": (
        1.0,
        1,
        [
            (0, "allow", 1, True),
            (0, "allow", 0, True),
            (0, "reserve", 1, S),
            (0, "allow", 0, False),
            (0, "reserve", 0, S),
            (0, "tokens", None, -1),
            (S, "allow", 0, True),
        ],
    ),
    "RL-23 a clock that steps back makes no tokens": (
        1.0,
        1,
        [
            (9 * S, "allow", 1, True),
            (0, "allow", 1, False),
            (0, "reserve", 1, S),
            (9 * S, "tokens", None, -1),
            (10 * S, "tokens", None, 0),
        ],
    ),
    "RL-24 a tiny rate makes an endless delay": (
        1e-300,
        1,
        [(0, "allow", 1, True), (S, "reserve", 1, NEVER), (S, "allow", 1, False)],
    ),
    "RL-24 a century is granted, three are endless": (
        every(CENTURY),
        2,
        [
            (0, "reserve", 2, 0),
            (0, "reserve", 1, CENTURY),
            (0, "reserve", 1, 2 * CENTURY),
            (0, "reserve", 1, NEVER),
        ],
    ),
}


def perform(bucket: TokenBucket, grants: list[Grant | None], step: Step) -> object:
    at, operation, argument, _ = step
    match operation:
        case "tokens":
            return bucket.tokens(at=at)
        case "allow":
            return bucket.request(argument, at=at, max_delay=0) is not None
        case "reserve":
            grants.append(bucket.request(argument, at=at))
            return None if grants[-1] is None else grants[-1].acts_at - at
        case "cancel":
            grant = grants[argument]
            assert grant is not None
            bucket.cancel(grant, at=at)
        case "set_rate":
            bucket.set_rate(argument, at=at)
        case "set_burst":
            bucket.set_burst(argument, at=at)
        case _:
            raise AssertionError(operation)
    return None


@pytest.mark.parametrize("name", TABLES)
def test_each_step_of_the_table_answers_as_it_says(name: str) -> None:
    rate, burst, steps = TABLES[name]
    bucket, grants = TokenBucket(rate, burst), list[Grant | None]()
    for index, step in enumerate(steps):
        answer = perform(bucket, grants, step)
        assert answer == step[3], f"step {index} {step}: got {answer}"


@pytest.mark.parametrize(
    ("max_delay", "is_granted"), [(S - 1, False), (S, True), (S + 1, True), (None, True)]
)
def test_a_delay_equal_to_the_bound_is_accepted(max_delay: int | None, is_granted: bool) -> None:
    bucket = TokenBucket(1.0, 1)
    assert bucket.request(1, at=5)
    assert (bucket.request(1, at=5, max_delay=max_delay) is not None) is is_granted
    assert bucket.tokens(at=5) == (-1 if is_granted else 0)


@pytest.mark.parametrize("rate", [-1.0, math.nan, -math.inf])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    bucket = TokenBucket(1.0, 1)
    with pytest.raises(ValueError, match="rate must be 0 or more"):
        TokenBucket(rate, 1)
    with pytest.raises(ValueError, match="rate must be 0 or more"):
        bucket.set_rate(rate, at=0)
    assert bucket.request(1, at=0)
    assert bucket.tokens(at=S // 4) == 0.25, "the old rate still counts"


def test_a_negative_burst_is_refused() -> None:
    bucket = TokenBucket(1.0, 1)
    with pytest.raises(ValueError, match="burst must be 0 or more"):
        TokenBucket(1.0, -1)
    with pytest.raises(ValueError, match="burst must be 0 or more"):
        bucket.set_burst(-1, at=0)
    assert bucket.burst == 1


def test_a_negative_number_of_tokens_is_refused_and_gives_nothing() -> None:
    for rate in (1.0, math.inf):
        bucket = TokenBucket(rate, 2)
        assert bucket.request(1, at=0)
        before = bucket.tokens(at=0)
        with pytest.raises(ValueError, match="tokens must be 0 or more, not -1"):
            bucket.request(-1, at=0)
        assert bucket.tokens(at=0) == before


@pytest.mark.parametrize(
    ("interval", "rate"),
    [(0, math.inf), (-1, math.inf), (S, 1.0), (S // 4, 4.0), (2 * S, 0.5), (7, 1 / (7 / S))],
)
def test_every_gives_one_token_per_interval(interval: int, rate: float) -> None:
    assert every(interval) == rate


def test_conversions_round_as_whole_seconds_plus_fraction() -> None:
    # Dividing the whole would differ in the last bit here.
    assert tokens_in(1_144_272_509, 1.0) == 1 + 144_272_509 / S != 1_144_272_509 / S
    assert time_for(1, 3.0) == 333_333_333
    assert time_for(1, 0.0) is None
    assert time_for(2**63 / S, 1.0) is None


@dataclass
class ExactGrant:
    acts_at: int
    tokens: int
    rate: Fraction
    is_cancelled: bool = False


class ExactBucket:
    """An independent model that never rounds, and remembers everything it granted.

    It knows only finite positive rates and a clock that does not step back.
    """

    def __init__(self, rate: Fraction, burst: int) -> None:
        self.rate, self.burst = rate, burst
        self.level, self.level_at = Fraction(burst), 0
        self.latest_event = 0

    def tokens(self, at: int) -> Fraction:
        return min(Fraction(self.burst), self.level + self.rate * Fraction(at - self.level_at, S))

    def settle(self, at: int, level: Fraction) -> None:
        self.level, self.level_at = level, at

    def delay(self, n: int, at: int) -> Fraction:
        return max(Fraction(0), (n - self.tokens(at)) / self.rate) * S

    def grant(self, n: int, at: int) -> ExactGrant:
        acts_at = at + math.floor(self.delay(n, at))
        self.settle(at, self.tokens(at) - n)
        self.latest_event = acts_at
        return ExactGrant(acts_at, n, self.rate)

    def cancel(self, grant: ExactGrant, at: int) -> None:
        if grant.is_cancelled or not grant.tokens or at > grant.acts_at:
            grant.is_cancelled = True
            return
        grant.is_cancelled = True
        after = grant.rate * Fraction(self.latest_event - grant.acts_at, S)
        refund = min(Fraction(grant.tokens), grant.tokens - after)
        if refund <= 0:
            return
        self.settle(at, min(Fraction(self.burst), self.tokens(at) + refund))
        if grant.acts_at == self.latest_event:
            earlier = grant.acts_at - math.floor(grant.tokens / grant.rate * S)
            if earlier >= at:
                self.latest_event = earlier


#: Powers of two, so that rates and delays are exact in both and only the bucket's own
#: rounding is left; and others, to see that rounding stays small.
RATES = st.sampled_from([0.25, 1.0, 2.0, 8.0, 1000.0, 3.0, 0.1, 7.3])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("allow"), st.integers(0, 7)),
        st.tuples(st.just("reserve"), st.integers(0, 7)),
        st.tuples(st.just("cancel"), st.integers(0, 20)),
        st.tuples(st.just("set_rate"), RATES),
        st.tuples(st.just("set_burst"), st.integers(0, 6)),
        st.tuples(st.just("sleep"), st.sampled_from([1, MS, S // 3, S // 2, S, 5 * S])),
        st.tuples(st.just("sleep to"), st.integers(-1, 1)),
    ),
    max_size=30,
)


@given(rate=RATES, burst=st.integers(0, 6), steps=STEPS)
@settings(deadline=None, derandomize=True)
def test_the_bucket_agrees_with_a_model_that_never_rounds(
    rate: float, burst: int, steps: list[tuple[str, Any]]
) -> None:
    bucket, exact, at = TokenBucket(rate, burst), ExactBucket(Fraction(rate), burst), 10 * S
    grants: list[tuple[Grant, ExactGrant]] = []
    for index, (operation, argument) in enumerate(steps):
        where = f"step {index} {operation} {argument} at {at}"
        match operation:
            case "sleep":
                at += argument
            case "sleep to":
                acts_at = grants[-1][0].acts_at if grants else at
                at = max(at, acts_at + argument)
            case "set_rate":
                bucket.set_rate(argument, at=at)
                exact.settle(at, exact.tokens(at))
                exact.rate = Fraction(argument)
            case "set_burst":
                bucket.set_burst(argument, at=at)
                exact.settle(at, exact.tokens(at))
                exact.burst = argument
            case "cancel" if grants:
                ours, theirs = grants[argument % len(grants)]
                bucket.cancel(ours, at=at)
                exact.cancel(theirs, at)
            case "allow" | "reserve":
                max_delay = 0 if operation == "allow" else None
                granted = bucket.request(argument, at=at, max_delay=max_delay)
                delay = exact.delay(argument, at)
                fits = argument <= exact.burst and (max_delay is None or delay < 1)
                # Within a nanosecond of the border rounding decides, and both are right.
                if argument <= exact.burst and abs(delay - 1) < Fraction(1, 100):
                    fits = granted is not None
                assert (granted is not None) == fits, where
                if granted is not None:
                    expected = exact.grant(argument, at)
                    assert abs(granted.acts_at - expected.acts_at) <= 1, where
                    # From here on both count with the acting time that was given out.
                    expected.acts_at = exact.latest_event = granted.acts_at
                    grants.append((granted, expected))
        # The event may have moved back by a rounded length: a nanosecond of tokens.
        assert abs(bucket.tokens(at=at) - exact.tokens(at)) < 1e-5, where


def test_long_random_histories_conserve_tokens_in_every_window() -> None:
    rng = random.Random(17)
    steps = 0
    for _ in range(600):
        rate, burst = rng.choice([0.5, 1.0, 3.0, 10.0, 997.0]), rng.randint(1, 6)
        bucket, at = TokenBucket(rate, burst), rng.randrange(10 * S)
        acted: list[tuple[int, int]] = []
        last_acting = 0
        for _ in range(30):
            steps += 1
            at += rng.choice([0, 1, MS, int(S / rate), int(S / rate) - 1, rng.randrange(3 * S)])
            max_delay = rng.choice([None, 0, S])
            grant = bucket.request(rng.randint(0, burst + 1), at=at, max_delay=max_delay)
            if grant is not None:
                assert grant.acts_at >= at
                if grant.tokens:
                    assert grant.acts_at >= last_acting - 1, "a later request acts earlier"
                    last_acting = grant.acts_at
                    acted.append((grant.acts_at, grant.tokens))
        acted.sort()
        for start in range(len(acted)):
            total = 0
            for moment, tokens in acted[start:]:
                total += tokens
                length = (moment - acted[start][0]) / S
                assert total <= burst + rate * length + 1e-5, f"rate {rate} burst {burst}"
    assert steps > 17_000


def test_steady_demand_gets_all_that_the_rate_allows() -> None:
    bucket, acted, at = TokenBucket(100.0, 10), 0, 0
    while at < 10 * S:
        acted += bucket.request(1, at=at, max_delay=0) is not None
        at += 2 * MS
    assert 0.999 * (10 + 100 * 10) <= acted <= 10 + 100 * 10
