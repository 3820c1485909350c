"""quiesce's reference implementations for asyncio and trio."""

from collections.abc import Awaitable, Callable

import quiesce
from quiesce_reference.aio import (
    Once,
    Pending,
    RateLimiter,
    Reservation,
    Result,
    SingleFlight,
    once_func,
    once_value,
)

WORLDS = ("asyncio", "trio")
PACKAGES = ["quiesce_reference"]
REQUIRES = ["quiesce_reference", "anyio"]
STORED = {"once_error": "stored", "once_cancel": "retry"}  # the wrappers keep an error
Work = Callable[[], Awaitable[object]]


@quiesce.adapter(
    "once",
    world=WORLDS,
    packages=PACKAGES,
    requires=REQUIRES,
    scope="anyio",
    name="reference.Once",
    # It has no value, and here it is the adapter that keeps the function.
    lacks={"value", "release"},
    dialect={"once_error": "done_silently", "once_cancel": "retry"},  # as Go's Once.Do
)
class OnceObject:
    """``Once``: each caller may bring a function of its own."""

    def __init__(self, work: Work) -> None:
        self._once, self._work = Once(), work

    async def call(self) -> None:
        await self._once.do(self._work)

    async def call_own(self, work: Work) -> None:
        await self._once.do(work)


@quiesce.adapter(
    "once",
    world=WORLDS,
    packages=PACKAGES,
    requires=REQUIRES,
    scope="anyio",
    name="reference.once_func",
    lacks={"own_function", "value"},
    dialect=STORED,
)
class OnceFunc:
    """``once_func``."""

    def __init__(self, work: Work) -> None:
        self._once = once_func(work)

    async def call(self) -> None:
        await self._once()


@quiesce.adapter(
    "once",
    world=WORLDS,
    packages=PACKAGES,
    requires=REQUIRES,
    scope="anyio",
    name="reference.once_value",
    lacks={"own_function"},
    dialect=STORED,
)
class OnceValue:
    """``once_value``."""

    def __init__(self, work: Work) -> None:
        self._once = once_value(work)

    async def call(self) -> object:
        return await self._once()


@quiesce.adapter(
    "singleflight",
    world=WORLDS,
    packages=PACKAGES,
    requires=REQUIRES,
    scope="anyio",
    name="reference.SingleFlight",
    dialect={"sf_cancel": "detached", "sf_last_cancel": "cancels", "remembers": "nothing"},
)
class Flight:
    """``SingleFlight``."""

    def __init__(self) -> None:
        self._flight = SingleFlight[str, object]()

    def lifespan(self) -> SingleFlight[str, object]:
        return self._flight

    async def do(self, key: str, work: Work) -> Result[object]:
        return await self._flight.do(key, work)

    def do_future(self, key: str, work: Work) -> Pending[object]:
        return self._flight.do_future(key, work)

    def forget(self, key: str) -> None:
        self._flight.forget(key)


@quiesce.adapter(
    "rate_limiter",
    world=WORLDS,
    packages=PACKAGES,
    requires=REQUIRES,
    scope="anyio",
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

    async def allow(self, n: int) -> bool:
        return self._limiter.allow(n)

    async def wait(self, n: int) -> None:
        await self._limiter.wait(n)

    async def wait_until(self, n: int, timeout: int) -> None:
        await self._limiter.wait(n, timeout=timeout)

    async def reserve(self, n: int) -> Reservation:
        return self._limiter.reserve(n)

    async def set_rate(self, rate: float) -> None:
        self._limiter.set_rate(rate)

    async def set_burst(self, burst: int) -> None:
        self._limiter.set_burst(burst)

    async def tokens(self) -> float:
        return self._limiter.tokens()
