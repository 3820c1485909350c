"""All patterns by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from quiesce.patterns.fan_out import FAN_OUT
from quiesce.patterns.mutex import MUTEX
from quiesce.patterns.object_pool import OBJECT_POOL
from quiesce.patterns.once import ONCE
from quiesce.patterns.rate_limiter import RATE_LIMITER
from quiesce.patterns.singleflight import SINGLEFLIGHT
from quiesce.patterns.ticker import TICKER

if TYPE_CHECKING:
    from quiesce.patterns.pattern import Pattern

__all__ = ["PATTERNS"]

PATTERNS: Final[dict[str, Pattern]] = {
    pattern.name: pattern
    for pattern in (
        ONCE,
        SINGLEFLIGHT,
        RATE_LIMITER,
        OBJECT_POOL,
        TICKER,
        MUTEX,
        FAN_OUT,
    )
}
