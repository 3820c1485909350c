"""wrapt: ``LazyObjectProxy``, which makes the object it stands for on first use, as once."""

from collections.abc import Callable

import wrapt

import quiesce


@quiesce.adapter(
    "once",
    world="threads",
    distribution="wrapt",
    # Nothing documented about a factory that uses its own proxy. The factory stays an
    # attribute of the proxy.
    lacks={"own_function", "reentrance_error", "release"},
    # proxies.py, ``__wrapped_get__``: "because of multiple threads" it is made under a lock;
    # when the factory raises, nothing is kept.
    dialect={"once_error": "retry", "once_cancel": "none"},
)
class LazyObject:
    """A proxy, asked for the object behind it."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._proxy = wrapt.LazyObjectProxy(work)

    def call(self) -> object:
        return self._proxy.__wrapped__
