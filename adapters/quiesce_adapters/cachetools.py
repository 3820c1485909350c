"""cachetools: ``cached`` with a condition, whose concurrent misses wait for the first one."""

from collections.abc import Callable, Hashable
from threading import Condition

import cachetools

import quiesce


def _by_key(key: str, _: Callable[[], object]) -> Hashable:
    return key


@quiesce.adapter(
    "singleflight",
    world="threads",
    distribution="cachetools",
    # Values alone travel through the cache: when the first miss fails, the next waiter works
    # itself (_decorator.py). Invalidation does not reach a call in flight.
    lacks={
        *("shared", "future", "forget", "errors_shared", "reentrance_error", "exit"),
        "release",  # a cache keeps what it has
    },
    # It is a cache; one without room would make every waiter work again.
    dialect={"sf_cancel": "none", "sf_last_cancel": "cancels", "remembers": "values"},
)
class Flight:
    """A cached function that is keyed by the key alone."""

    def __init__(self) -> None:
        # func.py: "Using a condition variable also prevents cache stampedes".
        @cachetools.cached({}, key=_by_key, condition=Condition())
        def run(_: str, work: Callable[[], object]) -> object:
            return work()

        self._run = run

    def do(self, key: str, work: Callable[[], object]) -> object:
        return self._run(key, work)


@quiesce.adapter(
    "once",
    world="threads",
    distribution="cachetools",
    lacks={"own_function", "reentrance_error", "release"},
    dialect={"once_error": "retry", "once_cancel": "none"},  # values alone are kept
)
class Once:
    """A cached function of no arguments."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._cached = cachetools.cached({}, condition=Condition())(work)

    def call(self) -> object:
        return self._cached()
