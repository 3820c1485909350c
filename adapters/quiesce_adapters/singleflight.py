"""singleflight: a port of groupcache's singleflight, for threads and for asyncio."""

from collections.abc import Awaitable, Callable

from singleflight.asynchronous import SingleFlightAsync  # type: ignore[import-untyped] # no py.typed
from singleflight.basic import SingleFlight  # type: ignore[import-untyped] # no py.typed

import quiesce

# "Exceptions are also raised normally" (README), so errors are shared and ``exit`` is not
# excepted. The API has one method, ``call``, which returns the bare value.
LACKS = {"shared", "future", "forget", "reentrance_error"}


@quiesce.adapter(
    "singleflight",
    world="threads",
    distribution="singleflight",
    lacks=LACKS,
    # "This module does not provide caching mechanism" (README).
    dialect={"sf_cancel": "none", "sf_last_cancel": "cancels", "remembers": "nothing"},
)
class Threads:
    """``singleflight.basic``: the first caller's thread runs the work."""

    def __init__(self) -> None:
        self._flights = SingleFlight()

    def do(self, key: str, work: Callable[[], object]) -> object:
        return self._flights.call(work, key)


@quiesce.adapter(
    "singleflight",
    world="asyncio",
    distribution="singleflight",
    lacks=LACKS,
    # The first caller awaits the work itself (asynchronous.py), so it dies with that caller.
    dialect={"sf_cancel": "inline", "sf_last_cancel": "cancels", "remembers": "nothing"},
)
class Asyncio:
    """``singleflight.asynchronous``: the first caller's task runs the work."""

    def __init__(self) -> None:
        self._flights = SingleFlightAsync()

    async def do(self, key: str, work: Callable[[], Awaitable[object]]) -> object:
        return await self._flights.call(work, key)
