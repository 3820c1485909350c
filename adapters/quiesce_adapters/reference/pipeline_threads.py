"""Pipelines of the reference, for threads: ordered stages, and stages that are not."""

from collections.abc import Callable, Iterable

import quiesce
from quiesce_reference.threads import Pipeline, Stage, pipeline

Source = Iterable[object]
Function = Callable[[object], object]


@quiesce.adapter(
    "pipeline",
    world="threads",
    packages=["quiesce_reference"],
    name="reference.pipeline",
    dialect={"ordered": "yes", "ahead": "0"},
)
class Ordered:
    """``pipeline`` with two equal stages that keep the order."""

    ordered = True

    def __init__(
        self, source: Source, first: Function, second: Function, workers: int, buffer: int
    ) -> None:
        stages = (Stage(fn, workers, buffer, self.ordered) for fn in (first, second))
        self._pipeline = pipeline(source, *stages)

    def lifespan(self) -> Pipeline:
        return self._pipeline

    def receive(self) -> tuple[object, ...]:
        for item in self._pipeline:
            return (item,)
        return ()

    def cancel(self) -> None:
        self._pipeline.cancel()

    def wait(self) -> None:
        self._pipeline.wait()

    def close(self) -> None:
        self._pipeline.close()


@quiesce.adapter(
    "pipeline",
    world="threads",
    packages=["quiesce_reference"],
    name="reference.pipeline_unordered",
    dialect={"ordered": "no", "ahead": "0"},
)
class Unordered(Ordered):
    """``pipeline`` with stages that deliver as they are done."""

    ordered = False
