"""limits: fixed and moving windows over its in-memory storage, in threads."""

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

import quiesce

# ``hit`` answers yes or no; nobody waits. A limit is a positive count in a window of finite
# length, and a cost of less than 1 is never mentioned. The storage starts timer threads, which
# only end by themselves. That a refused hit does not count is claimed: strategies.py, "True if
# cost could be deducted from the rate limit without exceeding it".
LACKS = {
    *("wait", "deadline", "reserve", "set_rate", "set_burst", "tokens", "wait_cancel", "stop"),
    *("infinite_rate", "zero_rate", "zero_burst", "zero_tokens", "negative"),
}
# README: a fixed window starts with the first request, and then "the counter resets"; in a
# moving one a request counts against the nth oldest entry of the log.
FIXED = {
    "rate_algorithm": "fixed_window",
    "rate_rounding": "float",
    "rate_cancel": "none",
    "rate_zero": "none",
}
MOVING = {**FIXED, "rate_algorithm": "sliding_window"}


class Window(RateLimitItemPerSecond):
    """A limit per window of any length; the library's own items count whole seconds."""

    __slots__ = ("_seconds",)

    def __init__(self, amount: int, seconds: float) -> None:
        super().__init__(amount)
        self._seconds = seconds

    def get_expiry(self) -> float:  # type: ignore[override] # the storage takes any number
        """Seconds after which the window is over."""
        return self._seconds


@quiesce.adapter(
    "rate_limiter",
    world="threads",
    name="limits.fixed_window",
    distribution="limits",
    lacks=LACKS,
    dialect=FIXED,
)
class FixedWindow:
    """``FixedWindowRateLimiter``."""

    def __init__(self, rate: float, burst: int) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._limit = Window(burst, burst / rate)

    def allow(self, n: int) -> bool:
        return self._limiter.hit(self._limit, "client", cost=n)


@quiesce.adapter(
    "rate_limiter",
    world="threads",
    name="limits.moving_window",
    distribution="limits",
    lacks=LACKS,
    dialect=MOVING,
)
class MovingWindow:
    """``MovingWindowRateLimiter``."""

    def __init__(self, rate: float, burst: int) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._limit = Window(burst, burst / rate)

    def allow(self, n: int) -> bool:
        return self._limiter.hit(self._limit, "client", cost=n)
