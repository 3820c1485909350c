"""Fan-out: call one function for many inputs at once, or let several functions race.

After the ways in which Go programs use golang.org/x/sync/errgroup. Nothing outlives its
call: whatever the outcome, every thread that was started has ended when the call does. A
running function can't be interrupted, so a failure is raised only when those that run
beside it have ended.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["first_success", "map_concurrent"]

T = TypeVar("T")
R = TypeVar("R")


def map_concurrent(
    fn: Callable[[T], R], items: Iterable[T], *, limit: int | None = None
) -> list[R]:
    """Call ``fn`` with each item in threads, and return the results in the order of the items.

    Items are taken in their order, by up to ``limit`` threads of this call's own, each of
    which calls ``fn`` for one item after the other. Without items nothing is started.

    The first error, whatever its type, is the outcome: no further item is taken, what runs is
    waited for, and the same exception object is raised. Later errors are dropped, and so are
    the results.

    Args:
      fn: called once with each item, by several threads at the same time.
      items: all of them are read before anything starts.
      limit: how many calls of ``fn`` run at the same time; None is one thread for each item.

    Raises:
      ValueError: the limit is below 1. Nothing was started.

    Clauses: FO-01 to FO-06, UN-01, UN-03, UN-05, UN-10.
    """
    inputs = list(items)
    if limit is not None and limit < 1:
        msg = f"the limit is {limit}: nothing could ever run; use 1 or more, or None for no limit"
        raise ValueError(msg)
    lock = threading.Lock()
    # Protected by lock.
    taken = 0
    failure: BaseException | None = None
    # By input. Each is written by the thread that took the input, and read after its join.
    results: dict[int, R] = {}

    def work() -> None:
        nonlocal taken, failure
        while True:
            with lock:
                # Looked and taken under one hold of the lock: no item is taken twice, and
                # none after a failure.
                if failure is not None or taken == len(inputs):
                    return
                index, taken = taken, taken + 1
            try:
                results[index] = fn(inputs[index])
            except BaseException as error:
                with lock:
                    if failure is None:
                        failure = error
                return

    def stop() -> None:
        nonlocal taken
        with lock:
            taken = len(inputs)

    count = len(inputs) if limit is None else min(limit, len(inputs))
    _run([work] * count, stop)
    if failure is not None:
        raise failure
    return [results[index] for index in range(len(inputs))]


def first_success(*fns: Callable[[], R]) -> R:
    """Call all functions, each in a thread of its own, and return the first value.

    The first function that returns, in time, wins. Those that run beside it can't be
    interrupted: the call returns when they have ended, and what they return or raise is
    dropped.

    Raises:
      BaseExceptionGroup: no function returned. It holds all their errors, in the order of
        time, as the very objects that were raised; an ExceptionGroup if all of them are
        ``Exception``.
      ValueError: there are no functions, so that none can succeed.

    Clauses: FO-12, UN-01, UN-03.
    """
    if not fns:
        msg = "a race without functions has no winner: give at least one"
        raise ValueError(msg)
    lock = threading.Lock()
    values: list[R] = []  # protected by lock; the first is the winner's
    errors: list[BaseException] = []  # protected by lock

    def attempt(fn: Callable[[], R]) -> None:
        if values:
            return  # it was won before this thread got so far
        try:
            value = fn()
        except BaseException as error:
            with lock:
                errors.append(error)
        else:
            with lock:
                values.append(value)

    def stop() -> None:
        """What runs can't be stopped."""

    _run([partial(attempt, fn) for fn in fns], stop)
    if values:
        return values[0]
    raise BaseExceptionGroup("no function succeeded", errors)


def _run(works: Sequence[Callable[[], None]], stop: Callable[[], None]) -> None:
    """Run each in a thread, and return when all have ended; they raise nothing themselves."""
    started: list[threading.Thread] = []
    try:
        for work in works:
            thread = threading.Thread(target=work)
            thread.start()
            started.append(thread)
        for thread in started:
            thread.join()
    except BaseException:  # no more threads, or a signal: still, nothing outlives its call
        stop()
        for thread in started:
            thread.join()
        raise
