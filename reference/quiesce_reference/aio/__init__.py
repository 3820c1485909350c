"""The patterns for async tasks, on anyio: they run on asyncio and on trio alike.

Nothing here may be shared between event loops or between threads.
"""

from quiesce_reference.aio.capacity_limiter import CapacityLimiter
from quiesce_reference.aio.channel import Channel
from quiesce_reference.aio.condition import Condition
from quiesce_reference.aio.context import CancelContext, Context
from quiesce_reference.aio.fan_in import Merge, merge
from quiesce_reference.aio.fan_out import first_success, map_concurrent
from quiesce_reference.aio.mutex import Mutex
from quiesce_reference.aio.object_pool import ObjectPool
from quiesce_reference.aio.once import Once, once_func, once_value
from quiesce_reference.aio.periodic import Periodic
from quiesce_reference.aio.pipeline import Pipeline, Stage, pipeline
from quiesce_reference.aio.rate_limiter import RateLimiter, Reservation
from quiesce_reference.aio.rwlock import RWLock
from quiesce_reference.aio.select import Receive, Send, select
from quiesce_reference.aio.semaphore import Semaphore
from quiesce_reference.aio.service import Service
from quiesce_reference.aio.shared_call import Pending
from quiesce_reference.aio.singleflight import SingleFlight
from quiesce_reference.aio.task_group import TaskGroup
from quiesce_reference.aio.ticker import Ticker
from quiesce_reference.aio.wait_group import WaitGroup
from quiesce_reference.aio.worker_pool import Job, WorkerPool
from quiesce_reference.errors import (
    ChannelClosedError,
    ContextCancelledError,
    DeadlineExceededError,
    ExecutionCancelledError,
    GroupClosedError,
    JobCancelledError,
    PoolClosedError,
    ReentrantCallError,
    WaitRefusedError,
    WouldBlockError,
)
from quiesce_reference.rates import every
from quiesce_reference.result import Result
from quiesce_reference.selected import Selected

__all__ = [
    "CancelContext",
    "CapacityLimiter",
    "Channel",
    "ChannelClosedError",
    "Condition",
    "Context",
    "ContextCancelledError",
    "DeadlineExceededError",
    "ExecutionCancelledError",
    "GroupClosedError",
    "Job",
    "JobCancelledError",
    "Merge",
    "Mutex",
    "ObjectPool",
    "Once",
    "Pending",
    "Periodic",
    "Pipeline",
    "PoolClosedError",
    "RWLock",
    "RateLimiter",
    "Receive",
    "ReentrantCallError",
    "Reservation",
    "Result",
    "Selected",
    "Semaphore",
    "Send",
    "Service",
    "SingleFlight",
    "Stage",
    "TaskGroup",
    "Ticker",
    "WaitGroup",
    "WaitRefusedError",
    "WorkerPool",
    "WouldBlockError",
    "every",
    "first_success",
    "map_concurrent",
    "merge",
    "once_func",
    "once_value",
    "pipeline",
    "select",
]
