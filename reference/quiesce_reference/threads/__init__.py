"""The patterns for threads, on the standard library alone."""

from quiesce_reference.errors import ReentrantCallError, WaitRefusedError
from quiesce_reference.rates import every
from quiesce_reference.result import Result
from quiesce_reference.threads.object_pool import ObjectPool
from quiesce_reference.threads.once import Once, once_func, once_value
from quiesce_reference.threads.rate_limiter import RateLimiter, Reservation
from quiesce_reference.threads.singleflight import SingleFlight
from quiesce_reference.threads.ticker import Ticker

__all__ = [
    "ObjectPool",
    "Once",
    "RateLimiter",
    "ReentrantCallError",
    "Reservation",
    "Result",
    "SingleFlight",
    "Ticker",
    "WaitRefusedError",
    "every",
    "once_func",
    "once_value",
]
