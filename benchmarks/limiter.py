"""A virtual hour of rate limiters: what it costs in real milliseconds.

    python benchmarks/limiter.py [--repeats N]

Three callers share a limiter of one call a second (burst 5) for 3,600 virtual seconds, each
asking again as soon as it is served. A second row is a limiter of one call a minute.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from quiesce.worlds.world import START

if TYPE_CHECKING:
    from collections.abc import Callable

    from quiesce.worlds.world import WorldFactory

SECOND = 1_000_000_000
HOUR = 3_600 * SECOND


class ThreadsReference:
    """Loaded over the simulated standard library, so the limiter sees virtual time."""

    def __init__(self, rate: float, burst: int) -> None:
        from quiesce_reference.threads import RateLimiter

        self._limiter = RateLimiter(rate, burst)

    def wait(self) -> None:
        self._limiter.wait(1)


class AioReference:
    def __init__(self, rate: float, burst: int) -> None:
        from quiesce_reference.aio import RateLimiter

        self._limiter = RateLimiter(rate, burst)

    async def wait(self) -> None:
        await self._limiter.wait(1)


class Aiolimiter:
    def __init__(self, rate: float, burst: int) -> None:
        from aiolimiter import (  # type: ignore[import-not-found,unused-ignore]  # optional
            AsyncLimiter,
        )

        self._limiter = AsyncLimiter(burst, burst / rate)

    async def wait(self) -> None:
        await self._limiter.acquire(1)


def threads(points: str) -> Callable[[], WorldFactory]:
    def make() -> WorldFactory:
        from quiesce.worlds.threads import Points, ThreadWorldFactory

        return ThreadWorldFactory(points=Points(points), packages=["quiesce_reference"])

    return make


def asyncio() -> WorldFactory:
    from quiesce.worlds.asyncio import AsyncioWorldFactory

    return AsyncioWorldFactory(packages=["aiolimiter"])


def trio() -> WorldFactory:
    from quiesce.worlds.trio import TrioWorldFactory

    return TrioWorldFactory(packages=["quiesce_reference"])


def hour(factory: WorldFactory, subject: type, rate: float) -> tuple[int, float, float]:
    """Calls served in one virtual hour, wall seconds and processor seconds."""
    served = 0

    def call(limiter: Any) -> None:
        nonlocal served
        while True:
            limiter.wait()
            served += 1

    async def async_call(limiter: Any) -> None:
        nonlocal served
        while True:
            await limiter.wait()
            served += 1

    wall, cpu = time.perf_counter(), time.process_time()
    world = factory.open()
    made: list[Any] = []

    def set_up() -> None:
        made.append(subject(rate, 5))

    async def async_set_up() -> None:
        made.append(subject(rate, 5))

    world.spawn("set-up", async_set_up if factory.is_async else set_up)
    world.settle()
    caller = async_call if factory.is_async else call
    for number in range(3):
        world.spawn(f"caller {number}", lambda: caller(made[0]))
    world.advance_to(START + HOUR)
    world.close()
    return served, time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    print(f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}\n")
    print("| limiter, world | calls served | wall ms | cpu ms |\n|---|---:|---:|---:|")
    rows: list[tuple[str, Callable[[], WorldFactory], type, str]] = [
        ("reference, threads at operations", threads("operations"), ThreadsReference, "greenlet"),
        ("reference, threads at gil", threads("gil"), ThreadsReference, "greenlet"),
        ("reference, asyncio", asyncio, AioReference, "anyio"),
        ("reference, trio", trio, AioReference, "trio"),
        ("aiolimiter, asyncio", asyncio, Aiolimiter, "aiolimiter"),
    ]
    for rate, period in ((1.0, "second"), (1 / 60, "minute")):
        for name, make, subject, module in rows:
            if find_spec(module) is None:
                print(f"| {name} | not installed: {module} | | |")
                continue
            factory = make()
            loaded = factory.load(subject.__module__, subject.__qualname__)
            runs = [hour(factory, loaded, rate) for _ in range(repeats)]
            factory.shut()
            wall = statistics.median(run[1] for run in runs) * 1e3
            cpu = statistics.median(run[2] for run in runs) * 1e3
            print(f"| {name}, one a {period} | {runs[0][0]:,} | {wall:.1f} | {cpu:.1f} |")


if __name__ == "__main__":
    main()
