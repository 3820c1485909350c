"""Fan-out as ``concurrent.futures`` does it: ``Executor.map`` in a pool of its own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import quiesce


@quiesce.adapter(
    "fan_out",
    world="threads",
    packages=["concurrent"],
    name="ThreadPoolExecutor.map",
    # Nothing documented about exceptions that are no Exception.
    lacks={"first_success", "exit"},
    # Documentation of Executor.map: an exception "will be raised when its value is retrieved
    # from the iterator", which happens in the order of the inputs.
    dialect={"errors": "by_input", "on_failure": "cancel_rest"},
)
class PoolMap:
    """The pool is left, which waits for what runs, when the results are there or one failed."""

    def map_concurrent(
        self, function: Callable[[int], object], items: Sequence[int], limit: int
    ) -> list[object]:
        with ThreadPoolExecutor(max_workers=limit) as pool:
            return list(pool.map(function, items))
