"""The patterns for threads, on the standard library alone."""

from quiesce_reference.errors import (
    ContextCancelledError,
    DeadlineExceededError,
    JobCancelledError,
    PoolClosedError,
    ReentrantCallError,
    WaitRefusedError,
)
from quiesce_reference.rates import every
from quiesce_reference.result import Result
from quiesce_reference.threads.context import CancelContext, Context
from quiesce_reference.threads.fan_out import first_success, map_concurrent
from quiesce_reference.threads.mutex import Mutex
from quiesce_reference.threads.object_pool import ObjectPool
from quiesce_reference.threads.once import Once, once_func, once_value
from quiesce_reference.threads.rate_limiter import RateLimiter, Reservation
from quiesce_reference.threads.semaphore import Semaphore
from quiesce_reference.threads.singleflight import SingleFlight
from quiesce_reference.threads.ticker import Ticker
from quiesce_reference.threads.worker_pool import Job, WorkerPool

__all__ = [
    "CancelContext",
    "Context",
    "ContextCancelledError",
    "DeadlineExceededError",
    "Job",
    "JobCancelledError",
    "Mutex",
    "ObjectPool",
    "Once",
    "PoolClosedError",
    "RateLimiter",
    "ReentrantCallError",
    "Reservation",
    "Result",
    "Semaphore",
    "SingleFlight",
    "Ticker",
    "WaitRefusedError",
    "WorkerPool",
    "every",
    "first_success",
    "map_concurrent",
    "once_func",
    "once_value",
]
