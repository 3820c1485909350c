"""Fan-out: call one async function for many inputs at once, or let several functions race.

After the ways in which Go programs use golang.org/x/sync/errgroup. Nothing outlives its
call: whatever the outcome, every task that was started has ended when the call does.

Tasks of one event loop only, so there is no lock: what lies between two awaits is atomic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

__all__ = ["first_success", "map_concurrent"]

T = TypeVar("T")
R = TypeVar("R")


async def map_concurrent(
    fn: Callable[[T], Awaitable[R]], items: Iterable[T], *, limit: int | None = None
) -> list[R]:
    """Call ``fn`` with each item in tasks, and return the results in the order of the items.

    Items are taken in their order, by up to ``limit`` tasks of this call's own, each of
    which calls ``fn`` for one item after the other. Without items nothing is started, and
    the call returns without a checkpoint.

    The first error is the outcome: no further item is taken, what runs is cancelled and
    waited for, and the same exception object is raised. Errors that come after it are
    dropped, and so are the results. Cancelling the caller cancels what runs; he gets his
    cancellation when all of it has ended.

    Args:
      fn: called once with each item, in several tasks at the same time.
      items: all of them are read before anything starts.
      limit: how many calls of ``fn`` run at the same time; None is one task for each item.

    Raises:
      ValueError: the limit is below 1. Nothing was started.

    Clauses: FO-01 to FO-06, UN-01, UN-03, UN-04, UN-05, UN-10.
    """
    inputs = list(items)
    if limit is not None and limit < 1:
        msg = f"the limit is {limit}: nothing could ever run; use 1 or more, or None for no limit"
        raise ValueError(msg)
    if not inputs:
        return []
    taken = 0
    failure: Exception | None = None
    results: dict[int, R] = {}  # by input

    async def work() -> None:
        nonlocal taken, failure
        # No await between the look and the taking: no item is taken twice, and none after a
        # failure.
        while failure is None and taken < len(inputs):
            index, taken = taken, taken + 1
            try:
                results[index] = await fn(inputs[index])
            except Exception as error:
                if failure is None:
                    failure = error
                tasks.cancel_scope.cancel()

    # The group never hears of an error, so as not to wrap it.
    async with anyio.create_task_group() as tasks:
        for _ in range(len(inputs) if limit is None else min(limit, len(inputs))):
            tasks.start_soon(work)
    if failure is not None:
        raise failure
    return [results[index] for index in range(len(inputs))]


async def first_success(*fns: Callable[[], Awaitable[R]]) -> R:
    """Call all async functions, each in a task of its own, and return the first value.

    The first function that returns, in time, wins. The others are cancelled, and the call
    returns when they have ended; what they return or raise is dropped. Cancelling the caller
    cancels them all.

    Raises:
      ExceptionGroup: no function returned. It holds all their errors, in the order of
        time, as the very objects that were raised.
      ValueError: there are no functions, so that none can succeed.

    Clauses: FO-12, UN-01, UN-03, UN-04.
    """
    if not fns:
        msg = "a race without functions has no winner: give at least one"
        raise ValueError(msg)
    values: list[R] = []  # the first is the winner's
    errors: list[Exception] = []

    async def attempt(fn: Callable[[], Awaitable[R]]) -> None:
        if values:
            return  # it was won before this task got so far
        try:
            values.append(await fn())
        except Exception as error:
            errors.append(error)
        else:
            tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        for fn in fns:
            tasks.start_soon(attempt, fn)
    if values:
        return values[0]
    raise ExceptionGroup("no function succeeded", errors)
