"""Pipelines of the reference, for asyncio and trio: ordered stages, and stages that are not."""

from collections.abc import AsyncIterable, Awaitable, Callable

import quiesce
from quiesce_reference.aio import Pipeline, Stage, pipeline

Source = AsyncIterable[object]
Function = Callable[[object], Awaitable[object]]


@quiesce.adapter(
    "pipeline",
    world=("asyncio", "trio"),
    packages=["quiesce_reference"],
    requires=["quiesce_reference", "anyio"],
    scope="anyio",
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

    async def receive(self) -> tuple[object, ...]:
        async for item in self._pipeline:
            return (item,)
        return ()

    async def cancel(self) -> None:
        self._pipeline.cancel()

    async def wait(self) -> None:
        await self._pipeline.wait()

    async def close(self) -> None:
        await self._pipeline.close()


@quiesce.adapter(
    "pipeline",
    world=("asyncio", "trio"),
    packages=["quiesce_reference"],
    requires=["quiesce_reference", "anyio"],
    scope="anyio",
    name="reference.pipeline_unordered",
    dialect={"ordered": "no", "ahead": "0"},
)
class Unordered(Ordered):
    """``pipeline`` with stages that deliver as they are done."""

    ordered = False
