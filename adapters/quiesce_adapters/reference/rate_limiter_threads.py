"""The rate limiter of the reference, for threads."""

import quiesce
from quiesce_reference.threads import RateLimiter, Reservation

PACKAGES = ["quiesce_reference"]


@quiesce.adapter(
    "rate_limiter",
    world="threads",
    packages=PACKAGES,
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

    def allow(self, n: int) -> bool:
        return self._limiter.allow(n)

    def wait(self, n: int) -> None:
        self._limiter.wait(n)

    def wait_until(self, n: int, timeout: int) -> None:
        self._limiter.wait(n, timeout=timeout)

    def reserve(self, n: int) -> Reservation:
        return self._limiter.reserve(n)

    def set_rate(self, rate: float) -> None:
        self._limiter.set_rate(rate)

    def set_burst(self, burst: int) -> None:
        self._limiter.set_burst(burst)

    def tokens(self) -> float:
        return self._limiter.tokens()
