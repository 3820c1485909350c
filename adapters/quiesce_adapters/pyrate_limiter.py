"""pyrate-limiter: its exact sliding window over a bucket in memory, in threads and asyncio."""

import math

from pyrate_limiter import (
    AbstractBucket,
    BucketAsyncWrapper,
    InMemoryBucket,
    Limiter,
    Rate,
    SingleBucketFactory,
)

import quiesce

# limiter.py, ``_plan_delay_step``: a timeout is waited out, never refused at once. Limit and
# interval are positive and finite. A negative weight is only asserted against. Without
# blocking, a lock that is held is a refusal, so not every refusal is for want of capacity.
LACKS = {
    *("deadline", "reserve", "set_rate", "set_burst", "tokens"),
    *("infinite_rate", "zero_rate", "zero_burst", "negative", "free_refusals"),
}
# README, "Algorithms": "never allows a burst above limit in any rolling interval".
DIALECT = {
    "rate_algorithm": "sliding_window",
    "rate_rounding": "float",
    "rate_cancel": "none",
    "rate_zero": "none",
}


def bucket_of(rate: float, burst: int) -> InMemoryBucket:
    """A window of ``burst / rate`` seconds; it counts whole milliseconds, so it may be longer."""
    return InMemoryBucket([Rate(burst, math.ceil(1000 * burst / rate))])


def limiter_of(bucket: AbstractBucket) -> Limiter:
    """A limiter without the thread that drops old entries, and without slack for clock drift."""
    return Limiter(SingleBucketFactory(bucket, schedule_leak=False), buffer_ms=0)


@quiesce.adapter(
    "rate_limiter", world="threads", distribution="pyrate-limiter", lacks=LACKS, dialect=DIALECT
)
class Threads:
    """``try_acquire``."""

    def __init__(self, rate: float, burst: int) -> None:
        self._limiter = limiter_of(bucket_of(rate, burst))

    def allow(self, n: int) -> bool:
        return bool(self._limiter.try_acquire("client", n, blocking=False))

    def wait(self, n: int) -> None:
        if not self._limiter.try_acquire("client", n):
            raise ValueError(n)  # more than the limit


@quiesce.adapter(
    "rate_limiter", world="asyncio", distribution="pyrate-limiter", lacks=LACKS, dialect=DIALECT
)
class Asyncio:
    """``try_acquire_async``; README: wrap a bucket in memory in ``BucketAsyncWrapper``."""

    def __init__(self, rate: float, burst: int) -> None:
        self._limiter = limiter_of(BucketAsyncWrapper(bucket_of(rate, burst)))

    async def allow(self, n: int) -> bool:
        return await self._limiter.try_acquire_async("client", n, blocking=False)

    async def wait(self, n: int) -> None:
        if not await self._limiter.try_acquire_async("client", n):
            raise ValueError(n)  # more than the limit
