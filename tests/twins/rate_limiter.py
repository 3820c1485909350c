"""Known-bad rate limiters: each a good one with a single planted defect.

The good ones come first (a token bucket for asyncio, trio and threads, a leaky bucket, windows
that slide and windows that don't) and conform. Their seams are the methods that twins replace.
"""

from __future__ import annotations

import asyncio
import dataclasses
import math
import threading
import time
from typing import Any

import anyio
import anyio.lowlevel
import trio

import quiesce

PATTERN = "rate_limiter"
SECOND = 10**9
ENDLESS = 2**63
BUCKET: dict[str, Any] = {
    "world": "asyncio",
    "dialect": {"rate_algorithm": "token_bucket", "rate_cancel": "exact", "rate_zero": "refuse"},
}
TRIO: dict[str, Any] = {**BUCKET, "world": "trio"}
THREADS: dict[str, Any] = {**BUCKET, "world": "threads"}
SIMPLE = {"set_rate", "set_burst", "tokens", "reserve", "deadline"}
CHANGES = {"infinite_rate", "zero_rate", "zero_burst", "negative"}
LEAKY: dict[str, Any] = {
    "world": "asyncio",
    "lacks": {*SIMPLE, *CHANGES, "allow"},
    "dialect": {"rate_algorithm": "leaky", "rate_cancel": "none", "rate_zero": "none"},
}
SLIDING: dict[str, Any] = {
    "world": "asyncio",
    "lacks": {*SIMPLE, *CHANGES, "zero_tokens"},
    "dialect": {"rate_algorithm": "sliding_window", "rate_cancel": "none", "rate_zero": "none"},
}
FIXED: dict[str, Any] = {
    "world": "asyncio",
    "lacks": {*SIMPLE, *CHANGES, "zero_tokens", "wait"},
    "dialect": {"rate_algorithm": "fixed_window", "rate_cancel": "none", "rate_zero": "none"},
}


class Refused(Exception):
    """A wait that can't end in time."""


def tokens_in(duration: int, rate: float) -> float:
    whole, rest = divmod(max(0, duration), SECOND)
    return 0.0 if duration <= 0 or rate == 0 else (whole + rest / SECOND) * rate


def time_for(tokens: float, rate: float) -> int | None:
    duration = tokens / rate * SECOND if rate > 0 else math.inf
    return int(duration) if duration < ENDLESS else None


@dataclasses.dataclass(eq=False)
class Grant:
    acts_at: int
    tokens: int
    rate: float
    undone: bool = False


class Bucket:
    """A token bucket, without waiting."""

    def __init__(self, rate: float, burst: int) -> None:
        self.rate, self.burst = rate, burst
        self.level = self.start()
        self.last, self.last_event = self.now(), 0
        self.grants: list[Grant] = []

    def start(self) -> float:
        return float(self.burst)

    def now(self) -> int:
        return time.monotonic_ns()

    def cap(self, level: float) -> float:
        return min(float(self.burst), level)

    def level_now(self) -> float:
        return self.cap(self.level + tokens_in(self.now() - self.last, self.rate))

    def settle(self, level: float) -> None:
        self.level, self.last = level, self.now()

    def delay_for(self, missing: float) -> int | None:
        return 0 if missing <= 0 else time_for(missing, self.rate)

    def fits(self, n: int) -> bool:
        return n <= self.burst

    def check(self, n: int) -> None:
        if n < 0:
            raise ValueError(n)

    def request(self, n: int, limit: int | None = None) -> Grant | None:
        self.check(n)
        if self.rate == math.inf:
            return self.unlimited(n)
        level = self.level_now()
        delay = self.delay_for(n - level)
        if not self.fits(n) or delay is None or (limit is not None and delay > limit):
            self.refuse(n, level)
            return None
        return self.grant(n, level, delay)

    def grant(self, n: int, level: float, delay: int) -> Grant:
        self.settle(level - n)
        self.last_event = self.now() + delay
        self.grants.append(Grant(self.last_event, n, self.rate))
        return self.grants[-1]

    def unlimited(self, n: int) -> Grant:
        return Grant(self.now(), 0, self.rate)

    def refuse(self, n: int, level: float) -> None:
        pass

    def can_undo(self, grant: Grant) -> bool:
        return not grant.undone and grant.acts_at >= self.now()

    def refund(self, grant: Grant) -> float:
        return grant.tokens - tokens_in(self.last_event - grant.acts_at, grant.rate)

    def undo(self, grant: Grant) -> None:
        if self.can_undo(grant) and grant.tokens and self.rate < math.inf:
            refund = self.refund(grant)
            if refund > 0:
                self.settle(self.cap(self.level_now() + refund))
                self.rewind(grant)
        grant.undone = True

    def rewind(self, grant: Grant) -> None:
        length = time_for(grant.tokens, grant.rate)
        if grant.acts_at == self.last_event and length is not None:
            before = grant.acts_at - length
            self.last_event = before if before >= self.now() else self.last_event

    def change_rate(self, rate: float) -> None:
        self.settle(self.level_now())
        self.rate = rate

    def change_burst(self, burst: int) -> None:
        self.settle(self.level_now())
        self.burst = burst


class Reservation:
    def __init__(self, bucket: Bucket, grant: Grant | None) -> None:
        self.bucket, self.grant = bucket, grant
        self.ok = grant is not None
        self.first = self.delay_now()

    def delay_now(self) -> int | None:
        return None if self.grant is None else max(0, self.grant.acts_at - self.bucket.now())

    def delay(self) -> int | None:
        return self.delay_now()

    def cancel(self) -> None:
        if self.grant is not None:
            self.bucket.undo(self.grant)


class Locked(Reservation):
    def __init__(self, bucket: Bucket, grant: Grant | None, lock: threading.Lock) -> None:
        super().__init__(bucket, grant)
        self.lock = lock

    def cancel(self) -> None:
        with self.lock:
            super().cancel()


async def sleep(nanoseconds: int) -> None:
    await anyio.sleep(nanoseconds / SECOND)


async def never() -> None:
    await anyio.Event().wait()


@quiesce.adapter(PATTERN, name="rl_good_asyncio", **BUCKET)
@quiesce.adapter(PATTERN, name="rl_good_trio", **TRIO)
class Limiter:
    bucket = Bucket

    def __init__(self, rate: float, burst: int) -> None:
        self.of = self.bucket(rate, burst)

    async def allow(self, n: int) -> bool:
        return self.of.request(n, self.patience()) is not None

    def patience(self) -> int:
        return 0

    async def reserve(self, n: int) -> Reservation:
        return Reservation(self.of, self.of.request(n))

    async def wait(self, n: int) -> None:
        await self.wait_until(n, None)

    async def wait_until(self, n: int, timeout: int | None) -> None:
        self.of.check(n)
        if not self.of.fits(n) and self.of.rate < math.inf:
            await self.oversize(n)
        await anyio.lowlevel.checkpoint_if_cancelled()
        grant = self.of.request(n, timeout)
        if grant is None:
            await self.hopeless(timeout)
        else:
            await self.until(grant)

    async def until(self, grant: Grant) -> None:
        try:
            while (left := grant.acts_at - self.of.now()) > 0:
                await sleep(left)
        except BaseException:
            self.cancelled(grant)
            raise

    async def oversize(self, n: int) -> None:
        raise Refused

    async def hopeless(self, timeout: int | None) -> None:
        if timeout is None:
            await never()
        raise Refused

    def cancelled(self, grant: Grant) -> None:
        self.of.undo(grant)

    async def set_rate(self, rate: float) -> None:
        self.of.change_rate(rate)

    async def set_burst(self, burst: int) -> None:
        self.of.change_burst(burst)

    async def tokens(self) -> float:
        return self.of.level_now()


@quiesce.adapter(PATTERN, name="rl_good_threads", **THREADS)
class ThreadLimiter:
    def __init__(self, rate: float, burst: int) -> None:
        self.of, self.lock = Bucket(rate, burst), threading.Lock()

    def request(self, n: int, limit: int | None = None) -> Grant | None:
        with self.lock:
            return self.of.request(n, limit)

    def allow(self, n: int) -> bool:
        return self.request(n, 0) is not None

    def reserve(self, n: int) -> Reservation:
        return Locked(self.of, self.request(n), self.lock)

    def wait(self, n: int) -> None:
        self.wait_until(n, None)

    def wait_until(self, n: int, timeout: int | None) -> None:
        with self.lock:
            fits = self.of.fits(n) or self.of.rate == math.inf
            grant = self.of.request(n, timeout)
        if grant is None:
            if fits and timeout is None:
                threading.Event().wait()
            raise Refused
        while (left := grant.acts_at - self.of.now()) > 0:
            time.sleep(left / SECOND)

    def set_rate(self, rate: float) -> None:
        with self.lock:
            self.of.change_rate(rate)

    def set_burst(self, burst: int) -> None:
        with self.lock:
            self.of.change_burst(burst)

    def tokens(self) -> float:
        with self.lock:
            return self.of.level_now()


@quiesce.adapter(PATTERN, name="rl_good_leaky", **LEAKY)
class Leaky:
    """A leaky bucket with floats of seconds; whoever fits first is first."""

    def __init__(self, rate: float, burst: int) -> None:
        self.rate, self.burst = rate, burst
        self.level, self.last = 0.0, time.monotonic()

    def room(self) -> float:
        now = time.monotonic()
        self.level = max(0.0, self.level - (now - self.last) * self.rate)
        self.last = now
        return self.burst - self.level

    def pause(self, n: int) -> float:
        return (n - self.room()) / self.rate

    async def wait(self, n: int) -> None:
        if n > self.burst:
            raise Refused
        while self.room() < n:
            await asyncio.sleep(self.pause(n))
        self.level += n


@quiesce.adapter(PATTERN, name="rl_good_sliding", **SLIDING)
class Sliding:
    """A log of what was let in; those who wait look again every 10 ms."""

    def __init__(self, rate: float, burst: int) -> None:
        self.burst, self.period = burst, burst / rate
        self.log: list[float] = []

    def room(self) -> int:
        now = time.monotonic()
        self.log = [at for at in self.log if at > now - self.period]
        return self.burst - len(self.log)

    def enter(self, n: int) -> bool:
        if n > self.room():
            return False
        self.log += [time.monotonic()] * n
        return True

    async def allow(self, n: int) -> bool:
        return self.enter(n)

    async def wait(self, n: int) -> None:
        if n > self.burst:
            raise Refused
        while not self.enter(n):
            await asyncio.sleep(0.01)


@quiesce.adapter(PATTERN, name="rl_good_fixed", **FIXED)
class Fixed:
    """Windows that follow the clock."""

    def __init__(self, rate: float, burst: int) -> None:
        self.burst, self.period = burst, burst / rate
        self.window, self.count = -1, 0

    def turn(self) -> None:
        window = int(time.monotonic() / self.period)
        if window != self.window:
            self.window, self.count = window, 0

    async def allow(self, n: int) -> bool:
        self.turn()
        if self.count + n > self.burst:
            return self.refuse(n)
        self.count += n
        return True

    def refuse(self, n: int) -> bool:
        return False


# Twins of the bucket.


class EmptyBucket(Bucket):
    def start(self) -> float:
        return 0.0


@quiesce.adapter(PATTERN, name="rl_starts_empty", **BUCKET)
class StartsEmpty(Limiter):
    bucket = EmptyBucket


class UncappedBucket(Bucket):
    def cap(self, level: float) -> float:
        return level


@quiesce.adapter(PATTERN, name="rl_no_cap", **BUCKET)
class NoCap(Limiter):
    bucket = UncappedBucket


@quiesce.adapter(PATTERN, name="rl_allow_half_token_early", **BUCKET)
class AllowHalfTokenEarly(Limiter):
    def patience(self) -> int:
        return int(0.5 / self.of.rate * SECOND) if 0 < self.of.rate < math.inf else 0


class TakingBucket(Bucket):
    def refuse(self, n: int, level: float) -> None:
        self.settle(level - n)


@quiesce.adapter(PATTERN, name="rl_refused_reserve_takes", **BUCKET)
class RefusedReserveTakes(Limiter):
    bucket = TakingBucket


class ForgetfulBucket(Bucket):
    def refuse(self, n: int, level: float) -> None:
        self.settle(self.level)


@quiesce.adapter(PATTERN, name="rl_refusal_moves_clock", **BUCKET)
class RefusalMovesClock(Limiter):
    bucket = ForgetfulBucket


@quiesce.adapter(PATTERN, name="rl_reserve_takes_nothing", **BUCKET)
class ReserveTakesNothing(Limiter):
    async def reserve(self, n: int) -> Reservation:
        kept = self.of.level, self.of.last, self.of.last_event
        reservation = Reservation(self.of, self.of.request(n))
        self.of.level, self.of.last, self.of.last_event = kept
        return reservation


class OvertakingBucket(Bucket):
    def request(self, n: int, limit: int | None = None) -> Grant | None:
        self.check(n)
        now = self.now()
        pending = sum(g.tokens for g in self.grants if g.acts_at > now and not g.undone)
        level = self.level_now()
        if pending and level < n <= level + pending and n <= self.burst and self.rate < math.inf:
            return self.grant(n, level, 0)
        return super().request(n, limit)


@quiesce.adapter(PATTERN, name="rl_small_overtakes", **BUCKET)
class SmallOvertakes(Limiter):
    bucket = OvertakingBucket


class Standing(Reservation):
    def delay(self) -> int | None:
        return self.first


@quiesce.adapter(PATTERN, name="rl_delay_stands_still", **BUCKET)
class DelayStandsStill(Limiter):
    async def reserve(self, n: int) -> Reservation:
        return Standing(self.of, self.of.request(n))


class CancelNothing(Reservation):
    def cancel(self) -> None:
        pass


@quiesce.adapter(PATTERN, name="rl_cancel_noop", **BUCKET)
class CancelNoop(Limiter):
    async def reserve(self, n: int) -> Reservation:
        return CancelNothing(self.of, self.of.request(n))


class LateBucket(Bucket):
    def can_undo(self, grant: Grant) -> bool:
        return not grant.undone


@quiesce.adapter(PATTERN, name="rl_cancel_too_late_refunds", **BUCKET)
class CancelTooLateRefunds(Limiter):
    bucket = LateBucket


class GenerousBucket(Bucket):
    def refund(self, grant: Grant) -> float:
        return grant.tokens


@quiesce.adapter(PATTERN, name="rl_cancel_refunds_all", **BUCKET)
class CancelRefundsAll(Limiter):
    bucket = GenerousBucket


class StubbornBucket(Bucket):
    def rewind(self, grant: Grant) -> None:
        pass


@quiesce.adapter(PATTERN, name="rl_lastevent_not_rewound", **BUCKET)
class LastEventNotRewound(Limiter):
    bucket = StubbornBucket


class CrowdingBucket(Bucket):
    def undo(self, grant: Grant) -> None:
        length = time_for(grant.tokens, grant.rate)
        if not grant.undone and grant.acts_at >= self.now() and length:
            for other in self.grants:
                if other.acts_at > grant.acts_at:
                    other.acts_at = max(self.now(), other.acts_at - length)
        super().undo(grant)


@quiesce.adapter(PATTERN, name="rl_cancel_moves_others", **BUCKET)
class CancelMovesOthers(Limiter):
    bucket = CrowdingBucket

    def cancelled(self, grant: Grant) -> None:
        Bucket.undo(self.of, grant)  # those of waits are as they should be


class ForgivingBucket(Bucket):
    def can_undo(self, grant: Grant) -> bool:
        return grant.acts_at >= self.now()


@quiesce.adapter(PATTERN, name="rl_double_cancel_refunds", **BUCKET)
class DoubleCancelRefunds(Limiter):
    bucket = ForgivingBucket


class GoBucket(ForgivingBucket):
    def unlimited(self, n: int) -> Grant:
        return Grant(self.now(), n, 0.0)

    def refund(self, grant: Grant) -> float:
        later = self.last_event - grant.acts_at
        built_upon = tokens_in(later, grant.rate) - tokens_in(-later, grant.rate)
        return grant.tokens - built_upon


@quiesce.adapter(PATTERN, name="rl_cancel_as_go", **BUCKET)
class CancelAsGo(Limiter):
    bucket = GoBucket


@quiesce.adapter(PATTERN, name="rl_wait_over_burst_blocks", **BUCKET)
class WaitOverBurstBlocks(Limiter):
    async def oversize(self, n: int) -> None:
        await never()


@quiesce.adapter(PATTERN, name="rl_wait_ignores_cancelled_scope", **TRIO)
class WaitIgnoresCancelledScope(Limiter):
    async def wait_until(self, n: int, timeout: int | None) -> None:
        if trio.current_effective_deadline() == -math.inf:
            self.of.request(n, timeout)
            await trio.lowlevel.checkpoint()
        await super().wait_until(n, timeout)


@quiesce.adapter(PATTERN, name="rl_wait_waits_for_hopeless_deadline", **BUCKET)
class WaitsForHopelessDeadline(Limiter):
    async def hopeless(self, timeout: int | None) -> None:
        if timeout is not None:
            await sleep(timeout)
        await super().hopeless(timeout)


class MillisecondBucket(Bucket):
    def now(self) -> int:
        return time.monotonic_ns() // 10**6 * 10**6


@quiesce.adapter(PATTERN, name="rl_millisecond_clock", **BUCKET)
class MillisecondClock(Limiter):
    bucket = MillisecondBucket


@quiesce.adapter(PATTERN, name="rl_wait_returns_late", **BUCKET)
class WaitReturnsLate(Limiter):
    async def until(self, grant: Grant) -> None:
        late = Grant(grant.acts_at, grant.tokens, grant.rate)
        if late.acts_at > self.of.now():
            late.acts_at += 10**7  # it polls
        try:
            await super().until(late)
        except BaseException:
            self.of.undo(grant)
            raise

    def cancelled(self, grant: Grant) -> None:
        pass


@quiesce.adapter(PATTERN, name="rl_cancelled_wait_keeps_tokens", **BUCKET)
class CancelledWaitKeepsTokens(Limiter):
    def cancelled(self, grant: Grant) -> None:
        pass


class WholeBucket(Bucket):
    def level_now(self) -> float:
        if self.rate == math.inf:
            return super().level_now()
        level = self.cap(self.level + int(tokens_in(self.now() - self.last, self.rate)))
        self.settle(level)
        return level


@quiesce.adapter(
    PATTERN,
    name="rl_drops_fractions",
    **{**BUCKET, "lacks": {*SIMPLE, *CHANGES, "wait", "weighted", "zero_tokens"}},
)
class DropsFractions(Limiter):
    bucket = WholeBucket


class MeteredBucket(Bucket):
    def unlimited(self, n: int) -> Grant:
        self.settle(self.level_now() - n)
        return Grant(self.now(), 0, self.rate)


@quiesce.adapter(PATTERN, name="rl_inf_takes_tokens", **BUCKET)
class InfTakesTokens(Limiter):
    bucket = MeteredBucket


class OpenBucket(Bucket):
    def request(self, n: int, limit: int | None = None) -> Grant | None:
        self.check(n)
        return self.unlimited(n) if self.rate == 0 else super().request(n, limit)


@quiesce.adapter(PATTERN, name="rl_zero_means_unlimited", **BUCKET)
class ZeroMeansUnlimited(Limiter):
    bucket = OpenBucket


class BoundlessBucket(Bucket):
    def fits(self, n: int) -> bool:
        return True


@quiesce.adapter(PATTERN, name="rl_over_burst_ok", **BUCKET)
class OverBurstOk(Limiter):
    bucket = BoundlessBucket


class HastyRateBucket(Bucket):
    def change_rate(self, rate: float) -> None:
        self.rate = rate


@quiesce.adapter(PATTERN, name="rl_setlimit_unsettled", **BUCKET)
class SetLimitUnsettled(Limiter):
    bucket = HastyRateBucket


class HastyBurstBucket(Bucket):
    def change_burst(self, burst: int) -> None:
        self.burst = burst


@quiesce.adapter(PATTERN, name="rl_setburst_unsettled", **BUCKET)
class SetBurstUnsettled(Limiter):
    bucket = HastyBurstBucket


class CarelessBucket(Bucket):
    def check(self, n: int) -> None:
        pass


@quiesce.adapter(PATTERN, name="rl_negative_adds", **BUCKET)
class NegativeAdds(Limiter):
    bucket = CarelessBucket


class WrappingBucket(Bucket):
    def delay_for(self, missing: float) -> int | None:
        delay = super().delay_for(missing)
        return 0 if delay is None and self.rate > 0 else delay


@quiesce.adapter(PATTERN, name="rl_delay_wraps", **BUCKET)
class DelayWraps(Limiter):
    bucket = WrappingBucket


@quiesce.adapter(
    PATTERN, name="rl_thundering_allow", **{**THREADS, "lacks": {*SIMPLE, *CHANGES, "wait"}}
)
class ThunderingAllow(ThreadLimiter):
    def allow(self, n: int) -> bool:
        self.of.check(n)
        with self.lock:
            level = self.of.level_now()
        if self.of.rate < math.inf and self.of.delay_for(n - level) != 0:
            return False
        with self.lock:  # by now somebody else may have taken what was there
            if self.of.rate < math.inf:
                self.of.grant(n, self.of.level_now(), 0)
        return True


# Twins of the windows.


@quiesce.adapter(PATTERN, name="rl_window_starts_shut", **SLIDING)
class WindowStartsShut(Sliding):
    def __init__(self, rate: float, burst: int) -> None:
        super().__init__(rate, burst)
        self.log = [time.monotonic()] * burst


@quiesce.adapter(PATTERN, name="rl_window_counts_one_less", **SLIDING)
class WindowCountsOneLess(Sliding):
    def room(self) -> int:
        return super().room() + (1 if self.log else 0)


@quiesce.adapter(PATTERN, name="rl_window_charges_refusals", **FIXED)
class WindowChargesRefusals(Fixed):
    def refuse(self, n: int) -> bool:
        self.count += n
        return False


@quiesce.adapter(PATTERN, name="rl_fixed_window_forgets", **FIXED)
class FixedWindowForgets(Fixed):
    def refuse(self, n: int) -> bool:
        self.count = 0
        return False


@quiesce.adapter(PATTERN, name="rl_window_strands_waiters", **SLIDING)
class WindowStrandsWaiters(Sliding):
    async def wait(self, n: int) -> None:
        if n > self.burst:
            raise Refused
        if not self.enter(n):
            await never()


@quiesce.adapter(
    PATTERN,
    name="rl_window_thundering",
    **{**SLIDING, "world": "threads", "lacks": {*SLIDING["lacks"], "wait"}},
)
class WindowThundering:
    def __init__(self, rate: float, burst: int) -> None:
        self.of = Sliding(rate, burst)

    def allow(self, n: int) -> bool:
        return self.of.enter(n)


@quiesce.adapter(PATTERN, name="rl_leaky_sleeps_too_long", **LEAKY)
class LeakySleepsTooLong(Leaky):
    def pause(self, n: int) -> float:
        return n / self.rate


@quiesce.adapter(PATTERN, name="rl_leaks_a_task", **BUCKET)
class LeaksATask(Limiter):
    async def wait(self, n: int) -> None:
        await super().wait(n)
        self.task: Any = asyncio.ensure_future(never())
