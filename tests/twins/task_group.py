"""Known-bad task groups: each a good one with a single planted defect.

The good ones conform: ``tg_good_threads`` is a plain group with a scope, ``tg_good_all`` tells
every error and cancels nothing, ``tg_good`` is a structured group on anyio, and
``tg_good_tasks`` one of asyncio's tasks.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Awaitable, Callable

import anyio

import quiesce

PATTERN = "task_group"
ASYNC = ("asyncio", "trio")
STRUCTURED = {"run", "cancel_child", "immediate", "coroutines"}
GO_LIKE = {"errors": "first", "on_failure": "cancel_rest", "blocked_start_on_cancel": "runs"}
ALL = {"errors": "all", "on_failure": "continue"}

Work = Callable[[], object]


@quiesce.adapter(
    PATTERN, world="threads", name="tg_good_threads", lacks=STRUCTURED, dialect=GO_LIKE
)
class Plain:
    """A plain group with a scope: the first error ends it."""

    def __init__(self, limit: int | None) -> None:
        self.limit = None if limit is None or limit < 0 else limit
        self.changed = threading.Condition()
        self.running = 0
        self.errors: list[BaseException] = []
        self.ended = False

    # Starting.

    def go(self, work: Work) -> None:
        with self.changed:
            while not self.has_room():
                self.changed.wait()
            self.running += 1
        self.start(work)

    def try_go(self, work: Work) -> bool:
        with self.changed:
            if not self.has_room():
                return False
            self.running += 1
        self.start(work)
        return True

    def has_room(self) -> bool:
        return self.limit is None or self.running < self.limit

    def start(self, work: Work) -> None:
        threading.Thread(target=self.execute, args=(work,)).start()

    def execute(self, work: Work) -> None:
        try:
            work()
        except BaseException as error:
            self.failed(error)
        else:
            self.done()

    def failed(self, error: BaseException) -> None:
        with self.changed:
            self.errors.append(error)
        self.done()

    def done(self) -> None:
        with self.changed:
            self.running -= 1
            self.changed.notify_all()

    # Waiting.

    def wait(self) -> None:
        with self.changed:
            while self.must_wait():
                self.changed.wait()
            self.ended = True
            self.report()

    def must_wait(self) -> bool:
        return self.running > 0

    def report(self) -> None:
        if self.errors:
            raise self.errors[0]

    # The scope and the limit.

    def look(self) -> bool:
        with self.changed:
            if self.errors:
                raise self.errors[0]
            return self.ended

    def go_then_look(self, work: Work) -> bool:
        self.go(work)
        return self.look()

    def set_limit(self, limit: int | None) -> None:
        with self.changed:
            self.check_idle()
            self.limit = limit
            self.changed.notify_all()  # with the limit 0 some may have waited

    def check_idle(self) -> None:
        if self.running:
            raise RuntimeError("functions run")


@quiesce.adapter(
    PATTERN, world="threads", name="tg_good_all", lacks={*STRUCTURED, "look"}, dialect=ALL
)
class All(Plain):
    """A plain group that tells all errors."""

    def report(self) -> None:
        if self.errors:
            raise BaseExceptionGroup("errors", self.errors)


@quiesce.adapter(
    PATTERN,
    world=ASYNC,
    name="tg_good",
    scope="anyio",
    lacks={"wait", "look", "set_limit", "coroutines"},
    dialect={"errors": "all", "aborting": "refuses"},
)
class Structured:
    """A structured group on anyio's, with a limit."""

    def __init__(self, limit: int | None) -> None:
        self.limit = None if limit is None or limit < 0 else limit
        self.running = 0
        self.waiting: deque[Turn] = deque()
        self.entered = False
        self.closed = True

    async def run(self, work: Callable[[], Awaitable[object]]) -> object:
        if self.entered:
            raise RuntimeError("one block at a time")
        self.entered, self.closed = True, False
        try:
            async with anyio.create_task_group() as self.inner:
                try:
                    value = await work()
                except BaseException:
                    self.abort()
                    raise
        finally:
            self.abort()
            self.entered = False
        return value

    def abort(self) -> None:
        self.closed = True
        for turn in self.waiting:
            turn.came.set()
        self.waiting.clear()

    async def go(self, work: Callable[[], Awaitable[object]]) -> anyio.CancelScope:
        if self.closed:
            raise RuntimeError("closed")
        if self.has_room():
            return self.start(work)
        turn = Turn(work)
        self.waiting.append(turn)
        try:
            await turn.came.wait()
        except BaseException:
            self.withdraw(turn)
            raise
        if turn.scope is None:
            raise RuntimeError("closed")
        return turn.scope

    def withdraw(self, turn: Turn) -> None:
        if turn.scope is not None:
            turn.scope.cancel()
        elif turn in self.waiting:
            self.waiting.remove(turn)

    async def try_go(self, work: Callable[[], Awaitable[object]]) -> bool:
        if self.closed:
            raise RuntimeError("closed")
        if not self.has_room():
            return False
        self.start(work)
        return True

    def has_room(self) -> bool:
        return self.limit is None or self.running < self.limit

    def start(self, work: Callable[[], Awaitable[object]]) -> anyio.CancelScope:
        scope = anyio.CancelScope()
        self.running += 1
        self.inner.start_soon(self.execute, work, scope)
        return scope

    async def execute(
        self, work: Callable[[], Awaitable[object]], scope: anyio.CancelScope
    ) -> None:
        try:
            with scope:
                await work()
        except BaseException as error:
            self.failed(error)
            raise
        finally:
            self.done()

    def failed(self, error: BaseException) -> None:
        self.abort()

    def done(self) -> None:
        self.running -= 1
        if self.waiting and self.has_room() and not self.closed:
            turn = self.waiting.popleft()
            turn.scope = self.start(turn.work)
            turn.came.set()

    async def cancel_child(self, child: anyio.CancelScope) -> None:
        child.cancel()

    async def go_now(self) -> None:
        async def now() -> None:
            pass

        await self.go(now)

    async def fail_now(self) -> None:
        async def now() -> None:
            raise LookupError

        await self.go(now)


class Turn:
    """A start that waits for a slot."""

    def __init__(self, work: Callable[[], Awaitable[object]]) -> None:
        self.work = work
        self.came = anyio.Event()
        self.scope: anyio.CancelScope | None = None
