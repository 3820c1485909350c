"""Once of the reference, for threads."""

from collections.abc import Callable

import quiesce
from quiesce_reference.threads import Once, once_func, once_value

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
