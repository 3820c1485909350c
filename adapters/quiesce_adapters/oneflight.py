"""oneflight: Go's singleflight, with ``shared`` and ``forget``, for threads and for asyncio."""

from collections.abc import Callable, Coroutine

from oneflight import AsyncOneFlight, OneFlight

import quiesce

# There is no channel form. README: "Shares results and exceptions with every waiter"; the
# docstring of ``do`` says "BaseException: whatever fn raised", so ``exit`` is claimed.
LACKS = {"future", "reentrance_error"}


@quiesce.adapter(
    "singleflight",
    world="threads",
    distribution="oneflight",
    lacks=LACKS,
    # README: "Dedup, not cache".
    dialect={"sf_cancel": "none", "sf_last_cancel": "cancels", "remembers": "nothing"},
)
class Threads:
    """``OneFlight``: the first caller's thread runs the work."""

    def __init__(self) -> None:
        self._flights = OneFlight()

    def do(self, key: str, work: Callable[[], object]) -> tuple[object, bool]:
        return self._flights.do(key, work)

    def forget(self, key: str) -> None:
        self._flights.forget(key)


@quiesce.adapter(
    "singleflight",
    world="asyncio",
    distribution="oneflight",
    lacks=LACKS,
    # The first caller awaits the work itself (_async.py). README: "Cancellation-safe
    # (async): cancelling one waiter never cancels the shared work or the others".
    dialect={"sf_cancel": "inline", "sf_last_cancel": "cancels", "remembers": "nothing"},
)
class Asyncio:
    """``AsyncOneFlight``: the first caller's task runs the work."""

    def __init__(self) -> None:
        self._flights = AsyncOneFlight()

    async def do(
        self, key: str, work: Callable[[], Coroutine[object, object, object]]
    ) -> tuple[object, bool]:
        return await self._flights.do(key, work)

    def forget(self, key: str) -> None:
        self._flights.forget(key)
