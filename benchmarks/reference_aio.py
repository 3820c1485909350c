"""Rows of ``benchmarks/reference.py`` for tasks, under asyncio: (use, ours, peers)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import anyio

from quiesce_reference.aio import (
    Channel,
    Condition,
    Mutex,
    ObjectPool,
    RateLimiter,
    Semaphore,
    SingleFlight,
    TaskGroup,
    WorkerPool,
    map_concurrent,
    once_value,
)

Run = Callable[[int], Awaitable[object]]


async def nothing(*_: object) -> None:
    """A user function that does nothing."""


def within(make: Callable[[], Any]) -> Run:
    """Take it and give it back, with nobody else about."""

    async def run(n: int) -> None:
        lock = make()
        for _ in range(n):
            async with lock:
                pass

    return run


def contended(make: Callable[[], Any]) -> Run:
    """Eight tasks take it in turns."""

    async def run(n: int) -> None:
        lock = make()

        async def take() -> None:
            for _ in range(n // 8):
                async with lock:
                    await asyncio.sleep(0)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(8):
                tasks.create_task(take())

    return run


async def through(
    send: Callable[[int], Awaitable[object]], receive: Callable[[], Awaitable[object]], n: int
) -> None:
    """One task sends, this one receives."""

    async def send_all() -> None:
        for number in range(n):
            await send(number)

    sender = asyncio.create_task(send_all())
    for _ in range(n):
        await receive()
    await sender


# Once and singleflight.


async def once_ours(n: int) -> None:
    value = once_value(nothing)
    for _ in range(n):
        await value()


async def once_of_lock(n: int) -> None:
    lock, values = asyncio.Lock(), list[None]()

    async def value() -> None:
        async with lock:
            if not values:
                values.append(await nothing())
            return values[0]

    for _ in range(n):
        await value()


async def singleflight_ours(n: int) -> None:
    async with SingleFlight[str, None]() as flight:
        for _ in range(n):
            await flight.do("key", nothing)


async def singleflight_of_tasks(n: int) -> None:
    tasks: dict[str, asyncio.Task[None]] = {}

    async def do(key: str) -> None:
        task = tasks.get(key)
        if task is None:
            task = tasks[key] = asyncio.create_task(nothing())
            task.add_done_callback(lambda _: tasks.pop(key))
        await asyncio.shield(task)

    for _ in range(n):
        await do("key")


# Rate limiter.


async def wait_ours(n: int) -> None:
    limiter = RateLimiter(1e9, 1_000_000_000)
    for _ in range(n):
        await limiter.wait()


async def wait_aiolimiter(n: int) -> None:
    from aiolimiter import (  # type: ignore[import-not-found,unused-ignore]  # optional
        AsyncLimiter,
    )

    limiter = AsyncLimiter(1_000_000_000, 1)
    for _ in range(n):
        await limiter.acquire()


# Channel.


async def channel_ours(n: int) -> None:
    channel = Channel[int](64)
    await through(channel.send, channel.receive, n)


async def channel_of_queue(n: int) -> None:
    channel = asyncio.Queue[int](64)
    await through(channel.put, channel.get, n)


async def channel_of_anyio(n: int) -> None:
    send, receive = anyio.create_memory_object_stream[int](64)
    with send, receive:
        await through(send.send, receive.receive, n)


# Groups.


async def group_ours(n: int) -> None:
    async with TaskGroup(limit=4) as group:
        for _ in range(n):
            await group.go(nothing)


async def group_of_asyncio(n: int) -> None:
    places = asyncio.Semaphore(4)

    async def run() -> None:
        async with places:
            await nothing()

    async with asyncio.TaskGroup() as group:
        for _ in range(n):
            group.create_task(run())


async def group_of_anyio(n: int) -> None:
    places = anyio.CapacityLimiter(4)

    async def run() -> None:
        async with places:
            await nothing()

    async with anyio.create_task_group() as group:
        for _ in range(n):
            group.start_soon(run)


async def map_ours(n: int) -> None:
    await map_concurrent(nothing, range(n), limit=4)


async def map_of_gather(n: int) -> None:
    places = asyncio.Semaphore(4)

    async def run(item: int) -> None:
        async with places:
            await nothing(item)

    await asyncio.gather(*(run(item) for item in range(n)))


async def submit_ours(n: int) -> None:
    async with WorkerPool(4, queue=64) as pool:
        for _ in range(n):
            await pool.submit(nothing)


async def submit_to_queue(n: int) -> None:
    jobs = asyncio.Queue[Callable[[], Awaitable[None]] | None](64)

    async def work() -> None:
        while (job := await jobs.get()) is not None:
            await job()

    async with asyncio.TaskGroup() as workers:
        for _ in range(4):
            workers.create_task(work())
        for _ in range(n):
            await jobs.put(nothing)
        for _ in range(4):
            await jobs.put(None)


# Object pool.


async def pool_ours(n: int) -> None:
    pool = ObjectPool(nothing_made, bound=4)
    for _ in range(n):
        await pool.put(await pool.get())


async def nothing_made() -> object:
    return object()


async def pool_of_queue(n: int) -> None:
    pool = asyncio.LifoQueue[object]()
    for _ in range(4):
        pool.put_nowait(object())
    for _ in range(n):
        pool.put_nowait(await pool.get())


async def condition_ours(n: int) -> None:
    condition = Condition()
    for _ in range(n):
        async with condition:
            condition.notify()


async def condition_of_asyncio(n: int) -> None:
    condition = asyncio.Condition()
    for _ in range(n):
        async with condition:
            condition.notify()


ONE_LOOP = "trio"
SAME = "nothing: written for each backend, ours once"
UNBOUNDED = "back-pressure: a task for each item at once"

ROWS: tuple[Any, ...] = (
    (
        "once, after the first call",
        once_ours,
        ("asyncio.Lock and flag", once_of_lock, "errors are not kept; trio"),
    ),
    (
        "singleflight, no joiner",
        singleflight_ours,
        ("dict of shielded tasks", singleflight_of_tasks, "last cancel, forget, shared; trio"),
    ),
    (
        "rate limiter, wait",
        wait_ours,
        ("aiolimiter", wait_aiolimiter, "reserve, deadlines, order (finding 29)", "aiolimiter"),
    ),
    (
        "mutex, free",
        within(Mutex),
        ("asyncio.Lock", within(asyncio.Lock), ONE_LOOP),
        ("anyio.Lock", within(anyio.Lock), SAME),
    ),
    (
        "mutex, eight tasks",
        contended(Mutex),
        ("asyncio.Lock", contended(asyncio.Lock), ONE_LOOP),
        ("anyio.Lock", contended(anyio.Lock), SAME),
    ),
    (
        "semaphore, free",
        within(lambda: Semaphore(2)),
        ("asyncio.Semaphore", within(lambda: asyncio.Semaphore(2)), "weights; trio"),
        ("anyio.Semaphore", within(lambda: anyio.Semaphore(2)), "weights"),
    ),
    (
        "condition, lock and notify nobody",
        condition_ours,
        ("asyncio.Condition", condition_of_asyncio, "CO-02 before 3.13; trio"),
    ),
    (
        "channel of 64, two tasks",
        channel_ours,
        ("asyncio.Queue", channel_of_queue, "close before 3.13, select, hand-over; trio"),
        ("anyio memory stream", channel_of_anyio, "select"),
    ),
    (
        "task group, limit 4",
        group_ours,
        ("asyncio.TaskGroup, Semaphore", group_of_asyncio, UNBOUNDED),
        ("anyio task group, limiter", group_of_anyio, UNBOUNDED),
    ),
    (
        "fan-out of nothing, limit 4",
        map_ours,
        ("asyncio.gather, Semaphore", map_of_gather, UNBOUNDED),
    ),
    (
        "worker pool, submit",
        submit_ours,
        ("tasks and an asyncio.Queue", submit_to_queue, "outcomes, errors, cancel; trio"),
    ),
    (
        "object pool, get and put",
        pool_ours,
        ("asyncio.LifoQueue", pool_of_queue, "making on demand, reset, checks, close; trio"),
    ),
)
