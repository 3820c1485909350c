"""The patterns for threads, on the standard library alone."""

from quiesce_reference.errors import (
    ChannelClosedError,
    ContextCancelledError,
    DeadlineExceededError,
    GroupBusyError,
    JobCancelledError,
    PoolClosedError,
    ReentrantCallError,
    WaitRefusedError,
    WouldBlockError,
)
from quiesce_reference.rates import every
from quiesce_reference.result import Result
from quiesce_reference.selected import Selected
from quiesce_reference.threads.capacity_limiter import CapacityLimiter
from quiesce_reference.threads.channel import Channel
from quiesce_reference.threads.condition import Condition
from quiesce_reference.threads.context import CancelContext, Context
from quiesce_reference.threads.fan_in import Merge, merge
from quiesce_reference.threads.fan_out import first_success, map_concurrent
from quiesce_reference.threads.mutex import Mutex
from quiesce_reference.threads.object_pool import ObjectPool
from quiesce_reference.threads.once import Once, once_func, once_value
from quiesce_reference.threads.periodic import Periodic
from quiesce_reference.threads.pipeline import Pipeline, Stage, pipeline
from quiesce_reference.threads.rate_limiter import RateLimiter, Reservation
from quiesce_reference.threads.rwlock import RWLock
from quiesce_reference.threads.select import Receive, Send, select
from quiesce_reference.threads.semaphore import Semaphore
from quiesce_reference.threads.service import Service
from quiesce_reference.threads.singleflight import SingleFlight
from quiesce_reference.threads.task_group import TaskGroup
from quiesce_reference.threads.ticker import Ticker
from quiesce_reference.threads.wait_group import WaitGroup
from quiesce_reference.threads.worker_pool import Job, WorkerPool

__all__ = [
    "CancelContext",
    "CapacityLimiter",
    "Channel",
    "ChannelClosedError",
    "Condition",
    "Context",
    "ContextCancelledError",
    "DeadlineExceededError",
    "GroupBusyError",
    "Job",
    "JobCancelledError",
    "Merge",
    "Mutex",
    "ObjectPool",
    "Once",
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
