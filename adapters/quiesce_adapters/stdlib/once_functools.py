"""The caches of functools, used as once by programs with threads.

Both are declared as if a single execution were promised, because that is what a program
expects that uses them to initialise something. Their documentation says otherwise: of
``lru_cache`` that the function may be called more than once when threads race, and of
``cached_property`` (from 3.12 on) that it does not prevent such a race.
"""

import functools
from collections.abc import Callable

import quiesce

# Nothing documented about a function that calls its own cache, nor that it is let go.
LACKS = {"own_function", "reentrance_error", "release"}
# Both keep values only: the next call after an exception runs the function again.
DIALECT = {"once_error": "retry", "once_cancel": "none"}


@quiesce.adapter(
    "once",
    world="threads",
    name="functools.lru_cache",
    packages=["functools"],
    lacks=LACKS,
    dialect=DIALECT,
)
class LruCache:
    """A function of no arguments behind ``lru_cache``."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._cached = functools.lru_cache(maxsize=None)(work)

    def call(self) -> object:
        return self._cached()


@quiesce.adapter(
    "once",
    world="threads",
    name="functools.cached_property",
    packages=["functools"],
    lacks=LACKS,
    dialect=DIALECT,
)
class CachedProperty:
    """An attribute computed on first use; one property serves all objects of the class."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work

    @functools.cached_property
    def _value(self) -> object:
        return self._work()

    def call(self) -> object:
        return self._value
