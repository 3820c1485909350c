"""token-bucket: a token bucket for threads that answers yes or no."""

from token_bucket import Limiter, MemoryStorage

import quiesce


@quiesce.adapter(
    "rate_limiter",
    world="threads",
    distribution="token-bucket",
    # ``consume`` is all there is: nobody waits, and the token count is that of the last
    # ``consume`` (storage.py). The rate is "> 0" and the capacity ">= 1" (limiter.py).
    lacks={
        *("wait", "deadline", "reserve", "set_rate", "set_burst", "tokens", "wait_cancel"),
        # ``num_tokens`` is ">= 1" (limiter.py).
        *("infinite_rate", "zero_rate", "zero_burst", "zero_tokens"),
    },
    # MemoryStorage is "suitable for multi-threaded applications" (storage.py).
    # Time is a float of seconds.
    dialect={
        "rate_algorithm": "token_bucket",
        "rate_rounding": "float",
        "rate_cancel": "none",
        "rate_zero": "none",
    },
)
class Bucket:
    """One key's bucket in the in-memory storage."""

    def __init__(self, rate: float, burst: int) -> None:
        self._limiter = Limiter(rate, burst, MemoryStorage())

    def allow(self, n: int) -> bool:
        return self._limiter.consume("client", n)
