"""throttler: limits how often a block is entered, in asyncio."""

from throttler import Throttler  # type: ignore[import-untyped] # no py.typed

import quiesce


@quiesce.adapter(
    "rate_limiter",
    world="asyncio",
    distribution="throttler",
    # An async context manager and nothing else; the limit and the period are positive.
    lacks={
        *("allow", "deadline", "reserve", "set_rate", "set_burst", "tokens", "weighted"),
        *("infinite_rate", "zero_rate", "zero_burst"),
    },
    # README: "Limit to three calls per second"; throttler.py keeps the last entries' times.
    dialect={
        "rate_algorithm": "sliding_window",
        "rate_rounding": "float",
        "rate_cancel": "none",
        "rate_zero": "none",
    },
)
class Window:
    """``Throttler``: ``burst`` entries in any period."""

    def __init__(self, rate: float, burst: int) -> None:
        self._throttler = Throttler(rate_limit=burst, period=burst / rate)

    async def wait(self, n: int) -> None:  # noqa: ARG002 - always 1, the library has no weights
        async with self._throttler:
            pass
