"""aiolimiter: a leaky bucket for asyncio."""

from aiolimiter import AsyncLimiter

import quiesce


@quiesce.adapter(
    "rate_limiter",
    world="asyncio",
    distribution="aiolimiter",
    # A call waits, or asks ``has_capacity`` and takes nothing. The capacity and the period are
    # divided by each other, so both are positive and finite.
    lacks={
        *("allow", "deadline", "reserve", "set_rate", "set_burst", "tokens"),
        *("infinite_rate", "zero_rate", "zero_burst"),
    },
    # Docstring: "A leaky bucket rate limiter", with "up to max_rate acquisitions within this
    # time period in a burst".
    dialect={
        "rate_algorithm": "leaky",
        "rate_rounding": "float",
        "rate_cancel": "none",
        "rate_zero": "none",
    },
)
class LeakyBucket:
    """``AsyncLimiter``: a bucket of ``burst`` that leaks ``rate`` a second."""

    def __init__(self, rate: float, burst: int) -> None:
        self._limiter = AsyncLimiter(burst, burst / rate)

    async def wait(self, n: int) -> None:
        await self._limiter.acquire(n)
