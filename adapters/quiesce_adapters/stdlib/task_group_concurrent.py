"""A thread pool of concurrent.futures, used as a task group with a limit."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager

import quiesce


@quiesce.adapter(
    "task_group",
    world="threads",
    name="concurrent.futures.ThreadPoolExecutor",
    packages=["concurrent"],
    lacks={
        *("run", "cancel_child", "immediate", "coroutines"),
        *("look", "limit_zero", "set_limit", "try"),
    },
    # "submit" schedules and returns; each future has its own error, and no error stops another.
    dialect={"errors": "all", "on_failure": "continue", "at_limit": "queues"},
)
class Executor:
    """``submit`` starts a function; ``wait`` on all futures, then their errors, is the wait."""

    def __init__(self, limit: int | None) -> None:
        # It always has a limit; this one is beyond what is ever started here.
        self._executor = ThreadPoolExecutor(1_000 if limit is None else limit)
        self._futures: list[Future[object]] = []

    @contextmanager
    def lifespan(self) -> Iterator[None]:
        with self._executor:
            yield

    def go(self, work: Callable[[], object]) -> None:
        self._futures.append(self._executor.submit(work))

    def wait(self) -> None:
        while not all(future.done() for future in self._futures):
            wait(self._futures)
        errors = [error for future in self._futures if (error := future.exception())]
        if errors:
            raise BaseExceptionGroup("errors", errors)
