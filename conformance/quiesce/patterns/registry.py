"""All patterns by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from quiesce.patterns.cancel_scope import CANCEL_SCOPE
from quiesce.patterns.capacity_limiter import CAPACITY_LIMITER
from quiesce.patterns.channel import CHANNEL
from quiesce.patterns.condition import CONDITION
from quiesce.patterns.context import CONTEXT
from quiesce.patterns.fan_in import FAN_IN
from quiesce.patterns.fan_out import FAN_OUT
from quiesce.patterns.mutex import MUTEX
from quiesce.patterns.object_pool import OBJECT_POOL
from quiesce.patterns.once import ONCE
from quiesce.patterns.periodic import PERIODIC
from quiesce.patterns.pipeline import PIPELINE
from quiesce.patterns.rate_limiter import RATE_LIMITER
from quiesce.patterns.rwlock import RWLOCK
from quiesce.patterns.select import SELECT
from quiesce.patterns.semaphore import SEMAPHORE
from quiesce.patterns.service import SERVICE
from quiesce.patterns.singleflight import SINGLEFLIGHT
from quiesce.patterns.stream_pool import STREAM_POOL
from quiesce.patterns.task_group import TASK_GROUP
from quiesce.patterns.ticker import TICKER
from quiesce.patterns.wait_group import WAIT_GROUP
from quiesce.patterns.worker_pool import WORKER_POOL

if TYPE_CHECKING:
    from quiesce.patterns.pattern import Pattern

__all__ = ["PATTERNS"]

#: In the order of the specification.
PATTERNS: Final[dict[str, Pattern]] = {
    pattern.name: pattern
    for pattern in (
        CONTEXT,
        CANCEL_SCOPE,
        TASK_GROUP,
        WAIT_GROUP,
        CHANNEL,
        SELECT,
        MUTEX,
        RWLOCK,
        SEMAPHORE,
        CAPACITY_LIMITER,
        CONDITION,
        WORKER_POOL,
        STREAM_POOL,
        FAN_OUT,
        FAN_IN,
        PIPELINE,
        TICKER,
        PERIODIC,
        SERVICE,
        RATE_LIMITER,
        ONCE,
        SINGLEFLIGHT,
        OBJECT_POOL,
    )
}
