"""The patterns for async tasks, on anyio: they run on asyncio and on trio alike.

Nothing here may be shared between event loops or between threads.
"""

from quiesce_reference.aio.fan_out import first_success, map_concurrent
from quiesce_reference.aio.mutex import Mutex
from quiesce_reference.aio.object_pool import ObjectPool
from quiesce_reference.aio.once import Once, once_func, once_value
from quiesce_reference.aio.rate_limiter import RateLimiter, Reservation
from quiesce_reference.aio.semaphore import Semaphore
from quiesce_reference.aio.shared_call import Pending
from quiesce_reference.aio.singleflight import SingleFlight
from quiesce_reference.aio.ticker import Ticker
from quiesce_reference.aio.worker_pool import Job, WorkerPool
from quiesce_reference.errors import (
    ExecutionCancelledError,
    JobCancelledError,
    PoolClosedError,
    ReentrantCallError,
    WaitRefusedError,
)
from quiesce_reference.rates import every
from quiesce_reference.result import Result

__all__ = [
    "ExecutionCancelledError",
    "Job",
    "JobCancelledError",
    "Mutex",
    "ObjectPool",
    "Once",
    "Pending",
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
