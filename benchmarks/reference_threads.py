"""Rows of ``benchmarks/reference.py`` for threads: (use, ours, peers), a peer being a ``Way``.

Where two threads are needed, one of them is started per spell, not per operation.
"""

from __future__ import annotations

import functools
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from quiesce_reference.threads import (
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
    pipeline,
)

Run = Callable[[int], object]


def nothing(*_: object) -> None:
    """A user function that does nothing."""


def call(fn: Callable[[], object]) -> Run:
    """Call it again and again."""

    def run(n: int) -> None:
        for _ in range(n):
            fn()

    return run


def within(lock: Any) -> Run:
    """Take it and give it back, with nobody else about."""

    def run(n: int) -> None:
        for _ in range(n):
            with lock:
                pass

    return run


def contended(lock: Any) -> Run:
    """The same, while another thread does it too."""

    def run(n: int) -> None:
        def take() -> None:
            for _ in range(n // 2):
                with lock:
                    pass

        other = threading.Thread(target=take)
        other.start()
        take()
        other.join()

    return run


def notify(condition: Any) -> Run:
    """Take the lock, notify those who wait, and give the lock back."""

    def run(n: int) -> None:
        for _ in range(n):
            with condition:
                condition.notify()

    return run


# Once.


def locked_flag() -> Run:
    lock, values = threading.Lock(), list[object]()

    def value() -> object:
        with lock:
            if not values:
                values.append(1)
            return values[0]

    return call(value)


# Singleflight.


def singleflight_ours(n: int) -> None:
    flight = SingleFlight[str, None]()
    for _ in range(n):
        flight.do("key", nothing)


def dictionary_of_futures(n: int) -> None:
    lock, flights = threading.Lock(), dict[str, Future[None]]()

    def do(key: str, work: Callable[[], None]) -> None:
        with lock:
            future = flights.get(key)
            if future is None:
                mine = flights[key] = Future()
        if future is not None:
            return future.result()
        try:
            mine.set_result(work())
        finally:
            with lock:
                del flights[key]
        return mine.result()

    for _ in range(n):
        do("key", nothing)


# Rate limiter.


def allow_ours(n: int) -> None:
    limiter = RateLimiter(1e9, 1_000_000_000)
    for _ in range(n):
        limiter.allow()


def allow_token_bucket(n: int) -> None:
    import token_bucket  # type: ignore[import-not-found,unused-ignore]  # optional

    limiter = token_bucket.Limiter(1e9, 1_000_000_000, token_bucket.MemoryStorage())
    for _ in range(n):
        limiter.consume("key")


def allow_pyrate(n: int) -> None:
    from pyrate_limiter import (  # type: ignore[import-not-found,unused-ignore]  # optional
        Duration,
        InMemoryBucket,
        Limiter,
        Rate,
    )

    limiter = Limiter(InMemoryBucket([Rate(1_000_000_000, Duration.DAY)]))
    for _ in range(n):
        limiter.try_acquire("key")


# Object pool.


def pool_ours(n: int) -> None:
    pool = ObjectPool(object, bound=4)
    for _ in range(n):
        pool.put(pool.get())


def pool_of_queue(n: int) -> None:
    pool: queue.LifoQueue[object] = queue.LifoQueue()
    for _ in range(4):
        pool.put(object())
    for _ in range(n):
        pool.put(pool.get())


# Worker pool and fan-out.


def submit_ours(n: int) -> None:
    with WorkerPool(4, queue=64) as pool:
        for job in [pool.submit(nothing) for _ in range(n)]:
            job.result()


def submit_executor(n: int) -> None:
    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(nothing) for _ in range(n)]:
            future.result()


def map_ours(n: int) -> None:
    map_concurrent(nothing, range(n), limit=4)


def map_executor(n: int) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(nothing, range(n)))


# Channel.


def through(send: Callable[[int], object], receive: Callable[[], object], n: int) -> None:
    """One thread sends, this one receives."""

    def send_all() -> None:
        for number in range(n):
            send(number)

    sender = threading.Thread(target=send_all)
    sender.start()
    for _ in range(n):
        receive()
    sender.join()


def channel_ours(n: int) -> None:
    channel = Channel[int](64)
    through(channel.send, channel.receive, n)


def channel_of_queue(n: int) -> None:
    channel: queue.Queue[int] = queue.Queue(64)
    through(channel.put, channel.get, n)


def channel_alone_ours(n: int) -> None:
    channel = Channel[int](64)
    for number in range(n):
        channel.send(number)
        channel.receive()


def channel_alone_of_queue(n: int) -> None:
    channel: queue.Queue[int] = queue.Queue(64)
    for number in range(n):
        channel.put(number)
        channel.get()


# Task group and pipeline.


def group_ours(n: int) -> None:
    group = TaskGroup(limit=4)
    for _ in range(n):
        group.go(nothing)
    group.wait()


def group_of_threads(n: int) -> None:
    places = threading.BoundedSemaphore(4)
    threads = []

    def run() -> None:
        with places:
            nothing()

    for _ in range(n):
        thread = threading.Thread(target=run)
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()


def pipeline_ours(n: int) -> None:
    with pipeline(range(n), nothing, nothing) as results:
        for _ in results:
            pass


def pipeline_of_queues(n: int) -> None:
    first: queue.Queue[object] = queue.Queue(1)
    second: queue.Queue[object] = queue.Queue(1)
    third: queue.Queue[object] = queue.Queue(1)

    def feed() -> None:
        for number in range(n):
            first.put(number)
        first.put(END)

    def work(before: queue.Queue[object], behind: queue.Queue[object]) -> None:
        while (item := before.get()) is not END:
            behind.put(nothing(item))
        behind.put(END)

    threads = [
        threading.Thread(target=feed),
        threading.Thread(target=work, args=(first, second)),
        threading.Thread(target=work, args=(second, third)),
    ]
    for thread in threads:
        thread.start()
    while third.get() is not END:
        pass
    for thread in threads:
        thread.join()


END = object()

NO_FIFO = "order: whoever runs next gets it"
UNBOUNDED = "back-pressure: its queue grows with the input"

ROWS: tuple[Any, ...] = (
    (
        "once, after the first call",
        call(once_value(object)),
        ("lock and flag", locked_flag(), "errors are not kept"),
        ("functools.cache", call(functools.cache(object)), "one execution: threads may race"),
    ),
    (
        "singleflight, no joiner",
        singleflight_ours,
        ("dict of futures", dictionary_of_futures, "forget, shared, re-entrance"),
    ),
    (
        "rate limiter, allow",
        allow_ours,
        ("token-bucket", allow_token_bucket, "a bound under races (finding 04)", "token_bucket"),
        ("pyrate-limiter", allow_pyrate, "reserve, cancel, set_rate", "pyrate_limiter"),
    ),
    ("mutex, free", within(Mutex()), ("threading.Lock", within(threading.Lock()), NO_FIFO)),
    (
        "mutex, two threads",
        contended(Mutex()),
        ("threading.Lock", contended(threading.Lock()), NO_FIFO),
    ),
    (
        "semaphore, free",
        within(Semaphore(2)),
        ("threading.BoundedSemaphore", within(threading.BoundedSemaphore(2)), NO_FIFO),
    ),
    (
        "condition, lock and notify nobody",
        notify(Condition()),
        ("threading.Condition", notify(threading.Condition()), "CO-02 after a time-out"),
    ),
    (
        "channel of 64, one thread",
        channel_alone_ours,
        ("queue.Queue", channel_alone_of_queue, "close, select, a hand-over that holds"),
    ),
    (
        "channel of 64, two threads",
        channel_ours,
        ("queue.Queue", channel_of_queue, "close, select, a hand-over that holds"),
    ),
    (
        "task group, limit 4",
        group_ours,
        ("threads and a semaphore", group_of_threads, "errors, and a bound on the threads"),
    ),
    (
        "pipeline of two stages",
        pipeline_ours,
        ("threads and queues", pipeline_of_queues, "errors, cancel, leaving early"),
    ),
    (
        "object pool, get and put",
        pool_ours,
        ("queue.LifoQueue", pool_of_queue, "making on demand, reset, checks, close"),
    ),
    (
        "worker pool, submit and result",
        submit_ours,
        ("ThreadPoolExecutor", submit_executor, UNBOUNDED),
    ),
    (
        "fan-out of nothing, limit 4",
        map_ours,
        ("ThreadPoolExecutor.map", map_executor, "the rest ends with the first error"),
    ),
)
