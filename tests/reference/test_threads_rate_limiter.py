"""The rate limiter for threads, on a clock that only its own sleep moves."""

from __future__ import annotations

import threading

import pytest

from quiesce_reference.threads import RateLimiter, WaitRefusedError, every

SECOND = 1_000_000_000


class Clock:
    """A clock; sleeping moves it."""

    def __init__(self, *, early_by: int = 0) -> None:
        self.now = 1000 * SECOND
        self.sleeps = 0
        self._early_by = early_by

    def __call__(self) -> int:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps += 1
        self.now += max(1, round(seconds * SECOND) - self._early_by)


def make(rate: float, burst: int, *, early_by: int = 0) -> tuple[RateLimiter, Clock]:
    clock = Clock(early_by=early_by)
    return RateLimiter(rate, burst, clock=clock, sleep=clock.sleep), clock


@pytest.mark.parametrize("early_by", [0, 1])
def test_a_wait_returns_exactly_at_its_acting_time(early_by: int) -> None:
    limiter, clock = make(3.0, 1, early_by=early_by)
    began_at, times = clock.now, []
    for _ in range(4):
        limiter.wait()
        times.append(clock.now - began_at)
    assert times == [0, 333333333, 666666666, SECOND]
    assert clock.sleeps == 3 * (1 + early_by)


def test_a_hopeless_wait_fails_at_once_and_takes_nothing() -> None:
    limiter, clock = make(1.0, 2)
    with pytest.raises(WaitRefusedError, match="3 tokens exceed the burst of 2"):
        limiter.wait(3)
    with pytest.raises(WaitRefusedError):
        limiter.wait(timeout=-1)
    assert limiter.allow(2)
    with pytest.raises(WaitRefusedError, match="timeout of 999999999 ns"):
        limiter.wait(timeout=SECOND - 1)
    assert (limiter.tokens(), clock.sleeps) == (0, 0)
    limiter.wait(timeout=SECOND)
    assert clock.now == 1001 * SECOND


def test_an_interrupted_wait_gives_back() -> None:
    clock = Clock()

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    limiter = RateLimiter(1.0, 2, clock=clock, sleep=interrupt)
    assert limiter.allow(2)
    with pytest.raises(KeyboardInterrupt):
        limiter.wait(2)
    assert limiter.tokens() == 0


def test_the_longest_wait_is_slept_in_pieces() -> None:
    limiter, clock = make(every(2**63 - 10**6), 1)
    began_at = clock.now
    limiter.wait()
    limiter.wait()
    assert clock.now - began_at > 2**62
    assert clock.sleeps == 1 + int(clock.now - began_at > threading.TIMEOUT_MAX * SECOND)


def test_a_reservation_counts_down_and_can_be_cancelled_once() -> None:
    limiter, clock = make(2.0, 1)
    first, second, refused = limiter.reserve(), limiter.reserve(), limiter.reserve(2)
    assert [first.ok, second.ok, refused.ok] == [True, True, False]
    assert [first.delay(), second.delay(), refused.delay()] == [0, SECOND // 2, None]
    clock.now += SECOND // 4
    assert second.delay() == SECOND // 4
    second.cancel()
    second.cancel()
    refused.cancel()
    assert limiter.tokens() == 0.5
    clock.now += SECOND
    assert first.delay() == 0


def test_rate_and_burst_can_be_changed() -> None:
    limiter, clock = make(1.0, 4)
    assert limiter.allow(4)
    clock.now += SECOND
    limiter.set_rate(2.0)
    clock.now += SECOND
    assert limiter.tokens() == 3
    limiter.set_burst(2)
    assert limiter.tokens() == 2
    assert not limiter.allow(3)


def test_of_calls_at_one_instant_exactly_the_burst_succeed() -> None:
    limiter, _ = make(1.0, 5)
    barrier, allowed = threading.Barrier(8), []

    def race() -> None:
        barrier.wait(60)
        allowed.append(limiter.allow())

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(allowed) == [False] * 3 + [True] * 5


def test_negative_numbers_are_refused() -> None:
    limiter, _ = make(1.0, 1)
    for method in (limiter.allow, limiter.reserve, limiter.wait):
        with pytest.raises(ValueError, match="0 or more"):
            method(-1)
