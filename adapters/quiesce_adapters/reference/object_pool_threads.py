"""The object pool of the reference, for threads."""

from collections.abc import Callable

import quiesce
from quiesce_reference.threads import ObjectPool

Task = Callable[[object], object]


@quiesce.adapter(
    "object_pool",
    world="threads",
    packages=["quiesce_reference"],
    name="reference.ObjectPool",
    dialect={"fifo": "yes"},
)
class Pool:
    """``ObjectPool``, with a reset hook."""

    def __init__(self, bound: int | None, make: Callable[[], object], reset: Task) -> None:
        self._pool = ObjectPool(make, reset=reset, bound=bound)

    def get(self) -> object:
        return self._pool.get()

    def put(self, lent: object) -> None:
        self._pool.put(lent)

    def put_none(self) -> None:
        self._pool.put(None)

    def put_stranger(self) -> None:
        self._pool.put(object())

    def use(self, task: Task) -> object:
        with self._pool.use() as lent:
            return task(lent)

    def trim(self) -> None:
        self._pool.trim()

    def close(self) -> None:
        self._pool.close()
