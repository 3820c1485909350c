"""cached-property: attributes computed on first use, as once in threads.

One property serves all objects of its class, as in any program that uses it.
"""

from collections.abc import Callable

from cached_property import (  # type: ignore[import-untyped] # no py.typed
    cached_property,
    threaded_cached_property,
)

import quiesce

LACKS = {"own_function", "reentrance_error", "release"}
RETRY = {"once_error": "retry", "once_cancel": "none"}  # an exception leaves no attribute


@quiesce.adapter(
    "once",
    world="threads",
    name="cached-property.threaded_cached_property",
    distribution="cached-property",
    lacks=LACKS,
    dialect=RETRY,
)
class Threaded:
    """README: for when threads "cause problems with the standard ``cached_property``"."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work

    @threaded_cached_property  # type: ignore[untyped-decorator] # no annotations
    def _value(self) -> object:
        return self._work()

    def call(self) -> object:
        return self._value


@quiesce.adapter(
    "once",
    world="threads",
    name="cached-property.cached_property",
    distribution="cached-property",
    lacks={*LACKS, "single_init"},  # README, "Working with Threads": use the other one
    dialect=RETRY,
)
class Plain:
    """The property without a lock."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work

    @cached_property  # type: ignore[untyped-decorator] # no annotations
    def _value(self) -> object:
        return self._work()

    def call(self) -> object:
        return self._value
