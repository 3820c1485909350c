"""Fan-in of the reference, for threads."""

from collections.abc import Iterable

import quiesce
from quiesce_reference.threads import Merge, merge

Source = Iterable[object]


@quiesce.adapter(
    "fan_in",
    world="threads",
    packages=["quiesce_reference"],
    name="reference.merge",
)
class Merged:
    """``merge``."""

    def __init__(self, first: Source, second: Source) -> None:
        self._merge = merge(first, second)

    def lifespan(self) -> Merge[object]:
        return self._merge

    def receive(self) -> tuple[object, ...]:
        for item in self._merge:
            return (item,)
        return ()

    def close(self) -> None:
        self._merge.close()
