"""quiesce's reference implementations for threads."""

from collections.abc import Callable
from concurrent.futures import Future

import quiesce
from quiesce_reference.threads import (
    Once,
    RateLimiter,
    Reservation,
    Result,
    SingleFlight,
    once_func,
    once_value,
)

STORED = {"once_error": "stored", "once_cancel": "none"}  # the wrappers keep an error
PACKAGES = ["quiesce_reference"]
Work = Callable[[], object]


@quiesce.adapter(
    "once",
    world="threads",
    packages=PACKAGES,
    name="reference.Once",
    # It has no value, and here it is the adapter that keeps the function.
    lacks={"value", "release"},
    dialect={"once_error": "done_silently", "once_cancel": "none"},  # as Go's Once.Do
)
class OnceObject:
    """``Once``: each caller may bring a function of its own."""

    def __init__(self, work: Work) -> None:
        self._once, self._work = Once(), work

    def call(self) -> None:
        self._once.do(self._work)

    def call_own(self, work: Work) -> None:
        self._once.do(work)


@quiesce.adapter(
    "once",
    world="threads",
    packages=PACKAGES,
    name="reference.once_func",
    lacks={"own_function", "value"},
    dialect=STORED,
)
class OnceFunc:
    """``once_func``."""

    def __init__(self, work: Work) -> None:
        self._once = once_func(work)

    def call(self) -> None:
        self._once()


@quiesce.adapter(
    "once",
    world="threads",
    packages=PACKAGES,
    name="reference.once_value",
    lacks={"own_function"},
    dialect=STORED,
)
class OnceValue:
    """``once_value``."""

    def __init__(self, work: Work) -> None:
        self._once = once_value(work)

    def call(self) -> object:
        return self._once()


@quiesce.adapter(
    "singleflight",
    world="threads",
    packages=PACKAGES,
    name="reference.SingleFlight",
    dialect={"sf_cancel": "none", "sf_last_cancel": "cancels", "remembers": "nothing"},
)
class Flight:
    """``SingleFlight``."""

    def __init__(self) -> None:
        self._flight = SingleFlight[str, object]()

    def do(self, key: str, work: Work) -> Result[object]:
        return self._flight.do(key, work)

    def do_future(self, key: str, work: Work) -> Future[Result[object]]:
        return self._flight.do_future(key, work)

    def forget(self, key: str) -> None:
        self._flight.forget(key)


@quiesce.adapter(
    "rate_limiter",
    world="threads",
    packages=PACKAGES,
    name="reference.RateLimiter",
    dialect={
        "rate_algorithm": "token_bucket",
        "rate_rounding": "exact",
        "rate_cancel": "exact",
        "rate_zero": "refuse",
    },
)
class Limiter:
    """``RateLimiter``."""

    def __init__(self, rate: float, burst: int) -> None:
        self._limiter = RateLimiter(rate, burst)

    def allow(self, n: int) -> bool:
        return self._limiter.allow(n)

    def wait(self, n: int) -> None:
        self._limiter.wait(n)

    def wait_until(self, n: int, timeout: int) -> None:
        self._limiter.wait(n, timeout=timeout)

    def reserve(self, n: int) -> Reservation:
        return self._limiter.reserve(n)

    def set_rate(self, rate: float) -> None:
        self._limiter.set_rate(rate)

    def set_burst(self, burst: int) -> None:
        self._limiter.set_burst(burst)

    def tokens(self) -> float:
        return self._limiter.tokens()
