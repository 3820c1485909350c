"""asyncio-throttle: a throttler for asyncio that looks again every few milliseconds."""

from asyncio_throttle.throttler import Throttler

import quiesce


@quiesce.adapter(
    "rate_limiter",
    world="asyncio",
    distribution="asyncio-throttle",
    # An async context manager, and ``acquire``, which waits too; limit and period are positive.
    lacks={
        *("allow", "deadline", "reserve", "set_rate", "set_burst", "tokens", "weighted"),
        *("infinite_rate", "zero_rate", "zero_burst"),
    },
    # README: "if you want to limit rate to 500/min"; throttler.py logs the entries' times.
    dialect={
        "rate_algorithm": "sliding_window",
        "rate_rounding": "float",
        "rate_cancel": "none",
        "rate_zero": "none",
    },
)
class Window:
    """``Throttler``: ``burst`` entries in any period, polled as often as it does by default."""

    def __init__(self, rate: float, burst: int) -> None:
        self._throttler = Throttler(rate_limit=burst, period=burst / rate)

    async def wait(self, n: int) -> None:  # noqa: ARG002 - always 1, the library has no weights
        async with self._throttler:
            pass
