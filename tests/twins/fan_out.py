"""Known-bad fan-outs: each a good one with a single planted defect.

``fo_good`` conforms in threads, ``fo_good_tasks`` in asyncio and trio; both collect all
errors or report the first, and their seams are the methods that twins replace.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import anyio

import quiesce

PATTERN = "fan_out"
ASYNC = ("asyncio", "trio")

Function = Callable[[int], object]
AsyncFunction = Callable[[int], Awaitable[object]]


class Round:
    """One fan-out in threads: its inputs, its results and its first error."""

    def __init__(self, function: Function, items: Sequence[int]) -> None:
        self.function = function
        self.left = list(items)
        self.results: list[object] = [None] * len(items)
        self.lock = threading.Lock()
        self.error: BaseException | None = None

    def work(self) -> None:
        while (item := self.take()) is not None:
            try:
                self.store(item, self.call(item))
            except BaseException as error:
                self.failed(error)

    def take(self) -> int | None:
        with self.lock:
            if self.left and not self.stopped():
                return self.left.pop(0)
            return None

    def stopped(self) -> bool:
        return self.error is not None

    def call(self, item: int) -> object:
        return self.function(item)

    def store(self, item: int, value: object) -> None:
        self.results[item] = value

    def failed(self, error: BaseException) -> None:
        with self.lock:
            if self.error is None:
                self.error = error

    def result(self) -> list[object]:
        if self.error is not None:
            raise self.error
        return self.results


@quiesce.adapter(PATTERN, world="threads", name="fo_good", lacks={"first_success"})
class FanOut:
    """Threads that take inputs under a lock, all of them joined."""

    Own: type[Round] = Round

    def map_concurrent(self, function: Function, items: Sequence[int], limit: int) -> list[object]:
        own = self.Own(function, items)
        threads = [threading.Thread(target=own.work) for _ in range(self.count(items, limit))]
        for thread in threads:
            thread.start()
        self.join(own, threads)
        return own.result()

    def count(self, items: Sequence[int], limit: int) -> int:
        return min(limit, len(items))

    def join(self, own: Round, threads: list[threading.Thread]) -> None:
        for thread in threads:
            thread.join()


@quiesce.adapter(PATTERN, world="threads", name="fo_completion_order", lacks={"first_success"})
class CompletionOrder(FanOut):
    """Results are appended as they come."""

    class Own(Round):
        def store(self, item: int, value: object) -> None:
            self.results.remove(None)
            self.results.append(value)


@quiesce.adapter(PATTERN, world="threads", name="fo_double_write", lacks={"first_success"})
class DoubleWrite(FanOut):
    """A result also lands in the next slot."""

    class Own(Round):
        def store(self, item: int, value: object) -> None:
            self.results[item : item + 2] = [value] * len(self.results[item : item + 2])


@quiesce.adapter(PATTERN, world="threads", name="fo_calls_twice", lacks={"first_success"})
class CallsTwice(FanOut):
    """A result that looks empty is asked for again."""

    class Own(Round):
        def call(self, item: int) -> object:
            return super().call(item) or super().call(item)


@quiesce.adapter(
    PATTERN, world="threads", name="fo_partial_result_on_error", lacks={"first_success"}
)
class PartialResult(FanOut):
    """After a failure there is a list with holes."""

    class Own(Round):
        def result(self) -> list[object]:
            return self.results


@quiesce.adapter(PATTERN, world="threads", name="fo_last_error", lacks={"first_success"})
class LastError(FanOut):
    """The last error is raised, not the first."""

    class Own(Round):
        def failed(self, error: BaseException) -> None:
            self.error = error


@quiesce.adapter(
    PATTERN, world="threads", name="fo_takes_inputs_after_a_failure", lacks={"first_success"}
)
class TakesOn(FanOut):
    """A failure stops nobody."""

    class Own(Round):
        def stopped(self) -> bool:
            return False


@quiesce.adapter(
    PATTERN, world="threads", name="fo_return_before_stragglers", lacks={"first_success"}
)
class NoStragglers(FanOut):
    """A failure is raised at once, with functions still running."""

    def join(self, own: Round, threads: list[threading.Thread]) -> None:
        for thread in threads:
            while thread.is_alive() and own.error is None:
                thread.join(1e-6)


@quiesce.adapter(PATTERN, world="threads", name="fo_ignores_the_limit", lacks={"first_success"})
class NoLimit(FanOut):
    """A thread for each input."""

    def count(self, items: Sequence[int], limit: int) -> int:
        return len(items)


@quiesce.adapter(
    PATTERN, world="threads", name="fo_takes_inputs_backwards", lacks={"first_success"}
)
class Backwards(FanOut):
    """A list used as a stack."""

    class Own(Round):
        def take(self) -> int | None:
            with self.lock:
                if self.left and not self.stopped():
                    return self.left.pop()
                return None


@quiesce.adapter(PATTERN, world="threads", name="fo_hangs_without_inputs", lacks={"first_success"})
class HangsWithoutInputs(FanOut):
    """It waits for the last end, which without inputs never comes."""

    def join(self, own: Round, threads: list[threading.Thread]) -> None:
        super().join(own, threads)
        if not threads:
            threading.Event().wait()


@quiesce.adapter(PATTERN, world=ASYNC, name="fo_good_tasks", dialect={"errors": "all"})
class Tasks:
    """A task for each input, under a limit."""

    async def map_concurrent(
        self, function: AsyncFunction, items: Sequence[int], limit: int
    ) -> list[object]:
        limiter = anyio.Semaphore(limit)
        results: dict[int, object] = {}

        async def run(item: int) -> None:
            async with limiter:
                results[item] = await function(item)

        async with anyio.create_task_group() as tasks:
            for item in items:
                tasks.start_soon(run, item)
        return [results[item] for item in items]

    async def first_success(self, attempt: AsyncFunction, items: Sequence[int]) -> object:
        values: list[object] = []
        errors: list[Exception] = []

        async def run(item: int) -> None:
            try:
                values.append(await attempt(item))
            except Exception as error:
                errors.append(error)
                self.lost(tasks, errors)
            else:
                self.won(tasks)

        async with anyio.create_task_group() as tasks:
            for item in items:
                tasks.start_soon(run, item)
        return self.outcome(values, errors)

    def won(self, tasks: Any) -> None:
        tasks.cancel_scope.cancel()

    def lost(self, tasks: Any, errors: list[Exception]) -> None:
        pass

    def outcome(self, values: list[object], errors: list[Exception]) -> object:
        if values:
            return values[0]
        raise ExceptionGroup("no success", errors)


@quiesce.adapter(
    PATTERN, world="asyncio", name="fo_shared_loop_variable", dialect={"errors": "all"}
)
class SharedLoopVariable(Tasks):
    """The closures share the loop's variable, and all write to the last slot."""

    async def map_concurrent(
        self, function: AsyncFunction, items: Sequence[int], limit: int
    ) -> list[object]:
        limiter = anyio.Semaphore(limit)
        results: list[object] = [None] * len(items)
        async with anyio.create_task_group() as tasks:
            for slot, item in enumerate(items):

                async def run(item: int = item) -> None:
                    async with limiter:
                        results[slot] = await function(item)  # noqa: B023

                tasks.start_soon(run)
        return results


@quiesce.adapter(PATTERN, world="trio", name="fo_first_end_wins", dialect={"errors": "all"})
class FirstEndWins(Tasks):
    """The first to end ends the race, also if it failed."""

    def lost(self, tasks: Any, errors: list[Exception]) -> None:
        tasks.cancel_scope.cancel()


@quiesce.adapter(PATTERN, world="asyncio", name="fo_losers_go_on", dialect={"errors": "all"})
class LosersGoOn(Tasks):
    """The race is won when everybody has arrived."""

    def won(self, tasks: Any) -> None:
        pass
