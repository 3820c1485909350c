"""The rate limiter of the reference, for asyncio and trio."""

import quiesce
from quiesce_reference.aio import RateLimiter, Reservation

WORLDS = ("asyncio", "trio")
PACKAGES = ["quiesce_reference"]
REQUIRES = ["quiesce_reference", "anyio"]


@quiesce.adapter(
    "rate_limiter",
    world=WORLDS,
    packages=PACKAGES,
    requires=REQUIRES,
    scope="anyio",
    name="reference.RateLimiter",
    dialect={
        "rate_algorithm": "token_bucket",
        "rate_rounding": "exact",
        "rate_cancel": "exact",
        "rate_zero": "refuse",
    },
)
class Limiter:
    """``RateLimiter``."""

    def __init__(self, rate: float, burst: int) -> None:
        self._limiter = RateLimiter(rate, burst)

    async def allow(self, n: int) -> bool:
        return self._limiter.allow(n)

    async def wait(self, n: int) -> None:
        await self._limiter.wait(n)

    async def wait_until(self, n: int, timeout: int) -> None:
        await self._limiter.wait(n, timeout=timeout)

    async def reserve(self, n: int) -> Reservation:
        return self._limiter.reserve(n)

    async def set_rate(self, rate: float) -> None:
        self._limiter.set_rate(rate)

    async def set_burst(self, burst: int) -> None:
        self._limiter.set_burst(burst)

    async def tokens(self) -> float:
        return self._limiter.tokens()
