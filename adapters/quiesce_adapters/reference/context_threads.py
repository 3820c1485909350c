"""The context of the reference, for threads."""

import contextlib
from collections.abc import Callable, Iterator

import quiesce
from quiesce_reference.threads import CancelContext, Context, ContextCancelledError

Seen = tuple[object, ...]


class Given(Exception):
    """The cause of that number."""


@quiesce.adapter(
    "context",
    world="threads",
    packages=["quiesce_reference"],
    name="reference.Context",
)
class Tree:
    """``Context``."""

    def __init__(self) -> None:
        self._base = Context().with_cancel()
        self._stops: list[Callable[[], bool]] = []

    @contextlib.contextmanager
    def lifespan(self) -> Iterator[None]:
        yield
        for stop in self._stops:  # a callback that waits for a deadline has a thread
            stop()

    def background(self) -> Context:
        return self._base

    def with_cancel(self, of: Context) -> CancelContext:
        return of.with_cancel()

    def with_deadline(self, of: Context, delay: int, caused: bool, item: int) -> CancelContext:
        return of.with_timeout(delay, Given(item) if caused else None)

    def with_value(self, of: Context, key: str, empty: bool, item: int) -> Context:
        return of.with_value(key, None if empty else item)

    def with_function(self, of: Context, work: Callable[[], object]) -> Context:
        return of.with_value("function", work)

    def without_cancel(self, of: Context) -> Context:
        return of.without_cancel()

    def cancel(self, of: CancelContext, caused: bool, item: int) -> object:
        of.cancel(Given(item) if caused else None)
        return kind(of.error)

    def look(self, of: Context) -> Seen:
        return ("look", of.done, kind(of.error), kind(of.cause), of.done)

    def wait(self, of: Context, timeout: int | None) -> bool:
        return of.wait(timeout)

    def deadline(self, of: Context) -> Seen:
        return ("due", of.deadline)

    def value(self, of: Context, key: str) -> Seen:
        return ("bound", of.value(key))

    def after(self, of: Context, work: Callable[[], object]) -> Callable[[], bool]:
        stop = of.after(work)
        self._stops.append(stop)
        return stop

    def stop(self, callback: Callable[[], bool]) -> bool:
        return callback()


def kind(error: BaseException | None) -> object:
    """An error or cause in the port's words."""
    if error is None or isinstance(error, Given):
        return error and error.args[0]
    return "cancelled" if isinstance(error, ContextCancelledError) else "deadline"
