"""The context of the reference, for asyncio and trio."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import anyio

import quiesce
from quiesce_reference.aio import CancelContext, Context, ContextCancelledError

Seen = tuple[object, ...]
Work = Callable[[], Awaitable[object]]


class Given(Exception):
    """The cause of that number."""


@quiesce.adapter(
    "context",
    world=("asyncio", "trio"),
    packages=["quiesce_reference"],
    requires=["quiesce_reference", "anyio"],
    scope="anyio",
    name="reference.Context",
)
class Tree:
    """``Context``."""

    def __init__(self) -> None:
        self._base = Context().with_cancel()
        self._tasks = anyio.create_task_group()

    @contextlib.asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        async with self._tasks:
            yield
            self._tasks.cancel_scope.cancel()  # callbacks that never became due

    def background(self) -> Context:
        return self._base

    def with_cancel(self, of: Context) -> CancelContext:
        return of.with_cancel()

    def with_deadline(self, of: Context, delay: int, caused: bool, item: int) -> CancelContext:
        return of.with_timeout(delay, Given(item) if caused else None)

    def with_value(self, of: Context, key: str, empty: bool, item: int) -> Context:
        return of.with_value(key, None if empty else item)

    def with_function(self, of: Context, work: Work) -> Context:
        return of.with_value("function", work)

    def without_cancel(self, of: Context) -> Context:
        return of.without_cancel()

    def cancel(self, of: CancelContext, caused: bool, item: int) -> object:
        of.cancel(Given(item) if caused else None)
        return kind(of.error)

    def look(self, of: Context) -> Seen:
        return ("look", of.done, kind(of.error), kind(of.cause), of.done)

    async def wait(self, of: Context, timeout: int | None) -> bool:
        return await of.wait(timeout)

    def deadline(self, of: Context) -> Seen:
        return ("due", of.deadline)

    def value(self, of: Context, key: str) -> Seen:
        return ("bound", of.value(key))

    def after(self, of: Context, work: Work) -> Callable[[], bool]:
        return of.after(self._tasks, work)

    def stop(self, callback: Callable[[], bool]) -> bool:
        return callback()


def kind(error: BaseException | None) -> object:
    """An error or cause in the port's words."""
    if error is None or isinstance(error, Given):
        return error and error.args[0]
    return "cancelled" if isinstance(error, ContextCancelledError) else "deadline"
