"""One way to run async code on asyncio and on trio, in virtual time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest
import trio.testing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

#: Where the virtual clocks begin, in seconds.
EPOCH = 1000.0


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that jumps to the next timer instead of waiting for it."""

    def __init__(self) -> None:
        super().__init__()
        self._virtual_now = EPOCH
        real_select = self._selector.select  # type: ignore[attr-defined]  # typeshed hides it

        def select(timeout: float | None) -> Any:
            if timeout is None:
                raise AssertionError("every task is blocked and no timer is set")
            self._virtual_now += timeout
            return real_select(0)

        self._selector.select = select  # type: ignore[attr-defined]  # typeshed hides it

    def time(self) -> float:
        return self._virtual_now


class Caller:
    """One concurrent call, and where it stands."""

    def __init__(self, fn: Callable[[], Awaitable[object]]) -> None:
        self._fn = fn
        self.status = "blocked"
        self.value: object = None
        self.error: BaseException | None = None
        self.cancel: Callable[[], object]

    async def run(self) -> None:
        try:
            self.value = await self._fn()
        except anyio.get_cancelled_exc_class():
            self.status = "cancelled"
            raise
        except BaseException as error:
            self.status, self.error = "raised", error
        else:
            self.status = "returned"

    async def run_in(self, scope: anyio.CancelScope) -> None:
        with scope:
            await self.run()


class Arena:
    """A backend, a kind of cancellation, and the callers started there."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.backend = kind.partition("-")[0]

    def run(self, main: Callable[[], Awaitable[None]]) -> None:
        """Run ``main``, whose callers must all have ended when it has."""

        async def with_callers() -> None:
            async with anyio.create_task_group() as self._group:
                self._native: list[asyncio.Task[None]] = []
                await main()
                await self.settle()
                assert not [task for task in self._native if not task.done()]
                if self.backend == "asyncio":
                    assert len(asyncio.all_tasks()) == 1
                else:
                    assert not trio.lowlevel.current_task().child_nurseries[-1].child_tasks

        if self.backend == "asyncio":
            options: dict[str, Any] = {"loop_factory": VirtualLoop}
        else:
            clock = trio.testing.MockClock(autojump_threshold=0)
            clock.jump(EPOCH)
            options = {"clock": clock}
        anyio.run(with_callers, backend=self.backend, backend_options=options)

    def call(self, fn: Callable[[], Awaitable[object]]) -> Caller:
        """Start one caller; it runs when others wait."""
        caller = Caller(fn)
        if self.kind == "asyncio-native":
            task = asyncio.ensure_future(caller.run())
            self._native.append(task)
            caller.cancel = task.cancel
        else:
            scope = anyio.CancelScope()
            caller.cancel = scope.cancel
            self._group.start_soon(caller.run_in, scope)
        return caller

    async def settle(self) -> None:
        """Let everybody run as far as they can without time passing."""
        for _ in range(30):
            await anyio.lowlevel.checkpoint()

    async def started(self, *fns: Callable[[], Awaitable[object]]) -> list[Caller]:
        """Start callers one after the other, each as far as it gets."""
        callers = []
        for fn in fns:
            callers.append(self.call(fn))
            await self.settle()
        return callers


class Work:
    """An async function that logs its starts and ends when the test says how."""

    def __init__(self) -> None:
        self.runs: list[anyio.Event] = []
        self.ends: list[str] = []
        self._answers: dict[int, object] = {}

    async def __call__(self) -> Any:
        number = len(self.runs)
        self.runs.append(anyio.Event())
        try:
            await self.runs[number].wait()
        except BaseException:
            self.ends.append("cancelled")
            raise
        answer = self._answers[number]
        self.ends.append("ended")
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def open(self, answer: object = None, *, run: int = -1) -> None:
        run %= len(self.runs)
        self._answers[run] = answer
        self.runs[run].set()


@pytest.fixture(params=["asyncio-scope", "asyncio-native", "trio-scope"])
def arena(request: pytest.FixtureRequest) -> Arena:
    return Arena(request.param)


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def new_work() -> type[Work]:
    return Work
