"""Fan-out of the reference, for threads."""

from collections.abc import Callable, Sequence
from functools import partial

import quiesce
from quiesce_reference.threads import first_success, map_concurrent

Function = Callable[[int], object]


@quiesce.adapter(
    "fan_out",
    world="threads",
    packages=["quiesce_reference"],
    name="reference.map_concurrent",
    dialect={"errors": "first", "on_failure": "cancel_rest"},
)
class MapConcurrent:
    """``map_concurrent`` and ``first_success``."""

    def map_concurrent(self, function: Function, items: Sequence[int], limit: int) -> list[object]:
        return map_concurrent(function, items, limit=limit)

    def first_success(self, attempt: Function, items: Sequence[int]) -> object:
        return first_success(*(partial(attempt, item) for item in items))
